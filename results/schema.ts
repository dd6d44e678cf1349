/**
 * One benchmark run as it is stored: what was asked, where and how it was measured, the proof that both forms ran
 * the same guest, every sample of every process, and the verdicts that were drawn from them.
 *
 * The file is JSON. `parse.ts` checks it; a change that old readers would misread raises {@link SCHEMA_VERSION}.
 */

/** Names the format, so that a foreign JSON file is recognised as such. */
export const SCHEMA_NAME = "regionlab.run";
/** Version that this code writes and reads. */
export const SCHEMA_VERSION = 2;

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
 * What may be concluded about B against A.
 *
 * - `faster`, `slower`: the difference is real and larger than what A shows against itself. For memory, less and more.
 * - `equivalent`: the whole interval lies inside the margin that was stated before the run.
 * - `no difference`: a difference was found, but A differs as much from itself.
 * - `inconclusive`: neither a difference nor equivalence is shown; more repeats are needed.
 */
export const VERDICTS = ["faster", "slower", "equivalent", "no difference", "inconclusive"] as const;
export type Verdict = (typeof VERDICTS)[number];

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
  readonly environment: Environment;
  readonly schedule: Schedule;
  /** One proof per workload. If one of them fails, {@link metrics} is empty: no time is reported. */
  readonly equivalence: readonly EquivalenceProof[];
  readonly metrics: readonly Metric[];
  readonly retention: readonly RetentionScenario[];
  readonly codeSize: readonly CodeSize[];
  readonly requirements: readonly Requirement[];
}

export interface RunOptions {
  readonly suites: readonly Suite[];
  readonly quick: boolean;
  /** Forms of arm A and of arm B. */
  readonly forms: { readonly A: Form; readonly B: Form };
  readonly workloads: readonly string[];
  /** Processes per arm. */
  readonly repeats: number;
  readonly seed: number;
  /** The command that repeats the run. */
  readonly command: string;
}

export interface Environment {
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
}

export interface Schedule {
  readonly seed: number;
  /** Every measured process, in the order in which they ran. */
  readonly order: readonly ScheduleEntry[];
}

export interface ScheduleEntry {
  readonly task: string;
  readonly arm: Arm;
  /** Counts from 0. */
  readonly repeat: number;
  /** Wall time of the process from start to exit. */
  readonly milliseconds: number;
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

export interface MetricIdentity {
  readonly suite: Suite;
  /** Guest program, address map or lifecycle scenario. */
  readonly workload: string;
  readonly name: string;
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
  /** Of time one says faster and slower, of memory less and more. Less is better in both. */
  readonly quantity: "time" | "memory";
  /** Differences in percent of A, or, where zero is the expected value, in {@link unit}. */
  readonly scale: "percent" | "absolute";
  /** Differences up to this size, on {@link scale}, are of no practical importance. Stated before the run. */
  readonly margin: number;
  readonly role: Role;
}

export interface Metric extends MetricDefinition {
  /** One estimate per process; those of one place belong to one repeat and were measured side by side. */
  readonly samples: PerArm<readonly number[]>;
  /** One summary per process, in the order of {@link samples}. */
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
  /** Repeats in all that would settle an inconclusive verdict; null when settled or out of reach. */
  readonly repeatsNeeded: number | null;
}

/** Difference of an arm from A, pair by pair of processes that were measured side by side. */
export interface Effect extends Interval {
  /** Level of the interval: 0.95 or a little more. */
  readonly level: number;
  readonly pairs: number;
  /** Pairs in which the arm's value is larger than A's. */
  readonly above: number;
  /** Two-sided probability of such differences by chance alone. */
  readonly pValue: number;
  /** The same after Holm's correction, over the headline metrics or over all others, where it belongs. */
  readonly adjustedPValue: number;
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
