/** Counts every group of subjects in every arm, on all processors. */
import { availableParallelism } from "node:os";
import { join } from "node:path";
import {
  ARMS,
  type Arm,
  type Form,
  LEAST_PROCESSES,
  type MetricDefinition,
  type Omission,
  type PerArm,
  type ProcessEntry,
} from "#results";
import { median } from "#results/statistics";
import { packageRoot } from "#workloads";
import { attempt, runAbreast, type TrialOutcome } from "../runner/run-schedule.ts";
import {
  type CountedOutcome,
  type CountedProcess,
  CountFailure,
  countProcess,
  locateValgrind,
  VALGRIND_ADVICE,
  type Valgrind,
} from "./callgrind.ts";
import { type CountTrial, layoutOf, planCounts } from "./order.ts";
import { type CountReport, type CountRequest, EMPTY_INTERVALS } from "./request.ts";
import { COUNTING_FLAGS, type CountGroup, definitionsOf } from "./subjects.ts";

export interface CountOptions {
  /** Forms of arm A and of arm B; A2 has A's. */
  readonly forms: { readonly A: Form; readonly B: Form };
  readonly groups: readonly CountGroup[];
  /** Samples of each group and arm, at most. */
  readonly repeats: number;
  readonly seed: number;
  /** Processes at once; default: one for each processor. A count does not depend on who else runs. */
  readonly width?: number;
  /** Processes that an interrupted run has left; they are not run again. */
  readonly earlier?: readonly CountOutcome[];
  /** Told of each process that gave its sample. */
  readonly onOutcome?: (outcome: CountOutcome) => void;
  /** Called before each process with the number of those that have ended. */
  readonly onProgress?: (done: number, total: number, what: string) => void;
  /** Instant of `performance.now()` at which processes that still run are killed, and none is begun; default: never. */
  readonly deadline?: number;
  /** Found by `locateValgrind`, null for none; default: looked for in PATH. */
  readonly valgrind?: Valgrind | null;
  /** Runs one process; replaced in tests. */
  readonly run?: (counted: CountedProcess) => Promise<CountedOutcome>;
}

/** A figure that was counted. */
export interface CountedSubject {
  readonly definition: MetricDefinition;
  /** Instructions, one per repeat; those of one place come from one repeat. */
  readonly samples: PerArm<readonly number[]>;
  /** For each place, the process of arm A: index into {@link Counts.processes}. */
  readonly processes: readonly number[];
  /** Mean difference of A2 from A over the repeats, in percent of A; its sign left out. */
  readonly aaSpread: number;
}

export interface Counts {
  /** Version of valgrind; null where there is none. */
  readonly valgrind: string | null;
  readonly counted: readonly CountedSubject[];
  readonly omissions: readonly Omission[];
  /** In the order in which they began. */
  readonly processes: readonly ProcessEntry[];
}

/** A process may take so long, in milliseconds: the longest takes about three minutes on a machine with nothing else to do. */
const TIMEOUT = 20 * 60_000;
/** Packed by the build; the code that starts it may run from the source or from `dist`. */
const CHILD = join(packageRoot(), "dist", "bench", "counts", "child.js");

/** What a process gave. */
export interface CountSample {
  /** Instructions of one operation of each subject, in the order of the group's works and their subjects. */
  readonly perOperation: readonly number[];
  /** What its works came to, as one text. */
  readonly check: string;
}

/** What became of one process. */
export type CountOutcome = TrialOutcome<CountSample>;

interface Ended {
  readonly trial: CountTrial;
  readonly outcome: CountOutcome;
}

/**
 * Counts all groups. A process that fails is one lost sample, which is told in its entry; a subject without a sample, or whose
 * control arm differs by more than the margin, is an omission.
 */
export async function countAll(options: CountOptions): Promise<Counts> {
  const { groups, repeats, seed } = options;
  const valgrind = options.valgrind === undefined ? await locateValgrind() : options.valgrind;
  if (valgrind === null) {
    const omissions = groups
      .flatMap(definitionsOf)
      .map((definition) => omissionOf(definition, `${VALGRIND_ADVICE}.`));
    return { valgrind: null, counted: [], omissions, processes: [] };
  }
  const ended = await runAll(planCounts(groups, repeats, seed), options, valgrind);
  const counted: CountedSubject[] = [];
  const omissions: Omission[] = [];
  for (const group of groups) {
    definitionsOf(group).forEach((definition, place) => {
      const result = resultOf(definition, place, group, ended, repeats);
      if ("reason" in result) omissions.push(result);
      else counted.push(result);
    });
  }
  return { valgrind: valgrind.version, counted, omissions, processes: ended.map(entryOf) };
}

function entryOf({ outcome: { trial, milliseconds, lost } }: Ended): ProcessEntry {
  return { ...trial, machine: 0, slots: null, milliseconds: Math.round(10 * milliseconds) / 10, lost };
}

async function runAll(
  trials: readonly CountTrial[],
  options: CountOptions,
  valgrind: Valgrind,
): Promise<Ended[]> {
  const { earlier = [], onOutcome, onProgress, deadline, width = availableParallelism() } = options;
  const checks = new Map<string, string>();
  const left = () => (deadline === undefined ? TIMEOUT : Math.min(TIMEOUT, deadline - performance.now()));
  let done = 0;
  const ended = await runAbreast(trials, width, async (trial): Promise<Ended | null> => {
    const named = { task: describeTrial(trial), repeat: trial.repeat };
    const known = earlier.find(
      (each) => each.trial.task === named.task && each.trial.repeat === named.repeat && each.lost === null,
    );
    if (known === undefined && left() <= 0) return null;
    onProgress?.(done, trials.length, named.task);
    const outcome = known ?? (await attempt(named, () => countTrial(trial, options, valgrind, left())));
    const lost = outcome.lost === null || left() > 0 ? outcome.lost : "the time for counting was up";
    const agreed = agreeing({ ...outcome, lost }, trial, checks);
    if (known === undefined && agreed.lost === null) onOutcome?.(agreed);
    done++;
    return { trial, outcome: agreed };
  });
  return ended.filter((each) => each !== null);
}

async function countTrial(
  trial: CountTrial,
  { forms, seed, run = countProcess }: CountOptions,
  valgrind: Valgrind,
  timeout: number,
): Promise<CountSample> {
  const form = trial.arm === "B" ? forms.B : forms.A;
  const outcome = await run({ valgrind, timeout, ...processOf(trial, form, seed) });
  return sampleOf(outcome, trial.group);
}

function describeTrial({ group, arm }: CountTrial): string {
  return `count ${group.name}, arm ${arm}`;
}

/** @param plant what is counted with the steps of each work, for the self-test */
export function processOf(
  trial: CountTrial,
  form: Form,
  seed: number,
  plant: readonly (readonly number[])[] = [],
): Pick<CountedProcess, "args" | "environment"> {
  const { group } = trial;
  const { hashSeed, randomSeed, padding } = layoutOf(trial, seed);
  const works = group.works.map(({ name, warmUp, rounds }, i) => ({
    name,
    warmUp,
    rounds,
    plant: plant[i] ?? [],
  }));
  const request: CountRequest = { form, works };
  const seeds = [`--hash-seed=${hashSeed}`, `--random-seed=${randomSeed}`];
  return {
    args: [...COUNTING_FLAGS, ...group.flags, ...seeds, CHILD, JSON.stringify(request)],
    environment: { ...process.env, REGIONLAB_PADDING: "x".repeat(padding) },
  };
}

/**
 * Instructions of one operation of each subject: the median over the rounds, less what a mark costs. What happens once in many
 * rounds, as a table that grows, weighs a hundred times what the forms differ by, and falls out so. A process marks the beginning
 * of each round and the end of each of its steps, and some intervals with nothing in them at its end.
 * @throws CountFailure where it did not do, or not mark, what was asked for
 */
export function sampleOf({ intervals, report }: CountedOutcome, { works }: CountGroup): CountSample {
  const said = readReport(report).works;
  const asked = works.map(({ rounds, name }) => `${rounds} of ${name}`).join(", ");
  const done = said.map(({ rounds, name }) => `${rounds} of ${name}`).join(", ");
  if (done !== asked) throw new CountFailure(`it counted ${done}; asked for were ${asked}`);
  // Behind the steps of each round lies an interval that belongs to none.
  const expected = works.reduce(
    (sum, work) => sum + work.rounds * (work.subjects.length + 1),
    EMPTY_INTERVALS,
  );
  if (intervals.length !== expected) {
    throw new CountFailure(
      `it left ${intervals.length} counts, not ${expected}: this Node does not call libuv in a way that valgrind notices`,
    );
  }
  const mark = Math.min(...intervals.slice(-EMPTY_INTERVALS));
  let first = 0;
  const perOperation = works.flatMap(({ rounds, subjects }) => {
    const stride = subjects.length + 1;
    const begin = first;
    first += rounds * stride;
    return subjects.map(({ perStep }, step) => {
      const counts = Array.from(
        { length: rounds },
        (_, round) => (intervals[begin + round * stride + step] ?? Number.NaN) - mark,
      );
      return median(counts) / perStep;
    });
  });
  return { perOperation, check: said.map(({ name, check }) => `${name}: ${check}`).join("; ") };
}

/** Holds what a process says of its work against what the others said of the same work; one that differs is lost. */
function agreeing(outcome: CountOutcome, { group }: CountTrial, checks: Map<string, string>): CountOutcome {
  if (outcome.report === null || outcome.lost !== null) return { ...outcome, report: null };
  const { check } = outcome.report;
  const known = checks.get(group.name) ?? check;
  checks.set(group.name, known);
  if (check === known) return outcome;
  return {
    ...outcome,
    report: null,
    lost: `its work came to "${check}", that of another process to "${known}"`,
  };
}

function readReport(text: string): CountReport {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === "object" && value !== null && "works" in value && Array.isArray(value.works))
      return value as CountReport; // from child.ts of this same build
  } catch {
    // as good as no report
  }
  throw new CountFailure(`it gave no report of its work, but ${JSON.stringify(text.slice(0, 80))}`);
}

/** @param place of the subject among those of its group */
function resultOf(
  definition: MetricDefinition,
  place: number,
  group: CountGroup,
  ended: readonly Ended[],
  repeats: number,
): CountedSubject | Omission {
  const samples: Record<Arm, number[]> = { A: [], B: [], A2: [] };
  const processes: number[] = [];
  const lost: string[] = [];
  for (let repeat = 0; repeat < repeats; repeat++) {
    const isOwn = ({ trial }: Ended) => trial.group === group && trial.repeat === repeat;
    const own = ended.filter(isOwn);
    lost.push(...own.flatMap(({ outcome }) => outcome.lost ?? []));
    const [a, b, a2] = ARMS.map(
      (arm) => own.find(({ trial }) => trial.arm === arm)?.outcome.report?.perOperation[place],
    );
    if (a === undefined || b === undefined || a2 === undefined) continue;
    samples.A.push(a);
    samples.B.push(b);
    samples.A2.push(a2);
    processes.push(ended.findIndex((each) => isOwn(each) && each.trial.arm === "A"));
  }
  const aaSpread = spreadOfControl(samples);
  if (aaSpread === null || samples.A.length < Math.min(LEAST_PROCESSES, repeats)) {
    const [first] = lost;
    const none = samples.A.length === 0;
    const why =
      first === undefined
        ? "the time was used up; give the run more with --seconds"
        : `${none ? "its" : "the other"} processes failed: ${shortly(first).replace(/\.$/, "")}`;
    const found = none ? "Not counted" : "Counted once only, which shows no spread";
    return omissionOf(definition, `${found}: ${why}.`);
  }
  if (aaSpread <= definition.margin) return { definition, samples, processes, aaSpread };
  return omissionOf(
    definition,
    `Counted, but not shown: ${definition.margin} % is the most that A may differ from itself, and it did by ` +
      `${aaSpread.toFixed(2)} %; more rounds or a longer warm-up would be needed.`,
  );
}

/** How far A2's figure is from A's, in percent; null without samples. */
function spreadOfControl({ A, A2 }: PerArm<readonly number[]>): number | null {
  if (A.length === 0) return null;
  const quotients = A.map((a, i) => Math.log((A2[i] ?? Number.NaN) / a));
  return 100 * Math.abs(Math.expm1(quotients.reduce((sum, each) => sum + each, 0) / A.length));
}

/** A failure without the last words of the process, which may be pages. */
function shortly(failure: string): string {
  const [said = ""] = failure.split(/; its last words|\n/);
  return said.slice(0, 300);
}

function omissionOf(definition: MetricDefinition, reason: string): Omission {
  const { suite, workload, name, quantity, source, role, decides } = definition;
  return { suite, workload, name, quantity, source, role, decides, reason };
}
