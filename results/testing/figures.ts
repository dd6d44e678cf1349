/** Runs with chosen figures, for tests of what is said about them. */
import type { Effect, Metric, Run } from "../schema.ts";
import { comparisonOf } from "./effects.ts";
import { syntheticRun } from "./synthetic-run.ts";

export const base = syntheticRun();
export const time = decidingTime();

function decidingTime(): Metric {
  const found = base.metrics.find(
    ({ suite, quantity, decides }) => suite === "dispatch" && quantity === "time" && decides,
  );
  if (found === undefined) throw new Error("a synthetic run has times that decide");
  return found;
}

/** A figure with a given difference and interval. */
export function figure(changes: Partial<Metric>, estimate: number, half: number): Metric {
  const definition = { ...time, ...changes };
  const effect = (centre: number, width: number): Effect => ({
    ...time.comparison.ab,
    estimate: centre,
    low: centre - width,
    high: centre + width,
    adjustedPValue: Math.abs(centre) > width ? 0.001 : 0.5,
    figures: definition.scale === "percent" ? { a: 100, b: 100 + centre } : { a: 0, b: centre },
  });
  return { ...definition, comparison: comparisonOf(definition, effect(estimate, half), effect(0, 0.01)) };
}

/** A run with only these figures. */
export function runOf(metrics: readonly Metric[], changes: Partial<Run> = {}): Run {
  return { ...base, metrics, omissions: [], retention: [], codeSize: [], lifetimes: [], ...changes };
}
