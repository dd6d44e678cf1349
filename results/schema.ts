/**
 * One benchmark run as it is stored: what was asked, where and how it was measured, the proof that both forms ran
 * the same guest, every sample of every process, and the verdicts that were drawn from them.
 *
 * The file is JSON with a digest of itself, compressed with gzip where its name ends in `.gz`. `parse.ts` checks it; a change that
 * old readers would misread raises {@link SCHEMA_VERSION}.
 */

/** Names the format, so that a foreign JSON file is recognised as such. */
export const SCHEMA_NAME = "regionlab.run";
/** Version that this code writes and reads. */
export const SCHEMA_VERSION = 4;

/** Storage form of the regions of a device tree. */
export const FORMS = ["embedded", "owned"] as const;
export type Form = (typeof FORMS)[number];

/** A and B are the two forms under comparison; A2 is A once more, the control: A against A2 must show nothing. */
export const ARMS = ["A", "B", "A2"] as const;
export type Arm = (typeof ARMS)[number];
export type PerArm<T> = Readonly<Record<Arm, T>>;

export const SUITES = ["boot", "dispatch", "retention"] as const;
export type Suite = (typeof SUITES)[number];

/**
 * What may be concluded about B against A; {@link decide} has the rule.
 *
 * - `faster`, `slower`: the difference is real and larger than what A shows against itself. Of memory and of counts, less
 *   and more.
 * - `equivalent`: the whole interval lies inside the margin that was stated before the run.
 * - `no difference`: a difference was found, but A differs as much from itself.
 * - `inconclusive`: neither a difference nor equivalence is shown, or A differs from itself by more than the margin.
 * - `not judged`: this figure stands beside another that decides, as a time beside its exact count.
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
 * What a figure counts: seconds, instructions of the host processor, reads of a region's fields, or bytes. Less is better in
 * all of them.
 */
export const QUANTITIES = ["time", "count", "reads", "memory"] as const;
export type Quantity = (typeof QUANTITIES)[number];

/** Whose figure it is: this emulator's, in V8, or that of QEMU itself, built in both forms. */
export const SOURCES = ["regionlab", "qemu"] as const;
export type Source = (typeof SOURCES)[number];

/** Tukey's fences: mild beyond 1.5, severe beyond 3 interquartile ranges from the quartiles. Shown, never dropped. */
export const OUTLIER_CLASSES = ["none", "mild", "severe"] as const;
export type OutlierClass = (typeof OUTLIER_CLASSES)[number];

export interface Run {
  readonly schema: typeof SCHEMA_NAME;
  readonly version: typeof SCHEMA_VERSION;
  /** True for generated data: every renderer says so prominently. */
  readonly synthetic: boolean;
  /** The question that the run answers, one sentence. */
  readonly question: string;
  readonly options: RunOptions;
  /** Where it was measured: one machine, or, in results that were merged, several. */
  readonly machines: readonly Environment[];
  readonly schedule: Schedule;
  /** One proof per workload. If one of them fails, {@link metrics} is empty: no time is reported. */
  readonly equivalence: readonly EquivalenceProof[];
  /** Region fields that an access reads, counted: what the form of the regions can and cannot touch. */
  readonly fieldReads: readonly FieldReads[];
  readonly metrics: readonly Metric[];
  /** Figures that this run was asked for and does not have. */
  readonly omissions: readonly Omission[];
  /** Scenarios in which the forms must behave differently, with what was predicted. */
  readonly lifetimes: readonly LifetimeScenario[];
  readonly retention: readonly RetentionScenario[];
  readonly codeSize: readonly CodeSize[];
  readonly requirements: readonly Requirement[];
  /** How often the instrument is wrong, as its self-test found; null where that was never run. */
  readonly selfTest: SelfTest | null;
}

export interface RunOptions {
  readonly suites: readonly Suite[];
  readonly quick: boolean;
  /** Forms of arm A and of arm B. */
  readonly forms: { readonly A: Form; readonly B: Form };
  readonly workloads: readonly string[];
  /** Processes of a metric at most. */
  readonly repeats: number;
  readonly seed: number;
  /** The command that repeats the run. */
  readonly command: string;
  /** Which part of a divided run this is, as `2/4`, or, merged, which parts, as `1,2/4`; null for a whole one. */
  readonly shard: string | null;
  /** When the run looked at its data, and how sure each look had to be. */
  readonly sequential: Sequential;
}

/**
 * The rule by which a run ends: after `looks` processes of a metric its verdict is drawn, and where it is decided the metric
 * is measured no more. Each look uses intervals of `level`, so that all looks together err at most as often as one at 95 %.
 */
export interface Sequential {
  readonly looks: readonly number[];
  readonly level: number;
}

/** A machine, its runtime, and the state of the code on it. */
export interface Environment {
  /** Tells machines of a merged run apart; says nothing else. */
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
  /** Frequency governor of the first processor; null where the system does not show it. */
  readonly governor: string | null;
  /** Whether the processor runs under a hypervisor; null where the system does not show it. */
  readonly virtualised: boolean | null;
  /** Commit of the working tree; null outside a repository. */
  readonly commit: string | null;
  /** Whether tracked files differed from the commit; null outside a repository. */
  readonly dirty: boolean | null;
  /** Options of the runtime that measured processes got, one text per kind of process. */
  readonly execArgv: readonly string[];
  /** Version of valgrind; null where it is not installed, and nothing is counted. */
  readonly valgrind: string | null;
}

export interface Schedule {
  readonly seed: number;
  /** Every process, in the order in which they began. */
  readonly processes: readonly ProcessEntry[];
}

/** One process. All arms of a time live in one: isolates of V8 side by side, which take turns of about a millisecond. */
export interface ProcessEntry {
  readonly task: string;
  /** Counts from 0. */
  readonly repeat: number;
  /** Index into {@link Run.machines}. */
  readonly machine: number;
  /** Order in which its arms' isolates were made, at random; null where it holds one arm only. */
  readonly slots: readonly Arm[] | null;
  /** Wall time from start to exit. */
  readonly milliseconds: number;
  /** Why it gave no sample; null where it gave one. */
  readonly lost: string | null;
}

/** What one guest did, as far as a guest can tell. Equal in both forms, or the run fails. */
export interface GuestRecord {
  /** Guest instructions retired. */
  readonly instructions: number;
  /** Guest loads and stores that reached a device. */
  readonly mmioAccesses: number;
  /** SHA-256 over direction, address, size and value of each of them, in order. */
  readonly mmioTraceSha256: string;
  /** SHA-256 over the bytes that the guest printed. */
  readonly consoleSha256: string;
  /** Parts of its boot; none where it has no parts. */
  readonly phases: readonly GuestPhase[];
}

/** A part of a guest's boot. */
export interface GuestPhase {
  readonly name: string;
  /** Guest instructions retired in it. */
  readonly instructions: number;
}

export interface EquivalenceProof {
  readonly workload: string;
  readonly records: { readonly A: GuestRecord; readonly B: GuestRecord };
  /** Number of processes that gave these records, all arms together. */
  readonly processes: number;
  readonly equal: boolean;
}

/** How many fields of a region one access reads, by form: counted with traps on every field, not timed. */
export interface FieldReads {
  /** The access, as a reader would say it: `read, section hit`. */
  readonly access: string;
  /** Reads of region fields per access. */
  readonly reads: { readonly A: number; readonly B: number };
  /** Names of the fields, in the order in which the first access reads them. */
  readonly fields: readonly string[];
}

/** What is asked. Several figures may answer: a time, the exact count of the same work, the same from QEMU in C. */
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

/** A figure that was asked for and that this run does not have. */
export interface Omission extends MetricIdentity {
  readonly role: Role;
  /** Whether it would have decided its row. */
  readonly decides: boolean;
  /** Why, and how to get it: one sentence. */
  readonly reason: string;
}

/** Five-number summary of what one process saw, with the upper tail. */
export interface Distribution {
  readonly count: number;
  readonly min: number;
  readonly q1: number;
  readonly median: number;
  readonly q3: number;
  readonly p99: number;
  readonly max: number;
}

/** `headline` metrics answer the question; `detail` say where it comes from; a `control` runs the same code in all arms. */
export const ROLES = ["headline", "detail", "control"] as const;
export type Role = (typeof ROLES)[number];

export interface MetricDefinition extends MetricIdentity {
  /** One sentence for a newcomer. */
  readonly description: string;
  readonly unit: string;
  /** Differences in percent of A, or, where zero is the expected value, in {@link unit}. */
  readonly scale: "percent" | "absolute";
  /** Differences up to this size, on {@link scale}, are of no practical importance. Stated before the run. */
  readonly margin: number;
  readonly role: Role;
  /** How a process draws its one figure, for instance `10th percentile of slices`. */
  readonly estimator: string;
  /** Whether it answers its question. One figure of a question does; the others stand beside it and are not judged. */
  readonly decides: boolean;
  /** Why the forms cannot differ here, where they cannot; null where they can. */
  readonly byConstruction: string | null;
}

export interface Metric extends MetricDefinition {
  /** One estimate per process and arm. Those of one place come from one process, or, of counts, from one repeat. */
  readonly samples: PerArm<readonly number[]>;
  /** The process of each place: index into {@link Schedule.processes}; of a count, that of arm A. */
  readonly processes: readonly number[];
  /** One summary per process, in the order of {@link samples}; empty where a process has one value only. */
  readonly distributions: PerArm<readonly Distribution[]>;
  /** Class of each sample within its arm. */
  readonly outliers: PerArm<readonly OutlierClass[]>;
  readonly comparison: Comparison;
}

export interface Comparison {
  /** B against A. */
  readonly ab: Effect;
  /** A2 against A: the same form against itself, under the same schedule. */
  readonly aa: Effect;
  /** Largest distance of the A/A interval from zero: differences up to here mean nothing. */
  readonly aaSpread: number;
  readonly verdict: Verdict;
  /** What the same rule, without the A/A clause, says about A against itself. */
  readonly aaVerdict: Verdict;
  /** Why the verdict is open or not judged, and what would have to change: a sentence. Null where it is decided. */
  readonly reason: string | null;
  /** Where machines of a merged run disagree about B against A: how. Null where they agree, or there is one. */
  readonly machines: string | null;
}

/** Difference of an arm from A, pair by pair: each pair was measured in one process, milliseconds apart. */
export interface Effect extends Interval {
  /** Level of the interval. */
  readonly level: number;
  readonly pairs: number;
  /** Pairs in which the arm's value is larger than A's. */
  readonly above: number;
  /** Two-sided probability of such differences by chance alone; never 0. */
  readonly pValue: number;
  /** The same after Holm's correction, over the headline metrics or over all others, where it belongs. */
  readonly adjustedPValue: number;
  /** A's figure and the arm's, of the very pairs that the estimate is drawn from: their difference is the estimate. */
  readonly figures: { readonly a: number; readonly b: number };
}

/** A life of devices in which the forms must differ, run in each form, with what was predicted before. */
export interface LifetimeScenario {
  readonly scenario: string;
  /** What happens, in a sentence. */
  readonly description: string;
  /** Why the forms must differ: the rule of the object model, in a sentence. */
  readonly rule: string;
  /** Rounds that the figures are of. */
  readonly rounds: number;
  readonly arms: { readonly A: LifetimeOutcome; readonly B: LifetimeOutcome };
}

export interface LifetimeOutcome {
  /** Written down before the scenario was run. */
  readonly expected: LifetimeFigures;
  readonly observed: LifetimeFigures;
}

/** Over all rounds. Exact: every round does the same. */
export interface LifetimeFigures {
  /** Blocks of the storage ledger that nobody freed. */
  readonly blocksUnfreed: number;
  /** Their size as C structures. */
  readonly bytesUnfreed: number;
  /** Distinct touches in checked mode. */
  readonly usesAfterFinalize: number;
  readonly usesAfterFree: number;
}

export interface RetentionScenario {
  readonly scenario: string;
  readonly description: string;
  /** Rounds of creating and destroying that every process went through. */
  readonly rounds: number;
  readonly arms: PerArm<RetentionRecord>;
}

/** What was left after the rounds. Every array has one value per process; counting and following the heap are two. */
export interface RetentionRecord {
  /**
   * Objects that V8 still holds, beyond those that were there before the first round. A class counts its subclasses; the
   * first is the one that counts all objects of the model.
   */
  readonly objects: readonly { readonly className: string; readonly alive: readonly number[] }[];
  /** Blocks of the storage ledger that nobody freed. */
  readonly blocksUnfreed: readonly number[];
  /** Their size as C structures. */
  readonly modelledLeakedBytes: readonly number[];
  readonly usesAfterFinalize: readonly number[];
  readonly usesAfterFree: readonly number[];
  /** Heap in use after forced collection: for each process, (round, bytes) pairs. */
  readonly heap: readonly (readonly HeapPoint[])[];
  /** Heap bytes per round: centre over processes with its interval; null where the heap was not followed. */
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

/** Source of one device in both trees. */
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

/** A limit that the emulator itself must keep, in every form. */
export interface Requirement {
  readonly name: string;
  readonly limit: number;
  readonly unit: string;
  readonly measured: { readonly A: number; readonly B: number };
  readonly met: boolean;
}

/** What the instrument's self-test found: how often it claims what is not there, and finds what was planted. */
export interface SelfTest {
  /** ISO 8601 in UTC. */
  readonly date: string;
  readonly cpuModel: string;
  readonly node: string;
  readonly regionlab: string;
  /** Processes of each comparison. */
  readonly processes: number;
  /** A form against itself, nothing planted. */
  readonly falseAlarms: Rate;
  /** B does so much more of the same work. */
  readonly planted: readonly Planted[];
  /** B leaks one object a round. */
  readonly leaks: Rate;
  /** Three arms alike, by arm and by slot: differences of each from the mean of all three. */
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

/** A metric of three arms that are alike: how far the median of an arm, and of a slot, lies from that of all. */
export interface AlikeMetric extends Question {
  readonly processes: number;
  /** Percent. */
  readonly arms: PerArm<number>;
  /** Percent; isolates in the order in which they were made. */
  readonly slots: readonly number[];
  /** Whether none is farther than the limit of 0.3 %: then the time may have a verdict. */
  readonly alike: boolean;
}
