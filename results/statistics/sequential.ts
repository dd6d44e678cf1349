/** When a run may stop measuring a metric. */
import type { Sequential } from "../schema.ts";

/** How strict a look at the data has to be. */
export interface Look {
  /** Confidence level of the intervals. */
  readonly level: number;
  /** Total number of looks, each of which may err by chance. */
  readonly looks: number;
  /** Whether the values are counts, or repeat as exactly; default: no. */
  readonly exact?: boolean;
}

/**
 * The rule that looks at the data after these numbers of processes. Each look uses intervals at 1 - 0.05 / looks, so
 * that by Bonferroni's inequality all looks together miss the truth at most as often as a single look at 95 %, however
 * they depend on each other and whatever stops the run. `npm run bench:simulate` shows the rates.
 *
 * @param looks numbers of processes, ascending
 */
export function sequentialRule(looks: readonly number[]): Sequential {
  if (looks.length === 0 || looks.some((n, i) => n <= (looks[i - 1] ?? 1)))
    throw new RangeError(`looks must be ascending numbers of at least 2 processes, not ${looks.join(", ")}`);
  return { looks, level: 1 - 0.05 / looks.length };
}

/** One look of such a rule. */
export function lookOf({ looks, level }: Sequential): Look {
  return { level, looks: looks.length };
}

/** Whether the data may be looked at after this many processes. */
export function isLook({ looks }: Sequential, processes: number): boolean {
  return looks.includes(processes);
}
