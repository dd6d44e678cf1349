/** A run out of a seed, for tests of what reads runs. Nothing in it was measured, and it says so. */
import {
  ARMS,
  type Arm,
  type Comparison,
  type Effect,
  type HeapPoint,
  type Metric,
  type MetricDefinition,
  type PerArm,
  type RetentionScenario,
  type Run,
  SCHEMA_NAME,
  SCHEMA_VERSION,
  type Verdict,
} from "../schema.ts";

export interface SyntheticOptions {
  readonly seed?: number;
  readonly repeats?: number;
  /** Makes the first equivalence proof fail, as a run of two different guests would. */
  readonly notEquivalent?: boolean;
}

/** Shift of B in percent and noise of one process in percent, chosen to show every verdict. */
const shapes: readonly [MetricDefinition, centre: number, shift: number, noise: number][] = [
  [boot("hello", "create", "headline", "Objects, realize, first flat view."), 6.4, 0.3, 0.5],
  [boot("hello", "reset to milestone", "headline", "Until the guest printed its line."), 41, 0.1, 0.4],
  [boot("firmware", "reset to milestone", "headline", "OpenSBI and U-Boot to the prompt."), 912, 3.1, 3.4],
  [boot("hello", "tear down", "detail", "Unrealize, unparent, drain."), 1.9, -6, 0.8],
  [dispatch("read 4 bytes, section hit", "headline"), 5.7, 4.2, 0.4],
  [dispatch("write 4 bytes, section hit", "headline"), 5.9, -3.8, 0.5],
  [dispatch("read through 4 aliases", "detail"), 6.1, 0.2, 0.6],
  [dispatch("10 000 regions, random", "headline"), 48, 0.4, 5],
  [dispatch("bare indirect call", "control"), 2.1, 0, 0.3],
  [release("plug and unplug"), 1.4, 1.1, 0.5],
];

function boot(workload: string, name: string, role: Metric["role"], description: string): MetricDefinition {
  const [suite, unit, quantity, scale] = ["boot", "ms", "time", "percent"] as const;
  return { suite, workload, name, description, unit, quantity, scale, margin: 2, role };
}

function dispatch(name: string, role: Metric["role"]): MetricDefinition {
  const [suite, unit, quantity, scale] = ["dispatch", "ns", "time", "percent"] as const;
  const description = "One access through the address space.";
  return { suite, workload: "synthetic map", name, description, unit, quantity, scale, margin: 3, role };
}

function release(workload: string): MetricDefinition {
  const [suite, unit, quantity, scale] = ["retention", "ms", "time", "percent"] as const;
  const description = "From unplug to the release of the storage.";
  return {
    suite,
    workload,
    name: "unplug to release",
    description,
    unit,
    quantity,
    scale,
    margin: 3,
    role: "headline",
  };
}

/** @returns a run that every renderer must label as synthetic */
export function syntheticRun({ seed = 1, repeats = 10, notEquivalent = false }: SyntheticOptions = {}): Run {
  const random = uniform(seed);
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
  return {
    schema: SCHEMA_NAME,
    version: SCHEMA_VERSION,
    synthetic: true,
    question:
      "Does it matter, in time or memory, whether a device embeds its memory regions or lets QOM own them?",
    options: {
      suites: ["boot", "dispatch", "retention"],
      quick: false,
      forms: { A: "embedded", B: "owned" },
      workloads: ["hello", "firmware"],
      repeats,
      seed,
      command: `regionlab bench --repeats ${repeats} --seed ${seed}`,
    },
    environment: {
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
    },
    schedule: {
      seed,
      order: Array.from({ length: repeats }, (_, repeat) =>
        (repeat % 2 === 0 ? ARMS : [...ARMS].reverse()).map((arm) => ({
          task: "boot",
          arm,
          repeat,
          milliseconds: 900 + 20 * random(),
        })),
      ).flat(),
    },
    equivalence: [
      {
        workload: "hello",
        records: { A: record, B: notEquivalent ? { ...record, mmioTraceSha256: hash("c") } : record },
        processes: 3 * repeats,
        equal: !notEquivalent,
      },
      { workload: "firmware", records: { A: phased, B: phased }, processes: 3 * repeats, equal: true },
    ],
    metrics: notEquivalent
      ? []
      : shapes.map(([definition, centre, shift, noise]) =>
          metric(definition, repeats, (arm) => {
            const middle = centre * (1 + (arm === "B" ? shift / 100 : 0));
            return middle * (1 + (noise / 100) * normal(random));
          }),
        ),
    retention: notEquivalent ? [] : [scenario("plug and unplug", repeats, random)],
    codeSize: [
      ["goldfish-rtc", 1, 49, 0, 48],
      ["serial", 1, 301, 1, 301],
      ["pflash", 1, 402, 0, 400],
      ["virt", 3, 512, 2, 511],
    ].map(([device, fields, lines, ownedFields, ownedLines]) => ({
      device: String(device),
      file: `${device}.ts`,
      embedded: { regionFields: Number(fields), lines: Number(lines) },
      owned: { regionFields: Number(ownedFields), lines: Number(ownedLines) },
    })),
    requirements: [
      {
        name: "Access, section hit, over a bare call",
        limit: 3,
        unit: "times",
        measured: { A: 2.7, B: 2.8 },
        met: true,
      },
      { name: "Machine creation", limit: 20, unit: "ms", measured: { A: 6.4, B: 6.4 }, met: true },
    ],
  };
}

function metric(definition: MetricDefinition, repeats: number, draw: (arm: Arm) => number): Metric {
  const samples = perArm((arm) => Array.from({ length: repeats }, () => draw(arm)));
  return {
    ...definition,
    samples,
    distributions: perArm((arm) =>
      samples[arm].map((x) => ({
        count: 200,
        min: 0.98 * x,
        q1: 0.99 * x,
        median: x,
        q3: 1.01 * x,
        p99: 1.1 * x,
        max: 1.4 * x,
      })),
    ),
    outliers: perArm((arm) => samples[arm].map((_, i) => (i === 3 && arm === "A" ? "mild" : "none"))),
    comparison: compare(definition, samples),
  };
}

function compare({ margin }: MetricDefinition, samples: PerArm<readonly number[]>): Comparison {
  const ab = effect(samples.A, samples.B);
  const aa = effect(samples.A, samples.A2);
  const aaSpread = Math.max(Math.abs(aa.low), Math.abs(aa.high));
  const verdict = judge(ab, margin, aaSpread);
  const repeatsNeeded = verdict === "inconclusive" ? 4 * samples.A.length : null;
  return { ab, aa, aaSpread, verdict, aaVerdict: judge(aa, margin, 0), repeatsNeeded };
}

/** Normal theory on means: enough for data that nobody measured. */
function effect(a: readonly number[], b: readonly number[]): Effect {
  const mean = (xs: readonly number[]) => xs.reduce((sum, x) => sum + x, 0) / xs.length;
  const variance = (xs: readonly number[]) => mean(xs.map((x) => (x - mean(xs)) ** 2)) / xs.length;
  const estimate = 100 * (mean(b) / mean(a) - 1);
  const half = (196 * Math.sqrt(variance(a) + variance(b))) / mean(a);
  const pValue = estimate - half > 0 || estimate + half < 0 ? 0.001 : 0.4;
  return {
    estimate,
    low: estimate - half,
    high: estimate + half,
    level: 0.95,
    pairs: a.length,
    above: a.filter((value, i) => (b[i] ?? 0) > value).length,
    pValue,
    adjustedPValue: pValue,
  };
}

function judge({ estimate, low, high }: Effect, margin: number, spread: number): Verdict {
  if (low > -margin && high < margin) return "equivalent";
  if (low <= 0 && high >= 0) return "inconclusive";
  if (Math.abs(estimate) <= spread) return "no difference";
  return estimate < 0 ? "faster" : "slower";
}

function scenario(name: string, repeats: number, random: () => number): RetentionScenario {
  const zeros = Array<number>(repeats).fill(0);
  const points = (): HeapPoint[] =>
    Array.from({ length: 20 }, (_, i) => ({ round: 50 * i, bytes: 6.2e6 + 20_000 * random() }));
  return {
    scenario: name,
    description: "A device is plugged into the live machine and unplugged again.",
    rounds: 1000,
    arms: perArm(() => ({
      objects: ["MemoryRegion", "GoldfishRtc", "FlatView"].map((className) => ({ className, alive: zeros })),
      blocksUnfreed: zeros,
      modelledLeakedBytes: zeros,
      usesAfterFinalize: zeros,
      usesAfterFree: zeros,
      heap: Array.from({ length: repeats }, points),
      slope: { estimate: 0.4, low: -3.1, high: 4.2 },
    })),
  };
}

function perArm<T>(make: (arm: Arm) => T): PerArm<T> {
  return { A: make("A"), B: make("B"), A2: make("A2") };
}

/** A linear congruential generator: good enough for shapes on a page. */
function uniform(seed: number): () => number {
  let state = (seed * 2_654_435_761) >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

function normal(random: () => number): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}
