/**
 * One benchmark run as it is stored: what was requested, where and how it was measured, the proof that both forms ran
 * the same guest, every sample of every process, and the verdicts drawn from them.
 *
 * The file is JSON with a digest of itself, compressed with gzip if its name ends in `.gz`. `parse.ts` checks it. Bump
 * {@link SCHEMA_VERSION} for changes that older readers would misread.
 */

import type { ClaimRow } from "./claims.ts";

/** Name of the format, which tells a run from other JSON files. */
export const SCHEMA_NAME = "regionlab.run";
/** The version that this code writes and reads. */
export const SCHEMA_VERSION = 4;

/** Storage form of the regions of a device tree. */
export const FORMS = ["embedded", "owned"] as const;
export type Form = (typeof FORMS)[number];

/** A and B are the two forms under comparison; A2 is A again, as a control: A against A2 must show no difference. */
export const ARMS = ["A", "B", "A2"] as const;
export type Arm = (typeof ARMS)[number];
export type PerArm<T> = Readonly<Record<Arm, T>>;

export const SUITES = ["boot", "dispatch", "retention"] as const;
export type Suite = (typeof SUITES)[number];

/**
 * What may be concluded about B against A; {@link decide} has the rule.
 *
 * - `faster`, `slower`: the difference is real and larger than what A shows against itself. For memory and counts:
 *   less, more.
 * - `equivalent`: the whole interval lies inside the margin that was stated before the run.
 * - `no difference`: a difference was found, but A differs from itself by as much.
 * - `inconclusive`: neither a difference nor equivalence is shown, or A differs from itself by more than the margin.
 * - `not judged`: another figure decides the question, for instance the exact count of the same work, or none can.
 */
export const VERDICTS = [
  "faster",
  "slower",
  "equivalent",
  "no difference",
  "inconclusive",
  "not judged",
] as const;
export type Verdict = (typeof VERDICTS)[number];

/**
 * What a figure counts: seconds, instructions of the host processor, reads of a region's fields, or bytes. Less is
 * better for all of them.
 */
export const QUANTITIES = ["time", "count", "reads", "memory"] as const;
export type Quantity = (typeof QUANTITIES)[number];

/** Where a figure comes from: this emulator under V8, or QEMU itself, built in both forms. */
export const SOURCES = ["regionlab", "qemu"] as const;
export type Source = (typeof SOURCES)[number];

/** Tukey's fences: mild beyond 1.5, severe beyond 3 interquartile ranges from the quartiles. Shown, never dropped. */
export const OUTLIER_CLASSES = ["none", "mild", "severe"] as const;
export type OutlierClass = (typeof OUTLIER_CLASSES)[number];

export interface Run {
  readonly schema: typeof SCHEMA_NAME;
  readonly version: typeof SCHEMA_VERSION;
  /** True for generated data, which every renderer labels prominently. */
  readonly synthetic: boolean;
  /** The question that the run answers, one sentence. */
  readonly question: string;
  readonly options: RunOptions;
  /** Where it was measured: one machine, or several if results were merged. */
  readonly machines: readonly Environment[];
  readonly schedule: Schedule;
  /** One proof per workload. If one of them fails, {@link metrics} is empty: no times are reported. */
  readonly equivalence: readonly EquivalenceProof[];
  /** Region fields that an access reads, counted: where there are none, the form of the regions cannot matter. */
  readonly fieldReads: readonly FieldReads[];
  readonly metrics: readonly Metric[];
  /** Figures that were requested and that this run does not have. */
  readonly omissions: readonly Omission[];
  /** The claims of the debate, each with its verdict; only in full runs. */
  readonly claims: readonly ClaimRow[];
  /** Scenarios that the forms may end differently, with what was predicted. */
  readonly lifetimes: readonly LifetimeScenario[];
  readonly retention: readonly RetentionScenario[];
  readonly codeSize: readonly CodeSize[];
  readonly requirements: readonly Requirement[];
  /** How often the instrument is wrong, according to its self-test; null if that was never run. */
  readonly selfTest: SelfTest | null;
}

export interface RunOptions {
  readonly suites: readonly Suite[];
  readonly quick: boolean;
  /** Forms of arm A and of arm B. */
  readonly forms: { readonly A: Form; readonly B: Form };
  readonly workloads: readonly string[];
  /** Largest number of processes per metric. */
  readonly repeats: number;
  readonly seed: number;
  /** The command that repeats the run. */
  readonly command: string;
  /** Which part of a divided run this is (`2/4`), or which parts were merged (`1,2/4`); null for a whole run. */
  readonly shard: string | null;
  /** When the run looked at its data, and how sure each look had to be. */
  readonly sequential: Sequential;
}

/**
 * The stopping rule of a run: after each of these numbers of processes a metric is judged, and once decided it is not
 * measured any further. Each look uses intervals of `level`, so that all looks together err at most as often as a
 * single look at 95 %.
 */
export interface Sequential {
  readonly looks: readonly number[];
  readonly level: number;
}

/** A machine, its runtime, and the state of the code on it. */
export interface Environment {
  /** Tells the machines of a merged run apart, and reveals nothing else about them. */
  readonly id: string;
  /** Start of the run, ISO 8601 in UTC. */
  readonly date: string;
  /** Wall time of the whole run, in seconds. */
  readonly seconds: number;
  readonly regionlab: string;
  readonly node: string;
  readonly v8: string;
  readonly platform: string;
  readonly arch: string;
  readonly kernel: string;
  readonly cpuModel: string;
  /** Logical processors. */
  readonly cpuCount: number;
  readonly memoryBytes: number;
  /** Load averages over 1, 5 and 15 minutes. */
  readonly loadBefore: readonly number[];
  readonly loadAfter: readonly number[];
  /** Frequency governor of the first processor; null if the system does not report it. */
  readonly governor: string | null;
  /** Whether the processor runs under a hypervisor; null if the system does not report it. */
  readonly virtualised: boolean | null;
  /** Commit of the working tree; null outside a repository. */
  readonly commit: string | null;
  /** Whether tracked files differed from the commit; null outside a repository. */
  readonly dirty: boolean | null;
  /** Node options of the measured processes, one text per kind of process. */
  readonly execArgv: readonly string[];
  /** Version of valgrind; null if it is not installed, in which case nothing is counted. */
  readonly valgrind: string | null;
}

export interface Schedule {
  readonly seed: number;
  /** Every process, in the order of their start. */
  readonly processes: readonly ProcessEntry[];
}

/** One process. Times are measured with all arms in one process: V8 isolates that take turns of about a millisecond. */
export interface ProcessEntry {
  readonly task: string;
  /** Counts from 0. */
  readonly repeat: number;
  /** Index into {@link Run.machines}. */
  readonly machine: number;
  /** The order in which the isolates of its arms were created, which is random; null if it holds only one arm. */
  readonly slots: readonly Arm[] | null;
  /** Wall time from start to exit. */
  readonly milliseconds: number;
  /** Why it gave no sample; null if it gave one. */
  readonly lost: string | null;
}

/** Everything observable that a guest did. Must be equal in both forms, or the run fails. */
export interface GuestRecord {
  /** Guest instructions retired. */
  readonly instructions: number;
  /** Guest loads and stores that reached a device. */
  readonly mmioAccesses: number;
  /** SHA-256 over direction, address, size and value of each of them, in order. */
  readonly mmioTraceSha256: string;
  /** SHA-256 over the bytes that the guest printed. */
  readonly consoleSha256: string;
  /** Phases of its boot; empty if it has only one. */
  readonly phases: readonly GuestPhase[];
}

/** A phase of a guest's boot. */
export interface GuestPhase {
  readonly name: string;
  /** Guest instructions retired in it. */
  readonly instructions: number;
}

export interface EquivalenceProof {
  readonly workload: string;
  readonly records: { readonly A: GuestRecord; readonly B: GuestRecord };
  /** Boots that gave these records, over all processes and arms. */
  readonly boots: number;
  readonly equal: boolean;
}

/** How many fields of a region one access reads in each form: counted with a trap on every field, not timed. */
export interface FieldReads {
  /** The access in words, for instance `read, section hit`. */
  readonly access: string;
  /** Reads of region fields per access. */
  readonly reads: { readonly A: number; readonly B: number };
  /** Names of the fields, in the order in which the first access reads them. */
  readonly fields: readonly string[];
}

/** A question. Several figures may answer it: a time, the exact count of the same work, and the same from QEMU in C. */
export interface Question {
  readonly suite: Suite;
  /** Guest program, address map or lifecycle scenario. */
  readonly workload: string;
  readonly name: string;
}

/** Tells one figure from all others of a run. */
export interface MetricIdentity extends Question {
  readonly quantity: Quantity;
  readonly source: Source;
}

/** A figure that was requested and that this run does not have. */
export interface Omission extends MetricIdentity {
  readonly role: Role;
  /** Whether it would have decided its row. */
  readonly decides: boolean;
  /** Why, and how to get it: one sentence. */
  readonly reason: string;
}

/** Five-number summary of the slices or rounds of one process, with the upper tail. */
export interface Distribution {
  readonly count: number;
  readonly min: number;
  readonly q1: number;
  readonly median: number;
  readonly q3: number;
  readonly p99: number;
  readonly max: number;
}

/** `headline` metrics answer the question; `detail` metrics explain it; a `control` runs the same code in all arms. */
export const ROLES = ["headline", "detail", "control"] as const;
export type Role = (typeof ROLES)[number];

export interface MetricDefinition extends MetricIdentity {
  /** One sentence for a newcomer. */
  readonly description: string;
  readonly unit: string;
  /** Differences are in percent of A or, where zero is the expected value, in {@link unit}. */
  readonly scale: "percent" | "absolute";
  /** Differences up to this size, on {@link scale}, are of no practical importance. Fixed before the run. */
  readonly margin: number;
  readonly role: Role;
  /** How a process arrives at its one figure, for instance `10th percentile of slices`. */
  readonly estimator: string;
  /** Whether it decides its question. At most one figure of a question does; the others are shown but not judged. */
  readonly decides: boolean;
  /** Why the forms cannot differ here; null if they can. */
  readonly byConstruction: string | null;
}

export interface Metric extends MetricDefinition {
  /**
   * One estimate per process and arm. Those at the same index come from one process or, for counts, from one repeat.
   */
  readonly samples: PerArm<readonly number[]>;
  /** For each index, the process: index into {@link Schedule.processes}; for counts, the process of arm A. */
  readonly processes: readonly number[];
  /** One summary per process, in the order of {@link samples}; empty if a process has only one value. */
  readonly distributions: PerArm<readonly Distribution[]>;
  /** Outlier class of each sample within its arm. */
  readonly outliers: PerArm<readonly OutlierClass[]>;
  readonly comparison: Comparison;
}

export interface Comparison {
  /** B against A. */
  readonly ab: Effect;
  /** A2 against A: the same form against itself, under the same schedule. */
  readonly aa: Effect;
  /** Largest distance of the A/A interval from zero: differences up to this size mean nothing. */
  readonly aaSpread: number;
  readonly verdict: Verdict;
  /** The verdict of the same rule, without the A/A clause, on A against itself. */
  readonly aaVerdict: Verdict;
  /** Why the verdict is open or not judged, and what would have to change: a sentence. Null if it is decided. */
  readonly reason: string | null;
  /** How the machines of a merged run disagree about B against A. Null if they agree, or if there is only one. */
  readonly machines: string | null;
}

/** Difference of an arm from A over pairs: each pair comes from one process or, for counts, from one repeat. */
export interface Effect extends Interval {
  /** Confidence level of the interval. */
  readonly level: number;
  readonly pairs: number;
  /** Pairs in which the arm's value is larger than A's. */
  readonly above: number;
  /** Two-sided probability of differences this large by chance alone; never 0. */
  readonly pValue: number;
  /** The same after Holm's correction over its family: the deciding headline metrics, or all others. */
  readonly adjustedPValue: number;
  /** The figures of A and of the arm from the pairs behind the estimate: their difference is the estimate. */
  readonly figures: { readonly a: number; readonly b: number };
}

/** A scenario for the lifetime of devices and regions, run in each form, with what was predicted beforehand. */
export interface LifetimeScenario {
  readonly scenario: string;
  /** What happens, in a sentence. */
  readonly description: string;
  /** Why the forms end as they do: the rule of the object model, in a sentence. */
  readonly rule: string;
  /** Number of rounds that the figures cover. */
  readonly rounds: number;
  readonly arms: { readonly A: LifetimeOutcome; readonly B: LifetimeOutcome };
}

export interface LifetimeOutcome {
  /** Predicted before the scenario was run. */
  readonly expected: LifetimeFigures;
  readonly observed: LifetimeFigures;
}

/** Totals over all rounds. Exact, because every round does the same. */
export interface LifetimeFigures {
  /** Rounds that ended where QEMU aborts, after which nothing else counts. 0 in runs that were stored without it. */
  readonly aborts: number;
  /** Blocks of the storage ledger that were never freed. */
  readonly blocksUnfreed: number;
  /** Their size as C structures. */
  readonly bytesUnfreed: number;
  /** Blocks that pile up until a parent ends that lives on. Runs stored without it count them among those never freed. */
  readonly blocksHeld: number;
  readonly bytesHeld: number;
  /** Distinct accesses, found in checked mode. */
  readonly usesAfterFinalize: number;
  readonly usesAfterFree: number;
}

export const NO_FAULTS: LifetimeFigures = {
  aborts: 0,
  blocksUnfreed: 0,
  bytesUnfreed: 0,
  blocksHeld: 0,
  bytesHeld: 0,
  usesAfterFinalize: 0,
  usesAfterFree: 0,
};
export const LIFETIME_FIGURES = Object.keys(NO_FAULTS) as (keyof LifetimeFigures)[];

export interface RetentionScenario {
  readonly scenario: string;
  readonly description: string;
  /** Rounds of creating and destroying in every process. */
  readonly rounds: number;
  readonly arms: PerArm<RetentionRecord>;
}

/**
 * What was left after the rounds. Arrays have one value per process; counts and heaps come from different processes.
 */
export interface RetentionRecord {
  /**
   * Objects that V8 still holds, minus those from before the first round. A class includes its subclasses; the first
   * one counts all objects of the model.
   */
  readonly objects: readonly { readonly className: string; readonly alive: readonly number[] }[];
  /** Blocks of the storage ledger that were never freed. */
  readonly blocksUnfreed: readonly number[];
  /** Their size as C structures. */
  readonly modelledLeakedBytes: readonly number[];
  readonly usesAfterFinalize: readonly number[];
  readonly usesAfterFree: readonly number[];
  /** Heap in use after forced collection: for each process, (round, bytes) pairs. */
  readonly heap: readonly (readonly HeapPoint[])[];
  /**
   * Heap bytes per round: centre over processes with its interval; null if fewer than two processes followed the heap.
   */
  readonly slope: Interval | null;
}

export interface HeapPoint {
  readonly round: number;
  readonly bytes: number;
}

export interface Interval {
  readonly estimate: number;
  readonly low: number;
  readonly high: number;
}

/** Size of the source of one device in both trees. */
export interface CodeSize {
  readonly device: string;
  /** Path inside the tree. */
  readonly file: string;
  readonly embedded: SourceSize;
  readonly owned: SourceSize;
}

export interface SourceSize {
  /** Fields of the class that hold a region or an array of regions. */
  readonly regionFields: number;
  /** All lines of the file. */
  readonly lines: number;
}

/** A performance limit that the emulator itself must meet, in either form. */
export interface Requirement {
  readonly name: string;
  readonly limit: number;
  readonly unit: string;
  readonly measured: { readonly A: number; readonly B: number };
  readonly met: boolean;
}

/** Result of the instrument's self-test: how often it claims a difference that is not there, or finds a planted one. */
export interface SelfTest {
  /** ISO 8601 in UTC. */
  readonly date: string;
  readonly cpuModel: string;
  readonly node: string;
  readonly regionlab: string;
  /** Processes per comparison. */
  readonly processes: number;
  /** A form against itself, nothing planted. */
  readonly falseAlarms: Rate;
  /** B does more of the same work. */
  readonly planted: readonly Planted[];
  /** B leaks one object per round. */
  readonly leaks: Rate;
  /** Three identical arms, by arm and by slot: difference of each from the mean of the three. */
  readonly alike: readonly AlikeMetric[];
}

export interface Rate {
  readonly found: number;
  readonly of: number;
}

export interface Planted extends Rate {
  readonly suite: Suite;
  readonly quantity: "time" | "count";
  readonly percent: number;
}

/** A metric of three identical arms: how far each arm, and each slot, lies from the mean of the three in the median. */
export interface AlikeMetric extends Question {
  readonly processes: number;
  /** Percent. */
  readonly arms: PerArm<number>;
  /** Percent; isolates in the order of their creation. */
  readonly slots: readonly number[];
  /** Whether all are within 0.3 %, so that the time may have a verdict. */
  readonly alike: boolean;
}
