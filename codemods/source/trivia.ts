import { type Node, ts } from "ts-morph";

/** Offset of the first character of the line that holds `position`. */
export function lineStart(text: string, position: number): number {
  return text.lastIndexOf("\n", position - 1) + 1;
}

/** Offset just after the line that holds `position`, including its line feed. */
export function lineEnd(text: string, position: number): number {
  const feed = text.indexOf("\n", position);
  return feed < 0 ? text.length : feed + 1;
}

/** White space before the node on its line. */
export function indentOf(node: Node): string {
  const text = node.getSourceFile().getFullText();
  const start = lineStart(text, node.getStart());
  return /^[ \t]*/.exec(text.slice(start, node.getStart()))?.[0] ?? "";
}

/** True if only white space precedes the node on its line, and only white space or a `//` comment follows it. */
export function hasLinesOfItsOwn(node: Node): boolean {
  const text = node.getSourceFile().getFullText();
  const before = text.slice(lineStart(text, node.getStart()), node.getStart());
  const after = text.slice(node.getEnd(), lineEnd(text, node.getEnd()));
  return before.trim() === "" && /^\s*(\/\/.*)?\s*$/.test(after);
}

/** A stretch of the file. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/** The comments directly above a node, without blank lines between them or before the node. */
export function attachedComments(node: Node): Span[] {
  const text = node.getSourceFile().getFullText();
  const attached: Span[] = [];
  let below = node.getStart();
  for (const { pos, end } of (ts.getLeadingCommentRanges(text, node.getPos()) ?? []).reverse()) {
    if (!/^[ \t]*\r?\n[ \t]*$/.test(text.slice(end, below))) break;
    if (/^\/\/\s*#(?:end)?region\b/.test(text.slice(pos, end))) break; // belongs to its counterpart
    attached.unshift({ start: pos, end });
    below = pos;
  }
  return attached;
}

/** The doc comment directly above a node, if the comment nearest to it is one. */
export function docComment(node: Node): Span | undefined {
  const nearest = attachedComments(node).at(-1);
  if (nearest === undefined) return undefined;
  return node.getSourceFile().getFullText().startsWith("/**", nearest.start) ? nearest : undefined;
}

/** The text after a node on its last line, trimmed: a comment, if anything. */
export function trailingComment(node: Node): string {
  const text = node.getSourceFile().getFullText();
  return text.slice(node.getEnd(), lineEnd(text, node.getEnd())).trim();
}

/** `;` if the node ends with one. */
export function semicolonOf(node: Node): ";" | "" {
  return node
    .getSourceFile()
    .getFullText()
    .charAt(node.getEnd() - 1) === ";"
    ? ";"
    : "";
}

/** Text of a comment with the indent of its lines changed from `from` to `to`. */
export function reindent(comment: string, from: string, to: string): string {
  return comment
    .split("\n")
    .map((line, index) => (index > 0 && line.startsWith(from) ? to + line.slice(from.length) : line))
    .join("\n");
}

/** Line and column, both counted from 1. */
export function placeOf(node: Node): { line: number; column: number } {
  // The compiler keeps the starts of lines; counting them again for each node takes long in long files.
  const { line, character } = node
    .getSourceFile()
    .compilerNode.getLineAndCharacterOfPosition(node.getStart());
  return { line: line + 1, column: character + 1 };
}

/** True if the text contains a comment. Assumes that its string literals do not look like comments. */
export function hasComment(text: string): boolean {
  return /\/[/*]/.test(text);
}
