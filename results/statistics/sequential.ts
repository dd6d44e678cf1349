/** When a run may stop measuring a metric. */
import type { Sequential } from "../schema.ts";

/** How sure a look at the data has to be. */
export interface Look {
  /** Level of the intervals. */
  readonly level: number;
  /** Looks in all: by chance alone, each may find what is not there. */
  readonly looks: number;
  /** Whether the values are counts, or as good as counts; default: no. */
  readonly exact?: boolean;
}

/**
 * Looks after so many processes. Each uses intervals at 1 - 0.05 / looks, so that by Bonferroni's inequality all of them
 * together miss the truth at most as often as one look at 95 % does, however they depend on each other and whatever makes
 * the run stop. `npm run bench:simulate` shows the rates.
 *
 * @param looks numbers of processes, ascending
 */
export function sequentialRule(looks: readonly number[]): Sequential {
  if (looks.length === 0 || looks.some((n, i) => n <= (looks[i - 1] ?? 1)))
    throw new RangeError(`looks must be ascending numbers of at least 2 processes, not ${looks.join(", ")}`);
  return { looks, level: 1 - 0.05 / looks.length };
}

/** A look of such a rule. */
export function lookOf({ looks, level }: Sequential): Look {
  return { level, looks: looks.length };
}

/** Whether the data may be looked at after this many processes. */
export function isLook({ looks }: Sequential, processes: number): boolean {
  return looks.includes(processes);
}
