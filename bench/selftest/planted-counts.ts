/** Counts of identical arms, with extra work planted into one of them without the knowledge of the counting code. */
import { availableParallelism } from "node:os";
import type { MetricDefinition, PerArm } from "#results";
import { countProcess, type Valgrind } from "../counts/callgrind.ts";
import { processOf, sampleOf } from "../counts/count.ts";
import type { CountTrial } from "../counts/order.ts";
import { PLANTED_STEPS } from "../counts/request.ts";
import { type CountGroup, countGroups, definitionsOf } from "../counts/subjects.ts";
import { Progress, type ProgressStream } from "../runner/progress.ts";
import { attempt, runAbreast } from "../runner/run-schedule.ts";

/** Counts of one repeat: of A and A2, and of B with each planted fraction of extra work. */
export interface PlantedRepeat {
  readonly A: readonly number[];
  readonly A2: readonly number[];
  /** By planted fraction. */
  readonly B: readonly (readonly number[])[];
}

export interface PlantedCounts {
  readonly definitions: readonly MetricDefinition[];
  readonly repeats: readonly PlantedRepeat[];
}

/** Timeout of a process in milliseconds; it takes a few seconds on an idle machine. */
const TIMEOUT = 5 * 60_000;
/** The form of all arms. */
const FORM = "embedded";

/**
 * @param parts fractions of extra work in B, for instance 0.01
 * @throws CountFailure when the cost of a planted step cannot be determined
 */
export async function countPlanted(
  valgrind: Valgrind,
  parts: readonly number[],
  repeats: number,
  seed: number,
  stream: ProgressStream,
): Promise<PlantedCounts> {
  const group = countGroups().find(({ quick }) => quick);
  if (group === undefined) throw new RangeError("a quick run counts something");
  const count = async (trial: CountTrial, plant: readonly (readonly number[])[]) =>
    sampleOf(
      await countProcess({ valgrind, timeout: TIMEOUT, ...processOf(trial, FORM, seed, plant) }),
      trial.group,
    ).perOperation;
  const plants = await plantsFor(group, parts, count);
  const jobs = Array.from({ length: repeats }, (_, repeat) => [
    { trial: { group, arm: "A", repeat } as const, plant: [] },
    { trial: { group, arm: "A2", repeat } as const, plant: [] },
    ...plants.map((plant) => ({ trial: { group, arm: "B", repeat } as const, plant })),
  ]).flat();
  const progress = new Progress(stream, jobs.length);
  let done = 0;
  const counted = await runAbreast(jobs, availableParallelism(), async ({ trial, plant }) => {
    progress.update(done, "counting instructions");
    const named = { task: group.name, repeat: trial.repeat };
    const { report, lost } = await attempt(named, () => count(trial, plant));
    if (lost !== null) stream.write(`\nlost: ${lost}\n`);
    done++;
    return report;
  });
  progress.end();
  const width = 2 + parts.length;
  const whole = Array.from({ length: repeats }, (_, repeat) =>
    counted.slice(repeat * width, (repeat + 1) * width),
  )
    .map((arms) => arms.filter((each) => each !== null))
    .filter(({ length }) => length === width);
  return {
    definitions: definitionsOf(group),
    repeats: whole.map(([A = [], A2 = [], ...B]) => ({ A, A2, B })),
  };
}

/** For each fraction, how many planted steps to add to each step of each work, so that it takes that fraction more. */
async function plantsFor(
  group: CountGroup,
  parts: readonly number[],
  count: (trial: CountTrial, plant: readonly (readonly number[])[]) => Promise<readonly number[]>,
): Promise<readonly (readonly number[])[][]> {
  const [first] = group.works;
  const planted = { name: "planted", warmUp: 5, rounds: 5, subjects: first?.subjects.slice(0, 1) ?? [] };
  const calibrated = { ...group, works: [...group.works, planted] };
  const counts = await count({ group: calibrated, arm: "A", repeat: 0 }, []);
  const perStep = (counts.at(-1) ?? Number.NaN) / PLANTED_STEPS[FORM];
  return parts.map((part) => {
    let place = 0;
    return group.works.map(({ subjects }) =>
      subjects.map((subject) => Math.round((part * (counts[place++] ?? 0) * subject.perStep) / perStep)),
    );
  });
}

/** Samples of one subject over some repeats, as in a run. */
export function samplesOf(
  repeats: readonly PlantedRepeat[],
  subject: number,
  part: number,
): PerArm<number[]> {
  const value = (values: readonly number[] | undefined) => values?.[subject] ?? Number.NaN;
  return {
    A: repeats.map(({ A }) => value(A)),
    B: repeats.map(({ B }) => value(B[part])),
    A2: repeats.map(({ A2 }) => value(A2)),
  };
}
