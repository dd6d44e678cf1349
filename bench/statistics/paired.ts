import { type Centre, centreOf, chanceOfZero } from "./centre.ts";

/** Difference of one arm from another, of pairs that were measured side by side. */
export interface PairedDifference extends Centre {
  readonly pairs: number;
  /** Pairs in which the second value is the larger one. */
  readonly above: number;
  /** Two-sided probability of such differences by chance alone. */
  readonly pValue: number;
}

/**
 * Difference of `b` from `a`, pair by pair. What disturbs both of a pair alike, as a busy neighbour does, leaves their
 * quotient as it was; between the medians of all `a` and all `b` it would stand.
 *
 * @param scale "percent": of the quotients b / a, as logarithms, so that A over B says the same as B over A; "absolute": of the
 *   differences b - a
 * @throws RangeError for fewer than two pairs, values without a partner, or on scale "percent" values that are not positive
 */
export function pairedDifference(
  a: readonly number[],
  b: readonly number[],
  scale: "percent" | "absolute",
): PairedDifference {
  if (a.length !== b.length) throw new RangeError(`${a.length} values and ${b.length} make no pairs`);
  if (scale === "percent" && !(Math.min(...a, ...b) > 0)) {
    throw new RangeError("differences in percent need positive values; use the absolute scale");
  }
  const differences = a.map((value, i) => {
    const other = b[i] ?? Number.NaN; // as many as in a
    return scale === "percent" ? Math.log(other / value) : other - value;
  });
  const { estimate, low, high, level } = centreOf(differences);
  const shown = (value: number) => (scale === "percent" ? 100 * Math.expm1(value) : value);
  return {
    estimate: shown(estimate),
    low: shown(low),
    high: shown(high),
    level,
    pairs: differences.length,
    above: differences.filter((difference) => difference > 0).length,
    pValue: chanceOfZero(differences),
  };
}
