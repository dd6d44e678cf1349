import { describe, expect, it } from "vitest";
import { ARMS, type Arm, type MetricDefinition } from "#results";
import { Random } from "#results/statistics";
import { syntheticRun } from "#results/testing";
import { emptyReport, fromSlices, type ProcessReport, perArm } from "../suites/measurement.ts";
import { estimatePlanted, type SelfTestParts, summarizeSelfTest } from "./self-test.ts";

const [machine] = syntheticRun().machines;
if (machine === undefined) throw new RangeError("a run has a machine");

const metric = (suite: MetricDefinition["suite"], name: string, decides = true): MetricDefinition => ({
  suite,
  workload: "fixture",
  name,
  description: "",
  unit: "ns",
  quantity: "time",
  source: "regionlab",
  scale: "percent",
  margin: 1,
  role: "headline",
  estimator: "",
  decides,
  byConstruction: null,
});

/** A process in which metrics have given values in each arm; one list of measurements per planted percentage. */
function sliced(
  metrics: readonly MetricDefinition[],
  percents: readonly number[],
  value: (arm: Arm, percent: number, definition: MetricDefinition) => number,
  slots: readonly Arm[] = ARMS,
): ProcessReport {
  const measurements = percents.map((percent) =>
    metrics.map((definition) =>
      fromSlices(
        definition,
        perArm((arm) => [value(arm, percent, definition)]),
      ),
    ),
  );
  return { ...emptyReport, slots, measurements };
}

const PERCENTS = [0, 0.5, 2, 5];
const LOOKS = [7, 11, 16];

const nothing: SelfTestParts = {
  environment: machine,
  looks: LOOKS,
  percents: PERCENTS,
  slices: [],
  leaks: [],
  groups: 4,
  heapProcesses: 3,
  alike: [],
  counts: null,
  countRepeats: 4,
};

/** Processes for groups of sixteen, with noise of 0.1 %. */
function planting(groups: number, plantedShare: number, extra = 0): ProcessReport[] {
  const random = Random.seeded(1, `${groups} ${plantedShare} ${extra}`);
  const metrics = [
    metric("dispatch", "one"),
    metric("dispatch", "two"),
    metric("boot", "beside a count", false),
  ];
  return Array.from({ length: groups * 16 }, () =>
    sliced(metrics, PERCENTS, (arm, percent) => {
      const slower = arm === "B" ? 1 + (plantedShare * percent + extra) / 100 : 1;
      return 50 * slower * (1 + 0.001 * random.normal());
    }),
  );
}

describe("summarizeSelfTest", () => {
  it("finds what was planted, by suite and percentage, and nothing if nothing was", () => {
    const { falseAlarms, planted, processes } = summarizeSelfTest({ ...nothing, slices: [planting(4, 1)] });
    expect(processes).toBe(16);
    expect(falseAlarms).toEqual({ found: 0, of: 4 * 2 });
    const rate = (suite: string, percent: number) => {
      const { found, of } = planted.find((each) => each.suite === suite && each.percent === percent) ?? {};
      return [found, of];
    };
    // 0.5 % is inside the margin of 1 %, so the verdict is equivalent, not slower.
    expect(rate("dispatch", 0.5)).toEqual([0, 8]);
    for (const percent of [2, 5]) {
      expect(rate("dispatch", percent)).toEqual([8, 8]);
      // Metrics that no run judges are not tested.
      expect(rate("boot", percent)).toEqual([undefined, undefined]);
    }
    expect(planted.map(({ percent }) => percent)).not.toContain(0);
  });

  it("finds nothing if B did not do more", () => {
    const { planted } = summarizeSelfTest({ ...nothing, slices: [planting(2, 0)] });
    expect(planted.map(({ found }) => found)).toEqual(planted.map(() => 0));
  });

  it("counts claims without a planted difference as false alarms, faster or slower", () => {
    for (const percent of [3, -3]) {
      const { falseAlarms } = summarizeSelfTest({
        ...nothing,
        groups: 2,
        slices: [planting(2, 0, percent)],
      });
      expect(falseAlarms).toEqual({ found: 4, of: 4 });
    }
  });

  it("draws as many comparisons as requested, even from shared processes, but none from too few", () => {
    const compared = (processes: number) =>
      summarizeSelfTest({ ...nothing, slices: [planting(2, 1).slice(0, processes)] }).falseAlarms.of;
    expect(compared(31)).toBe(4 * 2);
    expect(compared(16)).toBe(4 * 2);
    expect(compared(15)).toBe(0);
  });

  it("leaves out controls, and metrics that a run does not judge by their time", () => {
    const uneven = sliced([metric("dispatch", "one")], [0], (arm) => (arm === "B" ? 51 : 50));
    const { alike, falseAlarms } = summarizeSelfTest({
      ...nothing,
      slices: [planting(4, 0)],
      alike: Array.from({ length: 20 }, () => uneven),
    });
    expect(alike.map((each) => each.alike)).toEqual([false]);
    expect(falseAlarms.of).toBe(4);
  });

  it("says where and when it was tested", () => {
    const { date, cpuModel, node, regionlab } = summarizeSelfTest(nothing);
    expect({ date, cpuModel, node, regionlab }).toEqual({
      date: machine.date,
      cpuModel: machine.cpuModel,
      node: machine.node,
      regionlab: machine.regionlab,
    });
  });
});

describe("estimatePlanted", () => {
  it("says how large each planted difference is, from all processes", () => {
    const estimates = estimatePlanted({ ...nothing, slices: [planting(4, 1)] });
    expect(estimates.map(({ name, percent }) => [name, percent])).toEqual(
      [0.5, 2, 5].flatMap((percent) => ["one", "two"].map((name) => [name, percent])),
    );
    for (const { percent, measured } of estimates) {
      expect(Math.abs(measured.estimate - percent)).toBeLessThan(0.1);
      expect(measured.low).toBeLessThan(percent);
      expect(measured.high).toBeGreaterThan(percent);
    }
  });

  it("says what is not there, and nothing from too few processes", () => {
    for (const { measured } of estimatePlanted({ ...nothing, slices: [planting(2, 0.5)] })) {
      expect(measured.high).toBeLessThan(3);
    }
    expect(estimatePlanted({ ...nothing, slices: [planting(1, 1).slice(0, 10)] })).toEqual([]);
    expect(estimatePlanted({ ...nothing, slices: [planting(1, 1).slice(0, 11)] })).not.toEqual([]);
  });
});

describe("counts", () => {
  const definitions = [
    { ...metric("boot", "made"), quantity: "count" as const, margin: 0.2 },
    { ...metric("retention", "unplugged"), quantity: "count" as const, margin: 0.2 },
  ];
  /** Counts that vary between processes by a few parts in ten thousand. */
  const counted = (share: number) => {
    const random = Random.seeded(3, "counts");
    const count = (percent: number) =>
      definitions.map(() => 1e6 * (1 + percent / 100 + 0.0003 * (random.unit() - 0.5)));
    const repeats = Array.from({ length: 12 }, () => ({
      A: count(0),
      A2: count(0),
      B: PERCENTS.map((percent) => count(share * percent)),
    }));
    return { definitions, repeats };
  };

  it("finds what was planted into counts, apart from what was planted into times", () => {
    const { planted, falseAlarms } = summarizeSelfTest({ ...nothing, counts: counted(1) });
    expect(
      planted.map(({ suite, quantity, percent, found, of }) => [suite, quantity, percent, found, of]),
    ).toEqual(
      [0.5, 2, 5].flatMap((percent) => [
        ["boot", "count", percent, 4, 4],
        ["retention", "count", percent, 4, 4],
      ]),
    );
    expect(falseAlarms).toEqual({ found: 0, of: 8 });
  });

  it("finds nothing that was not planted", () => {
    const { planted } = summarizeSelfTest({ ...nothing, counts: counted(0) });
    expect(planted.map(({ found }) => found)).toEqual(Array(6).fill(0));
  });
});

describe("leaks", () => {
  const followed = (slopes: readonly number[], leak: number): ProcessReport[] =>
    slopes.map((slope) => ({
      ...emptyReport,
      curves: perArm((arm) =>
        ["unplug", "remap"].map((scenario) => ({
          scenario,
          control: false,
          margin: 16,
          heap: Array.from({ length: 9 }, (_, i) => ({
            round: 30 * i,
            bytes: 5e6 + 30 * i * (arm === "B" ? leak + 1.3 * slope : slope),
          })),
        })),
      ),
    }));

  it("are found in every scenario and group of processes", () => {
    const leaks = followed([1, 3, 0, 2, 4, 1], 1500);
    expect(summarizeSelfTest({ ...nothing, leaks }).leaks).toEqual({ found: 4, of: 4 });
  });

  it("are found if all processes agree to the byte", () => {
    const leaks = followed([0, 0, 0], 656);
    expect(summarizeSelfTest({ ...nothing, leaks }).leaks).toEqual({ found: 2, of: 2 });
  });

  it("are not found if there are none", () => {
    const leaks = followed([1, 3, 0, 2, 4, 1], 0);
    expect(summarizeSelfTest({ ...nothing, leaks }).leaks).toEqual({ found: 0, of: 4 });
  });
});

describe("arms that are alike", () => {
  const orders: readonly (readonly Arm[])[] = [
    ["A", "B", "A2"],
    ["B", "A2", "A"],
    ["A2", "A", "B"],
  ];

  /** Nine processes; factors by arm, and by the position in which its isolate was created. */
  const summarize = (byArm: Partial<Record<Arm, number>>, bySlot: readonly number[] = [1, 1, 1]) =>
    summarizeSelfTest({
      ...nothing,
      alike: Array.from({ length: 9 }, (_, i) => {
        const slots = orders[i % 3] ?? ARMS;
        const value = (arm: Arm) => (100 + i) * (byArm[arm] ?? 1) * (bySlot[slots.indexOf(arm)] ?? 1);
        return sliced([metric("dispatch", "one")], [0], value, slots);
      }),
    }).alike[0];

  it("have a distance of zero, however the processes differ", () => {
    const alike = summarize({});
    expect(alike).toMatchObject({
      suite: "dispatch",
      workload: "fixture",
      name: "one",
      processes: 9,
      alike: true,
    });
    for (const distance of [...Object.values(alike?.arms ?? {}), ...(alike?.slots ?? [])])
      expect(distance).toBeCloseTo(0, 9);
  });

  it("show an arm that is slower than the mean of all three", () => {
    // The logarithm of B is 0.9 % and the mean of the logarithms 0.3 %, so B is 0.6 % above and the others 0.3 % below.
    const alike = summarize({ B: Math.exp(0.009) });
    expect(alike?.arms.B).toBeCloseTo(0.6, 9);
    expect(alike?.arms.A).toBeCloseTo(-0.3, 9);
    expect(alike?.arms.A2).toBeCloseTo(-0.3, 9);
    expect(alike?.alike).toBe(false);
    expect(summarize({ B: Math.exp(0.004) })?.alike).toBe(true);
  });

  it("show a slot that is slower, though no arm is", () => {
    const alike = summarize({}, [Math.exp(0.03), 1, 1]);
    expect(alike?.slots.map((distance) => Number(distance.toFixed(6)))).toEqual([2, -1, -1]);
    expect(alike?.alike).toBe(false);
  });
});
