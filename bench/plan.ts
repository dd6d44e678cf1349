/** What a run measures, and with how much effort. */
import {
  BOARD_CREATION,
  BOOT,
  type Form,
  MACHINE_CREATION,
  MACHINE_SUBJECT,
  PLUG_AND_UNPLUG,
  type Suite,
  TEAR_DOWN,
} from "#results";
import { workload } from "#workloads";
import { scenarios } from "#workloads/lifecycle";
import { describePlacement } from "./runner/processors.ts";
import type { PlannedTask } from "./runner/schedule.ts";
import { dispatchGroups } from "./suites/dispatch-names.ts";

export interface BenchPlan {
  /** Suites to be timed; empty if only instructions are counted. */
  readonly suites: readonly Suite[];
  readonly quick: boolean;
  readonly forms: { readonly A: Form; readonly B: Form };
  /** Arm B has the embedded devices with the files that match this pattern converted; null for all of them. */
  readonly convert: string | null;
  readonly workloads: readonly string[];
  /** Largest number of processes per task. */
  readonly repeats: number;
  /** Whether that number was asked for: tasks that would do with fewer take as many, unless they boot guests. */
  readonly exactRepeats: boolean;
  /** Numbers of processes after which the data are looked at. */
  readonly looks: readonly number[];
  /** Time for the whole run in seconds; null for no limit. */
  readonly seconds: number | null;
  readonly seed: number;
  /** Whether to count instructions, if valgrind is available. */
  readonly count: boolean;
  readonly shard: Shard | null;
  readonly command: string;
}

/** One part of a run that is divided among machines. */
export interface Shard {
  /** From 1. */
  readonly index: number;
  readonly count: number;
  /** Whether shards divide the processes of each metric, or the metrics. */
  readonly by: "processes" | "metrics";
}

/** Allows forced collections, so that no case pays for the garbage of the previous one. */
const GC = "--expose-gc";
const ON_ONE_THREAD = ["--no-concurrent-recompilation", "--single-threaded-gc"];
/** In MiB: large enough that collections rarely move objects between slices. */
const ROOMY_NEW_SPACE = ["--min-semi-space-size=64", "--max-semi-space-size=64"];
/**
 * Node options by kind of task. Short loops are compiled synchronously, so that what V8 inlines depends on the calls
 * made and not on when a compiler thread got to run. They do not share collector threads either, and where accesses
 * allocate nothing, a large new space keeps objects in place. With this, fresh isolates agree several times as closely.
 * Heaps are followed without optimising compilers, whose code counts as heap in use and would hide a small leak. Boots
 * run with V8 as users run it.
 */
export const RUNTIME_OPTIONS = {
  accesses: [GC, ...ON_ONE_THREAD, ...ROOMY_NEW_SPACE],
  rounds: [GC, ...ON_ONE_THREAD],
  lockstep: [GC],
  heap: [GC, "--no-opt", "--no-maglev", "--no-sparkplug"],
  untimed: [GC],
} as const;

/**
 * Heap slopes of two processes differ by about a byte per round, so time is better spent elsewhere.
 */
const HEAP_REPEATS = 3;
/**
 * Reads of region fields decide the headlines of dispatch; the other cases are details, for which a few processes
 * suffice.
 */
const DISPATCH_REPEATS = { quick: 3, full: 6 } as const;
/**
 * The time of a boot in lockstep is not judged, as a count decides: a few processes suffice. U-Boot's takes minutes.
 */
const LOCKSTEP_REPEATS = { quick: 2, full: 4, firmware: 2 } as const;
/**
 * Booting a distribution in three arms takes most of a minute; six processes give its difference to within two percent.
 */
const DISTRIBUTION_REPEATS = 6;

/** The tasks of a run. */
export function tasksOf(plan: BenchPlan): PlannedTask[] {
  const tasks = plan.suites.flatMap((suite) => suiteTasks(suite, plan));
  const { shard } = plan;
  if (shard === null || shard.by === "processes") return tasks;
  return tasks.filter((_, i) => i % shard.count === shard.index - 1);
}

function suiteTasks(suite: Suite, { workloads, quick }: BenchPlan): PlannedTask[] {
  const extent = quick ? "quick" : "full";
  const slices = (name: string, works: readonly string[]): PlannedTask => ({
    name: `${suite}/${name}`,
    task: { kind: "slices", works },
    execArgv: suite === "dispatch" ? RUNTIME_OPTIONS.accesses : RUNTIME_OPTIONS.rounds,
  });
  switch (suite) {
    case "boot":
      return [
        {
          ...slices("board", ["board"]),
          times: [BOARD_CREATION, TEAR_DOWN].map((name) => ({ workload: MACHINE_SUBJECT, name })),
        },
        {
          ...slices("machine", ["machine"]),
          times: [{ workload: MACHINE_SUBJECT, name: MACHINE_CREATION }],
          mostRepeats: LOCKSTEP_REPEATS[extent],
          isDetail: true,
        },
        ...workloads.map((guest): PlannedTask => {
          const { kind } = workload(guest);
          const besideCount = LOCKSTEP_REPEATS[kind === "firmware" ? kind : extent];
          return {
            name: `boot/${guest}`,
            task: { kind: "lockstep", guest },
            times: [{ workload: guest, name: BOOT }],
            execArgv: RUNTIME_OPTIONS.lockstep,
            mostRepeats: kind === "distribution" ? DISTRIBUTION_REPEATS : besideCount,
            isDetail: quick,
          };
        }),
      ];
    case "dispatch":
      return dispatchGroups(quick).map(([name, works]) => ({
        ...slices(name, works),
        mostRepeats: DISPATCH_REPEATS[extent],
      }));
    case "retention":
      return [
        {
          ...slices(
            "releases",
            scenarios()
              .filter(({ name }) => (quick ? name === PLUGGING : RELEASING.includes(name)))
              .map(({ name }) => `releases/${name}`),
          ),
          times: [{ workload: PLUGGING, name: PLUG_AND_UNPLUG }],
        },
        {
          name: "retention/heap",
          task: { kind: "heap" },
          execArgv: RUNTIME_OPTIONS.heap,
          mostRepeats: HEAP_REPEATS,
        },
      ];
  }
}

const PLUGGING = "plug-unplug";
/** Scenarios that unplug devices. */
const RELEASING: readonly string[] = [PLUGGING, "unplug-mapped", "unplug-held"];

/** The runtime options as stored with the results: one text per kind of process. */
export function describeRuntimeOptions(): string[] {
  const options = Object.entries(RUNTIME_OPTIONS).map(([kind, each]) => `${kind}: ${each.join(" ")}`);
  return [...options, describePlacement()];
}
