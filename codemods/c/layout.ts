/** Columns, indentation and line width of C text. */

export const WIDTH = 80;
const TAB = 8;

/** Offset of the first character of the line that contains an offset. */
export function lineStart(text: string, offset: number): number {
  return text.lastIndexOf("\n", offset - 1) + 1;
}

/** Offset after the line break that ends the line. */
export function lineEnd(text: string, offset: number): number {
  const newline = text.indexOf("\n", offset);
  return newline < 0 ? text.length : newline + 1;
}

/**
 * What to delete so that a statement is gone: its lines or, if they have more on them, the statement alone.
 * @param withComment true for a declaration, of which the comment behind it speaks
 */
export function stretchOf(
  text: string,
  start: number,
  end: number,
  withComment: boolean,
): readonly [start: number, end: number] {
  const [from, to] = [lineStart(text, start), lineEnd(text, end)];
  const after = text.slice(end, to);
  const isAlone =
    text.slice(from, start).trim() === "" && /^\s*(?:\/\*(?:(?!\*\/)[\s\S])*\*\/\s*|\/\/.*\s*)?$/.test(after);
  if (!isAlone) return [start, end];
  if (!withComment && after.trim() !== "") return [start, end + after.search(/\S/)];
  // The blank line before the last statement of a block goes with it.
  const isLast = text[from - 1] === "\n" && text[from - 2] === "\n" && /^\s*\}/.test(text.slice(to, to + 80));
  return [isLast ? from - 1 : from, to];
}

/** White space at the start of the line. */
export function indentAt(text: string, offset: number): string {
  const start = lineStart(text, offset);
  return /^[ \t]*/.exec(text.slice(start, offset + 1))?.[0] ?? "";
}

/** Width of a text that begins at a column. */
export function columnAfter(text: string, column = 0): number {
  let at = column;
  for (const c of text) at = c === "\t" ? (Math.floor(at / TAB) + 1) * TAB : at + 1;
  return at;
}

/** Column of an offset. */
export function columnAt(text: string, offset: number): number {
  return columnAfter(text.slice(lineStart(text, offset), offset));
}

/** White space up to a column, in the manner of an existing indentation: with tabs if that has some. */
export function indentTo(column: number, like: string): string {
  if (!like.includes("\t")) return " ".repeat(Math.max(0, column));
  return "\t".repeat(Math.floor(column / TAB)) + " ".repeat(column % TAB);
}

/**
 * Moves the continuation lines of a bracketed text by the same number of columns as its opening bracket. Lines that do not
 * align with the bracket stay.
 */
export function realign(text: string, oldColumn: number, newColumn: number): string {
  if (oldColumn === newColumn || !text.includes("\n")) return text;
  const [first = "", ...rest] = text.split("\n");
  const moved = rest.map((line) => {
    const indent = /^[ \t]*/.exec(line)?.[0] ?? "";
    if (indent.length === line.trimEnd().length) return line;
    const column = columnAfter(indent);
    if (column < oldColumn) return line;
    return indentTo(column + newColumn - oldColumn, indent) + line.slice(indent.length);
  });
  return [first, ...moved].join("\n");
}

/** Width of the longest line of a text whose first line begins at a column. */
export function widest(text: string, column: number): number {
  return Math.max(...text.split("\n").map((line, index) => columnAfter(line, index === 0 ? column : 0)));
}

/** A statement under a test for null, as the conversion to owned writes it. @param column where the statement begins */
export function guardedStatement(region: string, statement: string, indent: string, column: number): string {
  return `if (${region}) {\n${indent}    ${realign(statement, column, column + 4)}\n${indent}}`;
}

/** A question behind a test for null, as the conversion to owned writes it. @param isWhole true for a whole condition */
export function guardedQuestion(region: string, question: string, isWhole: boolean): string {
  return isWhole ? `${region} && ${question}` : `(${region} && ${question})`;
}
