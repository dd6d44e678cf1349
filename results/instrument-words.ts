/** How far the instrument can be trusted, in sentences shown with its verdicts. */

import { familyOf, fewestToClaim, lookFor } from "./rules/judge.ts";
import { SLICE_ESTIMATOR } from "./rules/questions.ts";
import { ALPHA, isDifference } from "./rules/verdict.ts";
import type { Metric, Planted, Run, SelfTest } from "./schema.ts";
import { studentProbability, studentQuantile } from "./statistics/index.ts";
import { countOf, formatDate, formNames, SUITE_TITLES } from "./words.ts";

/** Shown once, above the table of verdicts. */
export const SCOPE =
  "Every time here was measured in this emulator under V8, and is marked so in its row. It says nothing about QEMU in C, " +
  "whose objects are laid out by a compiler.";

/** In how many figures the rule claims that A differs from itself. */
export function claimedOfControl({ metrics }: Run): number {
  return metrics.filter(({ comparison: { aaVerdict } }) => isDifference(aaVerdict)).length;
}

/** What the same rule claims about A against itself, over all figures. */
export function controlSentence(run: Run): string {
  const { metrics } = run;
  const claimed = claimedOfControl(run);
  const able = metrics.filter((metric) => couldClaim(metric, run)).length;
  return (
    `Control: the same rule, applied to ${formNames(run).A} against itself, claims a difference in ` +
    `${claimed} of ${countOf(metrics.length, "figure")}; in ${able} of them it could have claimed one as large as ` +
    "the margin (an interval narrow enough, and processes enough)."
  );
}

/**
 * Whether the rule could have claimed a difference of A from itself that is as large as the margin: with the scatter that
 * was found, and at the first step of the correction for the number of figures, the strictest.
 */
function couldClaim(metric: Metric, { options: { sequential }, metrics }: Run): boolean {
  const { quantity, margin, comparison } = metric;
  const { low, high, level, pairs } = comparison.aa;
  if (quantity === "reads" || high - low >= 2 * margin) return false;
  const look = lookFor(metric, sequential);
  const family = familyOf(metric);
  const figures = metrics.filter((each) => familyOf(each) === family).length;
  if (look.exact !== true) return pairs >= fewestToClaim({ ...look, looks: look.looks * figures });
  const error = (high - low) / 2 / studentQuantile(1 - level, pairs - 1);
  return error === 0 || figures * studentProbability(margin / error, pairs - 1) < ALPHA;
}

/** Most processes behind a time of slices of this run, and their range in words; null if there is no such time. */
export function processesOfSlices({ metrics }: Run): { most: number; words: string } | null {
  const counts = metrics
    .filter(({ estimator }) => estimator === SLICE_ESTIMATOR)
    .map(({ processes }) => processes.length);
  if (counts.length === 0) return null;
  const [least, most] = [Math.min(...counts), Math.max(...counts)];
  return { most, words: least === most ? `${most}` : `${least} to ${most}` };
}

/** Says how few processes are behind the times of this run, where the self-test had more; else empty. */
export function processesSentence(run: Run): string {
  const found = processesOfSlices(run);
  if (run.selfTest === null || found === null || found.most >= run.selfTest.processes) return "";
  return `Times of slices have ${found.words} processes in this run, so they would show less than that.`;
}

/** Where extra work was planted, in lower case. */
export function plantedIn({ suite, quantity }: Planted): string {
  return `${SUITE_TITLES[suite].toLowerCase()}${quantity === "count" ? ", counted" : ""}`;
}

export function selfTestSentence(selfTest: SelfTest | null): string {
  if (selfTest === null)
    return "The instrument's self-test has not been run here; run npm run bench:selftest.";
  const { falseAlarms, planted, leaks, date, cpuModel, node, processes } = selfTest;
  const kinds = [...new Set(planted.map(plantedIn))].map((kind) => {
    const cases = planted.filter((item) => plantedIn(item) === kind).sort((a, b) => a.percent - b.percent);
    const always = cases.findLastIndex(({ found, of }) => found < of) + 1;
    const texts = cases.map((item) => `${item.percent}\u00a0% found in ${item.found} of ${item.of}`);
    const rest = cases.slice(always);
    const all = rest.length > 1 ? [`from ${rest[0]?.percent}\u00a0% up always found`] : texts.slice(always);
    return `extra work planted in ${kind}: ${[...texts.slice(0, always), ...all].join(", ")}`;
  });
  return (
    `The instrument's self-test: false alarms ${falseAlarms.found} of ${falseAlarms.of}; ` +
    `${[...kinds, `planted leaks found in ${leaks.found} of ${leaks.of}`].join("; ")} ` +
    `(${processes} processes per comparison of times; ${formatDate(date)}, ${cpuModel}, Node ${node}).`
  );
}
