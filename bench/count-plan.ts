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

/** Samples of each subject and arm. */
const REPEATS = { quick: 2, full: 3 } as const;
/** Seconds of a timed run that may go into counting. Counting alone takes as long as it takes. */
const MOST_SECONDS = { quick: 40, full: 12 * 60 } as const;

export async function countPlan(plan: BenchPlan, stream: ProgressStream): Promise<CountedPart> {
  const subjects = subjectsOf(plan);
  if (subjects.length === 0) return NOTHING_COUNTED;
  const extent = plan.quick ? "quick" : "full";
  const progress = new Progress(stream, subjects.length);
  const { counted, processes, omissions } = await countAll({
    forms: plan.forms,
    subjects,
    repeats: REPEATS[extent],
    seed: plan.seed,
    onProgress: (done, total, what) => progress.update((done / total) * subjects.length, what),
    ...(plan.suites.length === 0 || plan.seconds === null
      ? {}
      : { deadline: performance.now() + 1000 * Math.min(MOST_SECONDS[extent], plan.seconds / 2) }),
  });
  progress.end();
  return { metrics: counted, processes, omissions };
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
