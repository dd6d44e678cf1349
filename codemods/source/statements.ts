import { type CallExpression, Node, SyntaxKind } from "ts-morph";
import { substitute, type TextEdit } from "./edits.ts";
import { brokenCall, fitsWidth, flatCall } from "./layout.ts";
import { descendantsOfKind } from "./node-index.ts";
import { styleOf } from "./style.ts";
import { indentOf, lineStart, placeOf } from "./trivia.ts";

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
    } else {
      const known = byStatement.get(statement);
      if (known === undefined) byStatement.set(statement, [edit]);
      else known.push(edit);
    }
  }
  edits.push(...layOutStatements(byStatement, notes));
  return { edits, notes };
}

/** Lays statements out from the inside to the outside: the text of a nested one is part of the one around it. */
function layOutStatements(byStatement: ReadonlyMap<Node, TextEdit[]>, notes: LayoutNote[]): TextEdit[] {
  const edits: TextEdit[] = [];
  const innermostFirst = [...byStatement].map(([statement, own]) => ({
    statement,
    own,
    start: statement.getStart(),
    end: statement.getEnd(),
  }));
  innermostFirst.sort((a, b) => b.start - a.start || a.end - b.end);
  // Those that have been laid out and not yet been found inside another: each ends before the one below it begins.
  const pending: { readonly start: number; readonly edit: TextEdit }[] = [];
  for (const { statement, own, start, end } of innermostFirst) {
    const nested: TextEdit[] = [];
    for (let top = pending.at(-1); top !== undefined && top.start < end; top = pending.at(-1)) {
      nested.push(top.edit);
      pending.pop();
    }
    pending.push({ start, edit: layOutStatement(statement, [...own, ...nested], notes) });
  }
  for (const { edit } of pending) edits.push(edit);
  return edits;
}

function simpleStatementOf(node: Node): Node | undefined {
  const statement = Node.isStatement(node) ? node : node.getFirstAncestor((each) => Node.isStatement(each));
  const simple =
    Node.isExpressionStatement(statement) ||
    Node.isVariableStatement(statement) ||
    Node.isReturnStatement(statement);
  return simple ? statement : undefined;
}

/**
 * The statement with its replacements. A call on one line stays so if it fits, and a broken one stays broken, except
 * where it was broken because it did not fit and now does.
 */
function layOutStatement(statement: Node, points: readonly TextEdit[], notes: LayoutNote[]): TextEdit {
  const style = styleOf(statement.getSourceFile());
  const source = statement.getSourceFile().getFullText();
  const [start, end] = [statement.getStart(), statement.getEnd()];
  const before = source.slice(lineStart(source, start), start);
  const verbatim = substitute(source, start, end, points);
  const call = finalCall(statement);
  const text = call && layOutCall(call, statement, points, verbatim);
  if (text !== undefined) return { start, end, text };
  const joined = verbatim.replace(/\s*\n\s*/g, "");
  const wouldJoin =
    style.formatted &&
    verbatim.includes("\n") &&
    fitsWidth(joined, before, style) &&
    !/[{}]|\/[/*]/.test(joined);
  if (!fitsWidth(verbatim, before, style) || wouldJoin) {
    notes.push({ line: placeOf(statement).line, text: "line breaks are left to the formatter" });
  }
  return { start, end, text: verbatim };
}

/** The text of a statement that ends in a call; undefined if its layout cannot be foretold. */
function layOutCall(
  call: CallExpression,
  statement: Node,
  points: readonly TextEdit[],
  verbatim: string,
): string | undefined {
  const style = styleOf(statement.getSourceFile());
  const indent = indentOf(statement);
  const [before, after] = [callParts(call, statement, []), callParts(call, statement, points)];
  if (before === undefined || after === undefined) return undefined;
  const wasBroken = statement.getText().includes("\n");
  const flat = flatCall({ indent, ...after });
  // Only a new layout leaves out an argument with its comma.
  const asWritten = !after.removes && fitsWidth(verbatim, indent, style);
  if (fitsWidth(flat, indent, style)) {
    const brokenByChoice = wasBroken && fitsWidth(flatCall({ indent, ...before }), indent, style);
    return asWritten && (!wasBroken || brokenByChoice) ? verbatim : flat;
  }
  if (wasBroken && asWritten) return verbatim;
  const text = brokenCall({ indent, ...after }, style);
  const predictable = !endsInHuggable(call) && !calleeCalls(call) && fitsWidth(text, indent, style);
  return predictable || after.removes ? text : undefined;
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
  const open = call.compilerNode.arguments.pos - 1;
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
  return callee !== undefined && descendantsOfKind(callee, SyntaxKind.CallExpression).length > 0;
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
  const file = node.getSourceFile();
  const [source, style] = [file.getFullText(), styleOf(file)];
  const start = lineStart(source, edit.start);
  const [line = ""] = source.slice(start).split("\n", 1);
  if (edit.end > start + line.length) return;
  const text = substitute(source, start, start + line.length, [edit]);
  if (!fitsWidth(text, "", style)) {
    notes.push({ line: placeOf(node).line, text: "line breaks are left to the formatter" });
  }
}
