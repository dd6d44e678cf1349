/** Growth as a power: cost = c * n^exponent, fitted to the logarithms by least squares. */
import { studentQuantile } from "./student.ts";

export interface GrowthPoint {
  readonly size: number;
  /** Nanoseconds of processor time per change, if it is measured. */
  readonly cost: number;
}

/** A power of n, with the bounds of its 95 % confidence interval. */
export interface GrowthFit {
  readonly exponent: number;
  readonly low: number;
  readonly high: number;
}

const LEVEL = 0.05;

/**
 * @param points of at least three sizes; several of one size count separately
 * @throws RangeError for fewer, or when a size or a cost is not positive
 */
export function fitPower(points: readonly GrowthPoint[]): GrowthFit {
  if (new Set(points.map(({ size }) => size)).size < 3)
    throw new RangeError("an exponent with an interval needs at least three sizes");
  if (points.some(({ size, cost }) => !(size > 0 && cost > 0)))
    throw new RangeError("sizes and costs must be positive");
  const logs = points.map(({ size, cost }) => ({ x: Math.log(size), y: Math.log(cost) }));
  const mean = (values: readonly number[]) => values.reduce((sum, each) => sum + each, 0) / values.length;
  const x = mean(logs.map((each) => each.x));
  const y = mean(logs.map((each) => each.y));
  const spread = logs.reduce((sum, each) => sum + (each.x - x) ** 2, 0);
  const exponent = logs.reduce((sum, each) => sum + (each.x - x) * (each.y - y), 0) / spread;
  const rest = logs.reduce((sum, each) => sum + (each.y - y - exponent * (each.x - x)) ** 2, 0);
  const freedom = logs.length - 2;
  const margin = studentQuantile(LEVEL, freedom) * Math.sqrt(rest / freedom / spread);
  return { exponent, low: exponent - margin, high: exponent + margin };
}
