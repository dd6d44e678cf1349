import type { HeapPoint, Interval } from "../schema.ts";
import { centreOf, LEVEL, theilSenSlope } from "../statistics/index.ts";

/**
 * Heap growth in bytes per round, over processes; null if fewer than two followed the heap.
 * @throws RangeError when a process has fewer than two rounds
 */
export function slopeOver(heaps: readonly (readonly HeapPoint[])[]): Interval | null {
  if (heaps.length < 2) return null;
  const { estimate, low, high } = centreOf(heaps.map(theilSenSlope), LEVEL, true);
  return { estimate, low, high };
}
