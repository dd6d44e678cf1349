import type { HeapPoint } from "../schema.ts";
import { median } from "./distribution.ts";

/**
 * Theil-Sen slope: median of the slopes of all pairs of points (P. K. Sen, J. Amer. Stat. Assoc. 63, 1968). Up to 29 %
 * of the points may be arbitrarily wrong without moving it far, which suits a heap whose size jumps when V8 optimises.
 *
 * @returns bytes per round
 * @throws RangeError with fewer than two distinct rounds
 */
export function theilSenSlope(points: readonly HeapPoint[]): number {
  const slopes: number[] = [];
  points.forEach((p, i) => {
    for (const q of points.slice(i + 1)) {
      if (q.round !== p.round) slopes.push((q.bytes - p.bytes) / (q.round - p.round));
    }
  });
  if (slopes.length === 0) throw new RangeError("a slope needs two distinct rounds");
  return median(slopes);
}
