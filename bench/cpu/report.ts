/** The results of the processor benchmark: how they are stored, and how they are judged. */
import type { Environment, Interval } from "#results";
import { pairedDifference } from "#results/statistics";
import type { Contestant, ContestantName } from "./contestants.ts";
import type { Profile } from "./profile.ts";
import { GOALS, type Goal, WORK_KINDS, type Work, type WorkKind } from "./works.ts";

export const CPU_SCHEMA = "regionlab-cpu";
export const CPU_SCHEMA_VERSION = 2;

/** Milliseconds from the start of each process to each milestone, by contestant; empty if it did not run. */
export type Samples = Readonly<Record<ContestantName, readonly (readonly number[])[]>>;

export interface CpuRow {
  readonly work: string;
  readonly kind: WorkKind;
  readonly description: string;
  readonly samples: Samples;
  /**
   * QEMU's time over ours to the last milestone, over pairs, with the 95 % interval; null if one of them did not run.
   */
  readonly speed: Interval | null;
  /** The same from the first milestone to the last, without start and warm-up; null if there is only one milestone. */
  readonly laterSpeed: Interval | null;
  /** The interpreter's time over the translator's; null if one of them did not run. */
  readonly gain: Interval | null;
  readonly goal: Goal | null;
  /** Whether the estimate meets the goal; null if there is no goal or no estimate. */
  readonly kept: boolean | null;
  /** Why the work could not be run; null if it could. */
  readonly missing: string | null;
}

/** The rows of a kind together. */
export interface CpuSummary {
  readonly kind: WorkKind;
  readonly goal: Goal;
  /** Geometric mean of the rows' speeds; null if no row has one. */
  readonly speed: number | null;
  readonly kept: boolean | null;
}

export interface CpuRun {
  readonly schema: typeof CPU_SCHEMA;
  readonly version: typeof CPU_SCHEMA_VERSION;
  readonly environment: Environment;
  readonly command: string;
  readonly seed: number;
  readonly contestants: readonly Pick<Contestant, "name" | "title" | "version" | "mend">[];
  readonly rows: readonly CpuRow[];
  readonly summaries: readonly CpuSummary[];
  readonly profiles: readonly Profile[];
}

/** Judges one work from the times of its processes. */
export function judgeWork(work: Work, samples: Samples): CpuRow {
  const { name, kind, description, guest } = work;
  const ratio = (over: ContestantName, under: ContestantName, time = wholeTimes) =>
    quotientOf(time(samples[over]), time(samples[under]));
  const speed = ratio("qemu", "regionlab");
  const goal = GOALS[kind];
  return {
    work: name,
    kind,
    description,
    samples,
    speed,
    laterSpeed: ratio("qemu", "regionlab", laterTimes),
    gain: ratio("interpreter", "regionlab"),
    goal,
    kept: goal && speed && speed.estimate >= goal.speed,
    missing: "missing" in guest ? guest.missing : null,
  };
}

/** Milliseconds from the start of each process to its last milestone. */
export function wholeTimes(processes: Samples[ContestantName]): number[] {
  return processes.map((times) => times.at(-1) ?? Number.NaN); // a process that reached none gives no sample
}

/** Milliseconds from the first milestone of each process to its last, of those that have several. */
function laterTimes(processes: Samples[ContestantName]): number[] {
  return processes.flatMap(([first, ...later]) => {
    const last = later.at(-1);
    return first === undefined || last === undefined ? [] : [last - first];
  });
}

/** Judges the kinds that have a goal. */
export function summarizeKinds(rows: readonly CpuRow[]): CpuSummary[] {
  return WORK_KINDS.flatMap((kind) => {
    const goal = GOALS[kind];
    const ofKind = rows.filter((row) => row.kind === kind);
    if (goal === null || ofKind.length === 0) return [];
    const speeds = ofKind.flatMap((row) => (row.speed ? [row.speed.estimate] : []));
    const speed = speeds.length === 0 ? null : geometricMean(speeds);
    return [{ kind, goal, speed, kept: speed === null ? null : speed >= goal.speed }];
  });
}

/**
 * Quotient of the times of two contestants over pairs of processes, with its interval. For a single pair, the interval
 * is the quotient itself. Null if there is no pair.
 */
function quotientOf(over: readonly number[], under: readonly number[]): Interval | null {
  const pairs = Math.min(over.length, under.length); // the interpreter runs in the first repeats only
  const [first, reference] = [over[0], under[0]];
  if (first === undefined || reference === undefined) return null;
  if (pairs === 1) return { estimate: first / reference, low: first / reference, high: first / reference };
  const { estimate, low, high } = pairedDifference(under.slice(0, pairs), over.slice(0, pairs), "percent");
  const quotient = (percent: number) => 1 + percent / 100;
  return { estimate: quotient(estimate), low: quotient(low), high: quotient(high) };
}

function geometricMean(values: readonly number[]): number {
  return Math.exp(values.reduce((sum, value) => sum + Math.log(value), 0) / values.length);
}
