/** The rule for all verdicts, used to draw them and to check stored ones. */
import type { Comparison, Interval, MetricDefinition, Verdict } from "../schema.ts";

/** A difference counts as shown if its corrected probability of chance is below this. */
export const ALPHA = 0.05;

/** The effects that a verdict is drawn from. */
export interface Evidence {
  readonly ab: Interval & { readonly adjustedPValue: number };
  readonly aa: Interval & { readonly adjustedPValue: number };
}

/**
 * The rule, in this order:
 *
 * 1. The metric does not decide its question: `not judged`.
 * 2. By the same rule, A differs from itself by more than the margin: `inconclusive`. The instrument is wrong here.
 * 3. The whole interval lies inside the margin, and so does that of A against itself: `equivalent`. The condition on A
 *    is there because few pairs may agree by luck. This amounts to two one-sided tests (D. J. Schuirmann, J.
 *    Pharmacokin. Biopharm. 15, 1987), each at half of one minus the level of the interval.
 * 4. The interval excludes zero, and chance is unlikely after correction for the number of metrics: a difference. If it
 *    is no larger than the spread of A against itself, `no difference`; else `faster` or `slower`.
 * 5. Otherwise `inconclusive`.
 */
export function decide(
  { ab, aa }: Evidence,
  { margin, decides }: Pick<MetricDefinition, "margin" | "decides">,
): Verdict {
  if (!decides) return "not judged";
  if (isDifference(decideAlone(aa, margin, 0))) return "inconclusive";
  const verdict = decideAlone(ab, margin, spreadOf(aa));
  return verdict === "equivalent" && spreadOf(aa) >= margin ? "inconclusive" : verdict;
}

/** The verdict of the rule on A against itself. */
export function decideControl({ aa }: Pick<Evidence, "aa">, margin: number): Verdict {
  return decideAlone(aa, margin, 0);
}

function decideAlone(effect: Evidence["ab"], margin: number, aaSpread: number): Verdict {
  const { estimate, low, high } = effect;
  if (low > -margin && high < margin) return "equivalent";
  if (!isShown(effect)) return "inconclusive";
  if (Math.abs(estimate) <= aaSpread) return "no difference";
  return estimate < 0 ? "faster" : "slower";
}

/** Whether a difference, however small, is shown: its interval excludes zero, and chance is unlikely. */
export function isShown({ low, high, adjustedPValue }: Evidence["ab"]): boolean {
  return (low > 0 || high < 0) && adjustedPValue < ALPHA;
}

/** Largest distance of an interval from zero. */
export function spreadOf({ low, high }: Interval): number {
  return Math.max(Math.abs(low), Math.abs(high));
}

/** Whether a verdict claims a difference between the arms. */
export function isDifference(verdict: Verdict): boolean {
  return verdict === "faster" || verdict === "slower";
}

/** Whether a verdict answers its question. */
export function isDecided({ verdict }: Pick<Comparison, "verdict">): boolean {
  return isDifference(verdict) || verdict === "equivalent";
}
