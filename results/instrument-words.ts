/** How far the instrument can be trusted, in sentences that stand beside its verdicts. */

import { isDifference } from "./rules/verdict.ts";
import type { Planted, Run, SelfTest } from "./schema.ts";
import { countOf, formatDate, formNames, SUITE_TITLES } from "./words.ts";

/** Said once above every table of verdicts. */
export const SCOPE =
  "Every time here was measured in this emulator, under V8, and is marked so in its row: it says nothing about QEMU in C, whose " +
  "objects are laid out by a compiler.";

/** What the same rule says of A against itself, over all figures. */
export function controlSentence(run: Run): string {
  const claimed = run.metrics.filter(({ comparison: { aaVerdict } }) => isDifference(aaVerdict)).length;
  return (
    `Control: the same rule, applied to ${formNames(run).A} against itself, claims a difference in ` +
    `${claimed} of ${countOf(run.metrics.length, "figure")}.`
  );
}

/** Where more work was planted, in lower case. */
export function plantedIn({ suite, quantity }: Planted): string {
  return `${SUITE_TITLES[suite].toLowerCase()}${quantity === "count" ? ", counted" : ""}`;
}

export function selfTestSentence(selfTest: SelfTest | null): string {
  if (selfTest === null) return "The instrument's self-test has not been run here; npm run bench:selftest.";
  const { falseAlarms, planted, leaks, date, cpuModel, node, processes } = selfTest;
  const kinds = [...new Set(planted.map(plantedIn))].map((kind) => {
    const cases = planted.filter((item) => plantedIn(item) === kind).sort((a, b) => a.percent - b.percent);
    const always = cases.findLastIndex(({ found, of }) => found < of) + 1;
    const texts = cases.map((item) => `${item.percent}\u00a0% found in ${item.found} of ${item.of}`);
    const rest = cases.slice(always);
    const all = rest.length > 1 ? [`from ${rest[0]?.percent}\u00a0% on always`] : texts.slice(always);
    return `planted in ${kind}: ${[...texts.slice(0, always), ...all].join(", ")}`;
  });
  return (
    `The instrument's self-test: false alarms ${falseAlarms.found} of ${falseAlarms.of}; ` +
    `${[...kinds, `planted leaks found in ${leaks.found} of ${leaks.of}`].join("; ")} ` +
    `(times of ${processes} processes each, ${formatDate(date)}, ${cpuModel}, Node ${node}).`
  );
}
