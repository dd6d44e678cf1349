/** Which getters and setters an access runs, and whether its object may be missing. */
import { ts } from "ts-morph";
import type { Frame, Source } from "./frames.ts";
import type { ClassShape } from "./program.ts";
import { classAround, type Runnable, strip } from "./syntax.ts";
import type { Walker } from "./walker.ts";

/** True if the value may be null or undefined, according to its type. */
export function mayBeMissing<S>(walker: Walker<S>, node: ts.Expression): boolean {
  const type = walker.program.checker.getTypeAtLocation(node);
  const parts = type.isUnion() ? type.types : [type];
  const missing =
    ts.TypeFlags.Undefined |
    ts.TypeFlags.Null |
    ts.TypeFlags.Any |
    ts.TypeFlags.Unknown |
    ts.TypeFlags.TypeParameter;
  return parts.some(({ flags }) => (flags & missing) !== 0);
}

/** Getters or setters of this name that an access runs. */
export function accessorsOn<S>(
  walker: Walker<S>,
  node: ts.PropertyAccessExpression | ts.ElementAccessExpression,
  name: string,
  frame: Frame,
  kind: "get" | "set",
): { fn: Runnable; self: readonly Source[] }[] {
  const { sources, shape } = walker.callees;
  const pick = (of: ClassShape, above?: ts.ClassLikeDeclaration) =>
    kind === "get" ? of.getter(name, above) : of.setter(name, above);
  if (strip(node.expression).kind === ts.SyntaxKind.SuperKeyword) {
    const fn = pick(shape, classAround(node));
    return fn?.body === undefined ? [] : [{ fn, self: frame.self }];
  }
  const holders = sources.of(node.expression, frame);
  const found: { fn: Runnable; self: readonly Source[] }[] = [];
  for (const holder of holders) {
    const held = holder.kind === "field" || holder.kind === "element" ? sources.contents(holder) : [holder];
    for (const each of held) {
      const of =
        each.kind === "device"
          ? shape
          : each.kind === "expression" && ts.isNewExpression(each.node)
            ? sources.shapeMadeBy(each.node)
            : undefined;
      const fn = of === undefined ? undefined : pick(of);
      if (fn?.body !== undefined) found.push({ fn, self: [each] });
    }
  }
  return found;
}
