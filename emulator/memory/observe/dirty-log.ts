import { PAGE_BYTES } from "../access/guest-memory.ts";

/** Which pages of a RAM region were written to since someone last asked: for displays, and for saving live machines. */
export class DirtyLog {
  private readonly pages = new Set<number>();

  /** Notes that `length` bytes from `offset` of the region on were written. */
  mark(offset: number, length: number): void {
    if (length <= 0) return;
    const last = Math.floor((offset + length - 1) / PAGE_BYTES);
    for (let page = Math.floor(offset / PAGE_BYTES); page <= last; page++) this.pages.add(page);
  }

  /** Offsets of the dirty pages that overlap a part of the region, ascending; they are clean from now on. */
  take(offset: number, length: number): number[] {
    const first = Math.floor(offset / PAGE_BYTES);
    const end = Math.ceil((offset + length) / PAGE_BYTES);
    const dirty = [...this.pages].filter((page) => page >= first && page < end).sort((a, b) => a - b);
    for (const page of dirty) this.pages.delete(page);
    return dirty.map((page) => page * PAGE_BYTES);
  }
}
