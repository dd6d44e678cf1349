/** Figures of merged runs: what their machines can tell. */
import { canCompareMachines, lookFor, machinesAt } from "./rules/judge.ts";
import type { Metric, Run } from "./schema.ts";

/**
 * Processes on each machine of a figure that comes from several, if they are too few to tell whether the machines
 * differ; null if they are not, or if there is only one machine.
 */
export function tooFewToCompare(
  metric: Metric,
  { schedule, options }: Pick<Run, "schedule" | "options">,
): number[] | null {
  const machines = machinesAt(metric.processes, schedule.processes);
  const sizes = [...new Set(machines)].map((machine) => machines.filter((each) => each === machine).length);
  const isTold = sizes.length < 2 || canCompareMachines(machines, lookFor(metric, options.sequential));
  return isTold ? null : sizes;
}
