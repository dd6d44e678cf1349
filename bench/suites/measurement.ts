import type { Distribution, Form, GuestRecord, HeapPoint, MetricDefinition, Suite } from "#results";
import { summarize } from "../statistics/index.ts";

/** What a measured process is asked to do. */
export interface SuiteRequest {
  readonly suite: Suite;
  /** What of the suite: a guest program, or the name of a part. */
  readonly subject: string;
  readonly form: Form;
  readonly quick: boolean;
  /** Record or count what repeats exactly, instead of measuring what does not. */
  readonly prove: boolean;
}

/** One metric as one process saw it. */
export interface Measurement {
  readonly definition: MetricDefinition;
  /** What the process reports: one number. */
  readonly estimate: number;
  /** What it was drawn from. */
  readonly distribution: Distribution;
}

/** What a timed run shows of its guest without a trace, which would slow it down. */
export interface GuestCheck extends Pick<GuestRecord, "instructions" | "consoleSha256"> {
  readonly workload: string;
}

/** What one process counted after the rounds of a scenario. Counts repeat exactly, so few processes count. */
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

/** How one process saw its heap over the rounds of a scenario. Measured, hence in every process. */
export interface HeapCurve {
  readonly scenario: string;
  /** Whether the scenario leaks on purpose. */
  readonly control: boolean;
  /** Differences of the slope up to this size are of no importance, in bytes per round. */
  readonly margin: number;
  readonly heap: readonly HeapPoint[];
}

/** What a measured process sends back. */
export interface SuiteReport {
  readonly measurements: readonly Measurement[];
  /** Complete records of guests, from processes that prove. */
  readonly proofs: readonly { readonly workload: string; readonly record: GuestRecord }[];
  /** What the timed guests did, to be held against the proofs. */
  readonly checks: readonly GuestCheck[];
  readonly remains: readonly Remains[];
  readonly curves: readonly HeapCurve[];
}

export const emptyReport: SuiteReport = { measurements: [], proofs: [], checks: [], remains: [], curves: [] };

/**
 * The median of what a process saw is its estimate.
 * @throws RangeError when a sample is no number: better no result than a wrong one
 */
export function measurement(definition: MetricDefinition, samples: readonly number[]): Measurement {
  if (!samples.every(Number.isFinite)) throw new RangeError(`${definition.name}: a sample is not a number`);
  const distribution = summarize(samples);
  return { definition, estimate: distribution.median, distribution };
}
