import type { MemoryRegion } from "./region.ts";

/** A range of addresses that one region answers for: what QEMU calls a flat range, and a section once dispatched. */
export class FlatRange {
  readonly region: MemoryRegion;
  readonly start: number;
  /** First address behind. */
  readonly end: number;
  /** Offset in the region of `start`. */
  readonly offset: number;
  readonly readOnly: boolean;
  readonly romdMode: boolean;
  readonly nonvolatile: boolean;
  readonly unmergeable: boolean;

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

  /** Whether `next` goes on where this range ends, in the same region and the same way. */
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
