import { type Disk, type DiskResult, SECTOR_BYTES } from "./disk.ts";

/** A disk in host memory, lost when it is closed. */
export class MemoryDisk implements Disk {
  readonly bytes: number;
  readonly readOnly: boolean;
  /** All sectors. */
  readonly content: Uint8Array;

  /** @param content initial content, padded with zeroes to whole sectors; or the size in bytes. */
  constructor(content: Uint8Array | number, readOnly = false) {
    const length = typeof content === "number" ? content : content.length;
    this.bytes = Math.ceil(length / SECTOR_BYTES) * SECTOR_BYTES;
    this.readOnly = readOnly;
    this.content = new Uint8Array(this.bytes);
    if (typeof content !== "number") this.content.set(content);
  }

  read(offset: number, into: Uint8Array): DiskResult {
    into.set(this.content.subarray(offset, offset + into.length));
    return "ok";
  }

  write(offset: number, from: Uint8Array): DiskResult {
    if (this.readOnly) return "read-only";
    this.content.set(from, offset);
    return "ok";
  }

  flush(): DiskResult {
    return "ok";
  }

  discard(): DiskResult {
    return this.readOnly ? "read-only" : "ok";
  }

  writeZeroes(offset: number, length: number): DiskResult {
    if (this.readOnly) return "read-only";
    this.content.fill(0, offset, offset + length);
    return "ok";
  }

  close(): void {}
}
