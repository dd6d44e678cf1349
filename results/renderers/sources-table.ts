/** How this emulator and QEMU in C rank the forms, question by question. */

import type { ReportRow } from "../rows.ts";
import { type Metric, type Run, SUITES } from "../schema.ts";
import { type Agreement, agreementsOf, rankingOf } from "../second-source.ts";
import {
  countOf,
  differenceUnit,
  formatEffect,
  formNames,
  listOf,
  QUANTITY_NAMES,
  questionTitle,
  SUITE_TITLES,
  verdictChip,
} from "../words.ts";
import type { Table } from "./table-model.ts";

/** One row for each question that both sources answer. */
export function sourcesTable(run: Run): Table {
  const names = formNames(run);
  const agreements = agreementsOf(run);
  return {
    caption: "The ranking of the forms by this emulator, and by QEMU built in both forms",
    head: [
      "Question",
      ...["This emulator: verdict", "This emulator: difference"],
      ...["QEMU in C: verdict", "QEMU in C: difference"],
      "Rankings",
    ],
    numeric: [false, false, true, false, true, false],
    rows: SUITES.flatMap((suite) =>
      agreements
        .filter(({ ours }) => ours.suite === suite)
        .map(({ ours, theirs, agree }, i) => ({
          cells: [
            questionTitle(ours),
            ...cellsOf(ours),
            ...cellsOf(theirs),
            agree === null ? "open" : agree ? `agree: ${rankingWords(ours, names)}` : "DISAGREE",
          ],
          ...(i === 0 ? { group: SUITE_TITLES[suite] } : {}),
          ...(agree === false ? { alarm: true } : {}),
        })),
    ),
  };
}

/** The count of questions on which the sources agree, and those on which they do not, in sentences. */
export function agreementSentence(run: Run): string {
  const agreements = agreementsOf(run);
  const those = (agree: boolean | null) =>
    agreements.filter((each) => each.agree === agree).map(({ ours }) => `\u201c${questionTitle(ours)}\u201d`);
  const [agree, disagree, open] = [those(true), those(false), those(null)];
  return (
    `Of ${countOf(agreements.length, "question")} that both were asked, they rank the forms alike in ${agree.length}.` +
    (disagree.length === 0 ? "" : ` They disagree in ${listOf(disagree)}.`) +
    (open.length === 0 ? "" : ` Open in one of them or in both: ${listOf(open)}.`)
  );
}

function cellsOf({ deciding, figures, verdict }: ReportRow): [string, string] {
  const metric: Metric | undefined = deciding ?? figures[0];
  if (metric === undefined) return ["", ""];
  const chip = verdictChip(verdict, deciding);
  return [
    `${QUANTITY_NAMES[metric.quantity]}: ${chip}`,
    formatEffect(metric.comparison.ab, differenceUnit(metric)),
  ];
}

function rankingWords({ verdict }: Agreement["ours"], names: { A: string; B: string }): string {
  switch (rankingOf(verdict)) {
    case "first":
      return `${names.A} takes less`;
    case "second":
      return `${names.B} takes less`;
    default:
      return "equal";
  }
}
