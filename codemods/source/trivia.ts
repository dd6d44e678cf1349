import { type Node, ts } from "ts-morph";

/** Offset of the first character of the line that holds `position`. */
export function lineStart(text: string, position: number): number {
  return text.lastIndexOf("\n", position - 1) + 1;
}

/** Offset just behind the line that holds `position`, its line feed included. */
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

/** True when nothing but white space and comments shares the node's lines. */
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

/** The comments directly above a node: no blank line between them, nor before the node. Empty when there are none. */
export function attachedComments(node: Node): Span[] {
  const text = node.getSourceFile().getFullText();
  const attached: Span[] = [];
  let below = node.getStart();
  for (const { pos, end } of (ts.getLeadingCommentRanges(text, node.getPos()) ?? []).reverse()) {
    if (!/^[ \t]*\r?\n[ \t]*$/.test(text.slice(end, below))) break;
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

/** The comment behind a node on its last line, without the white space before it. */
export function trailingComment(node: Node): string {
  const text = node.getSourceFile().getFullText();
  return text.slice(node.getEnd(), lineEnd(text, node.getEnd())).trim();
}

/** Text of a comment with the white space that its lines begin with changed from one indent to another. */
export function reindent(comment: string, from: string, to: string): string {
  return comment
    .split("\n")
    .map((line, index) => (index > 0 && line.startsWith(from) ? to + line.slice(from.length) : line))
    .join("\n");
}

/** Line and column, both from 1. */
export function placeOf(node: Node): { line: number; column: number } {
  return node.getSourceFile().getLineAndColumnAtPos(node.getStart());
}

/** True when the text, in which strings hold no slashes, has a comment. */
export function hasComment(text: string): boolean {
  return /\/[/*]/.test(text);
}
