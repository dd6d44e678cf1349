import { describe, expect, it } from "vitest";
import {
  ARMS,
  type Arm,
  type Environment,
  type GuestRecord,
  type MetricDefinition,
  parseRun,
  serializeRun,
} from "#results";
import { assembleRun, type RunParts, type SuiteOutcome } from "./assemble.ts";
import { Random } from "./statistics/index.ts";
import { emptyReport, measurement, type SuiteReport } from "./suites/measurement.ts";

const record: GuestRecord = {
  instructions: 1311,
  mmioAccesses: 269,
  mmioTraceSha256: "a".repeat(64),
  consoleSha256: "b".repeat(64),
  phases: [],
};

const definition: MetricDefinition = {
  suite: "dispatch",
  workload: "address space",
  name: "read 4 bytes, last section hit",
  description: "One read.",
  unit: "ns",
  quantity: "time",
  scale: "percent",
  margin: 3,
  role: "headline",
};

const environment: Environment = {
  date: "2026-01-02T03:04:05.000Z",
  seconds: 1,
  regionlab: "0.1.0",
  node: "20.20.0",
  v8: "11.3",
  platform: "linux",
  arch: "x64",
  kernel: "6",
  cpuModel: "test",
  cpuCount: 2,
  memoryBytes: 1,
  loadBefore: [0, 0, 0],
  loadAfter: [0, 0, 0],
  governor: null,
  virtualised: null,
  commit: null,
  dirty: null,
  execArgv: [],
};

function outcome(task: string, arm: Arm, repeat: number, report: Partial<SuiteReport>): SuiteOutcome {
  return { trial: { task, arm, repeat }, milliseconds: 10, report: { ...emptyReport, ...report } };
}

/** Both forms recorded, then eight processes per arm that read in 20 ns, B slower by `percent`. */
function parts(percent: number, change: Partial<RunParts> = {}): RunParts {
  const random = Random.seeded(1, `parts ${percent}`);
  const check = { workload: "hello", instructions: 1311, consoleSha256: record.consoleSha256 };
  const read = (arm: Arm) => 20 * (1 + (arm === "B" ? percent / 100 : 0)) * (1 + 0.002 * random.normal());
  return {
    question: "Does it matter?",
    options: {
      suites: ["dispatch"],
      quick: true,
      forms: { A: "embedded", B: "owned" },
      workloads: ["hello"],
      repeats: 8,
      seed: 1,
      command: "regionlab bench",
    },
    environment,
    proofs: (["A", "B"] as const).map((arm) =>
      outcome("boot/hello", arm, 0, { proofs: [{ workload: "hello", record }] }),
    ),
    outcomes: ARMS.flatMap((arm) =>
      Array.from({ length: 8 }, (_, repeat) =>
        outcome("dispatch/accesses", arm, repeat, {
          checks: [check],
          measurements: [
            measurement({ ...definition, name: "bare indirect call", role: "control" }, [10, 10, 10]),
            measurement(definition, [read(arm)]),
          ],
        }),
      ),
    ),
    codeSize: [],
    ...change,
  };
}

describe("assembleRun", () => {
  it("gives a run that is stored and read back unchanged", () => {
    const run = assembleRun(parts(0));
    expect(parseRun(serializeRun(run), "run.json")).toEqual(run);
  });

  it("keeps one sample per process in each arm, and judges them", () => {
    const [, metric] = assembleRun(parts(10)).metrics;
    expect(metric?.samples.A).toHaveLength(8);
    expect(metric?.comparison.verdict).toBe("slower");
    expect(metric?.comparison.ab.estimate).toBeCloseTo(10, 0);
    expect(assembleRun(parts(0)).metrics[1]?.comparison.verdict).toBe("equivalent");
  });

  it("compares only repeats that have the metric in every arm", () => {
    const all = parts(10);
    const outcomes = all.outcomes.map((each) =>
      each.trial.arm === "A2" && each.trial.repeat === 5
        ? { ...each, report: { ...each.report, measurements: each.report.measurements.slice(0, 1) } }
        : each,
    );
    const [floor, metric] = assembleRun({ ...all, outcomes }).metrics;
    expect(floor?.comparison.ab.pairs).toBe(8);
    expect(metric?.comparison.ab).toMatchObject({ pairs: 7, above: 7 });
    const others = assembleRun(all).metrics[1]?.samples.B.filter((_, repeat) => repeat !== 5);
    expect(metric?.samples.B).toEqual(others);
  });

  it("leaves out what a single repeat measured", () => {
    const [first] = parts(0).outcomes.filter(({ trial }) => trial.arm === "A");
    if (!first) throw new Error("eight of them");
    const outcomes = ARMS.map((arm) => ({ ...first, trial: { ...first.trial, arm } }));
    expect(assembleRun(parts(0, { outcomes })).metrics).toEqual([]);
  });

  it("holds the emulator against its own limits, in both forms", () => {
    const [kept] = assembleRun(parts(0)).requirements;
    expect(kept).toMatchObject({ limit: 3, unit: "times", met: true });
    expect(kept?.measured.A).toBeCloseTo(2, 1);
    const [broken] = assembleRun(parts(70)).requirements;
    expect(broken).toMatchObject({ met: false });
    expect(broken?.measured.B).toBeCloseTo(3.4, 1);
  });

  it("holds random accesses against bare calls as random, and against a single device's", () => {
    const named = (name: string, nanoseconds: number) => measurement({ ...definition, name }, [nanoseconds]);
    const measurements = [
      named("bare indirect call", 5),
      named("read 4 bytes, 10 000 regions at random", 60),
      named("bare indirect calls, 10 000 devices at random", 20),
    ];
    const outcomes = ARMS.flatMap((arm) =>
      [0, 1, 2, 3].map((repeat) => outcome("dispatch/accesses", arm, repeat, { measurements })),
    );
    expect(assembleRun(parts(0, { outcomes })).requirements).toMatchObject([
      { limit: 10, measured: { A: 3, B: 3 }, met: true },
      { limit: 10, measured: { A: 12, B: 12 }, met: false },
    ]);
  });

  it("takes quotients within a process: a slow minute lengthens both", () => {
    const outcomes = ARMS.flatMap((arm) =>
      [1, 1, 9, 9, 9].map((slowness, repeat) => {
        const named = (name: string, time: number) => measurement({ ...definition, name }, [time * slowness]);
        const measurements = [
          named("bare indirect call", 5),
          named("read 4 bytes, last section hit", 10 + repeat),
        ];
        return outcome("dispatch/accesses", arm, repeat, { measurements });
      }),
    );
    expect(assembleRun(parts(0, { outcomes })).requirements).toMatchObject([
      { measured: { A: 2.4, B: 2.4 } },
    ]);
  });

  it("records the order in which the processes ran", () => {
    const { schedule } = assembleRun(parts(0));
    expect(schedule.order[0]).toEqual({ task: "dispatch/accesses", arm: "A", repeat: 0, milliseconds: 10 });
    expect(schedule.order).toHaveLength(24);
  });
});

describe("equivalence", () => {
  const proofs = (b: Partial<GuestRecord>) => [
    outcome("boot/hello", "A", 0, { proofs: [{ workload: "hello", record }] }),
    outcome("boot/hello", "B", 0, { proofs: [{ workload: "hello", record: { ...record, ...b } }] }),
  ];

  it("counts every process that did the same", () => {
    expect(assembleRun(parts(0)).equivalence).toEqual([
      { workload: "hello", records: { A: record, B: record }, processes: 2 + 24, equal: true },
    ]);
  });

  it.each([
    { instructions: 1312 },
    { mmioAccesses: 270 },
    { mmioTraceSha256: "c".repeat(64) },
    { consoleSha256: "c".repeat(64) },
    { phases: [{ name: "all", instructions: 1311 }] },
  ])("breaks on any difference (%o), and then no time is reported", (difference) => {
    const run = assembleRun(parts(0, { proofs: proofs(difference) }));
    expect(run.equivalence[0]).toMatchObject({ equal: false, records: { B: difference } });
    expect(run.metrics).toEqual([]);
    expect(run.requirements).toEqual([]);
    expect(parseRun(serializeRun(run), "run.json")).toEqual(run);
  });

  it("breaks when a single timed guest strays, and shows what it did", () => {
    const { outcomes } = parts(0);
    const stray = { workload: "hello", instructions: 1400, consoleSha256: record.consoleSha256 };
    const [first, ...others] = outcomes;
    if (!first) throw new Error("there are 24");
    const changed = [{ ...first, report: { ...first.report, checks: [stray] } }, ...others];
    const run = assembleRun(parts(0, { outcomes: changed }));
    expect(run.equivalence[0]).toMatchObject({ equal: false, records: { B: { instructions: 1400 } } });
    expect(run.metrics).toEqual([]);
  });
});

describe("retention", () => {
  const remains = (scenario: string, alive: number) => ({
    scenario,
    description: "a device comes and goes",
    rounds: 300,
    objects: [{ className: "QomObject", alive }],
    blocksUnfreed: alive,
    modelledLeakedBytes: 272 * alive,
    usesAfterFinalize: 0,
    usesAfterFree: 0,
  });
  const curve = (bytesPerRound: number) =>
    Array.from({ length: 10 }, (_, i) => ({ round: 50 * i, bytes: 1e6 + 50 * i * bytesPerRound }));

  const run = assembleRun(
    parts(0, {
      proofs: ARMS.map((arm) =>
        outcome("retention/lifecycle", arm, 0, { remains: [remains("unplug", arm === "B" ? 300 : 0)] }),
      ),
      outcomes: ARMS.flatMap((arm) =>
        Array.from({ length: 8 }, (_, repeat) =>
          outcome("retention/lifecycle", arm, repeat, {
            curves: [
              {
                scenario: "unplug",
                control: false,
                margin: 16,
                heap: curve(arm === "B" ? 1500 + repeat : repeat),
              },
            ],
          }),
        ),
      ),
    }),
  );

  it("puts what was counted beside how the heap grew", () => {
    const [scenario] = run.retention;
    expect(scenario?.arms.A).toMatchObject({
      blocksUnfreed: [0],
      objects: [{ className: "QomObject", alive: [0] }],
    });
    expect(scenario?.arms.B).toMatchObject({ blocksUnfreed: [300], modelledLeakedBytes: [81600] });
    expect(scenario?.arms.B.heap).toHaveLength(8);
    expect(scenario?.arms.B.slope?.estimate).toBeCloseTo(1503.5, 6);
  });

  it("judges the slope in bytes per round, since zero is what is expected", () => {
    const [metric] = run.metrics;
    expect(metric).toMatchObject({
      name: "heap growth",
      scale: "absolute",
      quantity: "memory",
      unit: "B/round",
    });
    expect(metric?.comparison.ab.estimate).toBeCloseTo(1500, 6);
    expect(metric?.comparison.verdict).toBe("slower");
    expect(metric?.comparison.aaVerdict).toBe("equivalent");
  });
});
