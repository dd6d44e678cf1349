import type { AddressSpace } from "../address-space.ts";
import type { AccessSize, MemTxResult } from "./bus.ts";
import type { Mapping } from "./mapping.ts";
import { type MemTxAttrs, UNSPECIFIED_ATTRS } from "./ops.ts";

/**
 * Guest memory as one device reaches it: the address space of its bus, and the attributes that its accesses carry, such
 * as a requester's identity. The accesses are those of {@link AddressSpace}.
 */
export class DmaView {
  private readonly space: AddressSpace;
  private readonly attrs: MemTxAttrs;

  constructor(space: AddressSpace, attrs: MemTxAttrs = UNSPECIFIED_ATTRS) {
    this.space = space;
    this.attrs = attrs;
  }

  /** Outcome of the latest access to the address space. */
  get result(): MemTxResult {
    return this.space.result;
  }

  read(address: number, size: AccessSize): number {
    return this.space.read(address, size, this.attrs);
  }

  write(address: number, size: AccessSize, low: number, high = 0): void {
    this.space.write(address, size, low, high, this.attrs);
  }

  readBytes(address: number, into: Uint8Array): MemTxResult {
    return this.space.readBytes(address, into, this.attrs);
  }

  writeBytes(address: number, from: Uint8Array): MemTxResult {
    return this.space.writeBytes(address, from, this.attrs);
  }

  map(address: number, length: number, isWrite: boolean): Mapping | null {
    return this.space.map(address, length, isWrite, this.attrs);
  }

  unmap(mapping: Mapping, written: number): void {
    this.space.unmap(mapping, written);
  }
}
