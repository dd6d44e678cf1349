import type { Distribution, Form, GuestRecord, HeapPoint, MetricDefinition, Suite } from "#results";
import { summarize } from "../statistics/index.ts";

/** What a measured process is asked to do. */
export interface SuiteRequest {
  readonly suite: Suite;
  readonly form: Form;
  readonly quick: boolean;
  /** Names of guest programs. */
  readonly workloads: readonly string[];
}

/** One metric as one process saw it. */
export interface Measurement {
  readonly definition: MetricDefinition;
  /** What the process reports: one number. */
  readonly estimate: number;
  /** What it was drawn from. */
  readonly distribution: Distribution;
}

/** What one process found left after the rounds of a scenario. */
export interface RetentionFinding {
  readonly scenario: string;
  readonly description: string;
  readonly rounds: number;
  readonly objects: readonly { readonly className: string; readonly alive: number }[];
  readonly blocksUnfreed: number;
  readonly modelledLeakedBytes: number;
  readonly usesAfterFinalize: number;
  readonly usesAfterFree: number;
  readonly heap: readonly HeapPoint[];
}

/** What a measured process sends back. */
export interface SuiteReport {
  readonly measurements: readonly Measurement[];
  readonly proofs: readonly { readonly workload: string; readonly record: GuestRecord }[];
  readonly retention: readonly RetentionFinding[];
}

/** The median of what a process saw is its estimate. */
export function measurement(definition: MetricDefinition, samples: readonly number[]): Measurement {
  const distribution = summarize(samples);
  return { definition, estimate: distribution.median, distribution };
}
