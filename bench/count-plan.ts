/** The counting part of a run. */
import type { Omission, ProcessEntry } from "#results";
import type { CountedMetric } from "./assemble.ts";
import type { BenchPlan } from "./plan.ts";
import type { BenchSetting } from "./run-bench.ts";

/** What was counted. */
export interface Counts {
  readonly metrics: readonly CountedMetric[];
  readonly processes: readonly ProcessEntry[];
  readonly omissions: readonly Omission[];
}

export const NOTHING_COUNTED: Counts = { metrics: [], processes: [], omissions: [] };

export async function countPlan(
  _plan: BenchPlan,
  _setting: BenchSetting,
  _seconds: () => number,
): Promise<Counts> {
  return NOTHING_COUNTED;
}
