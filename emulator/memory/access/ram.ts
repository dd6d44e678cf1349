import { QomError } from "#qom";

/** Where the bytes of RAM regions come from. */
export interface RamAllocator {
  /** Returns zeroed bytes. @throws QomError when not enough are available. */
  allocate(bytes: number): Uint8Array;
  /** Takes back bytes returned by `allocate`. */
  release(bytes: Uint8Array): void;
}

/** RAM in separate buffers, for machines without a processor. */
export class HostRam implements RamAllocator {
  allocate(bytes: number): Uint8Array {
    try {
      return new Uint8Array(bytes);
    } catch {
      throw new QomError(
        `cannot allocate ${bytes} bytes of RAM: the host refuses a buffer of this size; ask for less memory`,
      );
    }
  }

  release(): void {}
}

/** The bytes that back a region, with a view for multi-byte accesses. */
export class RamBlock {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  /** Identity: which RAM it is to another machine with the same devices; null for RAM that others allocated. */
  id: string | null = null;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }
}
