/** Addresses or offsets from `low` up to, but not including, `high`. */
export interface Interval {
  readonly low: number;
  readonly high: number;
}

export const EVERYTHING: readonly Interval[] = [{ low: 0, high: Number.POSITIVE_INFINITY }];

/** The same places as disjoint intervals in ascending order that do not touch. */
export function united(intervals: readonly Interval[]): Interval[] {
  const result: Interval[] = [];
  for (const each of intervals.toSorted((a, b) => a.low - b.low)) {
    const last = result.at(-1);
    if (last === undefined || each.low > last.high) result.push(each);
    else if (each.high > last.high) result[result.length - 1] = { low: last.low, high: each.high };
  }
  return result;
}
