/** A run of the common schema whose figures are QEMU's. */
import { CommandError } from "#host";
import {
  ARMS,
  type Arm,
  type Distribution,
  type Environment,
  HEAP_GROWTH,
  judgeRun,
  LEAST_PROCESSES,
  type MetricDefinition,
  type Omission,
  type PerArm,
  type ProcessEntry,
  QUANTITY_NAMES,
  QUESTION,
  type Quantity,
  questionTitle,
  type Run,
  SCHEMA_NAME,
  SCHEMA_VERSION,
  SUITES,
  termsOf,
  type Unjudged,
} from "#results";
import { Random, sequentialRule } from "#results/statistics";
import type { Valgrind } from "../counts/callgrind.ts";
import { fromSlices, perArm } from "../suites/measurement.ts";
import type { AllocationCounter, Allocations } from "./allocations.ts";
import { COUNT_ESTIMATOR, countOf } from "./counting.ts";
import { allocationsPerRound, MEMORY_ESTIMATOR } from "./memory.ts";
import { timesOf } from "./timing.ts";
import type { Work } from "./works.ts";

/** How a time becomes a figure; not the words of the emulator's own slices, whose rules of stopping do not apply. */
const TIME_ESTIMATOR = "median over turns of the quotient of two rounds, in processes side by side";

export interface QemuPlan {
  readonly builds: PerArm<string>;
  readonly works: readonly Work[];
  readonly quantities: readonly Quantity[];
  /** Processes of each arm, or trios of them: at least two. */
  readonly repeats: number;
  readonly seed: number;
  readonly command: string;
}

export interface QemuSetting {
  /** Null: nothing is counted. */
  readonly valgrind: Valgrind | null;
  readonly counter: AllocationCounter;
  /** Told before each process, in words. */
  readonly onProgress: (what: string) => void;
  /** Given what has been measured when a repeat of all works is complete. */
  readonly onRepeat: (measured: Measured) => Promise<void> | void;
}

/** Allocations per round, which the common schema has no place for but the bytes that are left. */
export interface AllocationRow {
  readonly work: Work;
  readonly arms: PerArm<Allocations>;
}

export interface Measured {
  readonly figures: readonly Unjudged[];
  readonly processes: readonly ProcessEntry[];
  readonly allocations: readonly AllocationRow[];
}

/** Measures all works. A repeat of all ends before the next begins. */
export async function measure(plan: QemuPlan, setting: QemuSetting): Promise<Measured> {
  const { works, quantities, repeats, seed } = plan;
  const processes: ProcessEntry[] = [];
  const drafts = new Map<string, Draft>();
  const allocations = new Map<Work, AllocationRow>();
  const soFar = (): Measured => ({
    figures: [...drafts.values()],
    processes,
    allocations: [...allocations.values()],
  });
  for (let repeat = 0; repeat < repeats; repeat++) {
    for (const work of works) {
      for (const quantity of work.quantities.filter((each) => quantities.includes(each))) {
        const definition = definitionOf(work, quantity);
        const task = taskOf(definition);
        const draft = drafts.get(task) ?? draftOf(definition);
        drafts.set(task, draft);
        setting.onProgress(`${repeat + 1}/${repeats} ${task}`);
        const began = performance.now();
        let lost: string | null = null;
        try {
          const random = Random.seeded(seed, `${task}/${repeat}`);
          const sample = await sampleOf(plan, setting, work, quantity, random);
          draft.processes.push(processes.length);
          for (const arm of ARMS) {
            draft.samples[arm].push(sample.estimates[arm]);
            const distribution = sample.distributions?.[arm];
            if (distribution !== undefined) draft.distributions[arm].push(distribution);
          }
          if (sample.allocations !== null) allocations.set(work, { work, arms: sample.allocations });
        } catch (error) {
          if (!(error instanceof CommandError)) throw error;
          lost = error.message.replace(/\s+/g, " ").slice(0, 300);
          setting.onProgress(`lost: ${lost}`);
        }
        processes.push({
          ...{ task, repeat, machine: 0, slots: quantity === "time" ? ARMS : null, lost },
          milliseconds: Math.round(performance.now() - began),
        });
      }
    }
    await setting.onRepeat(soFar());
  }
  return soFar();
}

/** What processes that measure a figure are called. */
function taskOf({ quantity, ...question }: Pick<MetricDefinition, "workload" | "name" | "quantity">): string {
  return `${questionTitle(question)}, ${QUANTITY_NAMES[quantity]}`;
}

/** One figure of each arm. */
interface Sample {
  readonly estimates: PerArm<number>;
  readonly distributions: PerArm<Distribution> | null;
  readonly allocations: PerArm<Allocations> | null;
}

async function sampleOf(
  { builds }: QemuPlan,
  { valgrind, counter }: QemuSetting,
  work: Work,
  quantity: Quantity,
  random: Random,
): Promise<Sample> {
  if (quantity === "time") {
    const definition = definitionOf(work, quantity);
    const times = await timesOf(builds, work, definition.unit === "ns" ? "ns" : "ms", random);
    return { ...fromSlices(definition, times), allocations: null };
  }
  const order = random.shuffled(ARMS);
  if (quantity === "memory") {
    const found = await inOrder(order, (arm) => allocationsPerRound(counter, builds[arm], work));
    return { estimates: perArm((arm) => found[arm].live), distributions: null, allocations: found };
  }
  if (valgrind === null) throw new RangeError("counting needs valgrind");
  const estimates = await inOrder(order, (arm) => countOf(builds[arm], work, valgrind));
  return { estimates, distributions: null, allocations: null };
}

/** One value for each arm, made one after the other. */
async function inOrder<T>(order: readonly Arm[], make: (arm: Arm) => Promise<T>): Promise<PerArm<T>> {
  const made = new Map<Arm, T>();
  for (const arm of order) made.set(arm, await make(arm));
  return perArm((arm) => made.get(arm) as T); // the order has every arm
}

/** A figure while its samples arrive. */
interface Draft extends Unjudged {
  readonly samples: PerArm<number[]>;
  readonly processes: number[];
  readonly distributions: PerArm<Unjudged["distributions"]["A"][number][]>;
}

function draftOf(definition: MetricDefinition): Draft {
  return {
    definition,
    samples: perArm(() => []),
    processes: [],
    distributions: perArm(() => []),
  };
}

export function definitionOf(work: Work, quantity: Quantity): MetricDefinition {
  const { suite, workload, role, description } = work;
  const name = quantity === "memory" ? HEAP_GROWTH : work.name;
  const { units, scale, margin } = termsOf({ suite, workload, quantity });
  const [first = "", last = first] = units;
  return {
    ...{ suite, workload, name, quantity, source: "qemu", role, description, scale, margin },
    unit: quantity === "time" && suite === "boot" ? last : first,
    estimator: estimatorOf(work, quantity),
    decides: true,
    byConstruction: null,
  };
}

function estimatorOf({ player, isFresh }: Work, quantity: Quantity): string {
  if (quantity === "count") return COUNT_ESTIMATOR[player === null || isFresh ? "process" : "rounds"];
  return quantity === "memory" ? MEMORY_ESTIMATOR : TIME_ESTIMATOR;
}

/** The run as it is stored. @param environment when all was measured */
export function runOf(plan: QemuPlan, { figures, processes }: Measured, environment: Environment): Run {
  const { repeats, seed, command } = plan;
  const sequential = sequentialRule([repeats]);
  const isEnough = ({ samples }: Unjudged) => samples.A.length >= LEAST_PROCESSES;
  const metrics = judgeRun(figures.filter(isEnough), processes, { sequential, selfTest: null });
  const omissions = figures
    .filter((each) => !isEnough(each))
    .map(({ definition: { suite, workload, name, quantity, source, role, decides } }): Omission => {
      const task = taskOf({ workload, name, quantity });
      const why = processes.find((entry) => entry.task === task && entry.lost !== null)?.lost;
      const reason = `Not measured: ${why ?? "the run was interrupted"}`;
      return { suite, workload, name, quantity, source, role, decides, reason };
    });
  return {
    schema: SCHEMA_NAME,
    version: SCHEMA_VERSION,
    synthetic: false,
    question: QUESTION,
    options: {
      suites: SUITES.filter((suite) => metrics.some((metric) => metric.suite === suite)),
      quick: false,
      forms: { A: "embedded", B: "owned" },
      workloads: [],
      repeats,
      seed,
      command,
      shard: null,
      sequential,
    },
    machines: [environment],
    schedule: { seed, processes },
    ...{ equivalence: [], fieldReads: [], metrics, omissions, lifetimes: [], claims: [], retention: [] },
    ...{ codeSize: [], requirements: [], selfTest: null },
  };
}
