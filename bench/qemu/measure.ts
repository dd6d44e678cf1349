/** A run of the common schema whose figures are QEMU's. */
import {
  ARMS,
  type Arm,
  type Environment,
  HEAP_GROWTH,
  judgeRun,
  type MetricDefinition,
  type PerArm,
  type ProcessEntry,
  QUESTION,
  type Quantity,
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
  const { builds, works, quantities, repeats, seed } = plan;
  const processes: ProcessEntry[] = [];
  const samples = new Map<string, Draft>();
  const allocations = new Map<Work, AllocationRow>();
  for (let repeat = 0; repeat < repeats; repeat++) {
    for (const work of works) {
      for (const quantity of work.quantities.filter((each) => quantities.includes(each))) {
        if (quantity === "count" && setting.valgrind === null) continue;
        const task = `${work.workload}: ${work.name}, ${quantity}`;
        setting.onProgress(`${repeat + 1}/${repeats} ${task}`);
        const random = Random.seeded(seed, `${task}/${repeat}`);
        const place = processes.length;
        const began = performance.now();
        const entry = (slots: readonly Arm[] | null): ProcessEntry => ({
          ...{ task, repeat, machine: 0, slots, lost: null },
          milliseconds: Math.round(performance.now() - began),
        });
        const definition = definitionOf(work, quantity);
        const draft = samples.get(task) ?? draftOf(definition);
        samples.set(task, draft);
        draft.processes.push(place);
        switch (quantity) {
          case "count":
          case "memory":
            for (const arm of random.shuffled(ARMS)) {
              if (quantity === "memory") {
                const found = await allocationsPerRound(setting.counter, builds[arm], work);
                draft.samples[arm].push(found.live);
                const known = allocations.get(work)?.arms ?? { A: found, B: found, A2: found };
                allocations.set(work, { work, arms: { ...known, [arm]: found } });
              } else if (setting.valgrind !== null) {
                draft.samples[arm].push(await countOf(builds[arm], work, setting.valgrind));
              }
            }
            processes.push(entry(null));
            break;
          default: {
            const unit = definition.unit === "ns" ? "ns" : "ms";
            const { estimates, distributions } = fromSlices(
              definition,
              await timesOf(builds, work, unit, random),
            );
            for (const arm of ARMS) {
              draft.samples[arm].push(estimates[arm]);
              draft.distributions[arm].push(distributions[arm]);
            }
            processes.push(entry(ARMS));
          }
        }
      }
    }
  }
  return { figures: [...samples.values()], processes, allocations: [...allocations.values()] };
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

function estimatorOf({ player }: Work, quantity: Quantity): string {
  if (quantity === "count") return COUNT_ESTIMATOR[player === null ? "process" : "rounds"];
  return quantity === "memory" ? MEMORY_ESTIMATOR : TIME_ESTIMATOR;
}

/** The run as it is stored. @param environment when all was measured */
export function runOf(plan: QemuPlan, { figures, processes }: Measured, environment: Environment): Run {
  const { repeats, seed, command } = plan;
  const sequential = sequentialRule([repeats]);
  const metrics = judgeRun(figures, processes, { sequential, selfTest: null });
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
    ...{ equivalence: [], fieldReads: [], metrics, omissions: [], lifetimes: [], retention: [] },
    ...{ codeSize: [], requirements: [], selfTest: null },
  };
}
