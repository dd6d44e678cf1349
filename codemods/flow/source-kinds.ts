/** Small questions about sources of values. */
import { ts } from "ts-morph";
import type { Frame, Source } from "./frames.ts";
import { functionAround, strip } from "./syntax.ts";

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
