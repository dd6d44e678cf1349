/** Up to this number of intervals, binary search is used; a grid would not pay off. */
const FEW = 48;
/** A cell with more intervals than this gets a grid of its own. */
const CELL_RANGES = 2;
const GRID_BITS = 18;

interface Interval {
  readonly start: number;
  /** First address after the interval. */
  readonly end: number;
}

/** Finds the interval that contains an address, among disjoint ascending ones. Immutable, like flat views. */
export interface RangeIndex {
  /** Index of the interval that contains `address`, or the complement of the index at which it would be inserted. */
  find(address: number): number;
}

export function indexRanges(intervals: readonly Interval[]): RangeIndex {
  return intervals.length <= FEW ? new HalvingIndex(intervals) : new GridIndex(intervals);
}

/** For the maps of boards: cheap to build, since some devices change the map with every other access. */
class HalvingIndex implements RangeIndex {
  private readonly starts: readonly number[];
  private readonly ends: readonly number[];

  constructor(intervals: readonly Interval[]) {
    this.starts = intervals.map((each) => each.start);
    this.ends = intervals.map((each) => each.end);
  }

  find(address: number): number {
    const { starts } = this;
    let low = 0;
    let high = starts.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((starts[middle] as number) <= address) low = middle + 1;
      else high = middle;
    }
    return low > 0 && address < (this.ends[low - 1] as number) ? low - 1 : ~low;
  }
}

/**
 * For maps of any size: a lookup takes a few loads, however many intervals there are.
 *
 * A grid of equal cells covers the intervals; a cell holds the index of the first interval that reaches into it. Where
 * intervals cluster (devices at low addresses, RAM far above), a crowded cell refers to a finer grid instead.
 */
class GridIndex implements RangeIndex {
  /** Start and end of each interval side by side, so that one cache line has both. */
  private readonly bounds: Float64Array;
  /** For each cell: the index of an interval or, if negative, the complement of a grid's number. */
  private readonly cells: Int32Array;
  /** For each grid: its lowest address, cells per byte (a power of two), and its first cell. */
  private readonly grids: Float64Array;
  private readonly lowest: number;
  private readonly limit: number;

  constructor(intervals: readonly Interval[]) {
    this.bounds = Float64Array.from(intervals.flatMap(({ start, end }) => [start, end]));
    this.lowest = intervals[0]?.start ?? 0;
    this.limit = intervals.at(-1)?.end ?? 0;
    const builder = new GridBuilder(intervals);
    builder.grid(0, intervals.length, this.lowest, this.limit - this.lowest);
    this.cells = Int32Array.from(builder.cells);
    this.grids = Float64Array.from(builder.grids);
  }

  find(address: number): number {
    const { bounds, cells, grids } = this;
    if (address < this.lowest) return -1;
    if (address >= this.limit) return ~(bounds.length >> 1);
    let grid = 0;
    let cell: number;
    do {
      const slot = ((address - (grids[grid] as number)) * (grids[grid + 1] as number)) | 0;
      cell = cells[(grids[grid + 2] as number) + slot] as number;
      grid = ~cell * GRID_FIELDS;
    } while (cell < 0);
    while (address >= (bounds[2 * cell + 1] as number)) cell++;
    return address >= (bounds[2 * cell] as number) ? cell : ~cell;
  }
}

const GRID_FIELDS = 3;

/** Builds the grids of a `GridIndex`. */
class GridBuilder {
  readonly cells: number[] = [];
  readonly grids: number[] = [];
  private readonly intervals: readonly Interval[];

  constructor(intervals: readonly Interval[]) {
    this.intervals = intervals;
  }

  /** Builds a grid over `span` bytes from `base`, for the intervals `first` to `last` - 1. Returns its number. */
  grid(first: number, last: number, base: number, span: number): number {
    const wantedBits = Math.min(Math.ceil(Math.log2(last - first)) + 1, GRID_BITS);
    const cellBytes = 2 ** Math.max(Math.ceil(Math.log2(span)) - wantedBits, 0);
    const count = Math.ceil(span / cellBytes);
    const number = this.grids.length / GRID_FIELDS;
    const firstCell = this.cells.length;
    this.grids.push(base, 1 / cellBytes, firstCell);
    for (let slot = 0; slot < count; slot++) this.cells.push(0);
    let from = first;
    for (let slot = 0; slot < count; slot++) {
      const cellStart = base + slot * cellBytes;
      const cellEnd = Math.min(cellStart + cellBytes, base + span);
      while (from < last && this.interval(from).end <= cellStart) from++;
      let to = from;
      while (to < last && this.interval(to).start < cellEnd) to++;
      const crowded = to - from > CELL_RANGES && cellBytes > 1;
      this.cells[firstCell + slot] = crowded ? ~this.grid(from, to, cellStart, cellEnd - cellStart) : from;
    }
    return number;
  }

  private interval(index: number): Interval {
    return this.intervals[index] as Interval;
  }
}
