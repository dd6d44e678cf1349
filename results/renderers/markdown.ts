import type { GrowthRecord } from "../growth.ts";
import type { Run } from "../schema.ts";
import { type Block, reportOf, type Section } from "./outline.ts";
import type { Row, Table } from "./table-model.ts";

/** GitHub-flavoured Markdown that is complete without the page. */
export function renderMarkdown(stored: Run, growth: GrowthRecord | null = null): string {
  const { run, warnings, answer, sections } = reportOf(stored, growth);
  const parts = [
    `# ${escapeText(run.question)}`,
    ...warnings.map(({ text, grave }) => `> **${grave ? "Warning" : "Note"}.** ${escapeText(text)}`),
    `**${escapeText(answer.lead)}**`,
    ...answer.parts.map(({ topic, sentences }) => `**${topic}.** ${escapeText(sentences.join(" "))}`),
    ...sections.flatMap(sectionParts),
  ];
  return `${parts.filter((part) => part !== "").join("\n\n")}\n`;
}

function sectionParts({ title, paragraphs, blocks }: Section): string[] {
  return [`## ${escapeText(title)}`, ...paragraphs.map(escapeText), ...blocks.flatMap(blockParts)];
}

function blockParts(block: Block): string[] {
  if (block.kind === "text") return [`**${escapeText(block.title)}**`, fenced(block.text)];
  return [`**${escapeText(block.table.caption)}**`, markdownTable(block.table)];
}

/** A table. Notes on a row go into a last column, because cells cannot span columns in Markdown. */
export function markdownTable({ head, numeric, rows }: Pick<Table, "head" | "numeric" | "rows">): string {
  const withNotes = rows.some(({ notes }) => notes !== undefined && notes.length > 0);
  const line = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;
  const escaped = (cells: readonly string[], notes: string) =>
    line([...cells, ...(withNotes ? [notes] : [])].map(escapeInline));
  const rule = line([...numeric.map((right) => (right ? "---:" : "---")), ...(withNotes ? ["---"] : [])]);
  const width = head.length + (withNotes ? 1 : 0);
  const groupLine = (title: string) =>
    line(Array.from({ length: width }, (_, i) => (i === 0 ? `**${escapeInline(title)}**` : "")));
  const rowLines = ({ cells, notes = [], group }: Row) => [
    ...(group === undefined ? [] : [groupLine(group)]),
    escaped(cells, notes.join(" ")),
  ];
  return [escaped(head, "Notes"), rule, ...rows.flatMap(rowLines)].join("\n");
}

/** A code block, with a fence longer than any in its text. */
function fenced(text: string): string {
  const longest = Math.max(2, ...(text.match(/`+/g) ?? []).map((run) => run.length));
  const fence = "`".repeat(longest + 1);
  return `${fence}\n${text}\n${fence}`;
}

/** Escapes text so that it stays text, also at the start of a line, where it could become a heading or a list item. */
export function escapeText(text: string): string {
  return escapeInline(text)
    .replace(/^[#+=-]/, "\\$&")
    .replace(/^(\d+)(?=[.)]\s)/, "$1\\");
}

/** Escapes text inside a line or cell so that it becomes no markup, tag, entity, link, image, mention or formula. */
function escapeInline(text: string): string {
  return text
    .replace(/\s*\n\s*/g, " ")
    .replace(/[\\`*_[\]<>|~$]/g, "\\$&")
    .replace(/&(?=[#\w])/g, "\\&")
    .replace(/(?<=\w):(?=\/\/)/g, "&#58;") // GitHub turns bare URLs into links
    .replace(/\b(mailto|xmpp):/gi, "$1&#58;")
    .replace(/\b(www)\./gi, "$1&#46;")
    .replace(/@(?=\w)/g, "&#64;\u2060");
}
