import {
  type Arm,
  type Distribution,
  type Form,
  type GuestRecord,
  type HeapPoint,
  type MetricDefinition,
  type PerArm,
  SLICE_ESTIMATOR,
} from "#results";
import { median, quantile, summarize } from "#results/statistics";
import type { CountedReads } from "./field-reads.ts";
import type { LifetimeMeasurement } from "./lifetimes.ts";

/** The request to a measured process. Everything that it times is timed in three arms side by side. */
export interface ProcessRequest {
  readonly forms: { readonly A: Form; readonly B: Form };
  readonly quick: boolean;
  /** Assigns arms to isolates and orders their turns. */
  readonly seed: number;
  readonly task: Task;
  /** The processor that arms share while they take turns at slices; null or absent: any. */
  readonly processor?: number | null;
  /** Fractions of extra work that arm B does, for the self-test; default: none. */
  readonly plant?: readonly number[];
}

/** What a process is for. */
export type Task =
  /** Works in slices, see `makeWork`. */
  | { readonly kind: "slices"; readonly works: readonly string[] }
  /** Boots of a guest in lockstep. */
  | { readonly kind: "lockstep"; readonly guest: string }
  /** How the heap grows over the rounds of every lifecycle scenario. */
  | { readonly kind: "heap"; readonly plantLeak?: boolean }
  /** Untimed: what a guest does in each form, recorded in full. */
  | { readonly kind: "proof"; readonly guest: string }
  /** Untimed: what every lifecycle scenario leaves. */
  | { readonly kind: "remains" }
  /** Untimed: lifetime scenarios and reads of region fields. */
  | { readonly kind: "outcomes" };

/** Requests to arms other than slices. */
export type Question =
  | { readonly kind: "heap"; readonly scenario: string; readonly extraLeaks: number }
  | { readonly kind: "proof"; readonly guest: string }
  | { readonly kind: "remains" }
  | { readonly kind: "outcomes" };

/** One process's measurement of a metric. */
export interface Measurement {
  readonly definition: MetricDefinition;
  /** The result of the process: one number per arm. */
  readonly estimates: PerArm<number>;
  /** The distributions that the estimates come from. */
  readonly distributions: PerArm<Distribution>;
}

/** What a timed guest shows without a trace, which would slow it down. */
export interface GuestCheck extends Pick<GuestRecord, "instructions" | "consoleSha256"> {
  readonly workload: string;
}

/** What was left in one arm after the rounds of a scenario. Counts repeat exactly. */
export interface Remains {
  readonly scenario: string;
  readonly description: string;
  readonly rounds: number;
  readonly objects: readonly { readonly className: string; readonly alive: number }[];
  readonly blocksUnfreed: number;
  readonly modelledLeakedBytes: number;
  readonly usesAfterFinalize: number;
  readonly usesAfterFree: number;
}

/** The heap of one arm over the rounds of a scenario. */
export interface HeapCurve {
  readonly scenario: string;
  /** Whether the scenario leaks on purpose. */
  readonly control: boolean;
  /** Margin of the slope, in bytes per round. */
  readonly margin: number;
  readonly heap: readonly HeapPoint[];
}

/** What needs to be counted only once per arm. */
export interface ArmOutcomes {
  readonly lifetimes: readonly LifetimeMeasurement[];
  readonly fieldReads: readonly CountedReads[];
}

/** The report of a process. */
export interface ProcessReport {
  /** Arms in the order in which their isolates were created. */
  readonly slots: readonly Arm[];
  /** Measurements by variant of planted work; one list if nothing is planted. */
  readonly measurements: readonly (readonly Measurement[])[];
  /** What the timed guests did, to be compared with the proofs. */
  readonly checks: readonly GuestCheck[];
  readonly proofs: readonly { readonly workload: string; readonly records: PerArm<GuestRecord> }[];
  readonly remains: PerArm<readonly Remains[]> | null;
  readonly curves: PerArm<readonly HeapCurve[]> | null;
  readonly outcomes: PerArm<ArmOutcomes> | null;
}

export const emptyReport: ProcessReport = {
  slots: [],
  measurements: [],
  checks: [],
  proofs: [],
  remains: null,
  curves: null,
  outcomes: null,
};

/**
 * How slices become a figure: that of A is the 10th percentile of its slices; that of another arm is the figure of A
 * times the median, over turns, of the quotient of the two slices of a turn. The slices of a turn are a fraction of a
 * millisecond apart, so longer disturbances affect both and leave the quotient unchanged. Chosen before B was looked
 * at, by how far A differs from itself on an idle and on a loaded machine: under load, quotients of percentiles or of
 * minima were off by several times as much.
 */
const SLICE_QUANTILE = 0.1;

/** @throws RangeError when the time of a slice is not a positive number: better no result than a wrong one */
export function fromSlices(definition: MetricDefinition, times: PerArm<readonly number[]>): Measurement {
  const read = (arm: Arm) => {
    if (!times[arm].every((time) => Number.isFinite(time) && time > 0)) {
      throw new RangeError(`${definition.name}: the time of a slice of arm ${arm} is not a positive number`);
    }
    return times[arm];
  };
  const base = quantile(read("A"), SLICE_QUANTILE);
  const quotient = (arm: Arm) =>
    Math.exp(median(read(arm).map((time, turn) => Math.log(time / (times.A[turn] ?? Number.NaN)))));
  return {
    definition: { ...definition, estimator: SLICE_ESTIMATOR },
    estimates: { A: base, B: base * quotient("B"), A2: base * quotient("A2") },
    distributions: perArm((arm) => summarize(read(arm))),
  };
}

export function perArm<T>(make: (arm: Arm) => T): PerArm<T> {
  return { A: make("A"), B: make("B"), A2: make("A2") };
}
