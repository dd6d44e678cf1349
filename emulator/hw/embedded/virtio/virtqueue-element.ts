/** A chain of descriptors: what the driver lends the device, in the order of the chain. */
import type { AddressSpace, Mapping } from "#memory";

/** Buffers more than this, over a whole chain, are a driver's mistake. */
const MOST_SEGMENTS = 1024;
/** So are more bytes (VIRTIO 1.2, section 2.7.5). */
const MOST_BYTES = 2 ** 32;

/**
 * One buffer of a queue, as `Virtqueue.pop` hands it out. Its memory is the guest's own, and lent until the element is
 * pushed or unpopped.
 */
export class VirtqueueElement {
  /** Number of the chain's first descriptor, by which the driver knows it. */
  readonly head: number;
  /** Bytes that the device may read, and that it may write. */
  outBytes = 0;
  inBytes = 0;
  private readonly space: AddressSpace;
  private readonly out: Mapping[] = [];
  private readonly in: Mapping[] = [];

  constructor(head: number, space: AddressSpace) {
    this.head = head;
    this.space = space;
  }

  /** Adds a descriptor's memory. Answers what is wrong with it; null: nothing. Part of it may have been added then. */
  add(address: number, length: number, isWrite: boolean): string | null {
    if (length === 0) return "a buffer has no bytes";
    if (!isWrite && this.in.length > 0) return "a buffer to be read follows one to be written";
    if (!Number.isSafeInteger(address + length)) return `no memory is at 0x${address.toString(16)}`;
    const segments = isWrite ? this.in : this.out;
    for (let done = 0; done < length; ) {
      if (this.out.length + this.in.length >= MOST_SEGMENTS)
        return `a chain has more than ${MOST_SEGMENTS} buffers`;
      const mapping = this.space.map(address + done, length - done, isWrite);
      if (mapping === null) return `no memory is at 0x${(address + done).toString(16)}`;
      segments.push(mapping);
      done += mapping.bytes.length;
    }
    if (isWrite) this.inBytes += length;
    else this.outBytes += length;
    return this.inBytes + this.outBytes > MOST_BYTES ? `a chain has more than ${MOST_BYTES} bytes` : null;
  }

  /** Copies what the driver sent, from `offset` on; answers how many bytes there were. */
  read(offset: number, into: Uint8Array): number {
    return this.visit(this.out, offset, into.length, (bytes, done) => into.set(bytes, done));
  }

  /** All that the driver sent. */
  readAll(): Uint8Array {
    const bytes = new Uint8Array(this.outBytes);
    this.read(0, bytes);
    return bytes;
  }

  /** Copies towards the driver, from `offset` on; answers how many bytes there was room for. */
  write(offset: number, from: Uint8Array): number {
    return this.visit(this.in, offset, from.length, (bytes, done) =>
      bytes.set(from.subarray(done, done + bytes.length)),
    );
  }

  /** Shows the pieces of memory that hold `length` bytes of what the driver sent, from `offset` on, in order. */
  forEachOut(offset: number, length: number, use: (bytes: Uint8Array, done: number) => void): number {
    return this.visit(this.out, offset, length, use);
  }

  /** The same of what the driver is to get. */
  forEachIn(offset: number, length: number, use: (bytes: Uint8Array, done: number) => void): number {
    return this.visit(this.in, offset, length, use);
  }

  /** Gives the memory back; the first `written` bytes that the device may write have been written. */
  release(written: number): void {
    for (const mapping of this.out) this.space.unmap(mapping, 0);
    let left = written;
    for (const mapping of this.in) {
      const here = Math.min(left, mapping.bytes.length);
      this.space.unmap(mapping, here);
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
