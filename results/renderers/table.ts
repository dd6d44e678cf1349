import CliTable3 from "cli-table3";
import pc from "picocolors";
import { wantsColours } from "#host";
import type { GrowthRecord } from "../growth.ts";
import type { Run, Verdict } from "../schema.ts";
import { type Block, reportOf } from "./outline.ts";
import type { Table } from "./table-model.ts";

/** Width of text, in columns; tables are somewhat wider. */
const TEXT_WIDTH = 110;
/** Longer cells are folded at spaces, so that tables fit a terminal of 140 columns. */
const WIDEST_CELL = 46;
/** The same for tables of five columns. */
const WIDEST_OF_FIVE = 32;
/** The same for wider tables: the first column, the verdict, and other columns of text but the last. */
const WIDEST_TITLE = 20;
const WIDEST_VERDICT = 19;
const WIDEST_WORDS = 18;

/** Heads are folded earlier, to keep columns of figures close together. */
const WIDEST_HEAD = 12;

/** @param colour whether to use ANSI colours; default: according to the terminal, NO_COLOR and FORCE_COLOR */
export function renderTable(
  stored: Run,
  colour: boolean = wantsColours(),
  growth: GrowthRecord | null = null,
): string {
  const paint = pc.createColors(colour);
  const { run, warnings, answer, sections } = reportOf(stored, growth);
  const parts = [
    fold(run.question).map(paint.bold).join("\n"),
    "",
    ...warnings.flatMap(({ text, grave }) => fold(`! ${text}`).map(grave ? paint.red : paint.yellow)),
    ...(warnings.length > 0 ? [""] : []),
    ...fold(answer.lead).map(paint.bold),
    ...answer.parts.flatMap(({ topic, sentences }) => ["", ...fold(`${topic}. ${sentences.join(" ")}`)]),
    "",
  ];
  for (const { title, paragraphs, blocks } of sections) {
    const shown = blocks.filter((block) => block.kind === "table" || !block.folded);
    if (shown.length === 0) continue;
    parts.push(paint.bold(title.toUpperCase()));
    for (const paragraph of paragraphs) parts.push(...fold(paragraph));
    for (const block of shown) parts.push(...blockLines(block, paint), "");
  }
  return `${parts.join("\n")}\n`;
}

/** Tables by themselves. */
export function renderTables(tables: readonly Table[], colour: boolean): string {
  const paint = colour && wantsColours() ? pc.createColors(true) : pc.createColors(false);
  return `${tables.map((table) => `${paint.underline(table.caption)}\n${drawTable(table, paint)}`).join("\n\n")}\n`;
}

type Colours = ReturnType<typeof pc.createColors>;

function blockLines(block: Block, paint: Colours): string[] {
  if (block.kind === "table")
    return ["", paint.underline(block.table.caption), drawTable(block.table, paint)];
  return block.text.split("\n").map((line) => `  ${line}`);
}

/** No lines between columns: alignment is enough. */
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

function drawTable({ head, numeric, rows, verdictColumn }: Table, paint: Colours): string {
  const drawing = new CliTable3({
    head: head.map((text) => fold(text, WIDEST_HEAD).map(paint.dim).join("\n")),
    colAligns: numeric.map((right) => (right ? "right" : "left")),
    style: { head: [], border: [], compact: true, "padding-left": 0, "padding-right": 2 },
    chars: NO_BORDERS,
  });
  const spanning = (content: string) => drawing.push([{ content, colSpan: head.length, hAlign: "left" }]);
  const widest = (column: number) => {
    if (numeric[column]) return WIDEST_CELL;
    if (head.length <= 5) return head.length === 5 ? WIDEST_OF_FIVE : WIDEST_CELL;
    if (column === 0) return WIDEST_TITLE;
    if (column === verdictColumn) return WIDEST_VERDICT;
    return column === head.length - 1 ? WIDEST_CELL : WIDEST_WORDS;
  };
  let title: string[] = [];
  for (const [place, { cells, verdict, notes = [], group, alarm }] of rows.entries()) {
    if (group !== undefined) spanning(paint.bold(group));
    // A long title continues next to the rows that belong to it, which have no title of their own.
    title = rows[place]?.continues ? title : fold(cells[0] ?? "", widest(0));
    const others = cells.slice(1).map((cell, i) => fold(cell, widest(i + 1)));
    const height = Math.max(1, ...others.map(({ length }) => length));
    const own = rows[place + 1]?.continues ? title.splice(0, height) : title.splice(0);
    drawing.push(
      [own, ...others].map((lines, i) => {
        if (alarm) return lines.map(paint.red).join("\n");
        return (verdict && i === verdictColumn ? lines.map(verdictColour(verdict, paint)) : lines).join("\n");
      }),
    );
    for (const note of notes) {
      spanning(
        fold(note, TEXT_WIDTH)
          .map((line) => paint.dim(`    ${line}`))
          .join("\n"),
      );
    }
  }
  return drawing.toString().replace(/ +$/gm, "");
}

/** Folds a text at its ordinary spaces, so that figures keep their units. Cuts words that are too long. */
export function fold(text: string, width = TEXT_WIDTH): string[] {
  const lines: string[] = [];
  for (const paragraph of text.split("\n")) {
    let line = "";
    for (const word of paragraph
      .split(" ")
      .flatMap((long) => long.match(new RegExp(`.{1,${width}}`, "gsu")) ?? [""])) {
      if (line !== "" && line.length + 1 + word.length > width) {
        lines.push(line);
        line = word;
      } else line = line === "" ? word : `${line} ${word}`;
    }
    lines.push(line);
  }
  return lines;
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
    case "not judged":
      return paint.dim;
  }
}
