/** What a run is to measure, and with how much effort. */
import type { Form, Suite } from "#results";
import { workload } from "#workloads";
import { scenarios } from "#workloads/lifecycle";
import { describePlacement } from "./runner/processors.ts";
import type { PlannedTask } from "./runner/schedule.ts";
import { dispatchGroups } from "./suites/dispatch-names.ts";

export interface BenchPlan {
  /** Suites to be timed; empty where only instructions are counted. */
  readonly suites: readonly Suite[];
  readonly quick: boolean;
  readonly forms: { readonly A: Form; readonly B: Form };
  readonly workloads: readonly string[];
  /** Processes per task at most. */
  readonly repeats: number;
  /** Numbers of processes after which the data are looked at. */
  readonly looks: readonly number[];
  /** Time for everything; null: as long as it takes. */
  readonly seconds: number | null;
  readonly seed: number;
  /** Whether to count instructions, where valgrind is. */
  readonly count: boolean;
  readonly shard: Shard | null;
  readonly command: string;
}

/** A part of a run that is divided over machines. */
export interface Shard {
  /** From 1. */
  readonly index: number;
  readonly count: number;
  /** Whether shards divide the processes of each metric, or the metrics. */
  readonly by: "processes" | "metrics";
}

/** Forced collection, so that no case pays for the garbage of the one before. */
const GC = "--expose-gc";
const ON_ONE_THREAD = ["--no-concurrent-recompilation", "--single-threaded-gc"];
/** Megabytes: so large that few collections move objects about between slices. */
const ROOMY_NEW_SPACE = ["--min-semi-space-size=64", "--max-semi-space-size=64"];
/**
 * Options of the runtime by task. Short loops are compiled on the spot instead of on another thread: what V8 inlines then
 * depends on the calls made, not on when that thread got a processor. Nor do they share collector threads; and where accesses
 * allocate nothing, few collections move things about. Fresh isolates then agree several times as well. Heaps are followed without
 * optimising compilers, whose code counts as heap in use and would hide a small leak. Boots run with V8 as users run it.
 */
export const RUNTIME_OPTIONS = {
  accesses: [GC, ...ON_ONE_THREAD, ...ROOMY_NEW_SPACE],
  rounds: [GC, ...ON_ONE_THREAD],
  lockstep: [GC],
  heap: [GC, "--no-opt", "--no-maglev", "--no-sparkplug"],
  untimed: [GC],
} as const;

/**
 * Heaps of two processes differ by a byte a round, so the time is better spent elsewhere. From six on the chance of a
 * difference is that of the sign test, which with fewer than a dozen never gets small enough for one metric among many.
 */
const HEAP_REPEATS = 3;
/** Reads of region fields decide the headlines of dispatch; all other cases are details, of which a few processes show enough. */
const DISPATCH_REPEATS = { quick: 3, full: 6 } as const;
/** A boot in lockstep stands beside a count and is not judged: what its time shows, a few processes show. U-Boot's takes minutes. */
const LOCKSTEP_REPEATS = { quick: 2, full: 4, firmware: 2 } as const;
/** Three boots of a distribution at once take most of a minute; six give its difference to within two percent. */
const DISTRIBUTION_REPEATS = 6;

/** All processes of a run, as tasks. */
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
        slices("board", ["board"]),
        { ...slices("machine", ["machine"]), mostRepeats: LOCKSTEP_REPEATS[extent] },
        ...workloads.map((guest): PlannedTask => {
          const { kind } = workload(guest);
          const besideCount = LOCKSTEP_REPEATS[kind === "firmware" ? kind : extent];
          return {
            name: `boot/${guest}`,
            task: { kind: "lockstep", guest },
            execArgv: RUNTIME_OPTIONS.lockstep,
            mostRepeats: kind === "distribution" ? DISTRIBUTION_REPEATS : besideCount,
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
        slices(
          "releases",
          scenarios()
            .filter(({ name }) => (quick ? name === "plug-unplug" : RELEASING.includes(name)))
            .map(({ name }) => `releases/${name}`),
        ),
        {
          name: "retention/heap",
          task: { kind: "heap" },
          execArgv: RUNTIME_OPTIONS.heap,
          mostRepeats: HEAP_REPEATS,
        },
      ];
  }
}

/** Scenarios that unplug devices. */
const RELEASING: readonly string[] = ["plug-unplug", "unplug-mapped", "unplug-held"];

/** As stored with the results: one text per kind of process. */
export function describeRuntimeOptions(): string[] {
  const options = Object.entries(RUNTIME_OPTIONS).map(([kind, each]) => `${kind}: ${each.join(" ")}`);
  return [...options, describePlacement()];
}
