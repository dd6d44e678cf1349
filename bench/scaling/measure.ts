import { type Form, type Growth, growthFit, growthVerdict } from "#results";
import type { ScalingWork } from "./works.ts";

/** Small machines are timed in rounds, each with a new machine, until this much time has passed. */
const LEAST_MICROSECONDS = 20_000;
const MOST_ROUNDS = 200;
/** Machines up to this size are timed once in advance, which is not counted: V8 compiles then what is measured. */
const WARM_UP_SIZE = 1000;

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
  for (const size of sizes.filter((each) => each <= WARM_UP_SIZE)) costOf(work, form, size);
  // Repeat by repeat, so that what else the machine does bears on all sizes alike.
  const points = Array.from({ length: repeats }, () =>
    sizes.map((size) => ({ size, cost: costOf(work, form, size) })),
  ).flat();
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
