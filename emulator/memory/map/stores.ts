import { type FlatRange, rangeOrder } from "./flat-range.ts";
import { indexRanges, type RangeIndex } from "./range-index.ts";
import { SortedTree } from "./sorted-tree.ts";

/** Up to this number of ranges, a list with an index is cheaper to make than a tree is to change. */
const FEW = 48;

/** The ranges of one view: immutable. */
export interface RangeStore {
  readonly size: number;
  /** Whether one change is cheaper to make in the tree than by rendering everything. */
  readonly large: boolean;
  /** In ascending order. */
  readonly list: readonly FlatRange[];
  /** The range that contains `address`. */
  find(address: number): FlatRange | undefined;
  /** The first range above `address`, which no range may contain. */
  above(address: number): FlatRange | undefined;
  /** Ranges that reach into an interval, in ascending order. */
  within(low: number, high: number): Iterable<FlatRange>;
  tree(): SortedTree<FlatRange>;
}

export function storeOf(ranges: readonly FlatRange[] | SortedTree<FlatRange>): RangeStore {
  if (ranges instanceof SortedTree)
    return ranges.size > FEW ? new RangeTree(ranges) : new RangeList([...ranges]);
  return ranges.length > FEW
    ? new RangeTree(SortedTree.of(rangeOrder, ranges), ranges)
    : new RangeList(ranges);
}

class RangeList implements RangeStore {
  readonly large = false;
  readonly list: readonly FlatRange[];
  private readonly index: RangeIndex;

  constructor(list: readonly FlatRange[]) {
    this.list = list;
    this.index = indexRanges(list);
  }

  get size(): number {
    return this.list.length;
  }

  find(address: number): FlatRange | undefined {
    return this.list[this.index.find(address)];
  }

  above(address: number): FlatRange | undefined {
    return this.list[~this.index.find(address)];
  }

  within(low: number, high: number): Iterable<FlatRange> {
    return this.list.filter(({ start, end }) => end > low && start < high);
  }

  tree(): SortedTree<FlatRange> {
    return SortedTree.of(rangeOrder, this.list);
  }
}

class RangeTree implements RangeStore {
  readonly large = true;
  private readonly ranges: SortedTree<FlatRange>;
  private ordered: readonly FlatRange[] | null;

  constructor(ranges: SortedTree<FlatRange>, ordered: readonly FlatRange[] | null = null) {
    this.ranges = ranges;
    this.ordered = ordered;
  }

  get size(): number {
    return this.ranges.size;
  }

  get list(): readonly FlatRange[] {
    this.ordered ??= [...this.ranges];
    return this.ordered;
  }

  find(address: number): FlatRange | undefined {
    const range = this.ranges.lastStartingBy(address);
    return range !== undefined && address < range.end ? range : undefined;
  }

  above(address: number): FlatRange | undefined {
    const [first] = this.ranges.from(({ start }) => start <= address);
    return first;
  }

  *within(low: number, high: number): Iterable<FlatRange> {
    for (const range of this.ranges.from(({ end }) => end <= low)) {
      if (range.start >= high) return;
      yield range;
    }
  }

  tree(): SortedTree<FlatRange> {
    return this.ranges;
  }
}
