/** A descriptor chain: the memory that the driver lends to the device, in order. */
import type { DmaView, Mapping } from "#memory";

/** Maximum number of buffers in a chain; more are a driver error. */
const MOST_SEGMENTS = 1024;
/** Maximum number of bytes in a chain (VIRTIO 1.2, section 2.7.5); more are a driver error. */
const MOST_BYTES = 2 ** 32;

/**
 * One buffer of a queue, as returned by `Virtqueue.pop`. Its guest memory stays mapped until the element is pushed or
 * unpopped.
 */
export class VirtqueueElement {
  /** Index of the chain's first descriptor, by which the driver identifies it. */
  readonly head: number;
  /** Number of bytes that the device may read, and that it may write. */
  outBytes = 0;
  inBytes = 0;
  private readonly dma: DmaView;
  private readonly out: Mapping[] = [];
  private readonly in: Mapping[] = [];

  constructor(head: number, dma: DmaView) {
    this.head = head;
    this.dma = dma;
  }

  /** Adds a descriptor's memory. Returns null, or what is wrong; part of the memory may have been added then. */
  add(address: number, length: number, isWrite: boolean): string | null {
    if (length === 0) return "a buffer is empty";
    if (!isWrite && this.in.length > 0) return "a device-readable buffer follows a device-writable one";
    if (!Number.isSafeInteger(address + length)) return `there is no memory at 0x${address.toString(16)}`;
    const segments = isWrite ? this.in : this.out;
    for (let done = 0; done < length; ) {
      if (this.out.length + this.in.length >= MOST_SEGMENTS)
        return `a chain has more than ${MOST_SEGMENTS} buffers`;
      const mapping = this.dma.map(address + done, length - done, isWrite);
      if (mapping === null) return `there is no memory at 0x${(address + done).toString(16)}`;
      segments.push(mapping);
      done += mapping.bytes.length;
    }
    if (isWrite) this.inBytes += length;
    else this.outBytes += length;
    return this.inBytes + this.outBytes > MOST_BYTES ? `a chain has more than ${MOST_BYTES} bytes` : null;
  }

  /** Copies data from the driver, from `offset` on; returns the number of bytes copied. */
  read(offset: number, into: Uint8Array): number {
    return this.visit(this.out, offset, into.length, (bytes, done) => into.set(bytes, done));
  }

  /** All data from the driver. */
  readAll(): Uint8Array {
    const bytes = new Uint8Array(this.outBytes);
    this.read(0, bytes);
    return bytes;
  }

  /** Copies data to the driver, from `offset` on; returns the number of bytes that there was room for. */
  write(offset: number, from: Uint8Array): number {
    return this.visit(this.in, offset, from.length, (bytes, done) =>
      bytes.set(from.subarray(done, done + bytes.length)),
    );
  }

  /** Visits, in order, the pieces of memory that hold `length` bytes of data from the driver, from `offset` on. */
  forEachOut(offset: number, length: number, use: (bytes: Uint8Array, done: number) => void): number {
    return this.visit(this.out, offset, length, use);
  }

  /** The same for memory that the device may write. */
  forEachIn(offset: number, length: number, use: (bytes: Uint8Array, done: number) => void): number {
    return this.visit(this.in, offset, length, use);
  }

  /** Unmaps the memory, after the device has written the first `written` bytes that it may write. */
  release(written: number): void {
    for (const mapping of this.out) this.dma.unmap(mapping, 0);
    let left = written;
    for (const mapping of this.in) {
      const here = Math.min(left, mapping.bytes.length);
      this.dma.unmap(mapping, here);
      left -= here;
    }
  }

  private visit(
    segments: readonly Mapping[],
    offset: number,
    length: number,
    use: (bytes: Uint8Array, done: number) => void,
  ): number {
    let skip = offset;
    let done = 0;
    for (const { bytes } of segments) {
      if (done === length) break;
      if (skip >= bytes.length) {
        skip -= bytes.length;
        continue;
      }
      const size = Math.min(bytes.length - skip, length - done);
      use(bytes.subarray(skip, skip + size), done);
      skip = 0;
      done += size;
    }
    return done;
  }
}
