import { mean, sampleStandardDeviation } from "simple-statistics";
import type { Interval } from "../schema.ts";
import { median } from "./distribution.ts";
import { studentProbability, studentQuantile } from "./student.ts";

/** Level of the interval of a figure that is looked at once. */
export const LEVEL = 0.95;

/** No few values are more certain than this, however well they agree. */
const LEAST_OF_EXACT = 1e-6;

/** With fewer values no two of them enclose their median with that probability: at 95 % five do not, six do. */
export function fewestForRanks(level: number): number {
  return Math.ceil(1 - Math.log2(1 - level) - 1e-9);
}

/** Whether the centre of so many values is their median, whose interval needs nothing but their ranks; else it is their mean. */
export function usesRanks(count: number, level: number, exact: boolean): boolean {
  return !exact && count >= fewestForRanks(level);
}

/** Where values lie, and how sure that is. */
export interface Centre extends Interval {
  /** Probability with which such an interval encloses the truth: the level asked for or a little more. */
  readonly level: number;
}

/**
 * Centre of a population from values drawn from it.
 *
 * From six values on (at 95 %; more at higher levels) their median, between two of them: the interval of the sign test
 * (W. R. Thompson, Ann. Math. Stat. 7, 1936), exact whatever the shape of the population, and deaf to how far an outlier
 * lies. Fewer are too few for that: then their mean with Student's interval, which takes them to be normal. So are values
 * that were counted, however many: what is left of chance in them is the seed of V8's hashes, which no value has more of than
 * another, and a rank would throw away that they agree in all but the last digits. One that strays makes the interval wide.
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
 * Two-sided probability of values as far on one side of zero as these, if their population lay around zero: that of the sign
 * test, with zeros left out, or, where {@link centreOf} takes the mean, of Student's. Never 0.
 *
 * @param exact of values that are counted, or come from a deterministic process, as heaps do: those that agree to the last digit
 *   are uncertain by that digit. Of measured ones that few cannot say more than that they lie on one side, which is the sign
 *   test's to weigh: closer agreement may be chance
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

/** Probability of at most k heads in n throws of a coin, for each k from 0 to n. */
function cumulativeSigns(n: number): number[] {
  // Out from the middle, where the weights are largest: those at the ends may be too small for a number, and do not matter.
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
