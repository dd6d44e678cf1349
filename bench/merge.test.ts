import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { CommandError } from "#host";
import { ARMS, type Environment, lookFor, metricKey, parseRun, type Run, serializeRun } from "#results";
import { pairedDifference } from "#results/statistics";
import { syntheticRun } from "#results/testing";
import { mergeRuns, type Part } from "./merge.ts";
import { perArm } from "./suites/measurement.ts";

const COMMAND = "npx regionlab results merge a.json b.json -o c.json";

/** The part of a run from one process up to, but not including, another. */
function cut(run: Run, from: number, to: number, machine: Partial<Environment>): Run {
  return {
    ...run,
    machines: run.machines.map((each) => ({ ...each, ...machine })),
    schedule: { ...run.schedule, processes: run.schedule.processes.slice(from, to) },
    metrics: run.metrics.flatMap((metric) => {
      const places = metric.processes.flatMap((process, place) =>
        process >= from && process < to ? [place] : [],
      );
      if (places.length === 0) return [];
      const pick = <T>(values: readonly T[]) => values.filter((_, place) => places.includes(place));
      return [
        {
          ...metric,
          samples: perArm((arm) => pick(metric.samples[arm])),
          distributions: perArm((arm) => pick(metric.distributions[arm])),
          outliers: perArm((arm) => pick(metric.outliers[arm])),
          processes: pick(metric.processes).map((process) => process - from),
        },
      ];
    }),
  };
}

/** The same run on a machine that is slower by a factor. */
function scaled(run: Run, factor: number): Run {
  return {
    ...run,
    metrics: run.metrics.map((metric) => ({
      ...metric,
      samples: perArm((arm) => metric.samples[arm].map((value) => value * factor)),
    })),
  };
}

const whole = syntheticRun({ repeats: 16 });
const total = whole.schedule.processes.length;

/** The whole in two parts. */
function halves(at = total >> 1, second: Partial<Environment> = {}): [Part, Part] {
  return [
    { file: "a.json", run: cut(whole, 0, at, {}) },
    { file: "b.json", run: cut(whole, at, total, { date: "2026-01-03T00:00:00.000Z", ...second }) },
  ];
}

describe("mergeRuns", () => {
  it("restores a run that was divided at any point: samples, processes, order", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: total - 1 }), (at) => {
        const merged = mergeRuns(halves(at), COMMAND);
        expect(merged.schedule).toEqual(whole.schedule);
        const found = new Map(merged.metrics.map((metric) => [metricKey(metric), metric]));
        expect(found.size).toBe(whole.metrics.length);
        for (const metric of whole.metrics) {
          const { samples, distributions, processes, outliers } = found.get(metricKey(metric)) ?? {};
          expect({ samples, distributions, processes }).toEqual({
            samples: metric.samples,
            distributions: metric.distributions,
            processes: metric.processes,
          });
          for (const arm of ARMS) expect(outliers?.[arm]).toHaveLength(metric.samples[arm].length);
        }
      }),
      { numRuns: 20 },
    );
  });

  it("draws its verdicts from all pairs together, at the level of its parts", () => {
    const { metrics, options } = mergeRuns(halves(), COMMAND);
    for (const metric of metrics) {
      const { samples, scale, comparison } = metric;
      const { level, exact } = lookFor(metric, options.sequential);
      const difference = pairedDifference(samples.A, samples.B, scale, level, exact);
      const { estimate, low, high, pairs, figures } = difference;
      expect(comparison.ab).toMatchObject({ estimate, low, high, pairs, figures });
      expect(comparison.machines).toBeNull();
    }
  });

  it("gives a run that is stored and read back unchanged", () => {
    const merged = mergeRuns(halves(undefined, { id: "two" }), COMMAND);
    expect(parseRun(serializeRun(merged), "c.json")).toEqual(merged);
    expect(merged.options).toMatchObject({
      command: ["a.json", "b.json"]
        .map((file) => `${whole.options.command} -o ${file}\n`)
        .concat(COMMAND)
        .join(""),
      shard: null,
      repeats: 2 * whole.options.repeats,
    });
  });

  it("recognises parts from the same machine, adds up their time, and shows the highest load", () => {
    const [first, second] = halves();
    const busy = second.run.machines.map((machine) => ({ ...machine, loadBefore: [7, 3, 1] }));
    const merged = mergeRuns([first, { ...second, run: { ...second.run, machines: busy } }], COMMAND);
    expect(merged.machines.map(({ id, seconds }) => [id, seconds])).toEqual([["one", 2 * 312]]);
    expect(merged.machines[0]?.loadBefore).toEqual([7, 3, 1]);
    expect(new Set(merged.schedule.processes.map(({ machine }) => machine))).toEqual(new Set([0]));
  });

  it("keeps track of the machine of each process, also for parts that were merged before", () => {
    const [a, b] = halves(undefined, { id: "two" });
    const merged = mergeRuns([a, b], COMMAND);
    const machines = merged.schedule.processes.map(({ machine }) => merged.machines[machine]?.id);
    expect(machines).toEqual(whole.schedule.processes.map((_, i) => (i < total >> 1 ? "one" : "two")));
    const third = {
      file: "d.json",
      // Different figures, because the same ones would be refused as a copy.
      run: cut(scaled(whole, 1.001), 0, total, { id: "three", date: "2026-01-04T00:00:00.000Z" }),
    };
    const again = mergeRuns([third, { file: "c.json", run: merged }], COMMAND);
    expect(again.machines.map(({ id }) => id)).toEqual(["three", "one", "two"]);
    expect(again.schedule.processes.slice(total).map(({ machine }) => again.machines[machine]?.id)).toEqual(
      machines,
    );
  });

  it("treats machines as blocks: if they disagree, the interval covers both, and the run says so", () => {
    const slower = (run: Run): Run => ({
      ...run,
      metrics: run.metrics.map((metric) => ({
        ...metric,
        samples: { ...metric.samples, B: metric.samples.A.map((value) => 1.2 * value + 500) },
      })),
    });
    const [a, b] = halves(undefined, { id: "two" });
    const agreeing = mergeRuns([a, b], COMMAND);
    const disagreeing = mergeRuns([a, { ...b, run: slower(b.run) }], COMMAND);
    const timed = disagreeing.metrics.filter(
      ({ processes }) =>
        processes.filter((i) => i < total >> 1).length > 3 &&
        processes.filter((i) => i >= total >> 1).length > 3,
    );
    expect(timed.length).toBeGreaterThan(0);
    for (const metric of timed) {
      expect(metric.comparison.machines).toMatch(/^The 2 machines differ/);
      const before = agreeing.metrics.find((each) => metricKey(each) === metricKey(metric))?.comparison;
      expect(before?.machines).toBeNull();
    }
  });

  it("keeps what every part found left after the rounds, in whichever order they are given", () => {
    const [a, b] = halves();
    const leaking = b.run.retention.map((scenario) => ({
      ...scenario,
      arms: {
        ...scenario.arms,
        B: { ...scenario.arms.B, blocksUnfreed: scenario.arms.B.blocksUnfreed.map(() => 5) },
      },
    }));
    const leak = { ...b, run: { ...b.run, retention: leaking } };
    for (const parts of [
      [a, leak],
      [leak, a],
    ]) {
      const { retention } = mergeRuns(parts, COMMAND);
      expect(retention).toHaveLength(a.run.retention.length);
      retention.forEach(({ arms }, i) => {
        const own = (run: Run) => run.retention[i]?.arms.B.blocksUnfreed ?? [];
        expect(arms.B.blocksUnfreed.toSorted()).toEqual([...own(a.run), ...own(leak.run)].toSorted());
        expect(arms.B.blocksUnfreed).toContain(5);
        expect(arms.B.heap).toHaveLength(2 * (a.run.retention[i]?.arms.B.heap.length ?? 0));
      });
    }
  });

  it("refuses a merged run beside one of its parts", () => {
    const [a, b] = halves();
    const merged = { file: "m.json", run: mergeRuns([a, b], COMMAND) };
    for (const parts of [
      [merged, a],
      [b, merged],
    ])
      expect(() => mergeRuns(parts, COMMAND)).toThrow(
        /has processes that .*\.json has, too; merge each part once/,
      );
  });

  it("shows the self-test with the most false alarms", () => {
    const [a, b] = halves();
    const withAlarms = (part: Part, found: number): Part => ({
      ...part,
      run: {
        ...part.run,
        selfTest: part.run.selfTest && { ...part.run.selfTest, falseAlarms: { found, of: 190 } },
      },
    });
    for (const [one, other] of [
      [0, 60],
      [60, 0],
    ] as const) {
      const merged = mergeRuns([withAlarms(a, one), withAlarms(b, other)], COMMAND);
      expect(merged.selfTest?.falseAlarms.found).toBe(60);
    }
  });

  it("adds up proofs, and keeps omissions that no other part fills", () => {
    const merged = mergeRuns(halves(), COMMAND);
    expect(merged.equivalence.map(({ boots }) => boots)).toEqual(
      whole.equivalence.map(({ boots }) => 2 * boots),
    );
    expect(merged.omissions).toEqual(whole.omissions);
    const [a, b] = halves();
    const [metric] = b.run.metrics;
    if (metric === undefined) throw new RangeError("the second half has metrics");
    const omission = { ...metric, reason: "Not measured." };
    const made = mergeRuns([{ ...a, run: { ...a.run, omissions: [omission] } }, b], COMMAND);
    expect(made.omissions.map(metricKey)).not.toContain(metricKey(omission));
  });

  const change = (edit: (run: Run) => Partial<Run>): Part[] => {
    const [a, b] = halves();
    return [a, { ...b, run: { ...b.run, ...edit(b.run) } }];
  };
  const machine = (edit: Partial<Environment>) =>
    change(({ machines }) => ({ machines: machines.map((each) => ({ ...each, ...edit })) }));

  it.each<[string, readonly Part[], RegExp]>([
    ["nothing", [], /give at least two runs/],
    ["a single run", halves().slice(0, 1), /give at least two runs/],
    [
      "the same run twice",
      [halves()[0], { ...halves()[0], file: "copy.json" }],
      /^copy\.json: is the same part of a run as a\.json/,
    ],
    [
      "the same figures under the name of another machine",
      [halves()[0], { file: "copy.json", run: cut(whole, 0, total >> 1, { id: "0000ffff" }) }],
      /^copy\.json: is the same part of a run as a\.json/,
    ],
    [
      "the same part twice",
      halves().map(({ file, run }) => ({ file, run: { ...run, options: { ...run.options, shard: "1/2" } } })),
      /^b\.json: is the same part/,
    ],
    [
      "other options",
      change(({ options }) => ({ options: { ...options, command: `${options.command} --seconds 5` } })),
      /^b\.json: has command/,
    ],
    ["another seed", change(({ options }) => ({ options: { ...options, seed: 7 } })), /^b\.json: has seed 7/],
    [
      "other suites",
      change(({ options }) => ({ options: { ...options, suites: ["boot"] } })),
      /^b\.json: has suites/,
    ],
    [
      "other guests",
      change(({ options }) => ({ options: { ...options, workloads: ["smp"] } })),
      /^b\.json: has guests/,
    ],
    [
      "a part and a whole",
      change(({ options }) => ({ options: { ...options, shard: "2/2" } })),
      /a\.json is a whole run, or one merged already, and b\.json is part 2\/2: give the parts of one division/,
    ],
    [
      "other margins",
      change(({ metrics }) => ({ metrics: metrics.map((metric) => ({ ...metric, margin: 5 })) })),
      /^b\.json: has margins/,
    ],
    ["another architecture", machine({ arch: "arm64" }), /^b\.json: has architecture arm64/],
    [
      "other lifetimes",
      change(({ lifetimes }) => ({ lifetimes: lifetimes.slice(1) })),
      /^b\.json: has lifetimes/,
    ],
    [
      "other code sizes",
      change(({ codeSize }) => ({ codeSize: codeSize.slice(1) })),
      /^b\.json: has code sizes/,
    ],
    ["another Node", machine({ node: "22.1.0" }), /^b\.json: has Node .*22\.1\.0/],
    ["another V8", machine({ v8: "12" }), /^b\.json: has V8/],
    ["another commit", machine({ commit: "f".repeat(40) }), /^b\.json: has commit/],
    ["another version", machine({ regionlab: "0.2.0" }), /^b\.json: has regionlab/],
    ["other options of the runtime", machine({ execArgv: [] }), /^b\.json: has runtime options/],
    [
      "a changed working tree",
      machine({ dirty: true }),
      /^b\.json: was measured in a working tree with changes/,
    ],
    [
      "other forms",
      change(({ options }) => ({ options: { ...options, forms: { A: "owned", B: "embedded" } } })),
      /^b\.json: has forms/,
    ],
    [
      "a quick run",
      change(({ options }) => ({ options: { ...options, quick: true } })),
      /^b\.json: has quick true, a\.json false/,
    ],
    ["measured and made-up figures", change(() => ({ synthetic: false })), /^b\.json: has synthetic/],
    [
      "a failed proof",
      change(() => ({ equivalence: syntheticRun({ notEquivalent: true }).equivalence })),
      /^b\.json: its forms did not run the same guest/,
    ],
    [
      "other guests of one name",
      change(({ equivalence }) => ({
        equivalence: equivalence.map((proof) => {
          const other = { ...proof.records.A, instructions: 7 };
          return { ...proof, records: { A: other, B: other } };
        }),
      })),
      /^b\.json: its guest hello behaved differently from that of a\.json/,
    ],
  ])("refuses %s, and names the file", (_, parts, message) => {
    const merge = () => mergeRuns(parts, COMMAND);
    expect(merge).toThrow(CommandError);
    expect(merge).toThrow(message);
  });
});
