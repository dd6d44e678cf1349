/** How a flat view is dispatched page by page. Source: QEMU 10.2.2, system/physmem.c (flatview_add_to_dispatch). */
import { PAGE_BYTES } from "../access/guest-memory.ts";
import type { FlatRange } from "./flat-range.ts";
import type { MemoryRegion } from "./region.ts";

export interface PhysicalSection {
  readonly start: number;
  /** First address after the section. */
  readonly end: number;
  /** Null for all that is unassigned, and for a subpage: a page that several ranges share, or that one leaves partly free. */
  readonly region: MemoryRegion | null;
}

/**
 * The sections of the ranges of a view, in the order in which QEMU registers them: the first is everything, which is
 * unassigned; each subpage stands before the first piece in it.
 */
export function physicalSections(ranges: readonly FlatRange[]): PhysicalSection[] {
  const sections: PhysicalSection[] = [{ start: 0, end: 2 ** 64, region: null }];
  let subpage = -1;
  for (const { region, start, end } of ranges) {
    const first = start - (start % PAGE_BYTES);
    const wholeStart = first === start ? start : first + PAGE_BYTES;
    const wholeEnd = Math.max(end - (end % PAGE_BYTES), wholeStart);
    const pieces = [
      [start, Math.min(end, wholeStart)],
      [wholeStart, wholeEnd],
      [Math.max(wholeEnd, start), end],
    ] as const;
    for (const [low, high] of pieces) {
      if (low >= high) continue;
      const page = low - (low % PAGE_BYTES);
      if (low !== wholeStart || high !== wholeEnd) {
        if (page !== subpage) sections.push({ start: page, end: page + PAGE_BYTES, region: null });
        subpage = page;
      }
      sections.push({ start: low, end: high, region });
    }
  }
  return sections;
}
