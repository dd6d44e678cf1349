/** Base of virtio devices: status, features, queues, configuration. Source: VIRTIO 1.2, section 2; quirks: QEMU 7.2. */
import type { DmaView } from "#memory";
import { Device, type VmStateFields } from "#qdev";
import { QomAbort, QomError } from "#qom";
import { VirtioBus, type VirtioTransport } from "./virtio-bus.ts";
import {
  DEFAULT_FEATURES,
  featureProperty,
  VIRTIO_F_ANY_LAYOUT,
  VIRTIO_F_NOTIFY_ON_EMPTY,
  VIRTIO_F_RING_RESET,
  VIRTIO_F_VERSION_1,
  VIRTIO_LEGACY_FEATURES,
  VIRTIO_RING_F_EVENT_IDX,
  VIRTIO_RING_F_INDIRECT_DESC,
} from "./virtio-features.ts";
import { Virtqueue, type VirtqueueOwner } from "./virtqueue.ts";

/** Bits of the device status. */
export const VIRTIO_STATUS = {
  Acknowledge: 1,
  Driver: 2,
  DriverOk: 4,
  FeaturesOk: 8,
  NeedsReset: 0x40,
  Failed: 0x80,
} as const;

/** Bits of the interrupt status: a queue has used buffers, the configuration has changed. */
const INTERRUPT_QUEUE = 1;
const INTERRUPT_CONFIG = 2;

/**
 * Bytes transferred for one notification before the rest of the machine gets a turn: some ten milliseconds of host
 * time. A driver can request minutes of work at once, during which the machine could not be stopped.
 */
const BYTES_AT_ONCE = 64 * 2 ** 20;

/**
 * A subclass defines `deviceId` and `offer`, adds queues and sets up `config` in `realizeDevice`, and does its work in
 * the queue handlers: pop, carry out, push, notify. The transport calls the rest.
 */
export abstract class VirtioDevice extends Device implements VirtqueueOwner {
  static override readonly typeName: string = "virtio-device";
  static override readonly instanceSize: number = 520;
  static override readonly properties = [
    featureProperty("indirect_desc", VIRTIO_RING_F_INDIRECT_DESC),
    featureProperty("event_idx", VIRTIO_RING_F_EVENT_IDX),
    featureProperty("notify_on_empty", VIRTIO_F_NOTIFY_ON_EMPTY),
    featureProperty("any_layout", VIRTIO_F_ANY_LAYOUT),
    featureProperty("queue_reset", VIRTIO_F_RING_RESET),
  ];

  /** State that all virtio devices have in common. */
  protected static readonly vmFields = {
    guestFeatures: "uint64",
    status: "uint8",
    broken: "bool",
    usesEventIndex: "bool",
    notifiesOnEmpty: "bool",
    configGeneration: "uint32",
    interruptStatus: "uint32",
    configSpace: "bytes",
    queueStates: "ints",
    turn: "timer",
  } as const satisfies VmStateFields;

  override readonly busType = VirtioBus.typeName;
  /** Device type (VIRTIO 1.2, section 5). */
  abstract readonly deviceId: number;

  /** Features that the device offers. */
  hostFeatures = DEFAULT_FEATURES;
  /** Features that the driver accepted. */
  guestFeatures = 0n;
  status = 0;
  broken = false;
  usesEventIndex = false;
  notifiesOnEmpty = false;
  /** Counts changes of the configuration, so that a driver notices if it read a mix of old and new. */
  configGeneration = 0;
  /** Interrupts that the driver has not acknowledged. */
  interruptStatus = 0;
  readonly queues: Virtqueue[] = [];
  /** Configuration space of the device: little-endian fields, sized and filled when the device is realized. */
  protected config = new DataView(new ArrayBuffer(0));
  private guestMemory: DmaView | null = null;
  /** Resumes postponed work. */
  private readonly turn = this.clock.timer(() => this.goOn());

  /** Adds queues and sizes the configuration. @throws QomError when the options are invalid. */
  protected abstract realizeDevice(): void;
  protected unrealizeDevice(): void {}
  /** The features to offer: those of `features` that apply, and the device's own. Called after `realizeDevice`. */
  protected offer(features: bigint): bigint {
    return features;
  }
  /** Features that the transport hides from drivers of version 1. */
  get legacyFeatures(): bigint {
    return VIRTIO_LEGACY_FEATURES;
  }
  /** Updates `config` before the driver reads from it. */
  protected updateConfig(): void {}
  /** Called after the driver wrote to `config`. */
  protected configWritten(): void {}
  /** Called after the driver accepted features. */
  protected featuresChanged(): void {}
  /** Called before the status is set to `value`; `status` still has its old value. */
  protected statusChanges(_value: number): void {}
  /** Resets the device's own state, before its queues are reset. */
  protected resetDevice(): void {}

  protected override realize(): void {
    const bus = this.parentBus;
    if (!(bus instanceof VirtioBus) || bus.transport === null)
      throw new QomError(
        `${this.qomType.typeName} needs a virtio bus; give bus=virtio-mmio-bus.0 or another`,
      );
    this.guestMemory = this.dmaView();
    this.realizeDevice();
    if (!bus.transport.legacy) this.hostFeatures |= VIRTIO_F_VERSION_1;
    this.hostFeatures = this.offer(this.hostFeatures);
    bus.device = this;
  }

  protected override unrealize(): void {
    if (this.parentBus instanceof VirtioBus) this.parentBus.device = null;
    this.unrealizeDevice();
    this.turn.cancel();
    this.queues.length = 0;
    this.guestMemory = null;
  }

  /** @throws QomAbort while the device is not realized. */
  get dma(): DmaView {
    if (this.guestMemory === null)
      throw new QomAbort(`${this.describe()} reaches no memory: it is not realized`);
    return this.guestMemory;
  }

  /** Adds a queue; queues are numbered in call order. */
  protected addQueue(size: number, handle: (queue: Virtqueue) => void): Virtqueue {
    const queue = new Virtqueue(this, this.queues.length, size, handle);
    this.queues.push(queue);
    return queue;
  }

  /** The configuration and the queues in the form kept in snapshots. */
  get configSpace(): Uint8Array {
    return new Uint8Array(this.config.buffer);
  }

  get queueStates(): readonly number[] {
    return this.queues.flatMap(({ state }) => state);
  }

  set queueStates(states: readonly number[]) {
    for (const [index, queue] of this.queues.entries()) {
      const { length } = queue.state;
      queue.state = states.slice(index * length, (index + 1) * length);
    }
  }

  /** Whether `feature` was negotiated. */
  hasFeature(feature: bigint): boolean {
    return (this.guestFeatures & feature) !== 0n;
  }

  /** Sets the features that the driver accepts. Ignored once the negotiation has ended. */
  setFeatures(accepted: bigint): void {
    if ((this.status & VIRTIO_STATUS.FeaturesOk) !== 0) return;
    this.guestFeatures = accepted & this.hostFeatures;
    this.usesEventIndex = this.hasFeature(VIRTIO_RING_F_EVENT_IDX);
    this.notifiesOnEmpty = this.hasFeature(VIRTIO_F_NOTIFY_ON_EMPTY);
    this.featuresChanged();
  }

  setStatus(value: number): void {
    this.statusChanges(value);
    this.status = value;
  }

  /** Handles the driver's notification of a queue; ignored if there is no such queue or it is not set up. */
  queueNotify(index: number): void {
    const queue = this.queues[index];
    if (queue === undefined || queue.descriptors === 0 || this.broken) return;
    queue.budget = BYTES_AT_ONCE;
    queue.postponed = false;
    queue.handle(queue);
    queue.budget = Number.POSITIVE_INFINITY;
    if (queue.postponed) this.turn.set(this.clock.now());
  }

  private goOn(): void {
    for (const { index, postponed } of this.queues) if (postponed) this.queueNotify(index);
  }

  /** Interrupts the driver for used buffers of `queue`, if it wants to know. */
  notify(queue: Virtqueue): void {
    if (!queue.takeInterrupt()) return;
    this.interruptStatus |= INTERRUPT_QUEUE;
    this.updateInterrupt();
  }

  /** Tells the driver that the configuration changed. */
  notifyConfig(): void {
    if ((this.status & VIRTIO_STATUS.DriverOk) === 0) return;
    this.interruptStatus |= INTERRUPT_QUEUE | INTERRUPT_CONFIG; // both, as in QEMU
    this.configGeneration = (this.configGeneration + 1) >>> 0;
    this.updateInterrupt();
  }

  acknowledge(interrupts: number): void {
    this.interruptStatus &= ~interrupts;
    this.updateInterrupt();
  }

  /** Reports a driver error, and stops the device until the driver resets it. */
  fail(message: string): void {
    this.guestError(message);
    this.broken = true;
    if (!this.hasFeature(VIRTIO_F_VERSION_1)) return;
    this.status |= VIRTIO_STATUS.NeedsReset;
    this.notifyConfig();
  }

  /** Reads 1, 2 or 4 bytes of the configuration; all ones past its end. */
  readConfig(offset: number, size: number): number {
    if (offset + size > this.config.byteLength) return 0xffff_ffff;
    this.updateConfig();
    if (size === 4) return this.config.getUint32(offset, true);
    return size === 2 ? this.config.getUint16(offset, true) : this.config.getUint8(offset);
  }

  writeConfig(offset: number, value: number, size: number): void {
    if (offset + size > this.config.byteLength) return;
    if (size === 4) this.config.setUint32(offset, value, true);
    else if (size === 2) this.config.setUint16(offset, value, true);
    else this.config.setUint8(offset, value);
    this.configWritten();
  }

  /** Restores the power-on state; a driver does the same by writing 0 to the status. */
  override reset(): void {
    if (this.guestMemory === null) return; // not realized
    this.setStatus(0);
    this.resetDevice();
    this.guestFeatures = 0n;
    this.usesEventIndex = false;
    this.notifiesOnEmpty = false;
    this.broken = false;
    this.interruptStatus = 0;
    for (const queue of this.queues) queue.reset();
    this.turn.cancel();
    this.updateInterrupt();
  }

  private updateInterrupt(): void {
    this.transport?.setInterrupt(this.interruptStatus !== 0);
  }

  private get transport(): VirtioTransport | null {
    return this.parentBus instanceof VirtioBus ? this.parentBus.transport : null;
  }
}
