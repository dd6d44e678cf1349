/** One run of the benchmarks, from the proof that both forms do the same work to the verdicts. */
import { availableParallelism } from "node:os";
import { dirname } from "node:path";
import { CommandError } from "#host";
import {
  type ClaimRow,
  type CodeSize,
  type Environment,
  isDecided,
  type Metric,
  metricKey,
  QUESTION,
  type Run,
  type RunOptions,
  type SelfTest,
} from "#results";
import { isLook, sequentialRule } from "#results/statistics";
import { workload } from "#workloads";
import { assembleRun, type ProcessOutcome, proveEquivalence, type RunParts } from "./assemble.ts";
import { type CountedPart, countPlan, NOTHING_COUNTED, withoutCounts } from "./count-plan.ts";
import { completeEnvironment } from "./environment.ts";
import type { Journal } from "./journal.ts";
import { missingTasks } from "./missing-tasks.ts";
import { type BenchPlan, RUNTIME_OPTIONS, tasksOf } from "./plan.ts";
import { runChild } from "./runner/child-process.ts";
import { processorOf } from "./runner/processors.ts";
import { Progress, type ProgressStream } from "./runner/progress.ts";
import {
  attempt,
  runAbreast,
  runPasses,
  type SequentialHooks,
  type TrialOutcome,
} from "./runner/run-schedule.ts";
import { describeTrial, type PlannedTask, seedOf, type Trial } from "./runner/schedule.ts";
import type { ProcessReport, ProcessRequest, Task } from "./suites/measurement.ts";

export interface BenchSetting {
  /** JavaScript file that measured processes run. */
  readonly childEntry: string;
  readonly codeSize: readonly CodeSize[];
  readonly claims: readonly ClaimRow[];
  readonly progress: ProgressStream;
  readonly environment: Environment;
  readonly journal: Journal;
  readonly selfTest: SelfTest | null;
}

/** A process that takes longer is considered hung. */
const CHILD_TIMEOUT_MILLISECONDS = 30 * 60 * 1000;
/** Number of processes tried for a proof. */
const PROOF_ATTEMPTS = 2;
/** Largest number of concurrent untimed processes: three arms of a distribution take some gigabytes. */
const MOST_ABREAST = Math.min(availableParallelism(), 2);
/** Fewest processes of a time before its task may end: enough for a time that does not decide. */
const LEAST_REPEATS = 3;

/** @throws CommandError when a proof cannot be obtained */
export async function runBench(plan: BenchPlan, setting: BenchSetting): Promise<Run> {
  const started = performance.now();
  const seconds = () => (performance.now() - started) / 1000;
  const proofs = await prove(plan, setting);
  const equivalent = proveEquivalence(proofs, []).every(({ equal }) => equal);
  const count = () =>
    equivalent ? countPlan(plan, setting.journal, setting.progress) : Promise.resolve(NOTHING_COUNTED);
  const counts = plan.count ? await count() : withoutCounts(plan);
  const outcomes = equivalent ? await measureAll(plan, setting, counts, proofs, seconds) : [];
  return assembleRun(
    partsOf(plan, setting, proofs, outcomes, counts, completeEnvironment(setting.environment, seconds())),
  );
}

function partsOf(
  plan: BenchPlan,
  { codeSize, claims, selfTest }: BenchSetting,
  proofs: readonly ProcessOutcome[],
  outcomes: readonly ProcessOutcome[],
  { metrics, processes, omissions }: CountedPart,
  machine: Environment,
): RunParts {
  const { suites, quick, forms, workloads, repeats, seed, command, shard, looks } = plan;
  const options: RunOptions = {
    suites,
    quick,
    forms,
    workloads,
    repeats,
    seed,
    command,
    shard: shard === null ? null : `${shard.index}/${shard.count}`,
    sequential: sequentialRule(looks),
  };
  return {
    question: QUESTION,
    options,
    machines: [machine],
    proofs,
    outcomes,
    counts: metrics,
    countProcesses: processes,
    omissions: [...omissions, ...missingTasks(plan, outcomes, metrics)],
    codeSize,
    claims,
    selfTest,
  };
}

/**
 * Records or counts, untimed, everything that repeats exactly: what every guest does in each form, and what every
 * scenario leaves. These processes also bring the program's files into the page cache.
 */
async function prove(plan: BenchPlan, setting: BenchSetting): Promise<ProcessOutcome[]> {
  const { journal } = setting;
  const tasks: { name: string; repeat: number; task: Task }[] = plan.workloads.map((guest) => ({
    name: `proof/${guest}`,
    repeat: 0,
    task: { kind: "proof", guest },
  }));
  if (plan.suites.includes("retention")) {
    tasks.push({ name: "proof/remains", repeat: 0, task: { kind: "remains" } });
  }
  // Twice, to show that the counts repeat exactly.
  if (plan.suites.includes("retention") || plan.suites.includes("dispatch")) {
    for (const repeat of [0, 1]) tasks.push({ name: "proof/outcomes", repeat, task: { kind: "outcomes" } });
  }
  const progress = new Progress(setting.progress, tasks.length);
  let done = 0;
  const outcomes = await runAbreast(
    tasks,
    MOST_ABREAST,
    async ({ name, repeat, task }): Promise<TrialOutcome<ProcessReport>> => {
      const trial: Trial = { task: name, repeat };
      const earlier = journal.earlier.proof.find(
        (outcome) => outcome.trial.task === name && outcome.trial.repeat === repeat,
      );
      progress.update(done, name);
      let outcome = earlier;
      // There is no run without its proofs, so a process that failed is tried again.
      for (let i = 0; i < PROOF_ATTEMPTS && (outcome === undefined || outcome.lost !== null); i++) {
        outcome = await attempt(trial, () => runTask(trial, task, RUNTIME_OPTIONS.untimed, plan, setting));
      }
      if (outcome === undefined) throw new RangeError("a proof is attempted at least once");
      if (outcome.lost !== null) {
        throw new CommandError(
          `no proof, because ${PROOF_ATTEMPTS} processes failed: ${outcome.lost}\nThe same command resumes from here.`,
          { exitCode: 1 },
        );
      }
      if (earlier === undefined) journal.add("proof", outcome);
      progress.update(++done, name);
      return outcome;
    },
  );
  progress.end();
  return outcomes.map(onThisMachine);
}

async function measureAll(
  plan: BenchPlan,
  setting: BenchSetting,
  counts: CountedPart,
  proofs: readonly ProcessOutcome[],
  seconds: () => number,
): Promise<ProcessOutcome[]> {
  const tasks = tasksOf(plan);
  const { journal, progress: stream } = setting;
  const sequential = sequentialRule(plan.looks);
  const most = (task: PlannedTask) => mostRepeats(task, plan);
  const total = tasks.reduce((sum, task) => sum + most(task), 0);
  const progress = new Progress(stream, total);
  const outcomes: TrialOutcome<ProcessReport>[] = [...journal.earlier.measure];
  const metricsNow = () =>
    assembleRun(partsOf(plan, setting, proofs, outcomes.map(onThisMachine), counts, setting.environment))
      .metrics;
  const byName = new Map(tasks.map((task) => [task.name, task]));
  const hooks: SequentialHooks<ProcessReport> = {
    measure: (trial) => {
      const task = byName.get(trial.task);
      if (task === undefined) throw new RangeError(`no task is called ${trial.task}`);
      progress.update(outcomes.length, describeTrial(trial));
      return runTask(trial, task.task, task.execArgv, plan, setting);
    },
    onOutcome: (outcome) => {
      outcomes.push(outcome);
      journal.add("measure", outcome);
    },
    isDone: (task, processes) => {
      if (processes >= most(task)) return true;
      if (plan.exactRepeats || task.mostRepeats !== undefined || processes < LEAST_REPEATS) return false;
      const headlines = headlinesOf(task, outcomes, metricsNow());
      // No headline is decided by this task's times, so it need not go on.
      if (headlines.length === 0) return true;
      return isLook(sequential, processes) && headlines.every(({ comparison }) => isDecided(comparison));
    },
    hasTime: (milliseconds) => plan.seconds === null || seconds() + milliseconds / 1000 <= plan.seconds,
  };
  const pass = (some: readonly PlannedTask[], isDone = hooks.isDone) =>
    runPasses(some, plan.seed, [...outcomes], { ...hooks, isDone });
  // Heap growth decides its questions and does not depend on load, so it is measured before any times.
  await pass(tasks.filter(({ task }) => task.kind === "heap"));
  // Then the boots that only their times can decide: details, of which there are many, could take all that is left.
  await pass(
    tasks.filter(isNeverCounted),
    (task, processes) => processes >= Math.min(LEAST_REPEATS, most(task)),
  );
  await pass(tasks.filter(({ task }) => task.kind !== "heap"));
  progress.end();
  return outcomes.map(onThisMachine);
}

/** Boots are decided by counts, and take seconds to minutes: of them a few processes suffice, whatever was asked for. */
function mostRepeats({ mostRepeats = Number.POSITIVE_INFINITY, task }: PlannedTask, plan: BenchPlan): number {
  const isCapped = !plan.exactRepeats || task.kind === "lockstep";
  return isCapped ? Math.min(mostRepeats, plan.repeats) : plan.repeats;
}

/** Whether a task boots a distribution, which would take hours under valgrind. */
function isNeverCounted({ task }: PlannedTask): boolean {
  return task.kind === "lockstep" && workload(task.guest).kind === "distribution";
}

/** Headline metrics that this task measures and that decide their question. */
function headlinesOf(
  { name }: PlannedTask,
  outcomes: readonly TrialOutcome<ProcessReport>[],
  metrics: readonly Metric[],
): Metric[] {
  const mine = new Set(
    outcomes
      .filter(({ trial }) => trial.task === name)
      .flatMap(({ report }) => report?.measurements[0] ?? [])
      .map(({ definition }) => metricKey(definition)),
  );
  return metrics.filter(
    (metric) => metric.role === "headline" && metric.decides && mine.has(metricKey(metric)),
  );
}

async function runTask(
  trial: Trial,
  task: Task,
  execArgv: readonly string[],
  plan: BenchPlan,
  { childEntry }: BenchSetting,
): Promise<ProcessReport> {
  const { forms, quick, seed, shard } = plan;
  const request: ProcessRequest = {
    ...{ forms, quick, task },
    seed: seedOf(trial, seed, shard?.index ?? 0),
    processor: processorOf(trial.repeat),
  };
  const report = await runChild(request, describeTrial(trial), {
    entry: childEntry,
    execArgv,
    timeout: CHILD_TIMEOUT_MILLISECONDS,
  });
  return report as ProcessReport; // from child.ts of this same build
}

function onThisMachine(outcome: TrialOutcome<ProcessReport>): ProcessOutcome {
  return { ...outcome, machine: 0 };
}

/** Folder of the code that measured processes run. */
export function codeFolder({ childEntry }: Pick<BenchSetting, "childEntry">): string {
  return dirname(childEntry);
}
