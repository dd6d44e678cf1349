import type { FlatRange } from "../map/flat-range.ts";
import type { MemoryRegion, MemReentrancyGuard } from "../map/region.ts";
import { truncate } from "./dispatch.ts";
import { type ReadCallback, unassignedRead, unassignedWrite, type WriteCallback } from "./ops.ts";

/** V8 represents integers below this as Smis, which object fields hold without an allocation. */
export const SMALL = 2 ** 31;
const NO_RANGE = { start: 0, end: 0, offset: 0 } as const;

/**
 * A range as accesses see it: everything that a plain call of a device's callback needs, copied from the region, so
 * that accesses scattered over a large map touch two cache lines, not the five or more of region and range.
 */
export class Section {
  /** Sizes (bit sets) of aligned accesses that take one plain call. */
  plainReads = 0;
  plainWrites = 0;
  /** The guard of the region's owner; null if re-entrancy is allowed. */
  guard: MemReentrancyGuard | null = null;
  readonly read: ReadCallback;
  readonly write: WriteCallback;
  readonly opaque: unknown;
  /** Bounds of the range, and the address of its region's offset 0; an empty range unless all of these are small. */
  readonly start: number;
  readonly end: number;
  readonly origin: number;

  /** Sizes (bit set) of accesses that cannot cross a bound if they are aligned. */
  private readonly whole: number;

  /** @param range null makes a section that no address hits. */
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
   * Copies what may change in a region while it is mapped: event notifiers, an exemption from the guard. In checked
   * mode no access is plain: each goes through its region, where the traps of a dead region detect it.
   */
  refresh(region: MemoryRegion): void {
    const sizes = region.model.detector === null ? this.whole : 0;
    this.plainReads = region.plainReads & sizes;
    this.plainWrites = region.plainWrites & sizes;
    this.guard = region.activeGuard;
  }

  /**
   * Makes the plain call of a read of a size in `plainReads`, if the guard is not engaged. Callbacks do not throw, as
   * nothing that a guest does is an exception. One that throws ends the machine and leaves its guard engaged; catching
   * it here would make every access a third slower.
   */
  callRead(offset: number, size: number): number {
    const { guard, read } = this;
    if (guard !== null) guard.engaged = true;
    const value = read(this.opaque, offset, size);
    if (guard !== null) guard.engaged = false;
    return truncate(value, size);
  }

  /** As `callRead`, for a write. */
  callWrite(offset: number, size: number, value: number): void {
    const { guard, write } = this;
    if (guard !== null) guard.engaged = true;
    write(this.opaque, offset, truncate(value, size), size);
    if (guard !== null) guard.engaged = false;
  }
}
