/** A small virtio driver: sets up a device through its registers, and uses it through queues in guest memory. */
import { type AddressSpace, MemoryRegion } from "#memory";
import { Bus, type Device, type SysBusDevice } from "#qdev";
import { type PropertyValue, QomAbort } from "#qom";
import { BASE, type DeviceTreeModule, Probe, Rig } from "./rig.ts";

/** RAM of the rig's guest. */
export const RAM = 0x8000_0000;
export const RAM_BYTES = 0x20_0000;

/** Address of the parts of queue n: 64 KiB for each queue. */
const QUEUES = RAM;
const QUEUE_BYTES = 0x1_0000;
/** Addresses of the buffers of `request`, and of indirect tables. */
const BUFFERS = RAM + 0x10_0000;

export const REGISTER = {
  magic: 0x00,
  version: 0x04,
  deviceId: 0x08,
  vendor: 0x0c,
  deviceFeatures: 0x10,
  deviceFeaturesSel: 0x14,
  driverFeatures: 0x20,
  driverFeaturesSel: 0x24,
  guestPageSize: 0x28,
  queueSel: 0x30,
  queueNumMax: 0x34,
  queueNum: 0x38,
  queueAlign: 0x3c,
  queuePfn: 0x40,
  queueReady: 0x44,
  queueNotify: 0x50,
  interruptStatus: 0x60,
  interruptAck: 0x64,
  status: 0x70,
  queueDesc: 0x80,
  queueDriver: 0x90,
  queueDevice: 0xa0,
  queueReset: 0xc0,
  configGeneration: 0xfc,
  config: 0x100,
} as const;

export const NEXT = 1;
export const WRITE = 2;
export const INDIRECT = 4;

/** A buffer of the driver: bytes for the device to read, or the number of bytes that it may write. */
export type Buffer = Uint8Array | number;

export interface DriverOptions {
  readonly legacy?: boolean;
  /** Features to accept of those offered; default: all. */
  readonly features?: bigint;
  readonly queues?: number;
  readonly size?: number;
}

/** Addresses of one queue's parts, and the driver's progress. */
export interface DriverQueue {
  readonly size: number;
  readonly descriptors: number;
  readonly available: number;
  readonly used: number;
  /** Free-running counters of buffers made available, and of used buffers seen. */
  added: number;
  seen: number;
  nextDescriptor: number;
}

/** A machine with RAM, one transport and one device; `irq` is the transport's line. */
export class VirtioRig extends Rig {
  readonly irq = new Probe();
  readonly transport: SysBusDevice;
  readonly device: Device;
  readonly queues: DriverQueue[] = [];

  /** @param properties of the device. */
  constructor(
    tree: DeviceTreeModule,
    typeName: string,
    {
      legacy = false,
      properties = {},
    }: { legacy?: boolean; properties?: Record<string, PropertyValue> } = {},
    prepare: (rig: Rig) => void = () => {},
  ) {
    super(tree);
    const { model } = this;
    model.systemMemory.addSubregion(RAM, MemoryRegion.newRam(model.noOwner, "ram", RAM_BYTES));
    prepare(this);
    this.transport = this.create("virtio-mmio", { "force-legacy": legacy }, "transport");
    this.transport.plugIntoSystemBus();
    this.transport.mapMmio(0, BASE);
    this.transport.connectIrq(0, this.irq);
    this.device = model.createPeripheral(typeName, "dut", false);
    for (const [name, value] of Object.entries(properties)) this.device.setProperty(name, value);
    this.device.plug(seatOf(this.transport));
    this.transport.reset();
  }

  /** Sets up the device as a driver does, up to DRIVER_OK. */
  start({ legacy = false, features, queues = 1, size = 8 }: DriverOptions = {}): void {
    this.write(REGISTER.status, 0);
    this.write(REGISTER.status, 1);
    this.write(REGISTER.status, 3);
    const accepted = features === undefined ? this.offered() : features;
    for (const word of [0, 1]) {
      this.write(REGISTER.driverFeaturesSel, word);
      this.write(REGISTER.driverFeatures, Number((accepted >> BigInt(32 * word)) & 0xffff_ffffn));
    }
    if (legacy) this.write(REGISTER.guestPageSize, 4096);
    else this.write(REGISTER.status, 0xb);
    this.queues.length = 0;
    for (let index = 0; index < queues; index++) this.setUpQueue(index, size, legacy);
    this.write(REGISTER.status, legacy ? 7 : 0xf);
  }

  offered(): bigint {
    let features = 0n;
    for (const word of [0, 1]) {
      this.write(REGISTER.deviceFeaturesSel, word);
      features |= BigInt(this.read(REGISTER.deviceFeatures)) << BigInt(32 * word);
    }
    return features;
  }

  private setUpQueue(index: number, size: number, legacy: boolean): void {
    const descriptors = QUEUES + index * QUEUE_BYTES;
    const available = descriptors + 16 * size;
    const end = available + 6 + 2 * size;
    const used = Math.ceil(end / 4096) * 4096;
    this.space.writeBytes(descriptors, new Uint8Array(QUEUE_BYTES));
    this.write(REGISTER.queueSel, index);
    this.write(REGISTER.queueNum, size);
    if (legacy) {
      this.write(REGISTER.queueAlign, 4096);
      this.write(REGISTER.queuePfn, descriptors / 4096);
    } else {
      for (const [register, address] of [
        [REGISTER.queueDesc, descriptors],
        [REGISTER.queueDriver, available],
        [REGISTER.queueDevice, used],
      ] as const) {
        this.write(register, address);
        this.write(register + 4, 0);
      }
      this.write(REGISTER.queueReady, 1);
    }
    this.queues.push({ size, descriptors, available, used, added: 0, seen: 0, nextDescriptor: 0 });
  }

  queue(index = 0): DriverQueue {
    const queue = this.queues[index];
    if (queue === undefined) throw new QomAbort(`the driver has set up no queue ${index}`);
    return queue;
  }

  descriptor(table: number, index: number, address: number, length: number, flags: number, next = 0): void {
    const at = table + 16 * index;
    this.space.write(at, 8, address % 2 ** 32, Math.floor(address / 2 ** 32));
    this.space.write(at + 8, 4, length);
    this.space.write(at + 12, 2, flags);
    this.space.write(at + 14, 2, next);
  }

  /** Makes the chain that begins with descriptor `head` available, without notifying the device. */
  makeAvailable(head: number, index = 0): void {
    const queue = this.queue(index);
    this.space.write(queue.available + 4 + 2 * (queue.added % queue.size), 2, head);
    queue.added = (queue.added + 1) & 0xffff;
    this.space.write(queue.available + 2, 2, queue.added);
  }

  /** Makes `buffers` available as one chain, in memory from `at` on; returns the address of each. */
  lend(buffers: readonly Buffer[], { index = 0, at = BUFFERS, indirect = false } = {}): number[] {
    const queue = this.queue(index);
    const head = queue.nextDescriptor;
    const table = indirect ? at + 0x8_0000 : queue.descriptors;
    let place = at;
    const places = buffers.map((buffer, position) => {
      const mine = place;
      const length = typeof buffer === "number" ? buffer : buffer.length;
      if (typeof buffer !== "number") this.space.writeBytes(mine, buffer);
      const isLast = position === buffers.length - 1;
      const number = indirect ? position : (head + position) % queue.size;
      const flags = (typeof buffer === "number" ? WRITE : 0) | (isLast ? 0 : NEXT);
      this.descriptor(
        table,
        number,
        mine,
        length,
        flags,
        indirect ? position + 1 : (number + 1) % queue.size,
      );
      place += length;
      return mine;
    });
    if (indirect) this.descriptor(queue.descriptors, head, table, 16 * buffers.length, INDIRECT);
    queue.nextDescriptor = (head + (indirect ? 1 : buffers.length)) % queue.size;
    this.makeAvailable(head, index);
    return places;
  }

  kick(index = 0): void {
    this.write(REGISTER.queueNotify, index);
  }

  /** The next used entry; null if there is none. */
  nextUsed(index = 0): { readonly head: number; readonly length: number } | null {
    const queue = this.queue(index);
    if (this.space.read(queue.used + 2, 2) === queue.seen) return null;
    const entry = queue.used + 4 + 8 * (queue.seen % queue.size);
    queue.seen = (queue.seen + 1) & 0xffff;
    return { head: this.space.read(entry, 4), length: this.space.read(entry + 4, 4) };
  }

  /** Makes one request; returns the bytes that each writable buffer holds afterwards, and the reported length. */
  request(
    buffers: readonly Buffer[],
    options: { index?: number; indirect?: boolean } = {},
  ): { readonly length: number; readonly answers: Uint8Array[] } {
    const places = this.lend(buffers, options);
    this.kick(options.index);
    const used = this.nextUsed(options.index);
    if (used === null) throw new QomAbort("the device has not answered");
    const answers = buffers.flatMap((buffer, position) =>
      typeof buffer === "number" ? [bytesAt(this.space, places[position] ?? 0, buffer)] : [],
    );
    return { length: used.length, answers };
  }
}

export function bytesAt(space: AddressSpace, address: number, length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  space.readBytes(address, bytes);
  return bytes;
}

/** The bus of a transport. */
export function seatOf(transport: SysBusDevice): Bus {
  for (const [, child] of transport.children()) if (child instanceof Bus) return child;
  throw new QomAbort(`${transport.describe()} has no virtio bus`);
}
