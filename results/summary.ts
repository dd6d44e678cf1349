/** A run in a few lines of JSON, small enough to keep and to compare as text. */

import { cleaned, escapeJson } from "#host";
import { answer, reasonOf } from "./answer.ts";
import { asPredicted, environmentLine, warnings } from "./environment-words.ts";
import { type ReportRow, rowsOf } from "./rows.ts";
import { isDecided } from "./rules/verdict.ts";
import type { Form, LifetimeFigures, Quantity, Run, Suite, Verdict } from "./schema.ts";
import { differenceUnit, outcomeWords, questionTitle } from "./words.ts";

/** Name of the format, which is for people and scripts: regionlab never reads it back. */
export const SUMMARY_NAME = "regionlab.summary";

export interface RunSummary {
  readonly schema: typeof SUMMARY_NAME;
  readonly synthetic: boolean;
  readonly question: string;
  readonly forms: { readonly A: Form; readonly B: Form };
  readonly environment: string;
  readonly command: string;
  /** Whether both forms ran the same guests. */
  readonly proven: boolean;
  /** What readers should know before they quote anything, the gravest first. */
  readonly warnings: readonly string[];
  /** The answer in words, a paragraph each. */
  readonly answer: readonly string[];
  /** How many of the headline questions are decided. */
  readonly decided: { readonly found: number; readonly of: number };
  readonly headline: readonly HeadlineSummary[];
  readonly lifetimes: readonly LifetimeSummary[];
}

export interface HeadlineSummary {
  readonly suite: Suite;
  readonly question: string;
  readonly verdict: Verdict;
  /** The quantity of the deciding figure; null if that is missing. */
  readonly decidedBy: Quantity | null;
  /** B against A, in {@link unit}; null if nothing was measured. */
  readonly difference: number | null;
  readonly interval: readonly [low: number, high: number] | null;
  readonly unit: string | null;
  readonly margin: number | null;
  /** Why it is open; null if it is decided. */
  readonly reason: string | null;
}

export interface LifetimeSummary {
  readonly scenario: string;
  /** What was observed, by arm. */
  readonly A: LifetimeFigures;
  readonly B: LifetimeFigures;
  readonly words: { readonly A: string; readonly B: string };
  readonly asPredicted: boolean;
}

/** @returns plain data, all texts safe to show */
export function summarizeRun(stored: Run): RunSummary {
  const run = cleaned(stored);
  const { lead, parts } = answer(run);
  const rows = rowsOf(run).filter(({ role }) => role === "headline");
  return {
    schema: SUMMARY_NAME,
    synthetic: run.synthetic,
    question: run.question,
    forms: run.options.forms,
    environment: environmentLine(run),
    command: run.options.command,
    proven: run.equivalence.every(({ equal }) => equal),
    warnings: warnings(run).map(({ text }) => text),
    answer: [lead, ...parts.map(({ topic, sentences }) => `${topic}: ${sentences.join(" ")}`)],
    decided: { found: rows.filter(isDecided).length, of: rows.length },
    headline: rows.map(summarizeRow),
    lifetimes: run.lifetimes.map(({ scenario, arms: { A, B } }) => ({
      scenario,
      A: A.observed,
      B: B.observed,
      words: { A: outcomeWords(A.observed), B: outcomeWords(B.observed) },
      asPredicted: asPredicted(A) && asPredicted(B),
    })),
  };
}

function summarizeRow(row: ReportRow): HeadlineSummary {
  const { suite, verdict, deciding } = row;
  const ab = deciding?.comparison.ab ?? null;
  return {
    suite,
    question: questionTitle(row),
    verdict,
    decidedBy: deciding?.quantity ?? null,
    difference: ab && rounded(ab.estimate),
    interval: ab && [rounded(ab.low), rounded(ab.high)],
    unit: deciding && differenceUnit(deciding),
    margin: deciding?.margin ?? null,
    reason: isDecided(row) ? null : reasonOf(row),
  };
}

/** Four significant digits: the rest is noise. */
function rounded(value: number): number {
  return Number(value.toPrecision(4));
}

/** The stored form of a summary. */
export function serializeSummary(run: Run): string {
  return `${escapeJson(JSON.stringify(summarizeRun(run), null, 1))}\n`;
}
