/** Small questions about sources of values. */
import { ts } from "ts-morph";
import type { Frame, Source } from "./frames.ts";
import { functionAround, strip } from "./syntax.ts";

export function sameAs(one: Source, other: Source): boolean {
  return one.kind === other.kind && one.kind === "field" && other.kind === "field" && one.name === other.name;
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
