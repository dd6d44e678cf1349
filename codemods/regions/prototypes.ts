/** Whether methods may be put in the place of others: what a program does with the prototypes of its classes. */
import { Node, type SourceFile, SyntaxKind } from "ts-morph";
import { descendantsOfKind } from "../source/node-index.ts";
import { enclosingFunction, isWritten, outermost, usesOfBinding } from "./syntax.ts";
import { isCondition, isMereReading } from "./trace-syntax.ts";

/** Accesses `Class.prototype` by which a method may be replaced; not those that only ask or read. */
export function prototypesIn(file: SourceFile): Node[] {
  if (!/\bprototype\b/.test(file.getFullText())) return [];
  const accesses = descendantsOfKind(file, SyntaxKind.PropertyAccessExpression);
  return accesses.filter((access) => access.getName() === "prototype" && !isOnlyRead(access, new Set()));
}

/** Functions that look at an object without changing it or handing it on. */
const looking =
  /^(?:Object\.(?:hasOwn|is|keys|getOwnProperty(?:Names|Symbols|Descriptors?))|Reflect\.(?:has|ownKeys|getOwnPropertyDescriptor)|Object\.prototype\.(?:hasOwnProperty|isPrototypeOf)\.call|[\w$.]+\.isPrototypeOf)$/;
/** Functions whose result is another prototype. */
const climbing = /^(?:Object|Reflect)\.getPrototypeOf$/;

const asking: ReadonlySet<SyntaxKind> = new Set([
  SyntaxKind.InstanceOfKeyword,
  SyntaxKind.InKeyword,
  SyntaxKind.EqualsEqualsToken,
  SyntaxKind.EqualsEqualsEqualsToken,
  SyntaxKind.ExclamationEqualsToken,
  SyntaxKind.ExclamationEqualsEqualsToken,
]);

/** True if nothing is stored by way of the prototype that `node` is; `visited` are the variables that hold it. */
function isOnlyRead(node: Node, visited: Set<Node>): boolean {
  const value = outermost(node);
  const parent = value.getParent();
  if (isMereReading(parent) || isCondition(parent, value)) return true;
  if (Node.isPropertyAccessExpression(parent) || Node.isElementAccessExpression(parent)) {
    if (parent.getExpression() !== value) return true; // its text is a key
    if (isStoredInto(parent)) return false;
    const name = Node.isPropertyAccessExpression(parent) ? parent.getName() : keyOf(parent);
    if (name === "__proto__") return isOnlyRead(parent, visited);
    return name?.startsWith("__define") !== true;
  }
  if (Node.isBinaryExpression(parent)) {
    const operator = parent.getOperatorToken().getKind();
    if (asking.has(operator)) return true;
    if (operator === SyntaxKind.AmpersandAmpersandToken && parent.getLeft() === value) return true;
    const target = parent.getLeft();
    const isStored = operator === SyntaxKind.EqualsToken && parent.getRight() === value;
    return isStored && Node.isIdentifier(target) && isOnlyReadIn(target, visited);
  }
  if (Node.isCallExpression(parent) && parent.getExpression() !== value) {
    const callee = parent.getExpression().getText();
    return looking.test(callee) || (climbing.test(callee) && isOnlyRead(parent, visited));
  }
  if (Node.isForInStatement(parent)) return parent.getExpression() === value;
  if (!Node.isVariableDeclaration(parent)) return false;
  const name = parent.getNameNode();
  return Node.isObjectBindingPattern(name) || (Node.isIdentifier(name) && isOnlyReadIn(name, visited));
}

/** The same for all that is done with a variable of a function. */
function isOnlyReadIn(variable: Node, visited: Set<Node>): boolean {
  const [declaration, another] = variable.getSymbol()?.getDeclarations() ?? [];
  if (!Node.isVariableDeclaration(declaration) || another !== undefined) return false;
  if (visited.has(declaration)) return true;
  visited.add(declaration);
  const scope = enclosingFunction(declaration);
  if (scope === undefined) return false; // other files may have it
  return usesOfBinding(declaration.getNameNode(), scope).every(
    (use) => isStoredInto(use) || isOnlyRead(use, visited),
  );
}

function keyOf(access: Node): string | undefined {
  const key = Node.isElementAccessExpression(access) ? access.getArgumentExpression() : undefined;
  return Node.isStringLiteral(key) ? key.getLiteralText() : undefined;
}

/** True for what an assignment, a pattern, a loop or `delete` changes. */
function isStoredInto(node: Node): boolean {
  let target = outermost(node);
  for (;;) {
    const parent = target.getParent();
    if (isWritten(target)) return true;
    if (Node.isForOfStatement(parent) || Node.isForInStatement(parent))
      return parent.getInitializer() === target;
    const isInPattern =
      Node.isArrayLiteralExpression(parent) ||
      Node.isObjectLiteralExpression(parent) ||
      Node.isSpreadElement(parent) ||
      Node.isSpreadAssignment(parent) ||
      (Node.isPropertyAssignment(parent) && parent.getInitializer() === target);
    if (!isInPattern) return false;
    target = parent;
  }
}
