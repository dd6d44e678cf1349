import { mean, sampleStandardDeviation } from "simple-statistics";
import type { Interval } from "../schema.ts";
import { median } from "./distribution.ts";
import { studentProbability, studentQuantile } from "./student.ts";

/** Confidence level of a figure that is looked at once. */
export const LEVEL = 0.95;

/** Smallest probability of chance for exact values, however well they agree. */
export const LEAST_OF_EXACT = 1e-6;

/** Fewest values of which two enclose the median with this probability: at 95 %, five are too few and six suffice. */
export function fewestForRanks(level: number): number {
  return Math.ceil(1 - Math.log2(1 - level) - 1e-9);
}

/**
 * Whether the centre of this many values is their median, whose interval needs only ranks; otherwise it is their mean.
 */
export function usesRanks(count: number, level: number, exact: boolean): boolean {
  return !exact && count >= fewestForRanks(level);
}

/** The centre of some values with its confidence interval. */
export interface Centre extends Interval {
  /** Coverage probability of the interval: the requested level, or a little more. */
  readonly level: number;
}

/**
 * Estimates the centre of a population from values drawn from it.
 *
 * Six or more values (at 95 %; more at higher levels): the median, with the interval of the sign test between two of
 * the values (W. R. Thompson, Ann. Math. Stat. 7, 1936). It is exact for any shape of the population and does not
 * depend on how far away an outlier is. Fewer values: the mean with Student's interval, which assumes a normal
 * distribution.
 *
 * Counts use mean and Student's interval, however many there are. Their only randomness is the seed of V8's hashes,
 * which affects all of them equally, and ranks would discard the fact that they agree in all but the last digits. A
 * count that deviates widens the interval.
 *
 * @param least level, above 0.5
 * @param exact whether the values are counts, or as good as counts
 * @throws RangeError for fewer than two values
 */
export function centreOf(values: readonly number[], least: number = LEVEL, exact = false): Centre {
  const n = values.length;
  if (n < 2) throw new RangeError(`${n} values have no interval; give at least two`);
  if (!usesRanks(n, least, exact)) {
    const estimate = mean([...values]);
    const half = studentQuantile(1 - least, n - 1) * standardError(values);
    return { estimate, low: estimate - half, high: estimate + half, level: least };
  }
  const sorted = [...values].sort((a, b) => a - b);
  const below = cumulativeSigns(n);
  let rank = 0;
  while (2 * (below[rank + 1] ?? 1) <= 1 - least) rank++;
  const [low, high] = [sorted[rank], sorted[n - 1 - rank]];
  if (low === undefined || high === undefined) throw new RangeError("a rank lies among the values");
  return { estimate: median(values), low, high, level: 1 - 2 * (below[rank] ?? 0) };
}

/**
 * Two-sided probability of values at least as far to one side of zero as these if their population is centred on zero:
 * that of the sign test, zeros left out, or of Student's t where {@link centreOf} takes the mean. Never 0.
 *
 * @param exact whether the values are counted or come from a deterministic process, as heaps do. If such values agree
 *   to the last digit, that digit is their uncertainty. A few measured values say no more than that they lie on one
 *   side, so the sign test bounds their probability from below: closer agreement may be chance
 */
export function chanceOfZero(values: readonly number[], level: number = LEVEL, exact = false): number {
  if (!usesRanks(values.length, level, exact)) {
    const estimate = mean([...values]);
    const error = Math.max(standardError(values), Math.abs(estimate) * Number.EPSILON);
    if (estimate === 0) return 1;
    const least = exact ? LEAST_OF_EXACT : Math.min(1, 2 * 0.5 ** values.length);
    return Math.max(least, studentProbability(estimate / error, values.length - 1));
  }
  const above = values.filter((value) => value > 0).length;
  const under = values.filter((value) => value < 0).length;
  return Math.min(1, 2 * (cumulativeSigns(above + under)[Math.min(above, under)] ?? 1));
}

function standardError(values: readonly number[]): number {
  return sampleStandardDeviation([...values]) / Math.sqrt(values.length);
}

/** Probability of at most k heads in n tosses of a fair coin, for each k from 0 to n. */
function cumulativeSigns(n: number): number[] {
  // From the middle outwards, where the weights are largest: those at the ends may underflow, which does not matter.
  const weights = new Array<number>(n + 1).fill(1);
  for (let k = (n >> 1) + 1; k <= n; k++) weights[k] = ((weights[k - 1] ?? 0) * (n - k + 1)) / k;
  for (let k = (n >> 1) - 1; k >= 0; k--) weights[k] = ((weights[k + 1] ?? 0) * (k + 1)) / (n - k);
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  let sum = 0;
  return weights.map((weight) => {
    sum += weight;
    return sum / total;
  });
}
