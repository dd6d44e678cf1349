import { type Centre, centreOf, chanceOfZero, LEVEL, usesRanks } from "./centre.ts";

/** Difference of one arm from another over pairs that were measured side by side. */
export interface PairedDifference extends Centre {
  readonly pairs: number;
  /** Pairs in which the second value is the larger one. */
  readonly above: number;
  /** Two-sided probability of differences this large by chance alone; never 0. */
  readonly pValue: number;
  /** One figure per side, from the pairs behind the estimate: their difference is the estimate. */
  readonly figures: { readonly a: number; readonly b: number };
}

/**
 * Difference of `b` from `a`, pair by pair. A disturbance that affects both values of a pair equally, such as another
 * guest on the host, does not change their quotient; it would change the quotient of the medians of all `a` and all
 * `b`.
 *
 * @param scale "percent": logarithms of the quotients b / a, so that swapping the arms only changes the sign;
 *   "absolute": differences b - a
 * @param level lowest level of the interval
 * @param exact whether the values are counts, or repeat as exactly; see {@link centreOf}
 * @throws RangeError for fewer than two pairs, values without a partner, or on scale "percent", values that are not
 *   positive
 */
export function pairedDifference(
  a: readonly number[],
  b: readonly number[],
  scale: "percent" | "absolute",
  level: number = LEVEL,
  exact = false,
): PairedDifference {
  if (a.length !== b.length) throw new RangeError(`${a.length} values and ${b.length} make no pairs`);
  if (scale === "percent" && !(Math.min(...a, ...b) > 0)) {
    throw new RangeError("differences in percent need positive values; use the absolute scale");
  }
  const onScale = scale === "percent" ? Math.log : (value: number) => value;
  const shown = (difference: number) => (scale === "percent" ? 100 * Math.expm1(difference) : difference);
  const pairs = a.map((value, i) => {
    const first = onScale(value);
    const second = onScale(b[i] ?? Number.NaN); // as many as in a
    return { first, second, difference: second - first };
  });
  const differences = pairs.map(({ difference }) => difference);
  const centre = centreOf(differences, level, exact);
  const { first, second } = typicalPair(pairs, usesRanks(pairs.length, level, exact));
  const figure = (value: number) => (scale === "percent" ? Math.exp(value) : value);
  return {
    estimate: shown(centre.estimate),
    low: shown(centre.low),
    high: shown(centre.high),
    level: centre.level,
    pairs: differences.length,
    above: differences.filter((difference) => difference > 0).length,
    pValue: chanceOfZero(differences, level, exact),
    figures: { a: figure(first), b: figure(second) },
  };
}

interface Pair {
  readonly first: number;
  readonly second: number;
  readonly difference: number;
}

/** Mean of the pairs behind the estimate: the middle one or two by difference, or all if the estimate is a mean. */
function typicalPair(pairs: readonly Pair[], byRanks: boolean): Pick<Pair, "first" | "second"> {
  const n = pairs.length;
  const sorted = [...pairs].sort((p, q) => p.difference - q.difference);
  const middle = byRanks ? sorted.slice((n - 1) >> 1, (n >> 1) + 1) : sorted;
  const meanOf = (pick: (pair: Pair) => number) =>
    middle.reduce((sum, pair) => sum + pick(pair), 0) / middle.length;
  return { first: meanOf(({ first }) => first), second: meanOf(({ second }) => second) };
}
