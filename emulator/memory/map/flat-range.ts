import type { Section } from "../access/section.ts";
import type { MemoryRegion } from "./region.ts";
import type { Order } from "./sorted-tree.ts";

/** Ranges of one view, which are disjoint. */
export const rangeOrder: Order<FlatRange> = {
  compare: (a, b) => a.start - b.start,
  start: ({ start }) => start,
  end: ({ end }) => end,
};

/** An address range that one region responds to: QEMU's flat range or, in listeners and dispatch, section. */
export class FlatRange {
  readonly region: MemoryRegion;
  readonly start: number;
  /** First address after the range. */
  readonly end: number;
  /** Offset of `start` within the region. */
  readonly offset: number;
  readonly readOnly: boolean;
  readonly romdMode: boolean;
  readonly nonvolatile: boolean;
  readonly unmergeable: boolean;
  /** What a plain access needs; set by the first view that shows the range. */
  section!: Section;
  /** Number of that view among those of its root. */
  since = 0;

  constructor(
    region: MemoryRegion,
    start: number,
    end: number,
    offset: number,
    inherited: { readonly readOnly: boolean; readonly nonvolatile: boolean },
  ) {
    this.region = region;
    this.start = start;
    this.end = end;
    this.offset = offset;
    this.readOnly = inherited.readOnly;
    this.romdMode = region.romdMode;
    this.nonvolatile = inherited.nonvolatile;
    this.unmergeable = region.unmergeable;
  }

  /** Whether `next` continues this range, with the same region and attributes, so that the two can be merged. */
  continuesIn(next: FlatRange): boolean {
    return (
      this.end === next.start &&
      this.offset + (this.end - this.start) === next.offset &&
      !this.unmergeable &&
      this.sameKind(next)
    );
  }

  equals(other: FlatRange): boolean {
    return (
      this.start === other.start &&
      this.end === other.end &&
      this.offset === other.offset &&
      this.sameKind(other)
    );
  }

  private sameKind(other: FlatRange): boolean {
    return (
      this.region === other.region &&
      this.readOnly === other.readOnly &&
      this.romdMode === other.romdMode &&
      this.nonvolatile === other.nonvolatile &&
      this.unmergeable === other.unmergeable
    );
  }
}
