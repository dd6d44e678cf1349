/** What a run could not measure, and why. */
import { HEAP_GROWTH, LEAST_PROCESSES, type Omission } from "#results";
import { scenarios } from "#workloads/lifecycle";
import type { ProcessOutcome } from "./assemble.ts";
import type { CountedPart } from "./count-plan.ts";
import { type BenchPlan, tasksOf } from "./plan.ts";

/** Omissions, with reasons, for tasks whose processes crashed or for which there was no time. */
export function missingTasks(
  plan: BenchPlan,
  outcomes: readonly ProcessOutcome[],
  counts: CountedPart["metrics"],
): Omission[] {
  return tasksOf(plan).flatMap(({ name, task, times, isDetail = false }) => {
    const mine = outcomes.filter(({ trial }) => trial.task === name);
    const whole = mine.filter(({ lost }) => lost === null).length;
    if (whole >= Math.min(LEAST_PROCESSES, plan.repeats)) return [];
    const failed = mine.find(({ lost }) => lost !== null);
    const [suite = "", subject = ""] = name.split("/");
    // Reads of region fields decide dispatch, and counts decide what was counted.
    const subjects = task.kind === "slices" ? task.works.flatMap((work) => work.split("/")) : [subject];
    const isCounted = counts.some(
      ({ definition }) =>
        definition.suite === suite && (subjects.includes(definition.workload) || subject === "board"),
    );
    const isHeadline = task.kind === "heap" || (suite !== "dispatch" && !isCounted && !isDetail);
    const decides = isHeadline || failed !== undefined;
    const role = decides ? ("headline" as const) : ("detail" as const);
    const lacking =
      task.kind === "heap"
        ? scenarios().map(({ name: scenario, leaksPerRound }) => ({
            workload: scenario,
            name: HEAP_GROWTH,
            quantity: "memory" as const,
            role: leaksPerRound === 0 ? role : ("control" as const),
          }))
        : (times ?? [{ workload: subject, name: "all times" }]).map((time) => ({
            ...time,
            quantity: "time" as const,
            role,
          }));
    const reason =
      failed === undefined
        ? `${whole === 0 ? "Not measured" : "Measured only once, which shows no spread"}: the time of the run was up; give it more with --seconds, or ask for less.`
        : `${whole === 0 ? "Each" : "All but one"} of ${mine.length} processes failed, the first with: ${failed.lost?.split("\n")[0]}`;
    return lacking.map((what) => ({
      suite: suite as Omission["suite"], // tasks are named after their suites
      ...what,
      source: "regionlab" as const,
      decides,
      reason,
    }));
  });
}
