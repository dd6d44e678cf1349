import type { VmStateFields } from "#qdev";

/** A byte queue of fixed capacity that does not allocate after construction. */
export class Fifo {
  /** State for the snapshot of a device that contains one. */
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

  /** Appends a byte; does nothing if the queue is full. */
  push(byte: number): void {
    if (this.full) return;
    this.bytes[(this.head + this.count) % this.bytes.length] = byte;
    this.count++;
  }

  /** Removes and returns the oldest byte; 0 if the queue is empty. */
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
