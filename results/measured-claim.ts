/** The claim that the benchmarks decide, answered with the figures of a run. */
import { differenceWords, remainsOf } from "./answer.ts";
import type { ClaimRow } from "./claims.ts";
import { type ReportRow, rowsOf } from "./rows.ts";
import { isDecided, isDifference } from "./rules/verdict.ts";
import { type Run, SUITES } from "./schema.ts";
import { countOf, formNames, listOf, SUITE_TITLES } from "./words.ts";

/** “No difference to start-up, accesses or memory”: a test of equivalence, for which a run has margins and verdicts. */
export const MEASURED_CLAIM = "C25";

const SCOPE = "In this emulator, under V8 (figures of C are listed with the claim):";

/** Differences that are named one by one. */
const MOST_NAMED = 3;

/** The claims of a run, that claim with the verdict of its headline figures. */
export function claimsOf(run: Run): readonly ClaimRow[] {
  return run.claims.map((row) =>
    row.id === MEASURED_CLAIM ? { ...row, verdict: measuredVerdict(run) } : row,
  );
}

function measuredVerdict(run: Run): ClaimRow["verdict"] {
  const rows = rowsOf(run).filter(({ role }) => role === "headline");
  const { A, B } = run.options.forms;
  const unmeasured = SUITES.filter((suite) => rows.every((row) => row.suite !== suite));
  const different = rows.filter(({ verdict }) => isDifference(verdict));
  const open = rows.filter((row) => !isDecided(row)).length;
  const questions = countOf(rows.length, "headline question");
  if (A === B || unmeasured.length > 0)
    return {
      kind: "not decidable here",
      text:
        A === B ? "This run compares a form with itself." : `This run did not measure ${titles(unmeasured)}.`,
    };
  const remains = remainsOf(run);
  if (different.length > 0 || remains?.differs === true) {
    const found =
      different.length === 0
        ? []
        : [`the forms differ in ${different.length} of ${questions}: ${named(run, different)}`];
    const left = remains?.differs === true ? ["what is left after the rounds differs"] : [];
    return { kind: "does not hold", text: `${SCOPE} ${[...found, ...left].join("; ")}.` };
  }
  if (open > 0)
    return {
      kind: "not decidable here",
      text: `No difference was found, but ${open} of ${questions} ${open === 1 ? "is" : "are"} open.`,
    };
  return {
    kind: "holds",
    text: `${SCOPE} all ${rows.length} headline questions are equal within their margins.`,
  };
}

function titles(suites: readonly (typeof SUITES)[number][]): string {
  return listOf(suites.map((suite) => SUITE_TITLES[suite].toLowerCase()));
}

function named(run: Run, rows: readonly ReportRow[]): string {
  const names = formNames(run);
  const told = rows
    .slice(0, MOST_NAMED)
    .flatMap(({ deciding }) => (deciding === null ? [] : differenceWords(deciding, names)));
  const rest = rows.length - told.length;
  return [...told, ...(rest > 0 ? [`and ${rest} more`] : [])].join("; ");
}
