/** Tells the listeners of an address space about changes of its view. */
import type { FlatRange } from "../map/flat-range.ts";
import type { FlatView } from "../map/flat-view.ts";
import type { CoalescedRange } from "../map/region.ts";
import type { MemoryListener } from "./listener.ts";

/** Whether a listener has hooks for ranges, rather than only for commits. */
export function followsRanges(listener: MemoryListener): boolean {
  const { regionAdd, regionDel, regionNop, coalescedAdd, coalescedDel } = listener;
  return [regionAdd, regionDel, regionNop, coalescedAdd, coalescedDel].some((hook) => hook !== undefined);
}

/** Tells listeners the differences between two views. */
export function announce(old: FlatView, now: FlatView, listeners: readonly MemoryListener[]): void {
  if (now.change?.from === old) {
    const { removed, added } = now.change;
    for (const range of removed) for (const listener of listeners.toReversed()) announceEnd(range, listener);
    for (const range of added) for (const listener of listeners) announceStart(range, listener);
    return;
  }
  const byStart = new Map(now.ranges.map((range) => [range.start, range]));
  const stays = (range: FlatRange) => byStart.get(range.start)?.equals(range) === true;
  const kept = new Set(old.ranges.filter(stays).map((range) => range.start));
  const backwards = [...listeners].reverse();
  for (const range of old.ranges) {
    if (kept.has(range.start)) continue;
    for (const listener of backwards) announceEnd(range, listener);
  }
  for (const range of now.ranges) {
    for (const listener of listeners) {
      if (kept.has(range.start)) listener.regionNop?.(range);
      else announceStart(range, listener);
    }
  }
}

/** Tells one listener that `range` has been added. */
export function announceStart(range: FlatRange, listener: MemoryListener): void {
  listener.regionAdd?.(range);
  for (const part of range.region.coalesced) announceCoalesced(range, part, listener, "coalescedAdd");
}

/** Tells one listener that `range` is being removed. */
export function announceEnd(range: FlatRange, listener: MemoryListener): void {
  for (const part of range.region.coalesced) announceCoalesced(range, part, listener, "coalescedDel");
  listener.regionDel?.(range);
}

/** Tells one listener about the part of a coalesced range that is visible in `range`. */
export function announceCoalesced(
  range: FlatRange,
  part: CoalescedRange,
  listener: MemoryListener,
  hook: "coalescedAdd" | "coalescedDel",
): void {
  const offset = Math.max(part.offset, range.offset);
  const end = Math.min(part.offset + part.size, range.offset + (range.end - range.start));
  if (offset < end) listener[hook]?.(range, { offset, size: end - offset });
}
