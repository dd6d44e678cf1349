/** The counting part of a run: what to count, how often, and until when. */
import type { Omission, ProcessEntry } from "#results";
import { workload } from "#workloads";
import type { CountedMetric } from "./assemble.ts";
import { locateValgrind } from "./counts/callgrind.ts";
import { countAll, uncounted } from "./counts/count.ts";
import { type CountGroup, countGroups, definitionsOf } from "./counts/subjects.ts";
import type { Journal } from "./journal.ts";
import { whyMissing } from "./options.ts";
import type { BenchPlan } from "./plan.ts";
import { Progress, type ProgressStream } from "./runner/progress.ts";

/** The result of counting. */
export interface CountedPart {
  readonly metrics: readonly CountedMetric[];
  readonly processes: readonly ProcessEntry[];
  readonly omissions: readonly Omission[];
}

export const NOTHING_COUNTED: CountedPart = { metrics: [], processes: [], omissions: [] };

/** Largest number of samples per group and arm; a group may take fewer. */
export const COUNT_REPEATS = { quick: 5, full: 8 } as const;
/** Share of the run's time for counting, unless the run only counts. */
const PART_OF_TIME = { quick: 0.5, full: 0.72 } as const;

/** @param journal stores what is counted, and has what an interrupted run has counted */
export async function countPlan(
  plan: BenchPlan,
  journal: Journal,
  stream: ProgressStream,
): Promise<CountedPart> {
  const { quick, forms, seed, seconds, suites } = plan;
  const part = suites.length === 0 ? 1 : PART_OF_TIME[quick ? "quick" : "full"];
  const deadline = seconds === null ? Number.POSITIVE_INFINITY : performance.now() + 1000 * part * seconds;
  const valgrind = await locateValgrind();
  const groups = groupsOf(plan);
  const progress = new Progress(stream, groups.length);
  const parts: CountedPart[] = [];
  let finished = 0;
  // Deciding figures first, the fast ones before the slow ones: when time is up, the rest are missing.
  for (const some of inStages(groups)) {
    const { counted, processes, omissions } = await countAll({
      forms,
      groups: some,
      repeats: Math.min(plan.repeats, COUNT_REPEATS[quick ? "quick" : "full"]),
      seed,
      valgrind,
      earlier: journal.earlier.count,
      onOutcome: (outcome) => journal.add("count", outcome),
      onProgress: (done, total, what) => progress.update(finished + (done / total) * some.length, what),
      deadline,
    });
    parts.push({ metrics: counted, processes, omissions });
    finished += some.length;
  }
  progress.end();
  return parts.reduce(joined, NOTHING_COUNTED);
}

/** The part of a run that is told not to count. */
export function withoutCounts(plan: BenchPlan): CountedPart {
  return {
    ...NOTHING_COUNTED,
    omissions: uncounted(groupsOf(plan), "Not counted, as --no-count asked for."),
  };
}

/** Each stage completes all its repeats before the next begins. */
function inStages(groups: readonly CountGroup[]): CountGroup[][] {
  const decides = (group: CountGroup) => definitionsOf(group).some((definition) => definition.decides);
  return [
    groups.filter((group) => decides(group) && !group.takesMinutes),
    groups.filter((group) => decides(group) && group.takesMinutes),
    groups.filter((group) => !decides(group)),
  ].filter(({ length }) => length > 0);
}

/** Concatenates two parts, the processes of the second after those of the first. */
function joined(a: CountedPart, b: CountedPart): CountedPart {
  const offset = a.processes.length;
  return {
    metrics: [
      ...a.metrics,
      ...b.metrics.map((metric) => ({
        ...metric,
        processes: metric.processes.map((index) => index + offset),
      })),
    ],
    processes: [...a.processes, ...b.processes],
    omissions: [...a.omissions, ...b.omissions],
  };
}

/** What this run counts. The parts of a divided run share the groups, so that each is counted once. */
function groupsOf({ quick, suites, workloads, shard }: BenchPlan): CountGroup[] {
  const asked = countGroups().flatMap((group) => {
    const { guest } = group;
    if (quick && !group.quick) return [];
    if (guest !== null && (!workloads.includes(guest) || whyMissing(workload(guest)) !== null)) return [];
    const works = group.works.filter((work) =>
      definitionsOf({ works: [work] }).some(({ suite }) => suites.length === 0 || suites.includes(suite)),
    );
    return works.length === 0 ? [] : [{ ...group, works }];
  });
  if (shard === null) return asked;
  if (shard.by === "processes") return shard.index === 1 ? asked : [];
  return asked.filter((_, i) => i % shard.count === shard.index - 1);
}
