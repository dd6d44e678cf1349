/** A run generated from a seed, for tests of code that reads runs. Nothing in it was measured, and it says so. */

import { judgeRun, type Unjudged } from "../rules/judge.ts";
import { QUESTION } from "../rules/questions.ts";
import { checkRequirements } from "../rules/requirements.ts";
import {
  type AlikeMetric,
  type Arm,
  type Environment,
  type MetricDefinition,
  type Omission,
  type ProcessEntry,
  type RetentionScenario,
  type Run,
  SCHEMA_NAME,
  SCHEMA_VERSION,
  type SelfTest,
  SUITES,
  type Suite,
} from "../schema.ts";
import { sequentialRule } from "../statistics/index.ts";
import { lifetimes, scenario, sourceSizes } from "./scenarios.ts";
import { type Shape, shapesOf, synthesize } from "./shapes.ts";
import { syntheticClaims } from "./synthetic-claims.ts";
import { uniform } from "./uniform.ts";

export interface SyntheticOptions {
  readonly seed?: number;
  /** Processes per metric that gave a sample; one further process of the first task is lost. */
  readonly repeats?: number;
  /** Makes the first equivalence proof fail, as a run of two different guests would. */
  readonly notEquivalent?: boolean;
  /** As many questions and processes as a full run. */
  readonly large?: boolean;
  /** Merged results of two machines. */
  readonly merged?: boolean;
  /** Adds figures of QEMU itself to some questions. */
  readonly qemu?: boolean;
  /** The suites that were measured; default: all. */
  readonly suites?: readonly Suite[];
}

/** @returns a run that every renderer must label as synthetic, and that `parseRun` accepts */
export function syntheticRun(options: SyntheticOptions = {}): Run {
  const { seed = 1, notEquivalent = false, large = false, merged = false, qemu = false } = options;
  const { suites = SUITES } = options;
  const repeats = options.repeats ?? (large ? 40 : 10);
  const random = uniform(seed);
  const shapes = shapesOf({ large, qemu }).filter(({ definition }) => suites.includes(definition.suite));
  const machines = merged
    ? [environment("one"), { ...environment("two"), cpuModel: "Synthetic Processor II", node: "22.1.0" }]
    : [environment("one")];
  const processes = schedule(shapes, repeats, machines.length, random);
  const sequential = sequentialRule(repeats > 3 ? [repeats >> 1, repeats] : [repeats]);
  const names = large
    ? ["plug and unplug", "create and destroy", "same owner", "held child", "remap", "control: leaks one"]
    : ["plug and unplug"];
  const retention = names.map((name) => scenario(name, repeats, random));
  const drawn = shapes.map((shape) => drawnOf(shape, processes, retention, random));
  const metrics = judgeRun(drawn, processes, { sequential, selfTest: selfTest() });
  return {
    schema: SCHEMA_NAME,
    version: SCHEMA_VERSION,
    synthetic: true,
    question: QUESTION,
    options: {
      suites,
      quick: false,
      forms: { A: "embedded", B: "owned" },
      workloads: ["hello", "firmware"],
      repeats,
      seed,
      command: `npx regionlab bench ${suites.join(" ")} --repeats ${repeats} --seed ${seed}`,
      shard: null,
      sequential,
    },
    machines,
    schedule: { seed, processes },
    equivalence: equivalence(repeats, notEquivalent),
    fieldReads: [
      { access: "read, section hit", reads: { A: 0, B: 0 }, fields: [] },
      {
        access: "read, section miss",
        reads: { A: 5, B: 5 },
        fields: ["enabled", "size", "ops", "opaque", "alias"],
      },
    ],
    metrics: notEquivalent ? [] : metrics,
    omissions: notEquivalent ? [] : OMISSIONS.filter(({ suite }) => suites.includes(suite)),
    claims: notEquivalent ? [] : syntheticClaims(),
    lifetimes: notEquivalent ? [] : lifetimes(),
    retention: notEquivalent ? [] : retention,
    codeSize: sourceSizes(large),
    requirements: notEquivalent ? [] : checkRequirements(metrics),
    selfTest: selfTest(),
  };
}

/** Figures of QEMU alone, as `bench qemu` stores them. */
export function syntheticQemuRun(options: Omit<SyntheticOptions, "qemu"> = {}): Run {
  const run = syntheticRun({ ...options, qemu: true });
  const { seed, repeats } = run.options;
  return {
    ...run,
    options: {
      ...run.options,
      workloads: [],
      command: `npx regionlab bench qemu --a a/build --b b/build --repeats ${repeats} --seed ${seed}`,
    },
    metrics: run.metrics.filter(({ source }) => source === "qemu"),
    ...{ equivalence: [], fieldReads: [], omissions: [], lifetimes: [], retention: [], codeSize: [] },
    ...{ requirements: [], selfTest: null },
    schedule: {
      ...run.schedule,
      processes: run.schedule.processes.map((entry) =>
        entry.task.startsWith("proof/") ? { ...entry, task: "start" } : entry,
      ),
    },
  };
}

const OMISSIONS: readonly Omission[] = [
  {
    suite: "dispatch",
    workload: "synthetic map",
    name: "10 000 regions, random",
    quantity: "count",
    source: "regionlab",
    role: "headline",
    decides: false,
    reason: "Not counted: valgrind is not installed; apt-get install valgrind.",
  },
  {
    suite: "boot",
    workload: "u-boot",
    name: "reset to countdown",
    quantity: "count",
    source: "regionlab",
    role: "headline",
    decides: true,
    reason: "Not counted: U-Boot is not here; apt-get install u-boot-qemu.",
  },
];

function drawnOf(
  shape: Shape,
  processes: readonly ProcessEntry[],
  retention: readonly RetentionScenario[],
  random: () => number,
): Unjudged {
  const places = processes.flatMap(({ task, lost }, i) =>
    task === taskOf(shape.definition) && lost === null ? [i] : [],
  );
  return synthesize(shape, places, retention, random);
}

/** The time and the count of a question come from different processes. */
function taskOf({ suite, workload, quantity }: MetricDefinition): string {
  return `${suite} ${workload}${quantity === "count" ? ", counted" : ""}`;
}

const ORDERS: readonly (readonly Arm[])[] = [
  ["A", "B", "A2"],
  ["B", "A2", "A"],
  ["A2", "A", "B"],
];

function schedule(
  shapes: readonly Shape[],
  repeats: number,
  machines: number,
  random: () => number,
): ProcessEntry[] {
  const tasks = [...new Set(shapes.map(({ definition }) => taskOf(definition)))];
  const entry = (task: string, repeat: number, lost: string | null): ProcessEntry => ({
    task,
    repeat,
    machine: repeat % machines,
    slots: task.endsWith("counted") ? null : (ORDERS[repeat % ORDERS.length] ?? null),
    milliseconds: 900 + Math.round(20 * random()),
    lost,
  });
  const whole = Array.from({ length: repeats }, (_, repeat) =>
    tasks.map((task) => entry(task, repeat, null)),
  );
  const proofs = ["proof/hello", "proof/firmware"].map((task) => ({ ...entry(task, 0, null), slots: null }));
  return [
    ...proofs,
    ...whole.flat(),
    entry(tasks[0] ?? "", repeats, "the process took longer than 60 s and was ended"),
  ];
}

function environment(id: string): Environment {
  return {
    id,
    date: "2026-01-02T03:04:05.000Z",
    seconds: 312,
    regionlab: "0.1.0",
    node: "20.20.0",
    v8: "11.3.244.8",
    platform: "linux",
    arch: "x64",
    kernel: "6.1.0",
    cpuModel: "Synthetic Processor",
    cpuCount: 2,
    memoryBytes: 8 * 2 ** 30,
    loadBefore: [0.12, 0.2, 0.3],
    loadAfter: [0.98, 0.7, 0.4],
    governor: null,
    virtualised: true,
    commit: "0123456789abcdef0123456789abcdef01234567",
    dirty: false,
    execArgv: ["--expose-gc"],
    valgrind: "3.19.0",
  };
}

function equivalence(repeats: number, notEquivalent: boolean): Run["equivalence"] {
  const hash = (letter: string) => letter.repeat(64);
  const record = {
    instructions: 1_204_331,
    mmioAccesses: 8_812,
    mmioTraceSha256: hash("a"),
    consoleSha256: hash("b"),
    phases: [],
  };
  const phased = {
    ...record,
    phases: [
      { name: "OpenSBI", instructions: 804_331 },
      { name: "U-Boot", instructions: 400_000 },
    ],
  };
  return [
    {
      workload: "hello",
      records: { A: record, B: notEquivalent ? { ...record, mmioTraceSha256: hash("c") } : record },
      boots: 3 * repeats,
      equal: !notEquivalent,
    },
    { workload: "firmware", records: { A: phased, B: phased }, boots: 3 * repeats, equal: true },
  ];
}

function selfTest(): SelfTest {
  const planted = (percent: number, found: number) => ({
    quantity: "time" as const,
    suite: "dispatch" as const,
    percent,
    found,
    of: 100,
  });
  const alike = (name: string, worst: number): AlikeMetric => ({
    suite: "dispatch",
    workload: "synthetic map",
    name,
    processes: 40,
    arms: { A: 0.01, B: worst, A2: -0.02 },
    slots: [0.05, -0.04, 0.01],
    alike: worst <= 0.3,
  });
  return {
    date: "2026-01-01T00:00:00.000Z",
    cpuModel: "Synthetic Processor",
    node: "20.20.0",
    regionlab: "0.1.0",
    processes: 20,
    falseAlarms: { found: 2, of: 100 },
    planted: [planted(0.5, 41), planted(1, 93), planted(2, 100), planted(5, 100)],
    leaks: { found: 100, of: 100 },
    alike: [alike("read 4 bytes, section hit", 0.02), alike("10 000 regions, random", 0.9)],
  };
}
