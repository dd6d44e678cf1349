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
      outcomes.push(await timed(trial, measure, now));
    }
  }
  return outcomes;
}

/**
 * Runs trials of which no time is taken, several at once, and gives back their outcomes in order. After a failure no more
 * are begun, and it is thrown when those that run have ended.
 *
 * @param width how many at once
 */
export async function runAbreast<Report>(
  trials: readonly Trial[],
  width: number,
  { measure, onProgress, now = () => performance.now() }: Omit<ScheduleHooks<Report>, "proceed">,
): Promise<TrialOutcome<Report>[]> {
  const outcomes: TrialOutcome<Report>[] = [];
  const waiting = trials.entries();
  let done = 0;
  let failed = false;
  const runLane = async () => {
    for (const [place, trial] of waiting) {
      onProgress?.(done, trial);
      try {
        outcomes[place] = await timed(trial, measure, now);
      } catch (error) {
        failed = true;
        throw error;
      }
      done++;
      if (failed) return;
    }
  };
  const lanes = await Promise.allSettled(Array.from({ length: width }, runLane));
  for (const lane of lanes) if (lane.status === "rejected") throw lane.reason;
  return outcomes;
}

async function timed<Report>(
  trial: Trial,
  measure: (trial: Trial) => Promise<Report>,
  now: () => number,
): Promise<TrialOutcome<Report>> {
  const start = now();
  const report = await measure(trial);
  return { trial, report, milliseconds: now() - start };
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
