import type { VmStateFields } from "#qdev";

/** A queue of bytes of fixed capacity, without allocation after it was made. */
export class Fifo {
  /** What a device that has one keeps of it in a snapshot. */
  static readonly vmFields = {
    bytes: "bytes",
    head: "uint32",
    count: "uint32",
  } as const satisfies VmStateFields;

  private readonly bytes: Uint8Array;
  private head = 0;
  private count = 0;

  constructor(capacity: number) {
    this.bytes = new Uint8Array(capacity);
  }

  get length(): number {
    return this.count;
  }

  get full(): boolean {
    return this.count === this.bytes.length;
  }

  /** Appends a byte; nothing happens to a full queue. */
  push(byte: number): void {
    if (this.full) return;
    this.bytes[(this.head + this.count) % this.bytes.length] = byte;
    this.count++;
  }

  /** Takes the oldest byte; 0 from an empty queue. */
  pop(): number {
    if (this.count === 0) return 0;
    const byte = this.bytes[this.head] as number; // head is in range
    this.head = (this.head + 1) % this.bytes.length;
    this.count--;
    return byte;
  }

  clear(): void {
    this.head = 0;
    this.count = 0;
  }
}
