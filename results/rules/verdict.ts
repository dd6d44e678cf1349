/** The one rule for all verdicts: what makes them, and what checks stored ones. */
import type { Comparison, Interval, MetricDefinition, Verdict } from "../schema.ts";

/** Largest corrected probability of chance at which a difference counts as shown. */
export const ALPHA = 0.05;

/** What a verdict is drawn from. */
export interface Evidence {
  readonly ab: Interval & { readonly adjustedPValue: number };
  readonly aa: Interval & { readonly adjustedPValue: number };
}

/**
 * The rule, in this order:
 *
 * 1. The metric does not decide its question: `not judged`.
 * 2. A differs from itself, by the same rule, beyond the margin: `inconclusive`. The instrument is wrong here.
 * 3. The whole interval lies inside the margin, and so does that of A against itself: `equivalent`. Few pairs may agree by luck,
 *    which the control then does not. These are two one-sided tests (D. J. Schuirmann, J.
 *    Pharmacokin. Biopharm. 15, 1987), each at half of what the interval leaves out.
 * 4. The interval excludes zero, and chance, corrected for the number of metrics, is unlikely: a difference. If it is no
 *    larger than the spread of A against itself: `no difference`; else `faster` or `slower`.
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

/** What the rule says of A against itself. */
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

/** Whether a difference, however small, is certain: its interval excludes zero, and chance is unlikely. */
export function isShown({ low, high, adjustedPValue }: Evidence["ab"]): boolean {
  return (low > 0 || high < 0) && adjustedPValue < ALPHA;
}

/** Largest distance of an interval from zero. */
export function spreadOf({ low, high }: Interval): number {
  return Math.max(Math.abs(low), Math.abs(high));
}

/** Whether a verdict claims that one arm is better than the other. */
export function isDifference(verdict: Verdict): boolean {
  return verdict === "faster" || verdict === "slower";
}

/** Whether a verdict answers its question. */
export function isDecided({ verdict }: Pick<Comparison, "verdict">): boolean {
  return isDifference(verdict) || verdict === "equivalent";
}
