/** Small questions about compiler nodes that the flow engine asks in several places. */
import { ts } from "ts-morph";

/** A function whose body can be run: methods, accessors, constructors, arrows and the rest. */
export type Runnable = ts.FunctionLikeDeclaration;

/** Drops what does not change a value: parentheses, `!`, `as`, `satisfies`. */
export function strip(node: ts.Expression): ts.Expression {
  let current = node;
  while (
    ts.isParenthesizedExpression(current) ||
    ts.isNonNullExpression(current) ||
    ts.isAsExpression(current) ||
    ts.isSatisfiesExpression(current) ||
    ts.isTypeAssertionExpression(current)
  )
    current = current.expression;
  return current;
}

export function isFunctionExpression(node: ts.Node): node is ts.ArrowFunction | ts.FunctionExpression {
  return ts.isArrowFunction(node) || ts.isFunctionExpression(node);
}

/**
 * Name of a member as `this.name`, `this["name"]` and `#name` write it, and `@@name` for `[Symbol.name]`; undefined for another
 * computed one.
 */
export function nameOf(name: ts.Node | undefined): string | undefined {
  if (name === undefined) return undefined;
  if (ts.isIdentifier(name) || ts.isPrivateIdentifier(name)) return name.text;
  if (ts.isStringLiteralLike(name) || ts.isNumericLiteral(name)) return name.text;
  return ts.isComputedPropertyName(name) ? literalKey(name.expression) : undefined;
}

/** The key of `object[key]` if it is a literal, or `@@name` for `Symbol.name`. */
export function literalKey(key: ts.Expression): string | undefined {
  const bare = strip(key);
  if (ts.isStringLiteralLike(bare) || ts.isNumericLiteral(bare)) return bare.text;
  const isSymbol = ts.isPropertyAccessExpression(bare) && ts.isIdentifier(bare.expression);
  return isSymbol && bare.expression.text === "Symbol" ? `@@${bare.name.text}` : undefined;
}

/** An access `object.name` or `object["name"]`; `name` is undefined for a computed one. */
export function accessOf(
  node: ts.Node,
): { readonly object: ts.Expression; readonly name: string | undefined } | undefined {
  if (ts.isPropertyAccessExpression(node)) return { object: node.expression, name: node.name.text };
  if (ts.isElementAccessExpression(node))
    return { object: node.expression, name: literalKey(node.argumentExpression) };
  return undefined;
}

export function hasModifier(node: ts.Node, kind: ts.SyntaxKind): boolean {
  if (!ts.canHaveModifiers(node)) return false;
  return ts.getModifiers(node)?.some((each) => each.kind === kind) === true;
}

export function isStatic(node: ts.Node): boolean {
  return hasModifier(node, ts.SyntaxKind.StaticKeyword);
}

/** True for a member that only its own class can name. */
export function isPrivate(member: ts.ClassElement): boolean {
  if (member.name !== undefined && ts.isPrivateIdentifier(member.name)) return true;
  return hasModifier(member, ts.SyntaxKind.PrivateKeyword);
}

export function isProtected(member: ts.ClassElement): boolean {
  return hasModifier(member, ts.SyntaxKind.ProtectedKeyword);
}

export function isGenerator(fn: ts.Node): boolean {
  return ts.isFunctionDeclaration(fn) || ts.isFunctionExpression(fn) || ts.isMethodDeclaration(fn)
    ? fn.asteriskToken !== undefined
    : false;
}

export function isAsync(fn: ts.Node): boolean {
  return hasModifier(fn, ts.SyntaxKind.AsyncKeyword);
}

const awaiting = new WeakMap<ts.Node, boolean>();

/** True for a function that an `await` of its own may suspend. */
export function hasAwait(fn: Runnable): boolean {
  let known = awaiting.get(fn);
  if (known === undefined) {
    known = false;
    const visit = (node: ts.Node): void => {
      if (ts.isAwaitExpression(node) || (ts.isForOfStatement(node) && node.awaitModifier !== undefined))
        known = true;
      if (known !== true && !ts.isFunctionLike(node)) ts.forEachChild(node, visit);
    };
    if (fn.body !== undefined) visit(fn.body);
    awaiting.set(fn, known);
  }
  return known;
}

/** The innermost function around a node; undefined at the top of a file. */
export function functionAround(node: ts.Node): Runnable | undefined {
  let current: ts.Node | undefined = node.parent;
  while (current !== undefined && !ts.isFunctionLike(current)) current = current.parent;
  return current !== undefined && isRunnable(current) ? current : undefined;
}

export function isRunnable(node: ts.Node): node is Runnable {
  return ts.isFunctionLike(node) && "body" in node;
}

/** The innermost class around a node. */
export function classAround(node: ts.Node): ts.ClassLikeDeclaration | undefined {
  let current: ts.Node | undefined = node.parent;
  while (current !== undefined && !ts.isClassLike(current)) current = current.parent;
  return current;
}

const assigning: ReadonlySet<ts.SyntaxKind> = new Set([
  ts.SyntaxKind.EqualsToken,
  ts.SyntaxKind.QuestionQuestionEqualsToken,
  ts.SyntaxKind.BarBarEqualsToken,
  ts.SyntaxKind.AmpersandAmpersandEqualsToken,
]);

/** True for `=`, `??=`, `||=` and `&&=`, which store the value on their right as it is. */
export function stores(node: ts.BinaryExpression): boolean {
  return assigning.has(node.operatorToken.kind);
}

export function isCompoundAssignment(node: ts.BinaryExpression): boolean {
  const { kind } = node.operatorToken;
  return kind >= ts.SyntaxKind.FirstAssignment && kind <= ts.SyntaxKind.LastAssignment;
}
