/** Counts every group of subjects in every arm, using all processors. */
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
  /** Forms of arm A and arm B; A2 has that of A. */
  readonly forms: { readonly A: Form; readonly B: Form };
  readonly groups: readonly CountGroup[];
  /** Largest number of samples per group and arm. */
  readonly repeats: number;
  readonly seed: number;
  /** Number of concurrent processes; default: one per processor. Counts do not depend on load. */
  readonly width?: number;
  /** Outcomes left by an interrupted run; their processes are not run again. */
  readonly earlier?: readonly CountOutcome[];
  /** Called for each process that gave its sample. */
  readonly onOutcome?: (outcome: CountOutcome) => void;
  /** Called before each process with the number of finished ones. */
  readonly onProgress?: (done: number, total: number, what: string) => void;
  /** Value of `performance.now()` from which running processes are killed and no more are started; default: never. */
  readonly deadline?: number;
  /** Result of `locateValgrind`, null if there is none; default: looked up in PATH. */
  readonly valgrind?: Valgrind | null;
  /** Runs one process; replaced in tests. */
  readonly run?: (counted: CountedProcess) => Promise<CountedOutcome>;
}

/** A figure that was counted. */
export interface CountedSubject {
  readonly definition: MetricDefinition;
  /** Instructions; values at the same index come from the same repeat. */
  readonly samples: PerArm<readonly number[]>;
  /** For each index, the process of arm A: index into {@link Counts.processes}. */
  readonly processes: readonly number[];
  /** Absolute value of the mean difference of A2 from A over the repeats, in percent of A. */
  readonly aaSpread: number;
}

export interface Counts {
  /** Version of valgrind; null if there is none. */
  readonly valgrind: string | null;
  readonly counted: readonly CountedSubject[];
  readonly omissions: readonly Omission[];
  /** In the order of their start. */
  readonly processes: readonly ProcessEntry[];
}

/** Timeout of a process in milliseconds; the longest takes about three minutes on an idle machine. */
const TIMEOUT = 20 * 60_000;
/** Bundled by the build; the code that starts it may run from the sources or from `dist`. */
const CHILD = join(packageRoot(), "dist", "bench", "counts", "child.js");

/** The sample of a process. */
export interface CountSample {
  /** Instructions of one operation of each subject, in the order of the group's works and their subjects. */
  readonly perOperation: readonly number[];
  /** The checks of its works, as one text. */
  readonly check: string;
}

/** The outcome of one process. */
export type CountOutcome = TrialOutcome<CountSample>;

interface Ended {
  readonly trial: CountTrial;
  readonly outcome: CountOutcome;
}

/**
 * Counts all groups. A process that fails is a lost sample, and its entry says why. A subject with too few samples, or
 * whose control differs by more than the margin, becomes an omission.
 */
export async function countAll(options: CountOptions): Promise<Counts> {
  const { groups, repeats, seed } = options;
  const valgrind = options.valgrind === undefined ? await locateValgrind() : options.valgrind;
  if (valgrind === null) {
    return {
      valgrind: null,
      counted: [],
      omissions: uncounted(groups, `${VALGRIND_ADVICE}.`),
      processes: [],
    };
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

/** What the groups would have counted, as missing for one reason. */
export function uncounted(groups: readonly CountGroup[], reason: string): Omission[] {
  return groups.flatMap(definitionsOf).map((definition) => omissionOf(definition, reason));
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

/** @param plant extra steps counted with the steps of each work, for the self-test */
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
 * Instructions of one operation of each subject: the median over rounds, minus the cost of a mark. Events that occur
 * once in many rounds, such as a growing table, can weigh a hundred times as much as the difference between the forms;
 * the median removes them. A process marks the beginning of each round and the end of each of its steps, and finally
 * some empty intervals.
 * @throws CountFailure when the process did not do, or did not mark, what was requested
 */
export function sampleOf({ intervals, report }: CountedOutcome, { works }: CountGroup): CountSample {
  const said = readReport(report).works;
  const asked = works.map(({ rounds, name }) => `${rounds} of ${name}`).join(", ");
  const done = said.map(({ rounds, name }) => `${rounds} of ${name}`).join(", ");
  if (done !== asked) throw new CountFailure(`it counted ${done} instead of ${asked}`);
  // The steps of each round are followed by an interval that belongs to none of them.
  const expected = works.reduce(
    (sum, work) => sum + work.rounds * (work.subjects.length + 1),
    EMPTY_INTERVALS,
  );
  if (intervals.length !== expected) {
    throw new CountFailure(
      `it left ${intervals.length} counts, not ${expected}: valgrind does not see the calls of this Node to libuv`,
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

/** Compares the check of a process with those of the others for the same work; one that differs is lost. */
function agreeing(outcome: CountOutcome, { group }: CountTrial, checks: Map<string, string>): CountOutcome {
  if (outcome.report === null || outcome.lost !== null) return { ...outcome, report: null };
  const { check } = outcome.report;
  const known = checks.get(group.name) ?? check;
  checks.set(group.name, known);
  if (check === known) return outcome;
  return {
    ...outcome,
    report: null,
    lost: `the result of its work was "${check}", that of another process "${known}"`,
  };
}

function readReport(text: string): CountReport {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === "object" && value !== null && "works" in value && Array.isArray(value.works))
      return value as CountReport; // from child.ts of this same build
  } catch {
    // not JSON: treated as no report
  }
  throw new CountFailure(`it gave no report of its work, but ${JSON.stringify(text.slice(0, 80))}`);
}

/** @param place index of the subject among those of its group */
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
        ? "the time was up; give the run more with --seconds"
        : `${none ? "its" : "the other"} processes failed: ${shortly(first).replace(/\.$/, "")}`;
    const found = none ? "Not counted" : "Counted only once, which shows no spread";
    return omissionOf(definition, `${found}: ${why}.`);
  }
  if (aaSpread <= definition.margin) return { definition, samples, processes, aaSpread };
  return omissionOf(
    definition,
    `Counted, but not shown: A may differ from itself by at most ${definition.margin} %, and it did by ` +
      `${aaSpread.toFixed(2)} %; more rounds or a longer warm-up would be needed.`,
  );
}

/** Distance of A2 from A in percent; null without samples. */
function spreadOfControl({ A, A2 }: PerArm<readonly number[]>): number | null {
  if (A.length === 0) return null;
  const quotients = A.map((a, i) => Math.log((A2[i] ?? Number.NaN) / a));
  return 100 * Math.abs(Math.expm1(quotients.reduce((sum, each) => sum + each, 0) / A.length));
}

/** The first line of a failure, without the output of the process, which may be long. */
function shortly(failure: string): string {
  const [said = ""] = failure.split(/; its last words|\n/);
  return said.slice(0, 300);
}

function omissionOf(definition: MetricDefinition, reason: string): Omission {
  const { suite, workload, name, quantity, source, role, decides } = definition;
  return { suite, workload, name, quantity, source, role, decides, reason };
}
