/** Extra work, planted by the self-test where the works do not know of it. */
import type { SlicedWork } from "./work.ts";

/**
 * Does a slice of `count` units and a fraction `extra` of them in addition: more units where the work can be divided, otherwise
 * a busy loop for that part of the slice's time. It stands outside the work, whose own code would be compiled otherwise
 * with it than without.
 * @param figures receives those of the work per `count` units, which have grown by the extra work
 */
export function plantedSlice(work: SlicedWork, count: number, extra: number, figures: Float64Array): void {
  // Part of the same calls: V8 might compile a loop differently for calls of another length. It stays a small integer.
  const units = work.divisible ? Math.round(count * (1 + extra)) | 0 : count;
  const started = performance.now();
  work.slice(units, figures);
  let share = units / count;
  if (!work.divisible && extra > 0) {
    const took = performance.now() - started;
    const end = started + took * (1 + extra);
    while (performance.now() < end);
    share = (performance.now() - started) / took;
  }
  if (share === 1) return;
  for (let index = 0; index < work.metrics.length; index++)
    figures[index] = (figures[index] as number) * share;
}
