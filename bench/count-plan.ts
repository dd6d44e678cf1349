/** The counting part of a run: which subjects, how often, and until when. */
import type { Omission, ProcessEntry } from "#results";
import { workload } from "#workloads";
import type { CountedMetric } from "./assemble.ts";
import { countAll } from "./counts/count.ts";
import { type CountSubject, countSubjects } from "./counts/subjects.ts";
import { whyMissing } from "./options.ts";
import type { BenchPlan } from "./plan.ts";
import { Progress, type ProgressStream } from "./runner/progress.ts";

/** What was counted. */
export interface CountedPart {
  readonly metrics: readonly CountedMetric[];
  readonly processes: readonly ProcessEntry[];
  readonly omissions: readonly Omission[];
}

export const NOTHING_COUNTED: CountedPart = { metrics: [], processes: [], omissions: [] };

/** Samples of each subject and arm: where counting is all that is done, and where it shares the time with others. */
const REPEATS = { alone: 3, beside: 3 } as const;
/** Seconds of a timed run that may go into counting. Counting alone takes as long as it takes. */
const MOST_SECONDS = 16 * 60;

export async function countPlan(plan: BenchPlan, stream: ProgressStream): Promise<CountedPart> {
  const alone = plan.suites.length === 0 || plan.seconds === null;
  const deadline = performance.now() + 1000 * Math.min(MOST_SECONDS, (plan.seconds ?? 0) / 2);
  const subjects = subjectsOf(plan);
  const progress = new Progress(stream, subjects.length);
  const parts: CountedPart[] = [];
  let finished = 0;
  // First the counts that decide: when time is up, the others are missing.
  for (const some of partition(subjects, ({ definition }) => definition.decides)) {
    const { counted, processes, omissions } = await countAll({
      forms: plan.forms,
      subjects: some,
      repeats: alone ? REPEATS.alone : REPEATS.beside,
      seed: plan.seed,
      onProgress: (done, total, what) => progress.update(finished + (done / total) * some.length, what),
      ...(alone ? {} : { deadline }),
    });
    parts.push({ metrics: counted, processes, omissions });
    finished += some.length;
  }
  progress.end();
  return parts.reduce(joined, NOTHING_COUNTED);
}

function partition<T>(items: readonly T[], isFirst: (item: T) => boolean): T[][] {
  return [items.filter(isFirst), items.filter((item) => !isFirst(item))].filter(({ length }) => length > 0);
}

/** Two parts in a row: the second's processes come after the first's. */
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

/** What this run counts; a part of a divided run counts a part of it, once. */
function subjectsOf({ quick, suites, workloads, shard }: BenchPlan): CountSubject[] {
  const asked = countSubjects().filter(
    ({ definition, guest, quick: takesSeconds }) =>
      (!quick || takesSeconds) &&
      (suites.length === 0 || suites.includes(definition.suite)) &&
      (guest === null || (workloads.includes(guest) && whyMissing(workload(guest)) === null)),
  );
  if (shard === null) return asked;
  if (shard.by === "processes") return shard.index === 1 ? asked : [];
  return asked.filter((_, i) => i % shard.count === shard.index - 1);
}
