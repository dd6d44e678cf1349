import { CharChannel } from "./char-line.ts";

/** Keeps the most recent bytes from the guest in memory; input comes from within the process. */
export class RingbufChar extends CharChannel {
  private readonly bytes: Uint8Array;
  /** Total numbers of bytes written and read. */
  private written = 0;
  private fetched = 0;

  /** @param size capacity in bytes; a power of 2, so that positions can be masked. */
  constructor(size = 65_536) {
    super();
    this.bytes = new Uint8Array(size);
  }

  write(byte: number): void {
    this.bytes[this.written++ & (this.bytes.length - 1)] = byte;
    if (this.written - this.fetched > this.bytes.length) this.fetched++;
  }

  /** Removes and returns the bytes kept, oldest first. */
  read(): Uint8Array {
    const found = new Uint8Array(this.written - this.fetched);
    for (let index = 0; index < found.length; index++)
      found[index] = this.bytes[this.fetched++ & (this.bytes.length - 1)] as number; // masked
    return found;
  }

  close(): void {}
}
