import type { FlatRange } from "./flat-range.ts";
import { type ReadCallback, unassignedRead, unassignedWrite, type WriteCallback } from "./ops.ts";
import type { MemoryRegion, MemReentrancyGuard } from "./region.ts";

/** Numbers below are small integers to V8, which object fields hold without an allocation. */
export const SMALL = 2 ** 31;
const NO_RANGE = { start: 0, end: 0, offset: 0 } as const;

/**
 * A range as an access meets it: all that a plain call of a device's callback needs, copied out of the region, so that
 * accesses that jump about a large map fetch two lines of cache instead of the five or more that region and range take.
 */
export class Section {
  /** Sizes (bit sets) of aligned accesses that are one plain call. */
  plainReads = 0;
  plainWrites = 0;
  /** Guard of the region's owner; null where re-entrancy is allowed. */
  guard: MemReentrancyGuard | null = null;
  readonly read: ReadCallback;
  readonly write: WriteCallback;
  readonly opaque: unknown;
  /** The range's bounds, and where offset 0 of its region would be; empty where these are no small numbers. */
  readonly start: number;
  readonly end: number;
  readonly origin: number;

  /** Sizes (bit set) of accesses that reach over no bound when they are aligned. */
  private readonly whole: number;

  /** Of a range, or, without one, a section that no address hits. */
  constructor(range: FlatRange | null) {
    const { start, end, offset } = range ?? NO_RANGE;
    const origin = start - offset;
    const small = end < SMALL && origin >= -SMALL;
    this.start = small ? start : 0;
    this.end = small ? end : 0;
    this.origin = small ? origin : 0;
    this.whole = [1, 2, 4].reduce((set, size) => (end % size || origin % size ? set : set | size), 0);
    this.read = range?.region.readCallback ?? unassignedRead;
    this.write = range?.region.writeCallback ?? unassignedWrite;
    this.opaque = range?.region.opaque;
    if (range !== null) this.refresh(range.region);
  }

  /**
   * Takes over what may change in a region while it is mapped: event notifiers, an exemption from the guard. In checked
   * mode no access is plain: each goes through its region, and the traps of a dead one see it.
   */
  refresh(region: MemoryRegion): void {
    const sizes = region.model.detector === null ? this.whole : 0;
    this.plainReads = region.plainReads & sizes;
    this.plainWrites = region.plainWrites & sizes;
    this.guard = region.guard;
  }
}
