/** Counts every subject in every arm, on all processors. */
import { availableParallelism } from "node:os";
import { join } from "node:path";
import {
  ARMS,
  type Arm,
  type Form,
  type MetricDefinition,
  type Omission,
  type PerArm,
  type ProcessEntry,
} from "#results";
import { locateFirmware, packageRoot, workload } from "#workloads";
import {
  type CountedOutcome,
  type CountedProcess,
  CountFailure,
  countProcess,
  locateValgrind,
  VALGRIND_ADVICE,
  type Valgrind,
} from "./cachegrind.ts";
import { type CountTrial, layoutOf, planCounts } from "./order.ts";
import type { CountReport, CountRequest } from "./request.ts";
import { COUNTING_FLAGS, type CountSubject } from "./subjects.ts";

export interface CountOptions {
  /** Forms of arm A and of arm B; A2 has A's. */
  readonly forms: { readonly A: Form; readonly B: Form };
  readonly subjects: readonly CountSubject[];
  /** Samples of each subject and arm, at most. */
  readonly repeats: number;
  readonly seed: number;
  /** Processes at once; default: one for each processor. A count does not depend on who else runs. */
  readonly width?: number;
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
  /** For each place, the process of arm A with the more rounds: index into {@link Counts.processes}. */
  readonly processes: readonly number[];
  /** Largest difference of A2 from A in one repeat, in percent of A. */
  readonly aaSpread: number;
}

export interface Counts {
  /** Version of valgrind; null where there is none. */
  readonly valgrind: string | null;
  /** Options of V8 that processes got, one text per kind. */
  readonly execArgv: readonly string[];
  readonly counted: readonly CountedSubject[];
  readonly omissions: readonly Omission[];
  /** In the order in which they began. */
  readonly processes: readonly ProcessEntry[];
}

/** A process may take so long, in milliseconds: the longest takes about three minutes on a machine with nothing else to do. */
const TIMEOUT = 20 * 60_000;
/** Packed by the build; the code that starts it may run from the source or from `dist`. */
const CHILD = join(packageRoot(), "dist", "bench", "counts", "child.js");

/** What became of one process. */
interface Ended {
  readonly trial: CountTrial;
  /** Null where it was lost. */
  readonly outcome: CountedOutcome | null;
  readonly entry: ProcessEntry;
}

/**
 * Counts all subjects. A process that fails is one lost sample, which is told in its entry; a subject without a sample, or whose
 * control arm differs by more than the margin, is an omission.
 */
export async function countAll(options: CountOptions): Promise<Counts> {
  const { subjects, repeats, seed } = options;
  const valgrind = options.valgrind === undefined ? await locateValgrind() : options.valgrind;
  if (valgrind === null) {
    const omissions = subjects.map(({ definition }) => omissionOf(definition, `${VALGRIND_ADVICE}.`));
    return { valgrind: null, execArgv: [], counted: [], omissions, processes: [] };
  }
  const omissions: Omission[] = [];
  const countable = subjects.filter((subject) => {
    const reason = whyUncountable(subject);
    if (reason !== null) omissions.push(omissionOf(subject.definition, `Not counted: ${reason}.`));
    return reason === null;
  });
  const ended = await runAll(planCounts(countable, repeats, seed), options, valgrind);
  const counted: CountedSubject[] = [];
  for (const subject of countable) {
    const result = resultOf(subject, ended, repeats);
    if ("reason" in result) omissions.push(result);
    else counted.push(result);
  }
  const kinds = new Set(subjects.map((subject) => flagsOf(subject).join(" ")));
  return {
    valgrind: valgrind.version,
    execArgv: [...kinds],
    counted,
    omissions,
    processes: ended.map(({ entry }) => entry),
  };
}

/** Why a guest's files are not here, and how to get them; null where they are, or none are needed. */
function whyUncountable({ guest }: CountSubject): string | null {
  if (guest === null || workload(guest).kind === "bare-metal") return null;
  const firmware = locateFirmware();
  return firmware.found ? null : firmware.reason;
}

async function runAll(
  trials: readonly CountTrial[],
  { forms, seed, width = availableParallelism(), onProgress, deadline, run = countProcess }: CountOptions,
  valgrind: Valgrind,
): Promise<Ended[]> {
  const ended: Ended[] = [];
  const checks = new Map<string, string>();
  const waiting = trials.entries();
  let done = 0;
  const left = () => (deadline === undefined ? TIMEOUT : Math.min(TIMEOUT, deadline - performance.now()));
  const lane = async () => {
    for (const [place, trial] of waiting) {
      if (left() <= 0) break;
      onProgress?.(done, trials.length, describeTrial(trial));
      const started = performance.now();
      const result = await run({
        valgrind,
        args: [...argsOf(trial, forms, seed)],
        environment: { ...process.env, REGIONLAB_PADDING: "x".repeat(layoutOf(trial, seed).padding) },
        timeout: left(),
      })
        .then((outcome) => ({ outcome: verified(outcome, trial, checks), lost: null }))
        .catch((error: unknown) => {
          if (!(error instanceof CountFailure)) throw error;
          const lost = left() <= 0 ? "the time for counting was up" : error.message;
          return { outcome: null, lost };
        });
      const milliseconds = Math.round(10 * (performance.now() - started)) / 10;
      const entry: ProcessEntry = {
        task: describeTrial(trial),
        repeat: trial.repeat,
        machine: 0,
        slots: null,
        milliseconds,
        lost: result.lost,
      };
      ended[place] = { trial, outcome: result.outcome, entry };
      done++;
    }
  };
  const lanes = await Promise.allSettled(Array.from({ length: width }, lane));
  for (const each of lanes) if (each.status === "rejected") throw each.reason;
  return ended.filter((each) => each !== undefined);
}

function describeTrial({ subject, arm, rounds }: CountTrial): string {
  return `count ${subject.name}, arm ${arm}, ${rounds} ${rounds === 1 ? "round" : "rounds"}`;
}

function flagsOf({ flags }: CountSubject): string[] {
  return [...COUNTING_FLAGS, ...flags];
}

function argsOf(trial: CountTrial, forms: CountOptions["forms"], seed: number): string[] {
  const { subject, arm, rounds } = trial;
  const layout = layoutOf(trial, seed);
  const request: CountRequest = {
    subject: subject.name,
    form: arm === "B" ? forms.B : forms.A,
    warmUp: subject.warmUp,
    rounds,
    mostRounds: subject.manyRounds,
  };
  const seeds = [`--hash-seed=${layout.hashSeed}`, `--random-seed=${layout.randomSeed}`];
  return [...flagsOf(subject), ...seeds, CHILD, JSON.stringify(request)];
}

/**
 * Holds what a process says of its work against what was asked, and against what the others said of the same work.
 * @throws CountFailure where they differ
 */
function verified(outcome: CountedOutcome, trial: CountTrial, checks: Map<string, string>): CountedOutcome {
  const { rounds, check } = readReport(outcome.report);
  if (rounds !== trial.rounds) {
    throw new CountFailure(`it counted ${rounds} rounds, ${trial.rounds} were asked for`);
  }
  const key = `${trial.subject.name}/${trial.rounds}`;
  const known = checks.get(key) ?? check;
  checks.set(key, known);
  if (check === known) return outcome;
  throw new CountFailure(`its work came to "${check}", that of another process to "${known}"`);
}

function readReport(text: string): CountReport {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === "object" && value !== null && "rounds" in value && "check" in value) {
      const { rounds, check } = value;
      if (typeof rounds === "number" && typeof check === "string") return { rounds, check };
    }
  } catch {
    // as good as no report
  }
  throw new CountFailure(
    `it ended without a report of its work, but with ${JSON.stringify(text.slice(0, 80))}`,
  );
}

function resultOf(
  subject: CountSubject,
  ended: readonly Ended[],
  repeats: number,
): CountedSubject | Omission {
  const { definition } = subject;
  const samples: Record<Arm, number[]> = { A: [], B: [], A2: [] };
  const processes: number[] = [];
  const lost: string[] = [];
  for (let repeat = 0; repeat < repeats; repeat++) {
    const own = ended.filter(({ trial }) => trial.subject === subject && trial.repeat === repeat);
    lost.push(...own.flatMap(({ entry }) => entry.lost ?? []));
    const slopes = ARMS.map((arm) =>
      slopeOf(
        subject,
        own.filter(({ trial }) => trial.arm === arm),
      ),
    );
    const [a = null, b = null, a2 = null] = slopes;
    if (a === null || b === null || a2 === null) continue;
    samples.A.push(a);
    samples.B.push(b);
    samples.A2.push(a2);
    processes.push(
      ended.findIndex((each) => own.includes(each) && isOf(each.trial, "A", subject.manyRounds)),
    );
  }
  const aaSpread = spreadOfControl(samples);
  if (aaSpread === null) {
    const [first] = lost;
    const why =
      first === undefined ? "the time was used up; give the run more" : `its processes failed: ${first}`;
    return omissionOf(definition, `Not counted: ${why}.`);
  }
  if (aaSpread <= definition.margin) return { definition, samples, processes, aaSpread };
  return omissionOf(
    definition,
    `Counted, but not shown: ${definition.margin} % is the most that A may differ from itself, and it did by ` +
      `${aaSpread.toFixed(2)} %; more rounds or a longer warm-up would be needed.`,
  );
}

function isOf(trial: CountTrial, arm: Arm, rounds: number): boolean {
  return trial.arm === arm && trial.rounds === rounds;
}

/** Instructions of one operation; null where one of the two processes is missing. */
function slopeOf(subject: CountSubject, own: readonly Ended[]): number | null {
  const countAt = (rounds: number) => own.find(({ trial }) => trial.rounds === rounds)?.outcome?.instructions;
  const [less, more] = [countAt(subject.fewRounds), countAt(subject.manyRounds)];
  if (less === undefined || more === undefined) return null;
  return slopePerOperation({ less, more }, subject);
}

/** Instructions of one operation, from counts at few and at many rounds: what both have in common falls out. */
export function slopePerOperation(
  { less, more }: { readonly less: number; readonly more: number },
  { fewRounds, manyRounds, perRound }: Pick<CountSubject, "fewRounds" | "manyRounds" | "perRound">,
): number {
  return (more - less) / ((manyRounds - fewRounds) * perRound);
}

/** Null without samples. */
function spreadOfControl({ A, A2 }: PerArm<readonly number[]>): number | null {
  if (A.length === 0) return null;
  return Math.max(...A.map((a, i) => 100 * Math.abs((A2[i] ?? Number.NaN) / a - 1)));
}

function omissionOf(definition: MetricDefinition, reason: string): Omission {
  const { suite, workload, name, quantity, source, role, decides } = definition;
  return { suite, workload, name, quantity, source, role, decides, reason };
}
