/** Network card. Source: VIRTIO 1.2, section 5.1; queues, options and tolerated driver errors as in QEMU 7.2. */
import {
  macProperty,
  type NetBackend,
  type NetDevice,
  stringProperty,
  uintProperty,
  type VmState,
} from "#qdev";
import { QomError } from "#qom";
import { VIRTIO_STATUS, VirtioDevice } from "../virtio/virtio-device.ts";
import { VIRTIO_F_VERSION_1 } from "../virtio/virtio-features.ts";
import { VIRTQUEUE_MAX_SIZE, type Virtqueue } from "../virtio/virtqueue.ts";
import type { VirtqueueElement } from "../virtio/virtqueue-element.ts";
import { ReceiveFilter } from "./receive-filter.ts";
import { VirtioNetControl } from "./virtio-net-control.ts";
import {
  VIRTIO_NET_F,
  VIRTIO_NET_OFFLOADS,
  VIRTIO_NET_OPTIONAL_FEATURES,
  wantedProperty,
} from "./virtio-net-features.ts";

/** Offsets in the configuration space, and its size without and with each optional field. */
const CONFIG_MAC = 0;
const CONFIG_STATUS = 6;
const CONFIG_MTU = 10;
const CONFIG_BYTES = 6;
const CONFIG_BYTES_WITH_STATUS = 8;
const CONFIG_BYTES_WITH_MTU = 12;

const STATUS_LINK_UP = 1;

/** Header before each frame: flags, segmentation and checksum, which are not used, and the number of buffers. */
const HEADER_BYTES = 10;
const HEADER_BYTES_WITH_COUNT = 12;
const HEADER_BUFFER_COUNT = 10;

const LEAST_QUEUE_SIZE = 256;
const CONTROL_QUEUE_SIZE = 64;
const LEAST_MTU = 68;

/** Frames wait at the backend until the driver is ready and has provided buffers. */
export class VirtioNet extends VirtioDevice implements NetDevice {
  static override readonly typeName = "virtio-net-device";
  static override readonly instanceSize: number = 936;
  static override readonly vmState = {
    name: "virtio-net",
    version: 2,
    fields: { ...VirtioDevice.vmFields, filter: ReceiveFilter.vmFields },
    postLoad: (card: VirtioNet) => card.featuresChanged(),
  } as const satisfies VmState;
  static override readonly properties = [
    wantedProperty<VirtioNet>("csum", VIRTIO_NET_F.csum),
    wantedProperty<VirtioNet>("guest_csum", VIRTIO_NET_F.guestCsum),
    wantedProperty<VirtioNet>("gso", VIRTIO_NET_F.gso),
    wantedProperty<VirtioNet>("guest_tso4", VIRTIO_NET_F.guestTso4),
    wantedProperty<VirtioNet>("guest_tso6", VIRTIO_NET_F.guestTso6),
    wantedProperty<VirtioNet>("guest_ecn", VIRTIO_NET_F.guestEcn),
    wantedProperty<VirtioNet>("guest_ufo", VIRTIO_NET_F.guestUfo),
    wantedProperty<VirtioNet>("guest_announce", VIRTIO_NET_F.guestAnnounce),
    wantedProperty<VirtioNet>("host_tso4", VIRTIO_NET_F.hostTso4),
    wantedProperty<VirtioNet>("host_tso6", VIRTIO_NET_F.hostTso6),
    wantedProperty<VirtioNet>("host_ecn", VIRTIO_NET_F.hostEcn),
    wantedProperty<VirtioNet>("host_ufo", VIRTIO_NET_F.hostUfo),
    wantedProperty<VirtioNet>("mrg_rxbuf", VIRTIO_NET_F.mrgRxbuf),
    wantedProperty<VirtioNet>("status", VIRTIO_NET_F.status),
    wantedProperty<VirtioNet>("ctrl_vq", VIRTIO_NET_F.ctrlVq),
    wantedProperty<VirtioNet>("ctrl_rx", VIRTIO_NET_F.ctrlRx),
    wantedProperty<VirtioNet>("ctrl_vlan", VIRTIO_NET_F.ctrlVlan),
    wantedProperty<VirtioNet>("ctrl_rx_extra", VIRTIO_NET_F.ctrlRxExtra),
    wantedProperty<VirtioNet>("ctrl_mac_addr", VIRTIO_NET_F.ctrlMacAddr),
    wantedProperty<VirtioNet>("ctrl_guest_offloads", VIRTIO_NET_F.ctrlGuestOffloads),
    macProperty<VirtioNet>("mac"),
    stringProperty<VirtioNet>("netdev", "netdev"),
    uintProperty<VirtioNet>("rx_queue_size", "uint16", "receiveQueueSize"),
    uintProperty<VirtioNet>("tx_queue_size", "uint16", "transmitQueueSize"),
    uintProperty<VirtioNet>("host_mtu", "uint16", "hostMtu"),
  ];

  readonly deviceId = 1;
  /** Features that the options request; the backends do not support all of them. */
  wanted = VIRTIO_NET_OPTIONAL_FEATURES;
  /** Six bytes; if all are 0, an unused address is chosen. */
  mac: Uint8Array = new Uint8Array(6);
  /** Name of the backend; if empty, frames are dropped. */
  netdev = "";
  receiveQueueSize = LEAST_QUEUE_SIZE;
  transmitQueueSize = LEAST_QUEUE_SIZE;
  /** MTU that is announced to the driver, in bytes; 0 for none. */
  hostMtu = 0;
  private readonly filter = new ReceiveFilter();
  private readonly control = new VirtioNetControl(this, this.filter);
  private backend: NetBackend | null = null;
  private receiveQueue: Virtqueue | null = null;
  private headerBytes = HEADER_BYTES;
  private mergesBuffers = false;

  protected override realizeDevice(): void {
    checkQueueSize("rx_queue_size", this.receiveQueueSize);
    checkQueueSize("tx_queue_size", this.transmitQueueSize);
    if (this.hostMtu !== 0 && this.hostMtu < LEAST_MTU)
      throw new QomError(`property host_mtu is ${this.hostMtu}; give 0, or at least ${LEAST_MTU}`);
    const { model } = this;
    this.backend = this.netdev === "" ? null : model.netdevs.take(this.netdev);
    if (this.mac.every((byte) => byte === 0)) this.mac = model.macs.next();
    else model.macs.claim(this.mac);
    this.receiveQueue = this.addQueue(this.receiveQueueSize, () => this.backend?.acceptInput());
    this.addQueue(this.transmitQueueSize, (queue) => this.transmitAll(queue));
    this.addQueue(CONTROL_QUEUE_SIZE, (queue) => this.control.serve(queue));
    this.config = new DataView(new ArrayBuffer(this.configBytes));
    this.filter.reset(this.mac);
    this.backend?.connect(this);
  }

  protected override unrealizeDevice(): void {
    this.backend?.connect(null);
    this.backend = null;
    this.receiveQueue = null;
    if (this.netdev !== "") this.model.netdevs.giveBack(this.netdev);
    this.model.macs.release(this.mac);
  }

  /** Removes all offloads: backends support neither partial checksums nor oversized frames. */
  protected override offer(features: bigint): bigint {
    const mtu = this.hostMtu === 0 ? 0n : VIRTIO_NET_F.mtu;
    return features | (this.wanted & ~VIRTIO_NET_OFFLOADS) | VIRTIO_NET_F.mac | mtu;
  }

  private get configBytes(): number {
    if (this.hostMtu !== 0) return CONFIG_BYTES_WITH_MTU;
    return (this.wanted & VIRTIO_NET_F.status) === 0n ? CONFIG_BYTES : CONFIG_BYTES_WITH_STATUS;
  }

  protected override updateConfig(): void {
    const { config } = this;
    for (const [index, byte] of this.filter.mac.entries()) config.setUint8(CONFIG_MAC + index, byte);
    if (config.byteLength >= CONFIG_BYTES_WITH_STATUS) config.setUint16(CONFIG_STATUS, STATUS_LINK_UP, true);
    if (config.byteLength >= CONFIG_BYTES_WITH_MTU) config.setUint16(CONFIG_MTU, this.hostMtu, true);
  }

  /** Legacy drivers set the MAC address here, unless they can do so by a command. */
  protected override configWritten(): void {
    if (this.hasFeature(VIRTIO_NET_F.ctrlMacAddr) || this.hasFeature(VIRTIO_F_VERSION_1)) return;
    const { buffer } = this.config;
    this.filter.mac = new Uint8Array(buffer.slice(CONFIG_MAC, CONFIG_MAC + 6));
  }

  protected override featuresChanged(): void {
    this.mergesBuffers = this.hasFeature(VIRTIO_NET_F.mrgRxbuf);
    const counts = this.mergesBuffers || this.hasFeature(VIRTIO_F_VERSION_1);
    this.headerBytes = counts ? HEADER_BYTES_WITH_COUNT : HEADER_BYTES;
    this.filter.filtersVlans = this.hasFeature(VIRTIO_NET_F.ctrlVlan);
  }

  protected override resetDevice(): void {
    this.filter.reset(this.mac);
    this.mergesBuffers = false;
    this.headerBytes = HEADER_BYTES;
  }

  // Host side.

  receive(frame: Uint8Array): boolean {
    const queue = this.receiveQueue;
    if (queue === null || !this.isDriven || queue.descriptors === 0) return false;
    if (this.broken || !this.filter.accepts(frame)) return true; // dropped
    const elements = this.takeBuffers(queue, this.headerBytes + frame.length);
    if (elements === null) return this.broken;
    this.fill(queue, elements, frame);
    return true;
  }

  /** Takes buffers for `bytes` bytes. Empty if the frame must be dropped; null if there are not enough yet. */
  private takeBuffers(queue: Virtqueue, bytes: number): readonly VirtqueueElement[] | null {
    const elements: VirtqueueElement[] = [];
    for (let room = 0; room < bytes; ) {
      const element = this.popBuffer(queue);
      if (element === null) {
        giveBack(queue, elements);
        return null;
      }
      elements.push(element);
      room += element.inBytes;
      const unusable = this.whyUnusable(element, elements.length);
      if (unusable !== null) {
        giveBack(queue, elements);
        this.fail(`queue ${queue.index}: ${unusable}`);
        return null;
      }
      if (!this.mergesBuffers && room < bytes) {
        giveBack(queue, elements);
        return [];
      }
    }
    return elements;
  }

  /** The next buffer; if there is none, the driver is asked to notify when it has more. */
  private popBuffer(queue: Virtqueue): VirtqueueElement | null {
    const element = queue.pop();
    if (element !== null || this.broken) {
      if (element !== null) queue.setNotification(false);
      return element;
    }
    queue.setNotification(true);
    return null;
  }

  private whyUnusable(element: VirtqueueElement, position: number): string | null {
    if (element.inBytes === 0) return "a receive buffer has no device-writable bytes";
    return position === 1 && element.inBytes < this.headerBytes
      ? `a buffer of ${element.inBytes} bytes has no room for a header`
      : null;
  }

  private fill(queue: Virtqueue, elements: readonly VirtqueueElement[], frame: Uint8Array): void {
    let done = 0;
    for (const [position, element] of elements.entries()) {
      let written = 0;
      if (position === 0) {
        const header = new Uint8Array(this.headerBytes);
        if (this.headerBytes > HEADER_BUFFER_COUNT)
          new DataView(header.buffer).setUint16(HEADER_BUFFER_COUNT, elements.length, true);
        written = element.write(0, header);
      }
      const copied = element.write(written, frame.subarray(done));
      done += copied;
      queue.push(element, written + copied);
    }
    if (elements.length > 0) this.notify(queue);
  }

  // Guest side.

  private get isDriven(): boolean {
    return (this.status & VIRTIO_STATUS.DriverOk) !== 0;
  }

  private transmitAll(queue: Virtqueue): void {
    if (!this.isDriven) return;
    for (let element = queue.pop(); element !== null; element = queue.pop()) {
      const size = element.outBytes - this.headerBytes;
      if (size < 0) {
        queue.unpop(element);
        this.fail(`queue ${queue.index}: a buffer of ${element.outBytes} bytes has no complete header`);
        return;
      }
      const frame = new Uint8Array(Math.min(size, LARGEST_FRAME));
      element.read(this.headerBytes, frame);
      queue.push(element, 0);
      this.notify(queue);
      this.backend?.transmit(frame);
    }
  }
}

/** Without offloads, no driver sends more; longer frames are truncated. */
const LARGEST_FRAME = 0x1_0000;

/** Puts buffers back, last one first. */
function giveBack(queue: Virtqueue, elements: readonly VirtqueueElement[]): void {
  for (const element of [...elements].reverse()) queue.unpop(element);
}

function checkQueueSize(name: string, size: number): void {
  if (size >= LEAST_QUEUE_SIZE && size <= VIRTQUEUE_MAX_SIZE && (size & (size - 1)) === 0) return;
  throw new QomError(
    `property ${name} is ${size}; give a power of 2 from ${LEAST_QUEUE_SIZE} to ${VIRTQUEUE_MAX_SIZE}`,
  );
}
