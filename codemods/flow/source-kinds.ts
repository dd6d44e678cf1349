/** Small questions about sources of values, and what following them needs from elsewhere. */
import { ts } from "ts-morph";
import type { Callee } from "./callees.ts";
import type { Frame, Source } from "./frames.ts";
import { functionAround, type Runnable, strip } from "./syntax.ts";

/** Calls that return the collection they are called on, or a copy of it. */
export const copies: ReadonlySet<string> = new Set([
  "entries",
  "values",
  "slice",
  "splice",
  "filter",
  "reverse",
  "toReversed",
  "toSorted",
  "sort",
  "concat",
  "flat",
]);
/** Calls that return an element of the collection they are called on. */
export const picks: ReadonlySet<string> = new Set(["at", "find", "findLast", "pop", "shift", "get"]);

/** The part of the callee resolver that sources need; it needs them in turn. */
export interface CalleeResolver {
  resolve(call: ts.CallExpression, frame: Frame): Callee;
  frameFor(
    body: Runnable,
    call: ts.Node,
    self: readonly Source[],
    outer: Frame | undefined,
    caller: Frame,
  ): Frame;
}

/** A name for what a field holds, and for its elements; undefined for other sources. */
export function keyOf(source: Source): string | undefined {
  if (source.kind === "field") return source.name;
  return source.kind === "element" && source.of.kind === "field" ? `${source.of.name}[]` : undefined;
}

/** `null`, `undefined` and `void 0`: a value that nothing can be done with. */
export function isNothing(value: ts.Expression): boolean {
  const node = strip(value);
  return (
    node.kind === ts.SyntaxKind.NullKeyword ||
    ts.isVoidExpression(node) ||
    (ts.isIdentifier(node) && node.text === "undefined")
  );
}

export function isCollection(source: Source): boolean {
  if (source.kind === "field") return true;
  if (source.kind !== "expression") return false;
  const { node } = source;
  return ts.isArrayLiteralExpression(node) || ts.isNewExpression(node) || ts.isCallExpression(node);
}

/** The frame, among this one and those around it, of the function that declares something. */
export function homeOf(declaration: ts.Node, frame: Frame): Frame | undefined {
  const fn = ts.isParameter(declaration) ? declaration.parent : functionAround(declaration);
  for (let each: Frame | undefined = frame; each !== undefined; each = each.outer)
    if (each.fn === fn) return each;
  return undefined;
}
