/** Comparisons of synthetic samples: normal theory on means, which is enough for data that were never measured. */
import type { Arm, Comparison, Effect, MetricDefinition, PerArm } from "../schema.ts";
import { decide, decideControl, isDecided, spreadOf } from "../verdict-rule.ts";

export function perArm<T>(make: (arm: Arm) => T): PerArm<T> {
  return { A: make("A"), B: make("B"), A2: make("A2") };
}

/** Judges samples by the real rule. @param family number of metrics that Holm's correction would see */
export function compare(
  definition: Pick<MetricDefinition, "margin" | "decides" | "scale">,
  samples: PerArm<readonly number[]>,
  family: number,
): Comparison {
  const ab = effect(samples.A, samples.B, definition.scale, family);
  const aa = effect(samples.A, samples.A2, definition.scale, family);
  return comparisonOf(definition, ab, aa);
}

/** What the rule makes of two effects, consistent in all its parts. */
export function comparisonOf(
  definition: Pick<MetricDefinition, "margin" | "decides">,
  ab: Effect,
  aa: Effect,
): Comparison {
  const verdict = decide({ ab, aa }, definition);
  const open = definition.decides
    ? "The interval is wider than the margin: measure on an idle machine."
    : "It was not to decide its question.";
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

function effect(
  a: readonly number[],
  b: readonly number[],
  scale: MetricDefinition["scale"],
  family: number,
): Effect {
  const mean = (xs: readonly number[]) => xs.reduce((sum, x) => sum + x, 0) / xs.length;
  const figures = { a: mean(a), b: mean(b) };
  const unit = scale === "percent" ? 100 / figures.a : 1;
  const differences = a.map((value, i) => (b[i] ?? Number.NaN) - value);
  const centre = mean(differences);
  const deviation = Math.sqrt(mean(differences.map((x) => (x - centre) ** 2)) / a.length);
  const estimate = scale === "percent" ? 100 * (figures.b / figures.a - 1) : figures.b - figures.a;
  const half = 2.17 * unit * deviation; // two-sided 97 % of a normal distribution
  const pValue = Math.max(1e-12, Math.exp(-((centre / (deviation || 1e-9)) ** 2) / 2));
  return {
    estimate,
    low: estimate - half,
    high: estimate + half,
    level: 0.97,
    pairs: a.length,
    above: differences.filter((difference) => difference > 0).length,
    pValue,
    adjustedPValue: Math.min(1, family * pValue),
    figures,
  };
}
