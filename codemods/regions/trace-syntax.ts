/** Small questions about syntax that following a region asks. */
import {
  type CallExpression,
  type ClassDeclaration,
  Node,
  type ParameterDeclaration,
  SyntaxKind,
} from "ts-morph";
import { enclosingFunction, outermost } from "./syntax.ts";

/** The expression inside parentheses, `!`, `as` and `satisfies`. */
export function innermost(node: Node): Node {
  let current = node;
  while (
    Node.isParenthesizedExpression(current) ||
    Node.isNonNullExpression(current) ||
    Node.isAsExpression(current) ||
    Node.isSatisfiesExpression(current)
  ) {
    current = current.getExpression();
  }
  return current;
}

/** `Class.prototype`: no object of the class, though its type says so; it has none of the fields. */
export function isPrototype(node: Node): boolean {
  const bare = innermost(node);
  return Node.isPropertyAccessExpression(bare) && bare.getName() === "prototype";
}

/** True if `value` decides which way `parent` goes. */
export function isCondition(parent: Node | undefined, value: Node): boolean {
  if (Node.isPrefixUnaryExpression(parent)) {
    return parent.getOperatorToken() === SyntaxKind.ExclamationToken;
  }
  if (Node.isIfStatement(parent) || Node.isWhileStatement(parent) || Node.isDoStatement(parent)) {
    return parent.getExpression() === value;
  }
  if (Node.isForStatement(parent)) return parent.getCondition() === value;
  if (Node.isSwitchStatement(parent) || Node.isCaseClause(parent)) return true;
  return Node.isConditionalExpression(parent) && parent.getCondition() === value;
}

/** True if `parent` looks at a value and keeps nothing of it. */
export function isMereReading(parent: Node | undefined): boolean {
  return (
    Node.isExpressionStatement(parent) ||
    Node.isTemplateSpan(parent) ||
    Node.isTypeOfExpression(parent) ||
    Node.isVoidExpression(parent) ||
    Node.isTypeQuery(parent)
  );
}

/** True if `node` is what an assignment stores into. */
export function isAssignmentTarget(node: Node): boolean {
  const value = outermost(node);
  const parent = value.getParent();
  if (!Node.isBinaryExpression(parent) || parent.getLeft() !== value) return false;
  return parent.getOperatorToken().getKind() === SyntaxKind.EqualsToken;
}

/** The function that a declaration declares, if it has a body. */
export function functionOf(declaration: Node): Node | undefined {
  if (Node.isClassDeclaration(declaration)) {
    for (
      let each: ClassDeclaration | undefined = declaration;
      each !== undefined;
      each = each.getBaseClass()
    ) {
      const [own] = each.getConstructors();
      if (own !== undefined) return own;
    }
    return undefined;
  }
  if (Node.isVariableDeclaration(declaration) || Node.isPropertyDeclaration(declaration)) {
    const value = declaration.getInitializer();
    return value !== undefined && isFunctionValue(innermost(value)) ? innermost(value) : undefined;
  }
  if (Node.isPropertyAssignment(declaration)) {
    const value = declaration.getInitializer();
    return value !== undefined && isFunctionValue(innermost(value)) ? innermost(value) : undefined;
  }
  const hasBody = Node.isFunctionDeclaration(declaration) || Node.isMethodDeclaration(declaration);
  return hasBody && declaration.getBody() !== undefined ? declaration : undefined;
}

function isFunctionValue(node: Node): boolean {
  return Node.isArrowFunction(node) || Node.isFunctionExpression(node);
}

export function parametersOf(fn: Node | undefined): ParameterDeclaration[] | undefined {
  const value = fn && innermost(fn);
  return Node.isParametered(value) ? value.getParameters() : undefined;
}

/** True for a signature without a body of a function that has one elsewhere. */
export function isOverload(declaration: Node): boolean {
  if (!Node.isFunctionDeclaration(declaration) && !Node.isMethodDeclaration(declaration)) return false;
  return declaration.isOverload();
}

/** True for a function whose body does not run, or not all of it, when it is called. */
export function isSuspended(fn: Node): boolean {
  const generates = Node.isGeneratorable(fn) && fn.isGenerator();
  return generates || (Node.isAsyncable(fn) && fn.isAsync());
}

/** The declaration by whose name a function is called; undefined for one that is only a value. */
export function nameOfFunction(fn: Node): { readonly declaration: Node; readonly name: string } | undefined {
  if (Node.isFunctionDeclaration(fn) || Node.isMethodDeclaration(fn)) {
    return { declaration: fn, name: fn.getName() ?? "" };
  }
  const holder = outermost(fn).getParent();
  const named =
    Node.isVariableDeclaration(holder) ||
    Node.isPropertyDeclaration(holder) ||
    Node.isPropertyAssignment(holder);
  return named ? { declaration: holder, name: holder.getName() } : undefined;
}

/** The members of base classes that a method or accessor overrides. */
export function basesOf(fn: Node): Node[] {
  const owner = fn.getParent();
  if (!Node.isClassDeclaration(owner) || !Node.hasName(fn)) return [];
  const found: Node[] = [];
  for (let base = owner.getBaseClass(); base !== undefined; base = base.getBaseClass()) {
    const member = base.getInstanceMember(fn.getName());
    if (member !== undefined) found.push(member);
  }
  return found;
}

/** The call in which a function's name stands as the callee: `name(…)` or `object.name(…)`. */
export function callOfName(name: Node): CallExpression | undefined {
  const parent = name.getParent();
  const callee =
    Node.isPropertyAccessExpression(parent) || Node.isElementAccessExpression(parent) ? parent : name;
  const value = outermost(callee);
  const call = value.getParent();
  return Node.isCallExpression(call) && call.getExpression() === value ? call : undefined;
}

/** True for a name that stands for the function as a value, and not in an import or export. */
export function isPassedOn(name: Node): boolean {
  const parent = name.getParent();
  return !(
    Node.isImportSpecifier(parent) ||
    Node.isExportSpecifier(parent) ||
    Node.isExportAssignment(parent) ||
    Node.isImportClause(parent) ||
    Node.isTypeQuery(parent) ||
    Node.isMethodDeclaration(parent)
  );
}

/** `self.name` after `const self = this;` in the member itself. */
export function isOnNameOfThis(node: Node, member: Node): boolean {
  if (!Node.isPropertyAccessExpression(node) && !Node.isElementAccessExpression(node)) return false;
  const object = innermost(node.getExpression());
  const [declaration] = Node.isIdentifier(object) ? (object.getSymbol()?.getDeclarations() ?? []) : [];
  if (!Node.isVariableDeclaration(declaration)) return false;
  const value = declaration.getInitializer();
  const isThis = value !== undefined && Node.isThisExpression(innermost(value));
  const isConstant = declaration.getVariableStatement()?.getDeclarationKind() === "const";
  return isThis && isConstant && enclosingFunction(declaration) === member;
}

/** True for a class below another one. */
export function derivesFrom(declaration: ClassDeclaration, base: ClassDeclaration): boolean {
  for (let each = declaration.getBaseClass(); each !== undefined; each = each.getBaseClass()) {
    if (each === base) return true;
  }
  return false;
}

/** The name in `this.name` and `this["name"]`. */
export function nameOnThis(target: Node): string | undefined {
  const member = enclosingFunction(target);
  if (Node.isPropertyAccessExpression(target)) {
    const own = Node.isThisExpression(target.getExpression());
    return own || (member !== undefined && isOnNameOfThis(target, member)) ? target.getName() : undefined;
  }
  if (!Node.isElementAccessExpression(target)) return undefined;
  const key = target.getArgumentExpression();
  const own = Node.isThisExpression(target.getExpression()) && Node.isStringLiteral(key);
  return own ? key.getLiteralText() : undefined;
}
