/** Virtio over MMIO. Source: VIRTIO 1.2, section 4.2; legacy interface 4.2.4; quirks as in QEMU 7.2. */
import { MemoryRegion, type MemoryRegionOps } from "#memory";
import { boolProperty, IrqLine, SysBusDevice, type VmState } from "#qdev";
import { VirtioMmioBus, type VirtioTransport } from "./virtio-bus.ts";
import { VIRTIO_STATUS, type VirtioDevice } from "./virtio-device.ts";
import { VIRTQUEUE_MAX_SIZE, type Virtqueue } from "./virtqueue.ts";

const MAGIC_VALUE = 0x000;
const VERSION = 0x004;
const DEVICE_ID = 0x008;
const VENDOR_ID = 0x00c;
const DEVICE_FEATURES = 0x010;
const DEVICE_FEATURES_SEL = 0x014;
const DRIVER_FEATURES = 0x020;
const DRIVER_FEATURES_SEL = 0x024;
const GUEST_PAGE_SIZE = 0x028; // legacy
const QUEUE_SEL = 0x030;
const QUEUE_NUM_MAX = 0x034;
const QUEUE_NUM = 0x038;
const QUEUE_ALIGN = 0x03c; // legacy
const QUEUE_PFN = 0x040; // legacy
const QUEUE_READY = 0x044;
const QUEUE_NOTIFY = 0x050;
const INTERRUPT_STATUS = 0x060;
const INTERRUPT_ACK = 0x064;
const STATUS = 0x070;
const QUEUE_DESC_LOW = 0x080;
const QUEUE_DESC_HIGH = 0x084;
const QUEUE_DRIVER_LOW = 0x090;
const QUEUE_DRIVER_HIGH = 0x094;
const QUEUE_DEVICE_LOW = 0x0a0;
const QUEUE_DEVICE_HIGH = 0x0a4;
const SHM_LEN_LOW = 0x0b0;
const SHM_LEN_HIGH = 0x0b4;
const QUEUE_RESET = 0x0c0;
const CONFIG_GENERATION = 0x0fc;
const CONFIG = 0x100;
const WINDOW_BYTES = 0x200;

const MAGIC = 0x7472_6976; // "virt"
const VENDOR = 0x554d_4551; // "QEMU"

/** Number of queues that the registers can select. */
const QUEUES = 1024;

/** A queue's configuration as written by a driver of version 1, before it takes effect. */
interface QueueSetup {
  size: number;
  enabled: boolean;
  /** Addresses, low and high half. */
  readonly descriptors: [number, number];
  readonly available: [number, number];
  readonly used: [number, number];
}

/** Words per setup in a snapshot, including the index of the queue. */
const SETUP_WORDS = 9;

/** A transport for one device; without a device it shows device ID 0, which drivers ignore. */
export class VirtioMmio extends SysBusDevice implements VirtioTransport {
  static override readonly typeName = "virtio-mmio";
  static override readonly instanceSize: number = 1000;
  static override readonly properties = [boolProperty<VirtioMmio>("force-legacy", "legacy")];
  static override readonly vmState = {
    name: "virtio-mmio",
    version: 1,
    fields: {
      irq: "irq",
      hostFeaturesSelect: "uint8",
      guestFeaturesSelect: "uint8",
      guestFeatures: "uint32s",
      guestPageShift: "uint8",
      queueSelect: "uint16",
      setupWords: "list",
    },
  } as const satisfies VmState;

  /** Register window. */
  private readonly iomem = this.embed(MemoryRegion);
  /** The bus that the device sits on. */
  readonly bus = this.embed(VirtioMmioBus);
  /** Whether drivers see the legacy interface, from before version 1. */
  legacy = true;
  private readonly irq = new IrqLine();
  /** The word of features, 0 or 1, that DEVICE_FEATURES and DRIVER_FEATURES access. */
  private hostFeaturesSelect = 0;
  private guestFeaturesSelect = 0;
  /** Features accepted by a driver of version 1, until it sets FEATURES_OK. */
  private readonly guestFeatures = new Uint32Array(2);
  private guestPageShift = 0;
  private queueSelect = 0;
  private readonly setups = new Map<number, QueueSetup>();

  protected override instanceInit(): void {
    this.initializeChild(this.model.nextBusName(VirtioMmioBus.typeName), this.bus);
    this.bus.transport = this;
  }

  protected override realize(): void {
    this.iomem.initIo(this, ops, this, "virtio-mmio", WINDOW_BYTES);
    this.initMmio(this.iomem);
    this.initIrq(this.irq);
  }

  override reset(): void {
    this.bus.reset();
    this.hostFeaturesSelect = 0;
    this.guestFeaturesSelect = 0;
    this.guestFeatures.fill(0);
    this.guestPageShift = 0;
    this.queueSelect = 0;
    this.setups.clear();
  }

  setInterrupt(level: boolean): void {
    this.irq.set(level);
  }

  readRegister(offset: number, size: number): number {
    const { device } = this.bus;
    if (device === null) return this.readEmpty(offset);
    if (offset >= CONFIG) return device.readConfig(offset - CONFIG, size);
    if (size !== 4) {
      this.guestError(`read of ${size} bytes of register 0x${offset.toString(16)}`);
      return 0;
    }
    switch (offset) {
      case MAGIC_VALUE:
      case VERSION:
      case VENDOR_ID:
        return this.readEmpty(offset);
      case DEVICE_ID:
        return device.deviceId;
      case DEVICE_FEATURES:
        return this.offeredFeatures(device);
      case QUEUE_NUM_MAX:
        return this.queue === undefined ? 0 : VIRTQUEUE_MAX_SIZE;
      case QUEUE_PFN:
        if (!this.legacy) return this.unimplementedRead(offset);
        return ((this.queue?.descriptors ?? 0) / 2 ** this.guestPageShift) >>> 0;
      case QUEUE_READY:
        if (this.legacy) return this.unimplementedRead(offset);
        return Number(this.setups.get(this.queueSelect)?.enabled ?? false);
      case INTERRUPT_STATUS:
        return device.interruptStatus;
      case STATUS:
        return device.status;
      case SHM_LEN_LOW:
      case SHM_LEN_HIGH:
        return 0xffff_ffff; // no device has shared memory
      case QUEUE_RESET:
        return 0; // a reset takes no time
      case CONFIG_GENERATION:
        return this.legacy ? this.unimplementedRead(offset) : device.configGeneration;
      default:
        return this.unimplementedRead(offset);
    }
  }

  writeRegister(offset: number, value: number, size: number): void {
    const { device } = this.bus;
    if (device === null) return;
    if (offset >= CONFIG) {
      device.writeConfig(offset - CONFIG, value, size);
      return;
    }
    if (size !== 4) {
      this.guestError(`write of ${size} bytes to register 0x${offset.toString(16)}`);
      return;
    }
    switch (offset) {
      case DEVICE_FEATURES_SEL:
        this.hostFeaturesSelect = value === 0 ? 0 : 1;
        break;
      case DRIVER_FEATURES:
        if (!this.legacy) this.guestFeatures[this.guestFeaturesSelect] = value;
        else if (this.guestFeaturesSelect === 0) device.setFeatures(BigInt(value));
        break;
      case DRIVER_FEATURES_SEL:
        this.guestFeaturesSelect = value === 0 ? 0 : 1;
        break;
      case QUEUE_SEL:
        if (value < QUEUES) this.queueSelect = value;
        break;
      case QUEUE_NUM:
        this.setQueueSize(value);
        break;
      case QUEUE_NOTIFY:
        device.queueNotify(value);
        break;
      case INTERRUPT_ACK:
        device.acknowledge(value);
        break;
      case STATUS:
        this.writeStatus(device, value);
        break;
      default:
        if (this.legacy) this.writeLegacyRegister(device, offset, value);
        else this.writeModernRegister(offset, value);
    }
  }

  private writeLegacyRegister(device: VirtioDevice, offset: number, value: number): void {
    const { queue } = this;
    switch (offset) {
      case GUEST_PAGE_SIZE: // a power of two; otherwise, the lowest set bit counts
        this.guestPageShift = value === 0 ? 0 : 31 - Math.clz32(value & -value);
        break;
      case QUEUE_ALIGN:
        if (queue === undefined || value === 0) break;
        queue.align = value;
        queue.updateLegacyRings();
        break;
      case QUEUE_PFN:
        if (value === 0) this.resetDevice(device);
        else queue?.setLegacyAddress(value * 2 ** this.guestPageShift);
        break;
      default:
        this.unimplementedWrite(offset, value);
    }
  }

  private writeModernRegister(offset: number, value: number): void {
    const setup = this.setupOf(this.queueSelect);
    switch (offset) {
      case QUEUE_READY:
        this.enableQueue(setup, value !== 0);
        break;
      case QUEUE_DESC_LOW:
      case QUEUE_DESC_HIGH:
        setup.descriptors[half(offset)] = value;
        break;
      case QUEUE_DRIVER_LOW:
      case QUEUE_DRIVER_HIGH:
        setup.available[half(offset)] = value;
        break;
      case QUEUE_DEVICE_LOW:
      case QUEUE_DEVICE_HIGH:
        setup.used[half(offset)] = value;
        break;
      case QUEUE_RESET:
        if (value !== 1) break;
        setup.enabled = false;
        this.queue?.reset();
        break;
      default:
        this.unimplementedWrite(offset, value);
    }
  }

  private setQueueSize(size: number): void {
    this.queue?.setSize(size);
    if (this.legacy) this.queue?.updateLegacyRings();
    else this.setupOf(this.queueSelect).size = size;
  }

  private enableQueue(setup: QueueSetup, enabled: boolean): void {
    setup.enabled = enabled;
    const { queue } = this;
    if (!enabled || queue === undefined) return;
    queue.setSize(setup.size);
    queue.descriptors = joined(setup.descriptors);
    queue.available = joined(setup.available);
    queue.used = joined(setup.used);
  }

  private writeStatus(device: VirtioDevice, value: number): void {
    if (!this.legacy && (value & VIRTIO_STATUS.FeaturesOk) !== 0) {
      const [low = 0, high = 0] = this.guestFeatures;
      device.setFeatures((BigInt(high) << 32n) | BigInt(low));
    }
    device.setStatus(value & 0xff);
    if (device.status === 0) this.resetDevice(device);
  }

  private resetDevice(device: VirtioDevice): void {
    device.reset();
    this.queueSelect = 0;
    for (const setup of this.setups.values()) setup.enabled = false;
  }

  private offeredFeatures(device: VirtioDevice): number {
    if (!this.legacy) {
      const offered = device.hostFeatures & ~device.legacyFeatures;
      return Number(BigInt.asUintN(32, offered >> BigInt(32 * this.hostFeaturesSelect)));
    }
    return this.hostFeaturesSelect === 0 ? Number(BigInt.asUintN(32, device.hostFeatures)) : 0;
  }

  /** Registers that exist even without a device, where they accept any access size. */
  private readEmpty(offset: number): number {
    switch (offset) {
      case MAGIC_VALUE:
        return MAGIC;
      case VERSION:
        return this.legacy ? 1 : 2;
      case VENDOR_ID:
        return VENDOR;
      default:
        return 0;
    }
  }

  private get queue(): Virtqueue | undefined {
    return this.bus.device?.queues[this.queueSelect];
  }

  /** The setups in the form kept in snapshots: index, size, whether enabled, and three addresses in halves. */
  get setupWords(): readonly number[] {
    return [...this.setups].flatMap(([index, { size, enabled, descriptors, available, used }]) => [
      index,
      size,
      Number(enabled),
      ...descriptors,
      ...available,
      ...used,
    ]);
  }

  set setupWords(words: readonly number[]) {
    this.setups.clear();
    for (let start = 0; start < words.length; start += SETUP_WORDS) {
      const [index = 0, size = 0, enabled, ...addresses] = words.slice(start, start + SETUP_WORDS);
      const pair = (first: number): [number, number] => [addresses[first] ?? 0, addresses[first + 1] ?? 0];
      this.setups.set(index, {
        size,
        enabled: enabled === 1,
        descriptors: pair(0),
        available: pair(2),
        used: pair(4),
      });
    }
  }

  private setupOf(index: number): QueueSetup {
    let setup = this.setups.get(index);
    if (setup === undefined) {
      setup = { size: 0, enabled: false, descriptors: [0, 0], available: [0, 0], used: [0, 0] };
      this.setups.set(index, setup);
    }
    return setup;
  }
}

/** 0 for the register of a low half, 1 for that of a high half. */
function half(offset: number): 0 | 1 {
  return (offset & 4) === 0 ? 0 : 1;
}

/** Exact up to 2^53; there is no memory at larger addresses. */
function joined([low, high]: readonly [number, number]): number {
  return high * 2 ** 32 + low;
}

const ops: MemoryRegionOps<VirtioMmio> = {
  read: (mmio, offset, size) => mmio.readRegister(offset, size),
  write: (mmio, offset, value, size) => mmio.writeRegister(offset, value, size),
  endianness: "little",
};
