import { type Form, type Growth, growthFit, growthVerdict } from "#results";
import type { ScalingWork } from "./works.ts";

/** Small machines are timed in rounds, each with a new machine, until this much time has passed. */
const LEAST_MICROSECONDS = 20_000;
const MOST_ROUNDS = 200;
/** Rounds that are not counted, in which V8 compiles what is measured. */
const WARM_UP_CHANGES = 3000;

/**
 * Times a work at each size.
 * @param sizes ascending, at least three from 1000 on
 */
export function measureGrowth(
  work: ScalingWork,
  form: Form,
  sizes: readonly number[],
  repeats: number,
): Growth {
  const [smallest = 10] = sizes;
  for (let changes = 0; changes < WARM_UP_CHANGES; ) changes += work.prepare(form, Math.max(smallest, 100))();
  const points = sizes.flatMap((size) =>
    Array.from({ length: repeats }, () => ({ size, cost: costOf(work, form, size) })),
  );
  const fit = growthFit(points);
  return { work: work.name, form, points, fit, verdict: growthVerdict(fit, work.most) };
}

/** Processor time rather than wall-clock time: other work on the machine does not count. */
function costOf(work: ScalingWork, form: Form, size: number): number {
  let microseconds = 0;
  let changes = 0;
  for (let rounds = 0; microseconds < LEAST_MICROSECONDS && rounds < MOST_ROUNDS; rounds++) {
    const run = work.prepare(form, size);
    const before = process.cpuUsage();
    changes += run();
    const { user, system } = process.cpuUsage(before);
    microseconds += user + system;
  }
  return (1000 * Math.max(microseconds, 1)) / changes;
}
