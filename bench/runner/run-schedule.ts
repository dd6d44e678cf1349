import type { PlannedTask, Trial } from "./schedule.ts";
import { passOrder } from "./schedule.ts";

/** How one process ended. */
export interface TrialOutcome<Report> {
  readonly trial: Trial;
  /** Null if the process gave none. */
  readonly report: Report | null;
  /** Why it gave no report; null if it gave one. */
  readonly lost: string | null;
  /** Wall time of the process. */
  readonly milliseconds: number;
}

export interface ScheduleHooks<Report> {
  /** Measures one trial in its own process. @throws Error when it gives no sample */
  readonly measure: (trial: Trial) => Promise<Report>;
  /** Called with each outcome as soon as it is available. */
  readonly onOutcome?: (outcome: TrialOutcome<Report>) => void;
  /** Milliseconds of any clock. */
  readonly now?: () => number;
}

export interface SequentialHooks<Report> extends ScheduleHooks<Report> {
  /** Whether a task needs no more processes after this many successful ones. */
  readonly isDone: (task: PlannedTask, processes: number) => boolean;
  /** Whether there is time for a process that is expected to take this many milliseconds. */
  readonly hasTime: (milliseconds: number) => boolean;
}

/** A task is given up after this many crashes in a row, as it would probably never succeed. */
const MOST_LOST = 3;

/**
 * Runs processes one at a time, pass by pass, until every task is done or given up, or time is up. A process that
 * crashes is one lost sample.
 *
 * @param earlier outcomes left by an interrupted run; their processes are not run again
 */
export async function runPasses<Report>(
  tasks: readonly PlannedTask[],
  seed: number,
  earlier: readonly TrialOutcome<Report>[],
  { measure, onOutcome, isDone, hasTime, now = () => performance.now() }: SequentialHooks<Report>,
): Promise<TrialOutcome<Report>[]> {
  const outcomes = [...earlier];
  const of = (name: string) => outcomes.filter(({ trial }) => trial.task === name);
  const givenUp = (name: string) => {
    const last = of(name).slice(-MOST_LOST);
    return last.length === MOST_LOST && last.every(({ lost }) => lost !== null);
  };
  const done = (task: PlannedTask) => isDone(task, of(task.name).filter(({ lost }) => lost === null).length);
  // Tasks that an interrupted run had completed or given up need no more processes.
  let left = tasks.filter((task) => !done(task) && !givenUp(task.name));
  for (let pass = Math.min(...left.map(({ name }) => of(name).length)); left.length > 0; pass++) {
    for (const task of passOrder(tasks, pass, seed)) {
      const mine = of(task.name);
      if (mine.length > pass || !left.includes(task)) continue;
      const expected = Math.max(0, ...mine.slice(-3).map(({ milliseconds }) => milliseconds));
      if (!hasTime(expected)) return outcomes;
      const outcome = await attempt({ task: task.name, repeat: mine.length }, measure, now);
      outcomes.push(outcome);
      onOutcome?.(outcome);
      if (givenUp(task.name)) left = left.filter((other) => other !== task);
    }
    left = left.filter((task) => !done(task));
  }
  return outcomes;
}

/**
 * Runs untimed jobs concurrently and returns their results in order. After a failure no more jobs are started, and the
 * error is thrown once the running ones have ended.
 *
 * @param width number of concurrent jobs
 */
export async function runAbreast<Job, Result>(
  jobs: readonly Job[],
  width: number,
  run: (job: Job) => Promise<Result>,
): Promise<Result[]> {
  const results: Result[] = [];
  const waiting = jobs.entries();
  let failed = false;
  const runLane = async () => {
    for (const [place, job] of waiting) {
      try {
        results[place] = await run(job);
      } catch (error) {
        failed = true;
        throw error;
      }
      if (failed) return;
    }
  };
  const lanes = await Promise.allSettled(Array.from({ length: width }, runLane));
  for (const lane of lanes) if (lane.status === "rejected") throw lane.reason;
  return results;
}

/** Runs and times one trial; a failure makes it a lost one. */
export async function attempt<Report>(
  trial: Trial,
  measure: (trial: Trial) => Promise<Report>,
  now: () => number = () => performance.now(),
): Promise<TrialOutcome<Report>> {
  const start = now();
  try {
    const report = await measure(trial);
    return { trial, report, lost: null, milliseconds: now() - start };
  } catch (error) {
    const lost = error instanceof Error ? error.message : String(error);
    return { trial, report: null, lost, milliseconds: now() - start };
  }
}
