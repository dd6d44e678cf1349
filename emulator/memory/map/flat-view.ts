import { type Block, QomAbort } from "#qom";
import { PageMap } from "../access/page-map.ts";
import { Section } from "../access/section.ts";
import type { MemoryModel } from "../memory-model.ts";
import { RcuNode } from "../rcu.ts";
import type { FlatRange } from "./flat-range.ts";
import { type Interval, united } from "./interval.ts";
import type { MemoryRegion } from "./region.ts";
import { render } from "./render.ts";
import { type RangeStore, storeOf } from "./stores.ts";

/** Modelled bytes of the C structures. */
const FLAT_VIEW_BYTES = 72;
const FLAT_RANGE_BYTES = 64;

/** What distinguishes a view from the one that it was derived from; both lists are ascending. */
export interface ViewChange {
  readonly from: FlatView;
  readonly removed: readonly FlatRange[];
  readonly added: readonly FlatRange[];
}

/** What a view shows, if it was derived from another. */
interface Derivation {
  readonly store: RangeStore;
  readonly change: ViewChange;
}

/**
 * The ranges below one physical root, in ascending order: immutable, reference-counted, and destroyed after a grace
 * period. The root, each range and each section of the dispatch table hold a reference on their region's owner.
 *
 * A view is rendered from the tree below its root or, in large maps, derived from the view before it: it shares the
 * ranges that stay, and their references are dropped with the last view that shows them.
 */
export class FlatView {
  readonly root: MemoryRegion | null;
  readonly pages = new PageMap();
  /** Number of address spaces that show it. */
  shownBy = 0;
  /** During the commit that derived it; null afterwards. */
  change: ViewChange | null = null;
  private readonly model: MemoryModel;
  private readonly store: RangeStore;
  private readonly block: Block;
  private readonly node = new RcuNode();
  private count = 1;
  /** The living views that this one was derived from, and that were derived from it; numbers ascend. */
  private readonly number: number = 0;
  private older: FlatView | null = null;
  private newer: FlatView | null = null;
  /** Ranges of which this is the last living view, unless it is the newest. */
  private lastOf: FlatRange[] = [];

  constructor(model: MemoryModel, root: MemoryRegion | null, derived: Derivation | null = null) {
    this.model = model;
    this.root = root;
    root?.takeRef();
    if (derived === null) {
      this.store = storeOf(root === null ? [] : render(root));
      for (const range of this.store.list) this.hold(range);
    } else {
      const { from, added } = derived.change;
      this.change = derived.change;
      this.store = derived.store;
      this.number = from.number + 1;
      this.older = from;
      from.newer = this;
      from.lastOf = [...from.lastOf, ...derived.change.removed];
      for (const range of added) this.hold(range);
    }
    this.block = model.heap.allocate("flat-view", FLAT_VIEW_BYTES + this.store.size * FLAT_RANGE_BYTES);
    this.block.tenants.push(this);
  }

  get ranges(): readonly FlatRange[] {
    return this.store.list;
  }

  /** The ranges whose references it answers for; of living views that share one, the newest does. */
  get heldRanges(): readonly FlatRange[] {
    return this.newer === null ? this.store.list : this.lastOf;
  }

  /** The range that contains `address`, if any. */
  find(address: number): FlatRange | undefined {
    return this.store.find(address);
  }

  /** Start of the first range above `address`, which no range may contain; 2^64 if there is none. */
  gapEnd(address: number): number {
    return this.store.above(address)?.start ?? 2 ** 64;
  }

  /** Ranges that reach into an interval, in ascending order. */
  within(low: number, high: number): Iterable<FlatRange> {
    return this.store.within(low, high);
  }

  /** Whether a change is cheaper to derive than to render. */
  get large(): boolean {
    return this.store.large || this.root?.manySubregions === true;
  }

  /** Makes accesses see changes of `region`, somewhere in an interval, that do not change the map. */
  refresh(region: MemoryRegion, low = 0, high = Number.POSITIVE_INFINITY): void {
    for (const range of this.within(low, high)) if (range.region === region) range.section.refresh(region);
  }

  /** The view after changes of the tree that show only in `places`; this one if they do not show at all. */
  derive(places: readonly Interval[]): FlatView {
    const { root } = this;
    if (root === null) return this;
    let tree = this.store.tree();
    const removed = new Set<FlatRange>();
    const added = new Set<FlatRange>();
    for (const { low, high } of united(places)) {
      // Ranges that are cut or touched are rendered as a whole, so that they can be merged with what is new.
      const old = new Map<number, FlatRange>();
      let from = low;
      let to = high;
      for (const range of tree.from(({ end }) => end < low)) {
        if (range.start > high) break;
        old.set(range.start, range);
        from = Math.min(from, range.start);
        to = Math.max(to, range.end);
      }
      const now = render(root, from, to).map((range) => {
        const same = old.get(range.start);
        if (same?.equals(range) !== true) {
          added.add(range);
          return range;
        }
        old.delete(range.start);
        if (!added.has(same)) same.section.refresh(same.region); // sees what else has changed in the region
        return same;
      });
      for (const range of old.values()) if (!added.delete(range)) removed.add(range);
      tree = tree.replace(
        ({ start }) => start < from,
        ({ start }) => start >= to,
        now,
      );
    }
    if (removed.size === 0 && added.size === 0) return this;
    const change = { from: this, removed: ascending(removed), added: ascending(added) };
    return new FlatView(this.model, root, { store: storeOf(tree), change });
  }

  ref(): void {
    if (this.count === 0) throw new QomAbort("a flat view was referenced after its end");
    this.count++;
  }

  unref(): void {
    if (this.count === 0) throw new QomAbort("unref of a flat view that has no reference left");
    if (--this.count === 0) this.model.rcu.call(this.node, () => this.destroy());
  }

  private hold(range: FlatRange): void {
    const { region } = range;
    range.since = this.number;
    range.section = new Section(range);
    region.takeRef(); // the range
    region.takeRef(); // its section in the dispatch table
  }

  private destroy(): void {
    const ending = this.leave();
    for (const { region } of ending) region.dropRef();
    for (const { region } of ending) region.dropRef();
    this.root?.dropRef();
    const { model } = this;
    model.heap.free(this.block);
    model.detector?.freedPlain(this, "flat-view");
  }

  /** Leaves the row of views; returns the ranges that no living view shows any more. */
  private leave(): readonly FlatRange[] {
    const { older, newer } = this;
    const mine = this.heldRanges;
    if (newer !== null) newer.older = older;
    if (older === null) return mine;
    older.newer = newer;
    const shared = mine.filter(({ since }) => since <= older.number);
    // The newest view answers for all that it shows.
    older.lastOf = newer === null ? [] : [...older.lastOf, ...shared];
    return mine.filter(({ since }) => since > older.number);
  }
}

function ascending(ranges: ReadonlySet<FlatRange>): FlatRange[] {
  return [...ranges].sort((a, b) => a.start - b.start);
}

/**
 * The region that determines the view of `root`: skips aliases and only children that cover everything, so that address
 * spaces with the same contents share one view. Null if the view is empty.
 *
 * As in QEMU (`memory_region_get_flatview_root`, 7.2 to 10.2), whatever is skipped has no effect: through an address
 * space whose root is a read-only alias of all of a RAM region, even processors can write to the RAM.
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
    const [only, another] = firstEnabled(region);
    if (only === undefined) return null;
    if (another !== undefined || only.address !== 0 || region.size < only.size) return region;
    region = only;
  }
  return null;
}

/** At most two. */
function firstEnabled(region: MemoryRegion): MemoryRegion[] {
  const found: MemoryRegion[] = [];
  for (const each of region.subregionsInOrder()) if (each.enabled && found.push(each) === 2) break;
  return found;
}
