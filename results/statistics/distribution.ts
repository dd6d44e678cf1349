import { quantileSorted } from "simple-statistics";
import type { Distribution, OutlierClass } from "../schema.ts";

/**
 * Five-number summary with the 99th percentile. Quantiles interpolate linearly (type 7 of Hyndman and Fan 1996, the
 * default of R and NumPy).
 * @throws RangeError on an empty sample
 */
export function summarize(samples: readonly number[]): Distribution {
  const sorted = sortedCopy(samples);
  const at = (p: number) => quantileSorted(sorted, p);
  return {
    count: sorted.length,
    min: at(0),
    q1: at(0.25),
    median: at(0.5),
    q3: at(0.75),
    p99: at(0.99),
    max: at(1),
  };
}

/** @param p from 0 to 1 */
export function quantile(samples: readonly number[], p: number): number {
  return quantileSorted(sortedCopy(samples), p);
}

export function median(samples: readonly number[]): number {
  return quantile(samples, 0.5);
}

/**
 * Tukey's fences (Exploratory Data Analysis, 1977): mild beyond 1.5 interquartile ranges from the quartiles, severe
 * beyond 3. A label only: no caller drops outliers.
 */
export function classifyOutliers(samples: readonly number[]): OutlierClass[] {
  const { q1, q3 } = summarize(samples);
  const spread = q3 - q1;
  const beyond = (value: number, fence: number) => value < q1 - fence * spread || value > q3 + fence * spread;
  return samples.map((value) => (beyond(value, 3) ? "severe" : beyond(value, 1.5) ? "mild" : "none"));
}

function sortedCopy(samples: readonly number[]): number[] {
  if (samples.length === 0) throw new RangeError("no samples to summarize");
  return [...samples].sort((a, b) => a - b);
}
