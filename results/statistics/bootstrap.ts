import { quantileSorted } from "simple-statistics";
import type { Interval } from "../schema.ts";
import { LEVEL } from "./centre.ts";
import { median } from "./distribution.ts";
import type { Random } from "./random.ts";

/** Number of resamples: the ends of the interval then vary with the seed by about a fiftieth of its width. */
export const RESAMPLES = 10_000;

/**
 * Difference of the medians of two groups of processes that were not measured side by side, with its bootstrap
 * interval.
 *
 * Percentile bootstrap, each group resampled independently (Efron and Tibshirani, An Introduction to the Bootstrap,
 * 1993, chapters 8 and 13). Not BCa: its acceleration comes from the jackknife, which is inconsistent for the median
 * (ibid., section 11.6), and with about ten processes it would take the few values near the middle for the whole shape.
 * For medians the percentile interval is the order-statistic interval, which makes no assumption about the shape; the
 * simulations in the test of this file check its coverage.
 *
 * @param scale "percent": 100 (median b / median a - 1); "absolute": median b - median a
 * @throws RangeError when a group is empty, or on scale "percent" when the median of `a` is not positive
 */
export function medianDifference(
  a: readonly number[],
  b: readonly number[],
  scale: "percent" | "absolute",
  random: Random,
): Interval {
  const difference = (medianA: number, medianB: number) =>
    scale === "percent" ? 100 * (medianB / medianA - 1) : medianB - medianA;
  const medianA = median(a);
  if (scale === "percent" && !(Math.min(...a) > 0)) {
    throw new RangeError("differences in percent need positive values; use the absolute scale");
  }
  const drawA = resampler(a, random);
  const drawB = resampler(b, random);
  const replicates = new Float64Array(RESAMPLES);
  for (let i = 0; i < RESAMPLES; i++) replicates[i] = difference(drawA(), drawB());
  return { estimate: difference(medianA, median(b)), ...percentileEnds(replicates) };
}

/** Returns a function that gives the median of a new resample at every call. */
function resampler(samples: readonly number[], random: Random): () => number {
  const sorted = Float64Array.from(samples).sort();
  const n = sorted.length;
  const ranks = new Uint32Array(n);
  const low = (n - 1) >> 1;
  const high = n >> 1;
  return () => {
    for (let i = 0; i < n; i++) ranks[i] = random.below(n);
    ranks.sort();
    // Ranks and both middle indices are below n, so neither lookup can miss.
    return (at(sorted, at(ranks, low)) + at(sorted, at(ranks, high))) / 2;
  };
}

function at(values: Float64Array | Uint32Array, index: number): number {
  return values[index] ?? Number.NaN;
}

function percentileEnds(replicates: Float64Array): { low: number; high: number } {
  const sorted = Array.from(replicates.sort());
  return { low: quantileSorted(sorted, (1 - LEVEL) / 2), high: quantileSorted(sorted, (1 + LEVEL) / 2) };
}
