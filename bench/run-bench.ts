/** One run of the benchmarks, from the proof that both forms do the same work to the verdicts. */
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { ARMS, type Arm, type Form, type Run, type RunOptions, type Suite } from "#results";
import { workload } from "#workloads";
import { assembleRun, proveEquivalence, type SuiteOutcome } from "./assemble.ts";
import { measureCodeSize } from "./code-size.ts";
import { captureEnvironment, completeEnvironment } from "./environment.ts";
import { runChild } from "./runner/child-process.ts";
import { Progress, type ProgressStream } from "./runner/progress.ts";
import { describeTrial, runAbreast, runSchedule } from "./runner/run-schedule.ts";
import { type PlannedTask, planSchedule, type Trial } from "./runner/schedule.ts";
import { BARE_MACHINE, HEAP_GROWTH, RELEASES } from "./suites/limits.ts";
import type { SuiteReport, SuiteRequest } from "./suites/measurement.ts";

export interface BenchPlan {
  readonly suites: readonly Suite[];
  readonly quick: boolean;
  readonly forms: { readonly A: Form; readonly B: Form };
  readonly workloads: readonly string[];
  /** Processes per task and arm; at most this many where {@link seconds} limits them. */
  readonly repeats: number;
  /** Time for everything; null: as long as it takes. */
  readonly seconds: number | null;
  readonly seed: number;
  readonly command: string;
}

export interface BenchSetting {
  /** JavaScript file that measured processes run. */
  readonly childEntry: string;
  /** Folder of regionlab's package.json, with the sources of the device trees. */
  readonly packageRoot: string;
  readonly progress: ProgressStream;
}

/** Forced collection, so that no case pays for the garbage of the one before. */
const GC = "--expose-gc";
/**
 * Options of the runtime by task. Boots run as a user's do. Short loops are compiled on the spot instead of on another
 * thread: what V8 inlines then depends on the calls made, not on when that thread got a processor, and fresh processes
 * agree. Heaps are followed without optimising compilers, whose code counts as heap in use and would hide a small leak.
 */
const RUNTIME_OPTIONS = {
  boot: [GC],
  dispatch: [GC, "--no-concurrent-recompilation"],
  releases: [GC, "--no-concurrent-recompilation"],
  heap: [GC, "--no-opt", "--no-sparkplug"],
} as const;
/** A process that takes longer hangs. */
const CHILD_TIMEOUT_MILLISECONDS = 30 * 60 * 1000;
/** Fewer than four processes per arm cannot show anything at the level of the verdicts. */
const FEWEST_BLOCKS = 2;

/** Heaps of two processes differ by a few bytes in ten thousand, so the time is better spent elsewhere. */
const HEAP_REPEATS = { quick: 2, full: 6 } as const;

/** A boot of a distribution takes half a minute; this many bound a full run and are enough for a median's interval. */
const DISTRIBUTION_REPEATS = 6;

const RELEASE_TASK = `retention/${RELEASES}`;
const HEAP_TASK = `retention/${HEAP_GROWTH}`;

const QUESTION =
  "Does it matter, in time or memory, whether a device embeds its memory regions or lets QOM own them?";

/** @throws CommandError when a measured process fails */
export async function runBench(plan: BenchPlan, setting: BenchSetting): Promise<Run> {
  const environment = captureEnvironment(setting.packageRoot, describeRuntimeOptions());
  const started = performance.now();
  const seconds = () => (performance.now() - started) / 1000;
  const proofs = await prove(plan, setting);
  const equivalent = proveEquivalence(proofs, []).every(({ equal }) => equal);
  const outcomes = equivalent ? await measureAll(plan, setting, seconds) : [];
  const repeats = 1 + Math.max(-1, ...outcomes.map(({ trial }) => trial.repeat));
  const { suites, quick, forms, workloads, seed, command } = plan;
  const options: RunOptions = { suites, quick, forms, workloads, repeats, seed, command };
  return assembleRun({
    question: QUESTION,
    options,
    environment: completeEnvironment(environment, seconds()),
    proofs,
    outcomes,
    codeSize: measureCodeSize(join(setting.packageRoot, "emulator", "hw")),
  });
}

/** Proofs at once, at most: one of a distribution takes more than a gigabyte. */
const MOST_PROOFS_ABREAST = 4;

/**
 * Records or counts, untimed, what repeats exactly: what every guest does in each form, and what every scenario leaves.
 * These processes also bring the program's files into the system's cache.
 */
async function prove(plan: BenchPlan, setting: BenchSetting): Promise<SuiteOutcome[]> {
  const guests: Trial[] = plan.workloads.flatMap((name) => [
    { task: `boot/${name}`, arm: "A", repeat: 0 },
    { task: `boot/${name}`, arm: "B", repeat: 0 },
  ]);
  const lives: Trial[] = plan.suites.includes("retention")
    ? ARMS.map((arm) => ({ task: HEAP_TASK, arm, repeat: 0 }))
    : [];
  const trials = [...guests, ...lives];
  const progress = new Progress(setting.progress, trials.length);
  const outcomes = await runAbreast(trials, Math.min(availableParallelism(), MOST_PROOFS_ABREAST), {
    measure: (trial) => runTrial(trial, plan, setting, true),
    onProgress: (done, trial) => progress.update(done, `proof of ${trial.task}, arm ${trial.arm}`),
  });
  progress.end();
  return outcomes;
}

async function measureAll(
  plan: BenchPlan,
  setting: BenchSetting,
  seconds: () => number,
): Promise<SuiteOutcome[]> {
  const blocks = planSchedule(
    plan.suites.flatMap((suite) => tasksOf(suite, plan)),
    plan.repeats,
    plan.seed,
  );
  const progress = new Progress(setting.progress, blocks.flat().length);
  let blockStart = seconds();
  const outcomes = await runSchedule(blocks, {
    measure: (trial) => runTrial(trial, plan, setting, false),
    onProgress: (done, trial) => progress.update(done, describeTrial(trial)),
    proceed: (finished) => {
      const now = seconds();
      const lastBlock = now - blockStart;
      blockStart = now;
      return plan.seconds === null || finished < FEWEST_BLOCKS || now + lastBlock <= plan.seconds;
    },
  });
  progress.end();
  return outcomes;
}

/** The processes that a suite needs, each named `suite/subject`. */
function tasksOf(suite: Suite, { workloads, quick }: BenchPlan): PlannedTask[] {
  switch (suite) {
    case "boot":
      return [
        { name: `boot/${BARE_MACHINE}` },
        ...workloads.map((subject) => ({
          name: `boot/${subject}`,
          ...(workload(subject).kind === "distribution" ? { mostRepeats: DISTRIBUTION_REPEATS } : {}),
        })),
      ];
    case "dispatch":
      return [{ name: "dispatch/accesses" }];
    case "retention":
      return [
        { name: RELEASE_TASK },
        { name: HEAP_TASK, mostRepeats: quick ? HEAP_REPEATS.quick : HEAP_REPEATS.full },
      ];
  }
}

async function runTrial(
  trial: Trial,
  { forms, quick }: BenchPlan,
  { childEntry }: BenchSetting,
  prove: boolean,
): Promise<SuiteReport> {
  const [suite, subject] = trial.task.split("/", 2);
  const request: SuiteRequest = {
    suite: suite as Suite, // tasks are named by tasksOf and prove
    subject: subject ?? "",
    form: formOf(trial.arm, forms),
    quick,
    prove,
  };
  const report = await runChild(request, describeTrial(trial), {
    entry: childEntry,
    execArgv: prove ? [GC] : runtimeOptions(trial.task),
    timeout: CHILD_TIMEOUT_MILLISECONDS,
  });
  return report as SuiteReport; // from child.ts of this same build
}

function runtimeOptions(task: string): readonly string[] {
  if (task === HEAP_TASK) return RUNTIME_OPTIONS.heap;
  if (task === RELEASE_TASK) return RUNTIME_OPTIONS.releases;
  return task.startsWith("dispatch/") ? RUNTIME_OPTIONS.dispatch : RUNTIME_OPTIONS.boot;
}

/** As stored with the results: one text per kind of task. */
function describeRuntimeOptions(): string[] {
  return Object.entries(RUNTIME_OPTIONS).map(([kind, options]) => `${kind}: ${options.join(" ")}`);
}

function formOf(arm: Arm, forms: BenchPlan["forms"]): Form {
  return arm === "B" ? forms.B : forms.A;
}
