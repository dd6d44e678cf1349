/** Up to so many intervals are searched by halving: a grid would not be worth building. */
const FEW = 48;
/** More ranges than this in one cell get a grid of their own. */
const CELL_RANGES = 3;
const GRID_BITS = 14;

interface Interval {
  readonly start: number;
  /** First address behind. */
  readonly end: number;
}

/** Finds, among disjoint ascending intervals, the one that holds an address. Flat views never change: built once. */
export interface RangeIndex {
  /** Index of the interval that holds `address`, or the complement of the index it would be inserted at. */
  find(address: number): number;
}

export function indexRanges(intervals: readonly Interval[]): RangeIndex {
  return intervals.length <= FEW ? new HalvingIndex(intervals) : new GridIndex(intervals);
}

/** For the maps of boards: cheap to make, since some devices change the map with every other access. */
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
 * For maps of any size: finds in a few loads however many intervals there are.
 *
 * A grid of equal cells covers the intervals; a cell tells the first interval that reaches into it. Where intervals
 * cluster (devices at low addresses, RAM far above), a crowded cell holds a finer grid instead.
 */
class GridIndex implements RangeIndex {
  private readonly starts: Float64Array;
  private readonly ends: Float64Array;
  /** Per cell: an interval's index, or, negative, the complement of a grid's number. */
  private readonly cells: Int32Array;
  /** Per grid: its lowest address, cells per byte (a power of two), and its first cell. */
  private readonly bases: Float64Array;
  private readonly scales: Float64Array;
  private readonly firstCells: Int32Array;
  private readonly lowest: number;
  private readonly limit: number;

  constructor(intervals: readonly Interval[]) {
    this.starts = Float64Array.from(intervals, (each) => each.start);
    this.ends = Float64Array.from(intervals, (each) => each.end);
    this.lowest = intervals[0]?.start ?? 0;
    this.limit = intervals.at(-1)?.end ?? 0;
    const builder = new GridBuilder(this.starts, this.ends);
    builder.grid(0, intervals.length, this.lowest, this.limit - this.lowest);
    this.cells = Int32Array.from(builder.cells);
    this.bases = Float64Array.from(builder.bases);
    this.scales = Float64Array.from(builder.scales);
    this.firstCells = Int32Array.from(builder.firstCells);
  }

  find(address: number): number {
    const { starts, ends, cells, bases, scales, firstCells } = this;
    if (address < this.lowest) return -1;
    if (address >= this.limit) return ~starts.length;
    let grid = 0;
    let cell: number;
    do {
      const slot = ((address - (bases[grid] as number)) * (scales[grid] as number)) | 0;
      cell = cells[(firstCells[grid] as number) + slot] as number;
      grid = ~cell;
    } while (cell < 0);
    while (address >= (ends[cell] as number)) cell++;
    return address >= (starts[cell] as number) ? cell : ~cell;
  }
}

/** Lays out the grids of a `GridIndex`. */
class GridBuilder {
  readonly cells: number[] = [];
  readonly bases: number[] = [];
  readonly scales: number[] = [];
  readonly firstCells: number[] = [];
  private readonly starts: Float64Array;
  private readonly ends: Float64Array;

  constructor(starts: Float64Array, ends: Float64Array) {
    this.starts = starts;
    this.ends = ends;
  }

  /** A grid over `span` bytes from `base`, for the intervals `first` up to, not including, `last`. Returns its number. */
  grid(first: number, last: number, base: number, span: number): number {
    const wantedBits = Math.min(Math.ceil(Math.log2(last - first)) + 1, GRID_BITS);
    const cellBytes = 2 ** Math.max(Math.ceil(Math.log2(span)) - wantedBits, 0);
    const count = Math.ceil(span / cellBytes);
    const number = this.bases.length;
    const firstCell = this.cells.length;
    this.bases.push(base);
    this.scales.push(1 / cellBytes);
    this.firstCells.push(firstCell);
    for (let slot = 0; slot < count; slot++) this.cells.push(0);
    let from = first;
    for (let slot = 0; slot < count; slot++) {
      const cellStart = base + slot * cellBytes;
      const cellEnd = Math.min(cellStart + cellBytes, base + span);
      while (from < last && (this.ends[from] as number) <= cellStart) from++;
      let to = from;
      while (to < last && (this.starts[to] as number) < cellEnd) to++;
      const crowded = to - from > CELL_RANGES && cellBytes > 1;
      this.cells[firstCell + slot] = crowded ? ~this.grid(from, to, cellStart, cellEnd - cellStart) : from;
    }
    return number;
  }
}
