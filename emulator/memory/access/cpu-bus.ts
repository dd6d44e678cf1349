import type { AddressSpace } from "../address-space.ts";
import type { MemoryListener } from "../observe/listener.ts";
import { type AccessSize, MemTxResult, type PageUse, type PhysicalBus } from "./bus.ts";
import { type GuestMemory, PAGE_BYTES } from "./guest-memory.ts";
import { PROCESSOR_ATTRS } from "./protection.ts";

/** A processor's view of an address space. */
export class CpuBus implements PhysicalBus {
  result: MemTxResult = MemTxResult.Ok;
  private readonly space: AddressSpace;
  private readonly guest: GuestMemory;
  private readonly listeners: MemoryListener[] = [];

  constructor(space: AddressSpace, guest: GuestMemory) {
    this.space = space;
    this.guest = guest;
  }

  get high(): number {
    return this.space.high;
  }

  read(address: number, size: AccessSize): number {
    const value = this.space.read(address, size);
    this.result = this.space.result;
    return value;
  }

  /** Stores to ROM are dropped without an error, as by QEMU's processors. */
  write(address: number, size: AccessSize, low: number, high: number): void {
    this.space.write(address, size, low, high, PROCESSOR_ATTRS);
    this.result = this.space.result;
  }

  directPage(address: number, use: PageUse): number {
    const range = this.space.find(address);
    if (range === undefined || range.region.ram === null) return -1;
    const { region } = range;
    // Direct stores would pass a dirty log by; a change of the map, such as its end, makes the processor ask again.
    const storable = region.writesDirectly && !range.readOnly && region.dirtyLog === null;
    const direct = use === "write" ? storable : region.readsDirectly;
    const page = address - (address % PAGE_BYTES);
    if (!direct || page < range.start || page + PAGE_BYTES > range.end) return -1;
    const { bytes } = region.ram as NonNullable<typeof region.ram>;
    if (bytes.buffer !== this.guest.memory.buffer) return -1;
    return bytes.byteOffset + range.offset + (page - range.start);
  }

  onMapChange(flush: () => void): void {
    const listener = { space: this.space, priority: 0, commit: flush };
    this.listeners.push(listener);
    this.space.addListener(listener);
  }

  /** Stops following the map, when the processor goes away. */
  disconnect(): void {
    for (const listener of this.listeners.splice(0)) this.space.removeListener(listener);
  }
}
