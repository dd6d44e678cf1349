import type { MemoryRegion } from "./region.ts";
import { type Order, SortedTree } from "./sorted-tree.ts";

/** A container with more subregions finds them by a tree instead of looking at all of them. */
export const MANY_SUBREGIONS = 32;

/** A subregion as it was when it was added or resized. */
interface Entry {
  readonly region: MemoryRegion;
  readonly start: number;
  readonly end: number;
  readonly priority: number;
  /** Greater for those added later. */
  readonly sequence: number;
}

const byPrecedence: Order<Entry> = {
  compare: (a, b) => b.priority - a.priority || b.sequence - a.sequence,
  start: () => 0,
  end: () => 0,
};
const byPlace: Order<Entry> = {
  compare: (a, b) => a.start - b.start || a.sequence - b.sequence,
  start: ({ start }) => start,
  end: ({ end }) => end,
};

/** The subregions of a container that has many: each change, and each look at one place, takes logarithmic time. */
export class ManySubregions {
  private readonly entries = new Map<MemoryRegion, Entry>();
  private order = SortedTree.of(byPrecedence);
  private places = SortedTree.of(byPlace);
  private sequence = 0;
  private inOrder: readonly MemoryRegion[] | null = null;

  /** @param regions in order of precedence */
  constructor(regions: readonly MemoryRegion[]) {
    for (const region of regions.toReversed()) this.add(region);
  }

  get size(): number {
    return this.entries.size;
  }

  /** All of them in order of precedence. */
  get list(): readonly MemoryRegion[] {
    this.inOrder ??= [...this];
    return this.inOrder;
  }

  /** As `list`, for whoever needs only the first. */
  *[Symbol.iterator](): IterableIterator<MemoryRegion> {
    for (const { region } of this.order) yield region;
  }

  /** Adds a region at its address; it takes precedence over those of equal priority. */
  add(region: MemoryRegion): void {
    this.enter(region, ++this.sequence);
  }

  delete(region: MemoryRegion): void {
    const entry = this.entries.get(region);
    if (entry === undefined) return;
    this.entries.delete(region);
    this.order = this.order.without(entry);
    this.places = this.places.without(entry);
    this.inOrder = null;
  }

  /** The size of `region` has changed. */
  resize(region: MemoryRegion): void {
    const entry = this.entries.get(region);
    if (entry === undefined) return;
    this.delete(region);
    this.enter(region, entry.sequence);
  }

  /** Those that reach into a part of the container, in order of precedence. */
  within(low: number, high: number): MemoryRegion[] {
    const found: Entry[] = [];
    this.places.overlapping(low, high, (entry) => found.push(entry));
    return found.sort(byPrecedence.compare).map(({ region }) => region);
  }

  private enter(region: MemoryRegion, sequence: number): void {
    const { address: start, size, priority } = region;
    const entry = { region, start, end: start + size, priority, sequence };
    this.entries.set(region, entry);
    this.order = this.order.with(entry);
    this.places = this.places.with(entry);
    this.inOrder = null;
  }
}
