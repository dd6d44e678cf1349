import CliTable3 from "cli-table3";
import pc from "picocolors";
import type { Run, Verdict } from "../schema.ts";
import { answer, warnings } from "../words.ts";
import {
  codeSizeTable,
  commands,
  environmentTable,
  equivalenceTable,
  metricTable,
  phaseTable,
  requirementTable,
  retentionTable,
  type Table,
} from "./sections.ts";

/** @param colour whether to use ANSI colours; by default as the terminal and NO_COLOR say */
export function renderTable(run: Run, colour: boolean = isWatched()): string {
  const paint = pc.createColors(colour);
  const parts = [paint.bold(run.question), ""];
  for (const warning of warnings(run)) parts.push(paint.yellow(`! ${warning}`));
  parts.push(...answer(run), "");
  const draw = (table: Table) => {
    if (table.rows.length > 0) parts.push(paint.bold(table.caption), drawTable(table, paint), "");
  };
  const withRole = (...roles: string[]) => run.metrics.filter(({ role }) => roles.includes(role));
  draw(metricTable(run, withRole("headline"), "Verdicts"));
  draw(metricTable(run, withRole("detail", "control"), "Details and controls"));
  draw(retentionTable(run));
  draw(requirementTable(run));
  draw(equivalenceTable(run));
  draw(phaseTable(run));
  draw(codeSizeTable(run));
  draw(environmentTable(run));
  parts.push("To repeat:", ...commands(run).map((command) => `  ${command}`));
  return `${parts.join("\n")}\n`;
}

/** Columns need no lines between them: the figures are aligned. */
const NO_BORDERS = {
  top: "",
  "top-left": "",
  "top-mid": "",
  "top-right": "",
  bottom: "",
  "bottom-left": "",
  "bottom-mid": "",
  "bottom-right": "",
  left: "",
  "left-mid": "",
  mid: "",
  "mid-mid": "",
  right: "",
  "right-mid": "",
  middle: "",
};

/** Colours only where a person looks: a pipe or a log gets plain text. */
function isWatched(): boolean {
  return process.stdout.isTTY === true && process.env.NO_COLOR === undefined;
}

type Colours = ReturnType<typeof pc.createColors>;

function drawTable(table: Table, paint: Colours): string {
  const drawing = new CliTable3({
    head: table.head.map((text) => paint.dim(text)),
    colAligns: table.numeric.map((numeric) => (numeric ? "right" : "left")),
    style: { head: [], border: [], compact: true, "padding-left": 0, "padding-right": 2 },
    chars: NO_BORDERS,
  });
  for (const { cells, verdict } of table.rows) {
    const last = cells.length - 1;
    drawing.push(
      cells.map((cell, i) => (verdict && i === last ? verdictColour(verdict, paint)(cell) : cell)),
    );
  }
  return drawing.toString();
}

function verdictColour(verdict: Verdict, paint: Colours): (text: string) => string {
  switch (verdict) {
    case "faster":
    case "equivalent":
      return paint.green;
    case "slower":
      return paint.red;
    case "inconclusive":
      return paint.yellow;
    case "no difference":
      return paint.dim;
  }
}
