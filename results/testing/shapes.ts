/** Metrics of a synthetic run: their definitions, and how far B is from A. */
import type { Unjudged } from "../rules/judge.ts";
import { FLOOR, HEAP_GROWTH, MACHINE_CREATION, SECTION_HIT } from "../rules/questions.ts";
import type { Arm, Metric, MetricDefinition, RetentionScenario } from "../schema.ts";
import { theilSenSlope } from "../statistics/index.ts";
import { perArm } from "./effects.ts";
import { normal } from "./uniform.ts";

/** Chosen so that the metrics of a run show every verdict. */
export interface Shape {
  readonly definition: MetricDefinition;
  readonly centre: number;
  /** Shift of B, in percent of the centre, or in units where the scale is absolute. */
  readonly shift: number;
  /** Noise of one process, in the same unit. */
  readonly noise: number;
  /** Shift and noise of the control; default: no shift, and the noise of A. */
  readonly control?: { readonly shift: number; readonly noise: number };
}

export function shapesOf({ large, qemu }: { large: boolean; qemu: boolean }): Shape[] {
  return [
    ...boot("hello", "create", "headline", "Objects, realize, first flat view.", [6.4, 0.05, 0.5]),
    ...boot("hello", "reset to milestone", "headline", "Until the guest printed its line.", [41, 0.02, 0.4]),
    ...boot(
      "firmware",
      "reset to milestone",
      "headline",
      "OpenSBI and U-Boot to the prompt.",
      [912, 1.1, 3.4],
    ),
    machineCreation(),
    ...boot("hello", "tear down", "detail", "Unrealize, unparent, drain.", [1.9, -6, 0.8]),
    ...hits(),
    ...dispatch("write 4 bytes, section hit", "headline", [5.9, -3.8, 0.3]),
    ...dispatch("through 4 aliases", "headline", [6.1, 4.2, 0.4]),
    // Certain, but A differs from itself by as much.
    dispatchTime("10 000 regions, random", "headline", {
      ...{ centre: 48, shift: 1.3, noise: 0.1, control: { shift: 0, noise: 4 } },
    }),
    dispatchTime("10 regions by turns", "headline", { centre: 12, shift: 0.6, noise: 5 }),
    // The control contradicts itself.
    dispatchTime("first access after a commit", "headline", {
      ...{ centre: 310, shift: 0.1, noise: 0.1, control: { shift: 3, noise: 0.1 } },
    }),
    ...dispatch(FLOOR, "control", [2.1, 0, 0.1]),
    ...retention("plug and unplug"),
    ...(large ? many() : []),
    ...(qemu ? inQemu() : []),
  ];
}

type Figures = readonly [centre: number, shift: number, noise: number];

const TIME = { quantity: "time", source: "regionlab", scale: "percent", byConstruction: null } as const;

function definition(
  question: Pick<MetricDefinition, "suite" | "workload" | "name" | "role" | "description">,
  rest: Pick<MetricDefinition, "unit" | "margin" | "decides" | "estimator"> & Partial<MetricDefinition>,
): MetricDefinition {
  return { ...TIME, ...question, ...rest };
}

/** A count that decides, and a time that does not. */
function boot(
  workload: string,
  name: string,
  role: Metric["role"],
  description: string,
  [centre, shift, noise]: Figures,
): Shape[] {
  const question = { suite: "boot", workload, name, role, description } as const;
  return [
    {
      definition: definition(question, {
        ...{ quantity: "count", unit: "instructions", margin: 0.2, decides: true },
        estimator: "slope over 1 and 4 rounds under valgrind",
      }),
      ...{ centre: centre * 3e6, shift, noise: 0.03 },
    },
    {
      definition: definition(question, {
        ...{ unit: "ms", margin: 1, decides: false, estimator: "sum of the least slices" },
      }),
      ...{ centre, shift, noise },
    },
  ];
}

function machineCreation(): Shape {
  const question = {
    ...({ suite: "boot", workload: "hello", name: MACHINE_CREATION, role: "detail" } as const),
    description: "A whole machine.",
  } as const;
  return {
    definition: definition(question, {
      ...{ unit: "ns", margin: 1, decides: false, estimator: "median of rounds" },
    }),
    ...{ centre: 6.4e6, shift: 0.1, noise: 0.5 },
  };
}

/** A time that decides, and a count that does not. */
function dispatch(name: string, role: Metric["role"], [centre, shift, noise]: Figures): [Shape, Shape] {
  const time = dispatchTime(name, role, { centre, shift, noise });
  const count = {
    ...time.definition,
    quantity: "count",
    unit: "instructions",
    margin: 0.2,
    decides: false,
  } as const;
  return [time, { definition: count, centre: 14 * centre, shift, noise: 0.02 }];
}

function dispatchTime(name: string, role: Metric["role"], rest: Omit<Shape, "definition">): Shape {
  const description = "One access through the address space.";
  return {
    definition: definition(
      { suite: "dispatch", workload: "synthetic map", name, role, description },
      { unit: "ns", margin: 0.5, decides: true, estimator: "10th percentile of slices" },
    ),
    ...rest,
  };
}

/** A time and a count, and the reads of region fields, which are zero in both forms and decide. */
function hits(): Shape[] {
  const shapes = dispatch(SECTION_HIT, "headline", [5.7, 0.02, 0.2]);
  const [{ definition: hit }] = shapes;
  const reads: MetricDefinition = {
    ...hit,
    ...{ quantity: "reads", unit: "fields", scale: "absolute" },
    estimator: "traps on all fields",
  };
  return [...shapes, { definition: reads, centre: 0, shift: 0, noise: 0 }];
}

function retention(workload: string): Shape[] {
  const release = definition(
    {
      suite: "retention",
      workload,
      name: "unplug to release",
      role: "headline",
      description: "From unplug to the release of the storage.",
    },
    { unit: "ms", margin: 1, decides: true, estimator: "median of rounds" },
  );
  const growth = definition(
    { suite: "retention", workload, name: "heap growth", role: "headline", description: "Bytes per round." },
    {
      ...{ quantity: "memory", unit: "B/round", scale: "absolute", margin: 16, decides: true },
      estimator: "Theil and Sen's slope",
    },
  );
  return [
    { definition: release, centre: 1.4, shift: 1.9, noise: 0.2 },
    { definition: growth, centre: 2, shift: 0.4, noise: 3 },
  ];
}

/** Further metrics that bring a run up to the size of a full one. */
function many(): Shape[] {
  const sizes = [10, 100, 1000, 100_000];
  const scenarios = ["create and destroy", "same owner", "held child", "remap"];
  return [
    ...["echo", "timer", "u-boot", "debian"].flatMap((guest) =>
      boot(guest, "reset to milestone", "headline", "Until its milestone.", [200, 0.03, 1]),
    ),
    ...["echo", "timer"].flatMap((guest) =>
      boot(guest, "create", "detail", "Objects, realize, first flat view.", [7, 0.4, 0.6]),
    ),
    ...sizes.flatMap((size) => dispatch(`${size} regions, hit`, "headline", [9, 0.03, 0.3])),
    ...sizes.flatMap((size) => dispatch(`${size} regions, uncopied`, "detail", [11, 2.1, 0.3])),
    ...scenarios.flatMap(retention),
  ];
}

/** The same questions, asked of QEMU. */
function inQemu(): Shape[] {
  return [
    ...dispatch(SECTION_HIT, "headline", [3.1, 0.9, 0.1]),
    ...boot("hello", "reset to milestone", "headline", "Until the guest printed its line.", [9, 0.01, 0.4]),
  ].map((shape) => ({ ...shape, definition: { ...shape.definition, source: "qemu", decides: false } }));
}

/** Draws samples for the processes at `places`; samples of heap growth are the slopes of the heaps given. */
export function synthesize(
  { definition, centre, shift, noise, control = { shift: 0, noise } }: Shape,
  places: readonly number[],
  retention: readonly RetentionScenario[],
  random: () => number,
): Unjudged {
  const unit = definition.scale === "percent" ? centre / 100 : 1;
  const draw = (shifted: number, spread: number) => centre + unit * (shifted + spread * normal(random));
  const followed = retention.find(({ scenario }) => scenario === definition.workload);
  const slopes = (arm: Arm) =>
    definition.name === HEAP_GROWTH ? (followed?.arms[arm].heap.map(theilSenSlope) ?? []) : [];
  const samples = perArm((arm) => {
    const known = slopes(arm);
    return places.map((_, i) => {
      if (definition.quantity === "reads") return 0;
      const drawn = arm === "A2" ? draw(control.shift, control.noise) : draw(arm === "B" ? shift : 0, noise);
      return known[i] ?? drawn;
    });
  });
  const distribution = (x: number) => ({
    ...{ count: 200, min: 0.98 * x, q1: 0.99 * x, median: x, q3: 1.01 * x, p99: 1.1 * x, max: 1.4 * x },
  });
  return {
    definition,
    samples,
    processes: places,
    distributions: perArm((arm) => (definition.quantity === "time" ? samples[arm].map(distribution) : [])),
  };
}
