import type { Comparison, Effect, Interval, MetricDefinition, PerArm, Verdict } from "#results";
import { FEWEST_FOR_RANKS, LEVEL } from "./centre.ts";
import { holm } from "./holm.ts";
import { pairedDifference } from "./paired.ts";
import { studentQuantile } from "./student.ts";

/** Largest corrected probability of chance at which a difference counts as shown. */
export const ALPHA = 0.05;
/** Half width of a median's interval, times the root of the number of values, over their standard deviation if they are normal. */
const MEDIAN_HALF_WIDTH = 1.96 * Math.sqrt(Math.PI / 2);
/** Beyond this many repeats an estimate of how many it takes is of no use to anybody. */
const MOST_REPEATS = 10_000;

export interface Measured {
  readonly definition: MetricDefinition;
  /** Values of one place belong to one repeat. */
  readonly samples: PerArm<readonly number[]>;
}

/**
 * Compares B with A, and A2 with A, for all metrics of a run at once: Holm's correction needs them all. Headline metrics
 * are corrected among themselves, all others among themselves, so that looking closer does not blur the answer.
 *
 * @returns in the order of the input
 */
export function judge(metrics: readonly Measured[]): Comparison[] {
  const inHeadline = metrics.map(({ definition }) => definition.role === "headline");
  const ab = corrected(
    metrics.map((metric) => effect(metric, "B")),
    inHeadline,
  );
  const aa = corrected(
    metrics.map((metric) => effect(metric, "A2")),
    inHeadline,
  );
  return metrics.map(({ definition, samples }, i) => {
    const [effectAb, effectAa] = [ab[i], aa[i]];
    if (!effectAb || !effectAa) throw new RangeError("one effect per metric");
    const aaSpread = Math.max(Math.abs(effectAa.low), Math.abs(effectAa.high));
    const verdict = decide(effectAb, effectAb.adjustedPValue, definition.margin, aaSpread);
    return {
      ab: effectAb,
      aa: effectAa,
      aaSpread,
      verdict,
      aaVerdict: decide(effectAa, effectAa.adjustedPValue, definition.margin, 0),
      repeatsNeeded:
        verdict === "inconclusive" ? repeatsNeeded(effectAb, definition.margin, samples.B.length) : null,
    };
  });
}

/**
 * The rule, in this order:
 *
 * 1. The whole interval lies inside the margin: `equivalent`. These are two one-sided tests (D. J. Schuirmann, J.
 *    Pharmacokin. Biopharm. 15, 1987), each at 2.5 %, because the interval is one of 95 %.
 * 2. The interval excludes zero, and chance, corrected for the number of metrics, is unlikely: a difference. If it is no
 *    larger than the spread of A against itself: `no difference`; else `faster` or `slower`.
 * 3. Otherwise `inconclusive`.
 */
export function decide(
  interval: Interval,
  adjustedPValue: number,
  margin: number,
  aaSpread: number,
): Verdict {
  const { estimate, low, high } = interval;
  if (low > -margin && high < margin) return "equivalent";
  if ((low > 0 || high < 0) && adjustedPValue < ALPHA) {
    if (Math.abs(estimate) <= aaSpread) return "no difference";
    return estimate < 0 ? "faster" : "slower";
  }
  return "inconclusive";
}

/**
 * Repeats in all after which the interval, shrinking with the square root of their number around the present estimate,
 * would exclude zero or fit into the margin, whichever comes first. An order of magnitude, not a promise.
 *
 * @returns null when that is beyond ten thousand
 */
export function repeatsNeeded(interval: Interval, margin: number, repeats: number): number | null {
  const { estimate, low, high } = interval;
  // Student's interval for few values shrinks much faster than with the root, towards that of the median.
  const few = repeats < FEWEST_FOR_RANKS;
  const halfWidth =
    ((high - low) / 2) * (few ? MEDIAN_HALF_WIDTH / studentQuantile(1 - LEVEL, repeats - 1) : 1);
  const distance = Math.abs(estimate);
  const target = Math.max(distance, margin - distance);
  const needed = Math.ceil(repeats * (halfWidth / target) ** 2);
  return needed <= MOST_REPEATS ? Math.max(needed, repeats + 1) : null;
}

function effect({ definition: { scale }, samples }: Measured, arm: "B" | "A2"): Effect {
  const difference = pairedDifference(samples.A, samples[arm], scale);
  return { ...difference, adjustedPValue: difference.pValue };
}

/** Adjusts probabilities within each of the two families. */
function corrected(effects: readonly Effect[], inFirst: readonly boolean[]): Effect[] {
  const adjusted = effects.map(() => 1);
  for (const family of [true, false]) {
    const members = effects.flatMap((_, i) => (inFirst[i] === family ? [i] : []));
    const probabilities = holm(members.map((i) => effects[i]?.pValue ?? 1));
    members.forEach((i, rank) => {
      adjusted[i] = probabilities[rank] ?? 1;
    });
  }
  return effects.map((item, i) => ({ ...item, adjustedPValue: adjusted[i] ?? 1 }));
}
