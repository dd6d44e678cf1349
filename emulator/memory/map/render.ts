import { MinHeap } from "#qom";
import { FlatRange } from "./flat-range.ts";
import type { MemoryRegion } from "./region.ts";

/** Attributes that a region inherits from the containers and aliases above it. */
interface Inherited {
  readonly readOnly: boolean;
  readonly nonvolatile: boolean;
}

/**
 * Flattens the tree below `root`, or what of it lies between `low` and `high`, into disjoint ranges in ascending order,
 * merging contiguous ranges of a kind.
 */
export function render(root: MemoryRegion, low = 0, high = root.size): FlatRange[] {
  const claims: FlatRange[] = [];
  claim(root, -root.address, low, high, { readOnly: false, nonvolatile: false }, claims);
  const ascending = claims.toSorted((a, b) => a.start - b.start);
  return merge(areDisjoint(ascending) ? ascending : resolve(claims));
}

/**
 * Lists the range that each terminating region would cover if it were alone, in order of precedence: subregions by
 * priority, then the region that contains them.
 */
function claim(
  region: MemoryRegion,
  base: number,
  low: number,
  high: number,
  above: Inherited,
  claims: FlatRange[],
): void {
  if (!region.enabled) return;
  const start = base + region.address;
  const clippedLow = Math.max(low, start);
  const clippedHigh = Math.min(high, start + region.size);
  if (clippedLow >= clippedHigh) return;
  const inherited = {
    readOnly: above.readOnly || region.readOnly,
    nonvolatile: above.nonvolatile || region.nonvolatile,
  };
  if (region.alias !== null) {
    const shifted = start - region.aliasOffset - region.alias.address;
    claim(region.alias, shifted, clippedLow, clippedHigh, inherited, claims);
    return;
  }
  for (const subregion of region.subregionsWithin(clippedLow - start, clippedHigh - start))
    claim(subregion, start, clippedLow, clippedHigh, inherited, claims);
  if (region.terminates) {
    claims.push(new FlatRange(region, clippedLow, clippedHigh, clippedLow - start, inherited));
  }
}

function areDisjoint(ascending: readonly FlatRange[]): boolean {
  return ascending.every((each, i) => i === 0 || (ascending[i - 1] as FlatRange).end <= each.start);
}

/** Cuts overlapping claims so that the earlier in the list wins, in one sweep over their bounds. */
function resolve(claims: readonly FlatRange[]): FlatRange[] {
  const bounds = [...new Set(claims.flatMap((each) => [each.start, each.end]))].sort((a, b) => a - b);
  const byStart = claims.map((_, rank) => rank).sort((a, b) => startOf(claims, a) - startOf(claims, b));
  const open = new MinHeap();
  const ranges: FlatRange[] = [];
  let next = 0;
  let winner = -1;
  let since = 0;
  for (const bound of bounds) {
    for (; next < byStart.length && startOf(claims, byStart[next] as number) === bound; next++) {
      open.push(byStart[next] as number);
    }
    while (open.top !== -1 && (claims[open.top] as FlatRange).end <= bound) open.pop();
    if (open.top === winner) continue;
    if (winner !== -1) ranges.push(cut(claims[winner] as FlatRange, since, bound));
    winner = open.top;
    since = bound;
  }
  return ranges;
}

function startOf(claims: readonly FlatRange[], rank: number): number {
  return (claims[rank] as FlatRange).start;
}

function cut(whole: FlatRange, start: number, end: number): FlatRange {
  if (whole.start === start && whole.end === end) return whole;
  return new FlatRange(whole.region, start, end, whole.offset + (start - whole.start), whole);
}

function merge(ranges: readonly FlatRange[]): FlatRange[] {
  const merged: FlatRange[] = [];
  for (const range of ranges) {
    const last = merged.at(-1);
    if (last?.continuesIn(range)) merged[merged.length - 1] = cut(last, last.start, range.end);
    else merged.push(range);
  }
  return merged;
}
