/** Comparisons of effects without samples, for tests of code that shows them. */

import { decide, decideControl, isDecided, spreadOf } from "../rules/verdict.ts";
import type { Arm, Comparison, Effect, MetricDefinition, PerArm } from "../schema.ts";

export function perArm<T>(make: (arm: Arm) => T): PerArm<T> {
  return { A: make("A"), B: make("B"), A2: make("A2") };
}

/** The comparison that the rule draws from two effects, consistent in all its parts. */
export function comparisonOf(
  definition: Pick<MetricDefinition, "margin" | "decides">,
  ab: Effect,
  aa: Effect,
): Comparison {
  const verdict = decide({ ab, aa }, definition);
  const open = definition.decides
    ? "The interval is wider than the margin: measure on an idle machine."
    : "It was not meant to decide its question.";
  return {
    ab,
    aa,
    aaSpread: spreadOf(aa),
    verdict,
    aaVerdict: decideControl({ aa }, definition.margin),
    reason: isDecided({ verdict }) ? null : open,
    machines: null,
  };
}
