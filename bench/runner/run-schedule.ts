import type { ScheduleEntry } from "#results";
import type { Trial } from "./schedule.ts";

export interface TrialOutcome<Report> {
  readonly trial: Trial;
  readonly report: Report;
  /** Wall time of the process. */
  readonly milliseconds: number;
}

export interface ScheduleHooks<Report> {
  /** Measures one trial in a process of its own. */
  readonly measure: (trial: Trial) => Promise<Report>;
  /** Asked before each block whether to run it; default: run all. */
  readonly proceed?: (finishedBlocks: number) => boolean;
  /** Called before each trial with the number of those that have ended. */
  readonly onProgress?: (done: number, trial: Trial) => void;
  /** Milliseconds of any clock. */
  readonly now?: () => number;
}

/**
 * Runs the trials one at a time, in order: two at once would compete for caches and clock frequency. The first failure
 * ends the run, since a schedule with holes is not the one that was planned.
 */
export async function runSchedule<Report>(
  blocks: readonly (readonly Trial[])[],
  { measure, proceed, onProgress, now = () => performance.now() }: ScheduleHooks<Report>,
): Promise<TrialOutcome<Report>[]> {
  const outcomes: TrialOutcome<Report>[] = [];
  for (const [finished, block] of blocks.entries()) {
    if (proceed && !proceed(finished)) break;
    for (const trial of block) {
      onProgress?.(outcomes.length, trial);
      const start = now();
      const report = await measure(trial);
      outcomes.push({ trial, report, milliseconds: now() - start });
    }
  }
  return outcomes;
}

/** The schedule as it is recorded with the results. */
export function scheduleEntries(outcomes: readonly TrialOutcome<unknown>[]): ScheduleEntry[] {
  return outcomes.map(({ trial, milliseconds }) => ({
    ...trial,
    milliseconds: Math.round(milliseconds * 10) / 10,
  }));
}

export function describeTrial({ task, arm, repeat }: Trial): string {
  return `${task}, arm ${arm}, repeat ${repeat + 1}`;
}
