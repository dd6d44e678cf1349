/** Functions that are stored or passed on rather than called: from then on they may run at any time. */
import { ts } from "ts-morph";
import { type Frame, holdsDevice } from "./frames.ts";
import { accessOf, isFunctionExpression, isPrivate, strip } from "./syntax.ts";
import type { Walker } from "./walker.ts";

/** A function whose later calls the engine cannot see may be called at any later time. */
export function keepFunction<S>(
  walker: Walker<S>,
  node: ts.ArrowFunction | ts.FunctionExpression,
  frame: Frame,
): void {
  const { parent } = outermost(node);
  if (ts.isVariableDeclaration(parent) && ts.isIdentifier(parent.name)) return;
  const self = ts.isArrowFunction(node) ? frame.self : [];
  walker.register({ fn: node, self, bindings: new Map(), outer: frame });
}

/** A name of a function that is used other than by calling it. */
export function keepName<S>(walker: Walker<S>, node: ts.Identifier, frame: Frame): void {
  const declaration = walker.program.declarationOf(node);
  if (declaration === undefined) return;
  const holdsFunction =
    ts.isFunctionDeclaration(declaration) ||
    (ts.isVariableDeclaration(declaration) &&
      declaration.initializer !== undefined &&
      isFunctionExpression(strip(declaration.initializer)));
  if (!holdsFunction || declaration.getSourceFile() !== node.getSourceFile()) return;
  for (const { fn, frame: outer, self } of walker.callees.sources.functionsOf(node, frame))
    walker.register({ fn, self, bindings: new Map(), outer });
}

/** `this.method` that is not called where it stands: a callback. */
export function keepMethod<S>(
  walker: Walker<S>,
  node: ts.PropertyAccessExpression | ts.ElementAccessExpression,
  name: string,
  frame: Frame,
): void {
  const method = walker.callees.shape.method(name);
  if (method === undefined || !holdsDevice(walker.callees.sources.of(node.expression, frame))) return;
  walker.register({ fn: method, self: walker.callees.top.self, bindings: new Map(), outer: undefined });
}

function outermost(node: ts.Node): ts.Node {
  let current = node;
  while (
    ts.isParenthesizedExpression(current.parent) ||
    ts.isAsExpression(current.parent) ||
    ts.isNonNullExpression(current.parent) ||
    ts.isSatisfiesExpression(current.parent)
  )
    current = current.parent;
  return current;
}

/** True for a private field of the device: functions stored there are called by the class alone. */
export function isHidden<S>(walker: Walker<S>, target: ts.Expression, frame: Frame): boolean {
  const access = accessOf(target);
  if (access?.name === undefined) return false;
  if (!holdsDevice(walker.callees.sources.of(access.object, frame))) return false;
  return walker.callees.shape.members(access.name).every(isPrivate);
}
