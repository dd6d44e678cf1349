import { type Block, QomAbort } from "#qom";
import { PageMap } from "../access/page-map.ts";
import { Section } from "../access/section.ts";
import type { MemoryModel } from "../memory-model.ts";
import { RcuNode } from "../rcu.ts";
import type { FlatRange } from "./flat-range.ts";
import { indexRanges, type RangeIndex } from "./range-index.ts";
import type { MemoryRegion } from "./region.ts";
import { render } from "./render.ts";

/** Modelled bytes of the C structures. */
const FLAT_VIEW_BYTES = 72;
const FLAT_RANGE_BYTES = 64;

/**
 * The ranges below one physical root, in ascending order: immutable, reference-counted, and destroyed after a grace
 * period. The root, each range and each section of the dispatch table hold a reference on their region's owner.
 */
export class FlatView {
  readonly root: MemoryRegion | null;
  readonly ranges: readonly FlatRange[];
  /** For each range, what a plain access needs, and the address of its region's offset 0. */
  readonly sections: readonly Section[];
  readonly pages = new PageMap();
  readonly origins: readonly number[];
  private readonly model: MemoryModel;
  private readonly index: RangeIndex;
  private readonly block: Block;
  private readonly node = new RcuNode();
  private count = 1;

  constructor(model: MemoryModel, root: MemoryRegion | null) {
    this.model = model;
    this.root = root;
    this.ranges = root === null ? [] : render(root);
    this.sections = this.ranges.map((range) => new Section(range));
    this.origins = this.ranges.map((range) => range.start - range.offset);
    this.index = indexRanges(this.ranges);
    root?.takeRef();
    for (const { region } of this.ranges) {
      region.takeRef(); // the range
      region.takeRef(); // its section in the dispatch table
    }
    this.block = model.heap.allocate("flat-view", FLAT_VIEW_BYTES + this.ranges.length * FLAT_RANGE_BYTES);
    this.block.tenants.push(this);
  }

  /** Index of the range that contains `address`; negative if none does. */
  indexOf(address: number): number {
    return this.index.find(address);
  }

  /** The range that contains `address`, if any. */
  find(address: number): FlatRange | undefined {
    return this.ranges[this.index.find(address)];
  }

  /** Start of the first range above `address`, which no range may contain; 2^64 if there is none. */
  gapEnd(address: number): number {
    return this.ranges[~this.index.find(address)]?.start ?? 2 ** 64;
  }

  /** Makes accesses see changes of `region` that do not change the map. */
  refresh(region: MemoryRegion): void {
    for (const [index, range] of this.ranges.entries()) {
      if (range.region === region) this.sections[index]?.refresh(region);
    }
  }

  ref(): void {
    if (this.count === 0) throw new QomAbort("a flat view was referenced after its end");
    this.count++;
  }

  unref(): void {
    if (this.count === 0) throw new QomAbort("unref of a flat view that has no reference left");
    if (--this.count === 0) this.model.rcu.call(this.node, () => this.destroy());
  }

  private destroy(): void {
    for (const { region } of this.ranges) region.dropRef();
    for (const { region } of this.ranges) region.dropRef();
    this.root?.dropRef();
    const { model } = this;
    model.heap.free(this.block);
    model.detector?.freedPlain(this, "flat-view");
  }
}

/**
 * The region that determines the view of `root`: skips aliases and only children that cover everything, so that address
 * spaces with the same contents share one view. Null if the view is empty.
 *
 * As in QEMU (`memory_region_get_flatview_root`, 7.2 to 10.2), whatever is skipped has no effect: through an address
 * space whose root is a read-only alias of all of a RAM region, the RAM can be written.
 */
export function physicalRoot(root: MemoryRegion): MemoryRegion | null {
  let region = root;
  while (region.enabled) {
    if (region.alias !== null) {
      if (region.aliasOffset !== 0 || region.size < region.alias.size) return region;
      region = region.alias;
      continue;
    }
    if (region.terminates) return region;
    const enabled = region.subregions.filter((each) => each.enabled);
    const [only] = enabled;
    if (only === undefined) return null;
    if (enabled.length > 1 || only.address !== 0 || region.size < only.size) return region;
    region = only;
  }
  return null;
}
