import { describe, expect, it } from "vitest";
import { type Arm, type MetricDefinition, type ProcessEntry, parseRun, serializeRun } from "#results";
import { sequentialRule } from "#results/statistics";
import { assembleRun } from "./assemble.ts";
import {
  definition,
  environment,
  lost,
  measured,
  outcome,
  parts,
  proofOf,
  record,
} from "./fixtures/run-parts.ts";
import { perArm } from "./suites/measurement.ts";

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

  it("compares only processes that have the metric", () => {
    const all = parts(10);
    const outcomes = all.outcomes.map((each, i) =>
      i === 5 && each.report !== null
        ? {
            ...each,
            report: { ...each.report, measurements: [(each.report.measurements[0] ?? []).slice(0, 1)] },
          }
        : each,
    );
    const [floor, metric] = assembleRun({ ...all, outcomes }).metrics;
    expect(floor?.comparison.ab.pairs).toBe(8);
    expect(metric?.comparison.ab).toMatchObject({ pairs: 7, above: 7 });
    const others = assembleRun(all).metrics[1]?.samples.B.filter((_, repeat) => repeat !== 5);
    expect(metric?.samples.B).toEqual(others);
  });

  it("records for every sample which process it comes from, skipping lost ones", () => {
    const { outcomes } = parts(0);
    const [first, ...others] = outcomes;
    if (first === undefined) throw new RangeError("there are eight");
    const run = assembleRun(parts(0, { outcomes: [first, lost("dispatch/paths", 1), ...others] }));
    // There is one process for the proof, so the first timed one is number 1, and the lost one number 2.
    expect(run.metrics[1]?.processes).toEqual([1, 3, 4, 5, 6, 7, 8, 9]);
    expect(run.schedule.processes[2]).toEqual({
      task: "dispatch/paths",
      repeat: 1,
      machine: 0,
      slots: null,
      milliseconds: 10,
      lost: "exit code 1",
    });
    expect(run.schedule.processes[3]).toMatchObject({ slots: ["B", "A2", "A"], lost: null });
    expect(parseRun(serializeRun(run), "run.json")).toEqual(run);
  });

  it("leaves out metrics of a single process: one pair shows no spread", () => {
    expect(assembleRun(parts(0, { outcomes: parts(0).outcomes.slice(0, 1) })).metrics).toEqual([]);
  });

  it("judges counts in a single look, and lists their processes after all others", () => {
    const counted: MetricDefinition = {
      ...definition,
      quantity: "count",
      unit: "instructions",
      margin: 0.2,
      decides: false,
    };
    const countProcesses: ProcessEntry[] = [0, 1, 2].map((repeat) => ({
      task: "count/hit-read",
      repeat,
      machine: 0,
      slots: null,
      milliseconds: 5,
      lost: null,
    }));
    const samples = { A: [1000, 1001, 1002], B: [1000, 1001, 1003], A2: [1001, 1001, 1002] };
    const all = parts(0, {
      counts: [{ definition: counted, samples, processes: [0, 1, 2] }],
      countProcesses,
    });
    const looks = sequentialRule([4, 8]);
    const run = assembleRun({ ...all, options: { ...all.options, sequential: looks } });
    const metric = run.metrics.find(({ quantity }) => quantity === "count");
    expect(metric).toMatchObject({ samples, processes: [9, 10, 11] });
    expect(metric?.comparison.ab.level).toBe(0.95);
    expect(metric?.distributions).toEqual({ A: [], B: [], A2: [] });
    expect(run.schedule.processes.slice(9)).toEqual(countProcesses);
    const time = run.metrics.find(({ name, quantity }) => name === definition.name && quantity === "time");
    expect(time?.comparison.ab.level).toBeGreaterThanOrEqual(looks.level);
    expect(parseRun(serializeRun(run), "run.json")).toEqual(run);
  });

  it("keeps an omission only if no part of the run gave the figure", () => {
    const omission = { ...definition, reason: "Not measured." };
    const other = { ...omission, quantity: "count" as const };
    // The measured time decides.
    expect(assembleRun(parts(0, { omissions: [omission, other] })).omissions).toEqual([
      { ...other, decides: false },
    ]);
  });

  it("treats the machines of the processes as blocks", () => {
    const outcomes = Array.from({ length: 16 }, (_, i) => {
      const slow = i < 8 ? 1.01 : 1.05;
      const value = (arm: Arm) => (20 + 0.01 * i) * (arm === "B" ? slow : 1);
      return outcome(
        "dispatch/paths",
        i,
        { measurements: [[measured(definition.name, value)]] },
        i < 8 ? 0 : 1,
      );
    });
    const machines = [environment, { ...environment, id: "other" }];
    const [metric] = assembleRun(parts(0, { outcomes, machines })).metrics;
    expect(metric?.comparison.machines).toMatch(
      /^The 2 machines differ: their estimates range from 1\.00 to 5\.00 %/,
    );
  });

  it("checks the emulator against its own limits, in both forms", () => {
    const [kept] = assembleRun(parts(0)).requirements;
    expect(kept).toMatchObject({ limit: 3, unit: "times", met: true });
    expect(kept?.measured.A).toBeCloseTo(2, 1);
    const [broken] = assembleRun(parts(70)).requirements;
    expect(broken).toMatchObject({ met: false });
    expect(broken?.measured.B).toBeCloseTo(3.4, 1);
  });

  it("compares random accesses with bare calls in equally random order", () => {
    const measurements = [
      [
        measured("bare indirect call", () => 5),
        measured("read 4 bytes, 10 000 regions at random", () => 60),
        measured("bare indirect calls, 10 000 devices at random", () => 20),
      ],
    ];
    const outcomes = [0, 1, 2, 3].map((repeat) => outcome("dispatch/maps", repeat, { measurements }));
    expect(assembleRun(parts(0, { outcomes })).requirements).toMatchObject([
      { limit: 10, measured: { A: 3, B: 3 }, met: true },
    ]);
  });

  it("takes quotients within a process: a slow minute affects both times", () => {
    const outcomes = [1, 1, 9, 9, 9].map((slowness, repeat) =>
      outcome("dispatch/paths", repeat, {
        measurements: [
          [
            measured("bare indirect call", () => 5 * slowness),
            measured("read 4 bytes, last section hit", () => (10 + repeat) * slowness),
          ],
        ],
      }),
    );
    expect(assembleRun(parts(0, { outcomes })).requirements).toMatchObject([
      { measured: { A: 2.4, B: 2.4 } },
    ]);
  });

  it("takes quotients within a process, also if more than one task measures the calls", () => {
    const calls = (nanoseconds: number) => measured("bare indirect call", () => nanoseconds);
    const outcomes = [0, 1, 2, 3].flatMap((repeat) => [
      outcome("dispatch/maps", repeat, { measurements: [[calls(50)]] }),
      outcome("dispatch/paths", repeat, {
        measurements: [[calls(5), measured("read 4 bytes, last section hit", () => 10)]],
      }),
    ]);
    expect(assembleRun(parts(0, { outcomes })).requirements).toMatchObject([{ measured: { A: 2, B: 2 } }]);
  });
});

describe("equivalence", () => {
  it("counts every guest that did the same: three per proof, and each timed one", () => {
    expect(assembleRun(parts(0)).equivalence).toEqual([
      { workload: "hello", records: { A: record, B: record }, boots: 3 + 24, equal: true },
    ]);
  });

  it.each([
    { instructions: 1312 },
    { mmioAccesses: 270 },
    { mmioTraceSha256: "c".repeat(64) },
    { consoleSha256: "c".repeat(64) },
    { phases: [{ name: "all", instructions: 1311 }] },
  ])("breaks on any difference (%o), and then no times are reported", (difference) => {
    const run = assembleRun(parts(0, { proofs: proofOf(difference) }));
    expect(run.equivalence[0]).toMatchObject({ equal: false, records: { B: difference } });
    expect(run.metrics).toEqual([]);
    expect(run.requirements).toEqual([]);
    expect(run.omissions).toEqual([]);
    expect(parseRun(serializeRun(run), "run.json")).toEqual(run);
  });

  it("breaks when A differs from itself", () => {
    const [proof] = proofOf();
    if (proof?.report === null || proof === undefined) throw new RangeError("there is one proof");
    const records = { A: record, B: record, A2: { ...record, mmioAccesses: 1 } };
    const odd = { ...proof, report: { ...proof.report, proofs: [{ workload: "hello", records }] } };
    expect(assembleRun(parts(0, { proofs: [odd] })).equivalence[0]).toMatchObject({ equal: false });
  });

  it("breaks when a single timed guest deviates, and shows what it did", () => {
    const { outcomes } = parts(0);
    const stray = { workload: "hello", instructions: 1400, consoleSha256: record.consoleSha256 };
    const changed = outcomes.map((each, i) =>
      i === 3 && each.report !== null ? { ...each, report: { ...each.report, checks: [stray] } } : each,
    );
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
  const heap = (bytesPerRound: number) =>
    Array.from({ length: 10 }, (_, i) => ({ round: 50 * i, bytes: 1e6 + 50 * i * bytesPerRound }));

  /** B leaks 1 500 bytes a round and a little. */
  const runOf = (processes: number) =>
    assembleRun(
      parts(0, {
        proofs: [
          ...proofOf(),
          outcome("proof/remains", 0, {
            remains: perArm((arm) => [remains("unplug", arm === "B" ? 300 : 0)]),
          }),
        ],
        outcomes: Array.from({ length: processes }, (_, repeat) =>
          outcome("retention/heap", repeat, {
            curves: perArm((arm) => [
              {
                scenario: "unplug",
                control: false,
                margin: 16,
                heap: heap(arm === "B" ? 1500 + 2 * repeat : repeat),
              },
            ]),
          }),
        ),
      }),
    );

  it("combines counts and heap growth", () => {
    const [scenario] = runOf(8).retention;
    expect(scenario?.arms.A).toMatchObject({
      blocksUnfreed: [0],
      objects: [{ className: "QomObject", alive: [0] }],
    });
    expect(scenario?.arms.B).toMatchObject({ blocksUnfreed: [300], modelledLeakedBytes: [81600] });
    expect(scenario?.arms.B.heap).toHaveLength(8);
    expect(scenario?.arms.B.slope?.estimate).toBeCloseTo(1507, 6);
  });

  it("judges the slope in bytes per round, since the expected value is zero", () => {
    const [metric] = runOf(8).metrics;
    expect(metric).toMatchObject({
      name: "heap growth",
      scale: "absolute",
      quantity: "memory",
      unit: "B/round",
    });
    expect(metric?.comparison.ab.estimate).toBeCloseTo(1503.5, 6);
    expect(metric?.comparison.verdict).toBe("slower");
    expect(metric?.comparison.aaVerdict).toBe("equivalent");
  });
});
