import { type CallExpression, Node, SyntaxKind } from "ts-morph";
import { substitute, type TextEdit } from "./edits.ts";
import { fitsWidth, layoutCall, lineWidth } from "./layout.ts";
import { indentOf, lineStart } from "./trivia.ts";

/** A place where a formatter would choose other line breaks after the edit; the code is correct anyway. */
export interface LayoutNote {
  readonly line: number;
  readonly text: string;
}

/** Edits with line breaks, and the places that are left to a formatter. */
export interface LaidOut {
  readonly edits: readonly TextEdit[];
  readonly notes: readonly LayoutNote[];
}

/**
 * Turns replacements inside statements into edits whose line breaks fit the line width: the call that a statement
 * ends in is laid out again, everything else keeps its breaks. `node` says where each replacement is.
 */
export function layOut(replacements: readonly { readonly node: Node; readonly edit: TextEdit }[]): LaidOut {
  const byStatement = new Map<Node, TextEdit[]>();
  const edits: TextEdit[] = [];
  const notes: LayoutNote[] = [];
  for (const { node, edit } of replacements) {
    const statement = simpleStatementOf(node);
    if (statement === undefined) {
      edits.push(edit);
      noteLongLine(node, edit, notes);
    } else byStatement.set(statement, [...(byStatement.get(statement) ?? []), edit]);
  }
  const innermostFirst = [...byStatement.keys()].sort((a, b) => b.getStart() - a.getStart());
  for (const statement of innermostFirst) {
    const edit = layOutStatement(statement, byStatement.get(statement) ?? [], notes);
    const outer = innermostFirst.find((each) => each !== statement && contains(each, statement));
    if (outer === undefined) edits.push(edit);
    else byStatement.get(outer)?.push(edit);
  }
  return { edits, notes };
}

function contains(outer: Node, inner: Node): boolean {
  return outer.getStart() <= inner.getStart() && outer.getEnd() >= inner.getEnd();
}

function simpleStatementOf(node: Node): Node | undefined {
  const statement = Node.isStatement(node) ? node : node.getFirstAncestor((each) => Node.isStatement(each));
  const simple =
    Node.isExpressionStatement(statement) ||
    Node.isVariableStatement(statement) ||
    Node.isReturnStatement(statement);
  return simple ? statement : undefined;
}

function layOutStatement(statement: Node, points: readonly TextEdit[], notes: LayoutNote[]): TextEdit {
  const source = statement.getSourceFile().getFullText();
  const [start, end] = [statement.getStart(), statement.getEnd()];
  const verbatim = substitute(source, start, end, points);
  const call = finalCall(statement);
  const parts = call && callParts(call, statement, points);
  if (parts !== undefined) {
    const text = layoutCall({ indent: indentOf(statement), ...parts });
    const predictable =
      !endsInHuggable(call) && !calleeCalls(call) && fitsWidth(text, indentOf(statement).length);
    // Only a new layout leaves out an argument with its comma.
    if (predictable || parts.removes || !text.includes("\n")) return { start, end, text };
  }
  const column = start - lineStart(source, start);
  const joined = verbatim.replace(/\s*\n\s*/g, "");
  const wouldJoin = verbatim.includes("\n") && column + joined.length <= lineWidth && !/[{}]/.test(joined);
  if (!fitsWidth(verbatim, column) || wouldJoin) {
    notes.push({ line: statement.getStartLineNumber(), text: "line breaks are left to the formatter" });
  }
  return { start, end, text: verbatim };
}

/** The call that a statement consists of, or whose value it declares, assigns or returns. */
function finalCall(statement: Node): CallExpression | undefined {
  let value: Node | undefined;
  if (Node.isVariableStatement(statement)) {
    const [declaration, another] = statement.getDeclarations();
    value = another === undefined ? declaration?.getInitializer() : undefined;
  } else if (Node.isExpressionStatement(statement) || Node.isReturnStatement(statement)) {
    value = statement.getExpression();
  }
  if (Node.isBinaryExpression(value) && value.getOperatorToken().getText() === "=") value = value.getRight();
  return Node.isCallExpression(value) ? value : undefined;
}

/** The parts to lay out again; undefined if comments or multi-line arguments prevent that. */
function callParts(call: CallExpression, statement: Node, points: readonly TextEdit[]) {
  const source = statement.getSourceFile().getFullText();
  const given = call.getArguments();
  const [first, last] = [given[0], given.at(-1)];
  if (first === undefined || last === undefined) return undefined;
  const open = source.lastIndexOf("(", first.getStart() - 1);
  const tail = source.slice(call.getEnd(), statement.getEnd());
  const text = (from: number, to: number) => substitute(source, from, to, points);
  const gaps = [source.slice(open + 1, first.getStart()), source.slice(last.getEnd(), call.getEnd() - 1)];
  for (const [index, argument] of given.slice(1).entries()) {
    gaps.push(source.slice(given[index]?.getEnd(), argument.getStart()));
  }
  const head = text(statement.getStart(), open);
  const args = given.map((argument) => text(argument.getStart(), argument.getEnd()));
  const plain =
    gaps.every((gap) => /^[\s,]*$/.test(gap)) &&
    args.every((arg) => !arg.includes("\n")) &&
    !head.includes("\n") &&
    (tail === ";" || tail === "");
  const remaining = args.filter((arg) => arg !== "");
  return plain ? { head, args: remaining, tail, removes: remaining.length < args.length } : undefined;
}

/** A call on the result of a call: formatters may break such chains before their dots. */
function calleeCalls(call: CallExpression | undefined): boolean {
  const callee = call?.getExpression();
  return callee !== undefined && callee.getDescendantsOfKind(SyntaxKind.CallExpression).length > 0;
}

/** Formatters let a last argument of these kinds begin on the call's own line. */
function endsInHuggable(call: CallExpression | undefined): boolean {
  const last = call?.getArguments().at(-1);
  return (
    Node.isObjectLiteralExpression(last) ||
    Node.isArrayLiteralExpression(last) ||
    Node.isArrowFunction(last) ||
    Node.isFunctionExpression(last)
  );
}

function noteLongLine(node: Node, edit: TextEdit, notes: LayoutNote[]): void {
  const source = node.getSourceFile().getFullText();
  const start = lineStart(source, edit.start);
  const [line = ""] = source.slice(start).split("\n", 1);
  if (edit.end > start + line.length) return;
  if (line.length + edit.text.length - (edit.end - edit.start) > lineWidth) {
    notes.push({ line: node.getStartLineNumber(), text: "line breaks are left to the formatter" });
  }
}
