import { QomAbort } from "#qom";
import type { FlatRange } from "./flat-range.ts";
import type { MemoryRegion } from "./region.ts";

/** A visible range that was asked for; keeps the owner of its region until `release`. */
export class FoundRange {
  readonly region: MemoryRegion;
  /** Address of its first byte, and its length. */
  readonly address: number;
  readonly size: number;
  /** Offset of its first byte in the region. */
  readonly offset: number;
  readonly readOnly: boolean;
  private released = false;

  constructor(range: FlatRange, low: number, high: number) {
    this.region = range.region;
    this.address = Math.max(low, range.start);
    this.size = Math.min(high, range.end) - this.address;
    this.offset = range.offset + (this.address - range.start);
    this.readOnly = range.readOnly;
    this.region.takeRef();
    this.region.model.finds.add(this);
  }

  /** @throws QomAbort when it was released before */
  release(): void {
    if (this.released) throw new QomAbort("a range that was found is released twice");
    this.released = true;
    this.region.model.finds.delete(this);
    this.region.dropRef();
  }
}
