import { describe, expect, it } from "vitest";
import { type CompareOptions, checkComparable, compareRuns, describeComparison } from "./compare.ts";
import type { Metric, Run } from "./schema.ts";
import { syntheticRun } from "./testing/synthetic-run.ts";

/** An interval of fixed width around the change of the first sample: this tests the rule, not the statistics. */
const options: CompareOptions = {
  estimate: (then, now, scale) => {
    const [a = 1, b = 1] = [then[0], now[0]];
    const estimate = scale === "percent" ? 100 * (b / a - 1) : b - a;
    return { estimate, low: estimate - 2, high: estimate + 2 };
  },
  maxRegression: 5,
  force: false,
  baselineFile: "baseline.json",
};

const baseline = syntheticRun();

function withSamples(run: Run, change: (metric: Metric) => number): Run {
  const scale = (metric: Metric, values: readonly number[]) => values.map((value) => value * change(metric));
  return {
    ...run,
    metrics: run.metrics.map((metric) => ({
      ...metric,
      samples: { ...metric.samples, B: scale(metric, metric.samples.B) },
    })),
  };
}

/** A question decided by a time. */
const ALIASES = "through 4 aliases";

describe("compareRuns", () => {
  it("finds nothing in a run against itself, for both forms of every metric", () => {
    const { changes, missing } = compareRuns(baseline, baseline, options);
    expect(changes).toHaveLength(2 * baseline.metrics.length);
    expect(changes.filter(({ regressed }) => regressed)).toEqual([]);
    expect(missing).toEqual([]);
  });

  it("finds what got worse by more than the limit, and in which form", () => {
    const slower = withSamples(baseline, ({ name, quantity }) =>
      name === ALIASES && quantity === "time" ? 1.08 : 1,
    );
    const regressed = compareRuns(baseline, slower, options).changes.filter((change) => change.regressed);
    expect(regressed.map(({ form, metric }) => [form, metric.name])).toEqual([["owned", ALIASES]]);
    expect(regressed[0]?.change.estimate).toBeCloseTo(8, 9);
  });

  it("does not fail because of times that no run judges, or of too few times", () => {
    const slower = (run: Run, of: string) =>
      withSamples(run, ({ name, quantity }) => (name === of && quantity === "time" ? 1.5 : 1));
    const few = syntheticRun({ repeats: 3 });
    for (const [before, after] of [
      [baseline, slower(baseline, "create")],
      [few, slower(few, ALIASES)],
    ] as const) {
      const comparison = compareRuns(before, after, options);
      expect(comparison.changes.filter(({ regressed }) => regressed)).toEqual([]);
      expect(describeComparison(comparison, options).join("\n")).toMatch(
        /changes are not judged: they are controls, do not decide .*\n0 of \d+ judged figures regressed/,
      );
    }
  });

  it("applies the same limit to counts as to times", () => {
    const more = withSamples(baseline, ({ name, quantity }) =>
      name === "create" && quantity === "count" ? 1.08 : 1,
    );
    const regressed = compareRuns(baseline, more, options).changes.filter((change) => change.regressed);
    expect(regressed.map(({ form, metric }) => [form, metric.quantity])).toEqual([["owned", "count"]]);
    expect(
      describeComparison({ changes: regressed, missing: [], absent: [], differences: [] }, options)[0],
    ).toMatch(/^regression: owned, hello: create \(instructions\): \+8/);
  });

  it("accepts what is worse by less, what is better, and controls", () => {
    const changed = withSamples(baseline, ({ role, name }) =>
      role === "control" ? 1.5 : name === "create" ? 1.04 : 0.5,
    );
    const comparison = compareRuns(baseline, changed, options);
    expect(comparison.changes.filter(({ regressed }) => regressed)).toEqual([]);
    expect(describeComparison(comparison, options).join("\n")).toMatch(/the control .* moved too: \+50/);
  });

  it("accepts a large change that may be chance", () => {
    const wide: CompareOptions = { ...options, estimate: () => ({ estimate: 9, low: -1, high: 19 }) };
    expect(compareRuns(baseline, baseline, wide).changes.filter(({ regressed }) => regressed)).toEqual([]);
  });

  it("names figures that the baseline lacks, or has in another unit", () => {
    const [first, second, ...others] = baseline.metrics;
    if (first === undefined || second === undefined) throw new Error("a synthetic run has metrics");
    const smaller = { ...baseline, metrics: [{ ...second, unit: "s" }, ...others] };
    expect(compareRuns(smaller, baseline, options).missing).toEqual([
      "boot/hello: create (instructions)",
      "boot/hello: create (the baseline has another unit, scale or estimator)",
    ]);
  });

  it("refuses another machine or runtime unless forced, and then labels the result", () => {
    const elsewhere = {
      ...baseline,
      machines: baseline.machines.map((machine) => ({ ...machine, node: "22.0.0", cpuModel: "Other" })),
    };
    expect(() => compareRuns(baseline, elsewhere, options)).toThrow(
      /baseline\.json: was measured elsewhere \(processor: Synthetic Processor then, Other now; Node: .*--force/,
    );
    const forced = { ...options, force: true };
    const comparison = compareRuns(baseline, elsewhere, forced);
    expect(describeComparison(comparison, forced)[0]).toBe(
      "FORCED COMPARISON, processor: Synthetic Processor then, Other now",
    );
  });
});

describe("checkComparable", () => {
  const measured = { ...baseline, synthetic: false };
  const [here] = baseline.machines;
  if (here === undefined) throw new Error("a run has a machine");

  it("answers before anything is measured", () => {
    expect(checkComparable(measured, here, false)).toEqual([]);
    expect(() => checkComparable(measured, { ...here, v8: "9" }, false, "old.json")).toThrow(
      /^old\.json: was measured elsewhere \(V8: 11\.3\.244\.8 then, 9 now\)/,
    );
    expect(() => checkComparable(measured, { ...here, execArgv: [] }, false)).toThrow(/runtime options/);
    const there = { ...measured, machines: [{ ...here, execArgv: ["slices: --a --b", "heap: --c"] }] };
    expect(() =>
      checkComparable(
        there as typeof measured,
        { ...here, execArgv: ["slices: --a --d", "heap: --c"] },
        false,
      ),
    ).toThrow("runtime options: slices: --b only then, slices: --d only now)");
    expect(checkComparable(measured, { ...here, v8: "9" }, true)).toEqual(["V8: 11.3.244.8 then, 9 now"]);
    expect(() => checkComparable(baseline, here, false)).toThrow(/one of them is synthetic/);
  });

  it("accepts a merged baseline only from machines that are alike", () => {
    const twins = { ...measured, machines: [here, { ...here, id: "two", kernel: "6.2" }] };
    expect(checkComparable(twins, here, false)).toEqual([]);
    const merged = { ...syntheticRun({ merged: true }), synthetic: false };
    for (const force of [false, true]) {
      expect(() => checkComparable(merged, here, force, "merged.json")).toThrow(
        /^merged\.json: was merged from machines that differ \(processor: Synthetic Processor on one, Synthetic Processor II on another; Node: .*give the run of a single machine/,
      );
    }
  });
});
