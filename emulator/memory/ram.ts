import { QomError } from "#qom";

/** Where the bytes of RAM regions come from. */
export interface RamAllocator {
  /** Zeroed bytes. @throws QomError when there are not enough. */
  allocate(bytes: number): Uint8Array;
  /** Takes back what `allocate` gave. */
  release(bytes: Uint8Array): void;
}

/** RAM in buffers of its own: for machines without a processor. */
export class HostRam implements RamAllocator {
  allocate(bytes: number): Uint8Array {
    try {
      return new Uint8Array(bytes);
    } catch {
      throw new QomError(
        `cannot allocate ${bytes} bytes of RAM: the host has no such buffer; ask for less memory`,
      );
    }
  }

  release(): void {}
}

/** The bytes behind a region, with a view for multi-byte accesses. */
export class RamBlock {
  readonly bytes: Uint8Array;
  readonly view: DataView;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }
}
