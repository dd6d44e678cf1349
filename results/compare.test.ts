import { describe, expect, it } from "vitest";
import { type CompareOptions, compareRuns, describeComparison } from "./compare.ts";
import type { Metric, Run } from "./schema.ts";
import { syntheticRun } from "./testing/synthetic-run.ts";

/** Interval of fixed width around the change of the first sample: the rule is under test, not the statistics. */
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

describe("compareRuns", () => {
  it("finds nothing in a run against itself, for both forms of every metric", () => {
    const { changes, missing } = compareRuns(baseline, baseline, options);
    expect(changes).toHaveLength(2 * baseline.metrics.length);
    expect(changes.filter(({ regressed }) => regressed)).toEqual([]);
    expect(missing).toEqual([]);
  });

  it("finds what got worse by more than the limit, in the form where it did", () => {
    const slower = withSamples(baseline, ({ name }) => (name === "create" ? 1.08 : 1));
    const regressed = compareRuns(baseline, slower, options).changes.filter((change) => change.regressed);
    expect(regressed.map(({ form, metric }) => [form, metric.name])).toEqual([["owned", "create"]]);
    expect(regressed[0]?.change.estimate).toBeCloseTo(8, 9);
  });

  it("lets through what is worse by less, what is better, and controls", () => {
    const changed = withSamples(baseline, ({ role, name }) =>
      role === "control" ? 1.5 : name === "create" ? 1.04 : 0.5,
    );
    const comparison = compareRuns(baseline, changed, options);
    expect(comparison.changes.filter(({ regressed }) => regressed)).toEqual([]);
    expect(describeComparison(comparison, options).join("\n")).toMatch(/the control .* moved too: \+50/);
  });

  it("lets through a large change that may be chance", () => {
    const wide: CompareOptions = { ...options, estimate: () => ({ estimate: 9, low: -1, high: 19 }) };
    expect(compareRuns(baseline, baseline, wide).changes.filter(({ regressed }) => regressed)).toEqual([]);
  });

  it("names metrics that the baseline lacks", () => {
    const smaller = { ...baseline, metrics: baseline.metrics.slice(1) };
    expect(compareRuns(smaller, baseline, options).missing).toEqual(["boot/hello: create"]);
  });

  it("refuses another machine or runtime unless forced, and then labels the result", () => {
    const environment = { ...baseline.environment, node: "22.0.0", cpuModel: "Other" };
    const elsewhere = { ...baseline, environment };
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
