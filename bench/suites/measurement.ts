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

/** What a measured process is asked to do: all that is timed in it is timed in three arms side by side. */
export interface ProcessRequest {
  readonly forms: { readonly A: Form; readonly B: Form };
  readonly quick: boolean;
  /** Assigns arms to isolates and orders their turns. */
  readonly seed: number;
  readonly task: Task;
  /** Parts of more work that arm B does unseen, for the self-test; absent: none. */
  readonly plant?: readonly number[];
}

/** What a process is for. */
export type Task =
  /** Works by turns, see `makeWork`. */
  | { readonly kind: "slices"; readonly works: readonly string[] }
  /** Boots of a guest in lockstep. */
  | { readonly kind: "lockstep"; readonly guest: string }
  /** How the heap grows over the rounds of every lifecycle scenario. */
  | { readonly kind: "heap"; readonly plantLeak?: boolean }
  /** Untimed: what a guest does in each form, recorded in full. */
  | { readonly kind: "proof"; readonly guest: string }
  /** Untimed: what every lifecycle scenario leaves. */
  | { readonly kind: "remains" }
  /** Untimed: scenarios in which the forms must differ, and reads of region fields. */
  | { readonly kind: "outcomes" };

/** What arms are asked that is no slice. */
export type Question =
  | { readonly kind: "heap"; readonly scenario: string; readonly extraLeaks: number }
  | { readonly kind: "proof"; readonly guest: string }
  | { readonly kind: "remains" }
  | { readonly kind: "outcomes" };

/** One metric as one process saw it. */
export interface Measurement {
  readonly definition: MetricDefinition;
  /** What the process reports: one number for each arm. */
  readonly estimates: PerArm<number>;
  /** What it was drawn from. */
  readonly distributions: PerArm<Distribution>;
}

/** What a timed run shows of its guest without a trace, which would slow it down. */
export interface GuestCheck extends Pick<GuestRecord, "instructions" | "consoleSha256"> {
  readonly workload: string;
}

/** What one arm counted after the rounds of a scenario. Counts repeat exactly. */
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

/** How one arm saw its heap over the rounds of a scenario. */
export interface HeapCurve {
  readonly scenario: string;
  /** Whether the scenario leaks on purpose. */
  readonly control: boolean;
  /** Differences of the slope up to this size are of no importance, in bytes per round. */
  readonly margin: number;
  readonly heap: readonly HeapPoint[];
}

/** What one arm counts once and for all. */
export interface ArmOutcomes {
  readonly lifetimes: readonly LifetimeMeasurement[];
  readonly fieldReads: readonly CountedReads[];
}

/** What a process sends back. */
export interface ProcessReport {
  /** Arms in the order in which their isolates were made. */
  readonly slots: readonly Arm[];
  /** By variant of the planted work; without any there is one. */
  readonly measurements: readonly (readonly Measurement[])[];
  /** What the timed guests did, to be held against the proofs. */
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
 * How slices become a figure: A's is the 10th percentile of its slices; another arm's is that times the median, over turns, of
 * the quotient of the two slices of one turn. Slices of a turn are a fraction of a millisecond apart, so that whatever
 * disturbs the machine for longer disturbs both, and their quotient stays. Chosen by how far A strays from itself, at rest and
 * beside other work, before B was looked at: quotients of percentiles and minima strayed several times as far beside other work.
 */
const SLICE_QUANTILE = 0.1;

/** @throws RangeError when a slice is no positive number: better no result than a wrong one */
export function fromSlices(definition: MetricDefinition, times: PerArm<readonly number[]>): Measurement {
  const read = (arm: Arm) => {
    if (!times[arm].every((time) => Number.isFinite(time) && time > 0)) {
      throw new RangeError(
        `${definition.name}: a slice of arm ${arm} took no time that is a positive number`,
      );
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
