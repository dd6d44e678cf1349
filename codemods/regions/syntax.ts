import {
  type BinaryExpression,
  type CallExpression,
  type ClassDeclaration,
  type Expression,
  type ExpressionStatement,
  type ForOfStatement,
  type ForStatement,
  Node,
  SyntaxKind,
  type VariableDeclaration,
  type VariableStatement,
} from "ts-morph";
import { ancestorWhere, childAround, identifiersIn } from "../source/node-index.ts";
import { hasComment } from "../source/trivia.ts";
import { constructorByInit, constructorByNew, type RegionConstructor } from "./constructors.ts";
import { type ArrayLoop, type CountingLoop, type IndexLoop, UseKind } from "./facts.ts";

/** The outermost expression around `node` with the same value: skips parentheses, `!`, `as` and `satisfies`. */
export function outermost(node: Node): Node {
  let current = node;
  for (let parent = node.getParent(); parent !== undefined; parent = parent.getParent()) {
    const transparent =
      Node.isParenthesizedExpression(parent) ||
      Node.isNonNullExpression(parent) ||
      Node.isAsExpression(parent) ||
      Node.isSatisfiesExpression(parent);
    if (!transparent) return current;
    current = parent;
  }
  return current;
}

/** The call `node.method(…)` of which `node` is the receiver. */
export function callOn(node: Node): { method: string; call: CallExpression } | undefined {
  const value = outermost(node);
  const access = value.getParent();
  if (!Node.isPropertyAccessExpression(access) || access.getExpression() !== value) return undefined;
  const call = access.getParent();
  if (!Node.isCallExpression(call) || call.getExpression() !== access) return undefined;
  return { method: access.getName(), call };
}

/** The constructor that `node.init…(…)` runs, if it is one. */
export function initOn(node: Node): { maker: RegionConstructor; call: CallExpression } | undefined {
  const called = callOn(node);
  const maker = called && constructorByInit.get(called.method);
  return called && maker ? { maker, call: called.call } : undefined;
}

/** The constructor that a call `MemoryRegion.new…(…)` runs, and the class as named in the source; types unchecked. */
export function newRegion(
  node: Node | undefined,
): { maker: RegionConstructor; call: CallExpression; className: string; classNode: Node } | undefined {
  if (!Node.isCallExpression(node)) return undefined;
  const callee = node.getExpression();
  if (!Node.isPropertyAccessExpression(callee)) return undefined;
  const maker = constructorByNew.get(callee.getName());
  const classNode = callee.getExpression();
  if (maker === undefined) return undefined;
  return { maker, call: node, className: classNode.getText(), classNode };
}

/** The statement `target = value;` in which `target` is assigned. */
export function assignmentTo(
  target: Node,
): { assignment: BinaryExpression; statement: ExpressionStatement } | undefined {
  const assignment = target.getParent();
  if (!Node.isBinaryExpression(assignment) || assignment.getLeft() !== target) return undefined;
  if (assignment.getOperatorToken().getKind() !== SyntaxKind.EqualsToken) return undefined;
  const statement = assignment.getParent();
  return Node.isExpressionStatement(statement) ? { assignment, statement } : undefined;
}

/** How the value of `node`, which refers to a region, is used. */
export function useKindOf(node: Node): UseKind {
  const init = initOn(node);
  if (init !== undefined) {
    const plain = creatingStatement(init.call) !== undefined && isPlainReceiver(node);
    return plain ? UseKind.Create : UseKind.CreateInExpression;
  }
  if (takesInitialiser(node)) return UseKind.CreateInExpression;
  if (callOn(node)?.method === "unparent") return UseKind.Unparent;
  const value = outermost(node);
  const parent = value.getParent();
  if (Node.isBinaryExpression(parent)) return useInBinary(parent, value);
  if (Node.isPrefixUnaryExpression(parent) && parent.getOperatorToken() === SyntaxKind.ExclamationToken) {
    return UseKind.Compare;
  }
  if (isCondition(parent, value)) return UseKind.Compare;
  if (Node.isDeleteExpression(parent)) return UseKind.Delete;
  if (Node.isElementAccessExpression(parent) && isAssigned(parent)) return UseKind.Assign;
  if (Node.isReturnStatement(parent)) return UseKind.Return;
  if (Node.isArrowFunction(parent) && parent.getBody() === value) return UseKind.Return;
  if (Node.isVariableDeclaration(parent)) {
    return Node.isIdentifier(parent.getNameNode()) ? UseKind.Alias : UseKind.Destructure;
  }
  if ((Node.isCallExpression(parent) || Node.isNewExpression(parent)) && parent.getExpression() !== value) {
    return UseKind.Argument;
  }
  return UseKind.Read;
}

/** True for `this.region` and `(this.region)`, but not `this.region!`, which says that it may be missing. */
function isPlainReceiver(node: Node): boolean {
  const value = outermost(node);
  if (value !== node && hasComment(value.getText())) return false;
  for (let each = value; each !== node; each = each.getExpression())
    if (!Node.isParenthesizedExpression(each)) return false;
  return true;
}

/**
 * `region["initIo"]`, `region.initIo.call`, `MemoryRegion.prototype.initIo.call(region)`, `const { initIo } = region`: the method, other
 * than by a plain call of it.
 */
function takesInitialiser(node: Node): boolean {
  const value = outermost(node);
  const parent = value.getParent();
  if (Node.isCallExpression(parent) && parent.getExpression() !== value) {
    const callee = parent.getExpression();
    const [, method] = /\.(\w+)\.(?:call|apply|bind)$/.exec(callee.getText()) ?? [];
    return method !== undefined && constructorByInit.has(method);
  }
  if (Node.isPropertyAccessExpression(parent)) return constructorByInit.has(parent.getName());
  if (Node.isElementAccessExpression(parent) && parent.getExpression() === value) {
    const key = parent.getArgumentExpression();
    return Node.isStringLiteral(key) && constructorByInit.has(key.getLiteralText());
  }
  const pattern = Node.isVariableDeclaration(parent) ? parent.getNameNode() : undefined;
  if (!Node.isObjectBindingPattern(pattern)) return false;
  return pattern
    .getElements()
    .some((each) => constructorByInit.has((each.getPropertyNameNode() ?? each.getNameNode()).getText()));
}

/**
 * The statement that a call of `init…` makes up, alone or with its alternatives: `large ? r.initRam(…) : r.initRom(…);`.
 */
export function creatingStatement(call: Node): ExpressionStatement | undefined {
  let value = call;
  for (let parent = call.getParent(); ; parent = value.getParent()) {
    if (Node.isExpressionStatement(parent)) return parent;
    if (!Node.isConditionalExpression(parent) || parent.getCondition() === value) return undefined;
    if (Node.isConditionalExpression(parent.getWhenTrue()) || hasComment(parent.getText())) return undefined;
    const others = [parent.getWhenTrue(), parent.getWhenFalse()].filter((each) => each !== value);
    if (!others.every(isInitialising)) return undefined;
    value = parent;
  }
}

function isInitialising(node: Node): boolean {
  if (Node.isConditionalExpression(node)) {
    return !Node.isConditionalExpression(node.getWhenTrue()) && isInitialising(node.getWhenFalse());
  }
  const callee = Node.isCallExpression(node) ? node.getExpression() : undefined;
  return Node.isPropertyAccessExpression(callee) && constructorByInit.has(callee.getName());
}

function useInBinary(binary: BinaryExpression, value: Node): UseKind {
  switch (binary.getOperatorToken().getKind()) {
    case SyntaxKind.EqualsEqualsEqualsToken:
    case SyntaxKind.ExclamationEqualsEqualsToken:
    case SyntaxKind.EqualsEqualsToken:
    case SyntaxKind.ExclamationEqualsToken:
    case SyntaxKind.InstanceOfKeyword:
    case SyntaxKind.AmpersandAmpersandToken:
    case SyntaxKind.BarBarToken:
      return UseKind.Compare;
    case SyntaxKind.QuestionQuestionToken:
      return binary.getLeft() === value ? UseKind.Compare : UseKind.Read;
    case SyntaxKind.EqualsToken:
    case SyntaxKind.QuestionQuestionEqualsToken:
    case SyntaxKind.BarBarEqualsToken:
    case SyntaxKind.AmpersandAmpersandEqualsToken:
      return binary.getLeft() === value ? UseKind.Assign : UseKind.Alias;
    default:
      return UseKind.Read;
  }
}

function isCondition(parent: Node | undefined, value: Node): boolean {
  if (Node.isIfStatement(parent) || Node.isWhileStatement(parent) || Node.isDoStatement(parent)) {
    return parent.getExpression() === value;
  }
  if (Node.isConditionalExpression(parent)) return parent.getCondition() === value;
  if (Node.isPropertyAccessExpression(parent) || Node.isCallExpression(parent)) {
    return parent.hasQuestionDotToken() && parent.getExpression() === value;
  }
  return false;
}

function isAssigned(access: Node): boolean {
  const parent = access.getParent();
  return (
    Node.isBinaryExpression(parent) &&
    parent.getLeft() === access &&
    parent.getOperatorToken().getKind() === SyntaxKind.EqualsToken
  );
}

/** The loop over an array of embedded regions whose head contains `array` (`this.windows`). */
export function arrayLoopOf(array: Node): ArrayLoop | undefined {
  const entries = callOn(array);
  const iterated = entries?.method === "entries" ? entries.call : array;
  const statement = iterated.getParent();
  if (!Node.isForOfStatement(statement) || statement.getExpression() !== iterated) return undefined;
  const [pattern, ...more] = declaredIn(statement);
  if (pattern === undefined || more.length > 0) return undefined;
  const name = pattern.getNameNode();
  if (iterated === array) {
    if (!Node.isIdentifier(name)) return undefined;
    return { kind: "array", statement, item: name.getText(), itemNode: name, index: undefined };
  }
  if (!Node.isArrayBindingPattern(name)) return undefined;
  const [index, item, ...rest] = name.getElements();
  if (!Node.isBindingElement(index) || !Node.isBindingElement(item) || rest.length > 0) return undefined;
  if (index.getInitializer() ?? item.getInitializer()) return undefined;
  return {
    kind: "array",
    statement,
    item: item.getName(),
    itemNode: item.getNameNode(),
    index: index.getName(),
  };
}

function declaredIn(loop: ForOfStatement): VariableDeclaration[] {
  const list = loop.getInitializer();
  if (!Node.isVariableDeclarationList(list) || !list.getText().startsWith("const ")) return [];
  return list.getDeclarations();
}

/** The `for (let index = 0; index < count; index++)` whose body directly contains `local`. */
export function countingLoopOf(local: VariableStatement): CountingLoop | undefined {
  const block = local.getParent();
  const statement = block?.getParent();
  if (!Node.isBlock(block) || !Node.isForStatement(statement)) return undefined;
  const counted = countedBy(statement);
  return counted && { kind: "counting", statement, ...counted, store: storeAfter(local, counted.index) };
}

/** The index of a loop that counts from 0 in steps of 1, and the bound that it does not reach. */
export function countedBy(loop: ForStatement): { index: string; count: Expression } | undefined {
  const initializer = loop.getInitializer()?.getText() ?? "";
  const index = /^let ([A-Za-z_$][\w$]*) = 0$/.exec(initializer)?.[1];
  const condition = loop.getCondition();
  if (index === undefined || !Node.isBinaryExpression(condition)) return undefined;
  const step = loop.getIncrementor()?.getText();
  const counts =
    condition.getOperatorToken().getKind() === SyntaxKind.LessThanToken &&
    condition.getLeft().getText() === index &&
    (step === `${index}++` || step === `++${index}` || step === `${index} += 1`);
  return counts ? { index, count: condition.getRight() } : undefined;
}

/** Where the body of a loop changes its index, so that the iterations are not those that the head announces. */
export function changeOfIndex({ statement, index }: CountingLoop | IndexLoop): Node | undefined {
  return identifiersIn(statement.getStatement(), index).find((node) => {
    if (!isWritten(node)) return false;
    const [declaration] = node.getSymbol()?.getDeclarations() ?? [];
    return declaration !== undefined && isWithin(declaration, statement.getInitializer() ?? statement);
  });
}

/** True for a variable or a property that is assigned, changed or deleted at `node`. */
export function isWritten(node: Node): boolean {
  const parent = node.getParent();
  if (Node.isPostfixUnaryExpression(parent) || Node.isDeleteExpression(parent)) return true;
  if (Node.isPrefixUnaryExpression(parent)) {
    const operator = parent.getOperatorToken();
    return operator === SyntaxKind.PlusPlusToken || operator === SyntaxKind.MinusMinusToken;
  }
  return Node.isBinaryExpression(parent) && parent.getLeft() === node && assigns(parent);
}

/** True for `=` and its compounds. */
export function assigns(binary: BinaryExpression): boolean {
  const kind = binary.getOperatorToken().getKind();
  return kind >= SyntaxKind.FirstAssignment && kind <= SyntaxKind.LastAssignment;
}

/** `this.windows[index] = window;` or `this.windows.push(window);` directly after the creation of `window`. */
function storeAfter(local: VariableStatement, index: string): ExpressionStatement | undefined {
  const name = local.getDeclarations()[0]?.getName();
  const next = local.getNextSibling();
  if (name === undefined || !Node.isExpressionStatement(next)) return undefined;
  const stored = next.getExpression();
  if (Node.isCallExpression(stored)) {
    const callee = stored.getExpression();
    const [argument, another] = stored.getArguments();
    if (!Node.isPropertyAccessExpression(callee) || callee.getName() !== "push") return undefined;
    if (argument?.getText() !== name || another !== undefined) return undefined;
    return isOnThis(callee.getExpression()) ? next : undefined;
  }
  if (!Node.isBinaryExpression(stored) || stored.getRight().getText() !== name) return undefined;
  const target = stored.getLeft();
  if (!Node.isElementAccessExpression(target)) return undefined;
  if (target.getArgumentExpression()?.getText() !== index) return undefined;
  return isOnThis(target.getExpression()) ? next : undefined;
}

function isOnThis(access: Node): boolean {
  return Node.isPropertyAccessExpression(access) && Node.isThisExpression(access.getExpression());
}

/**
 * True for a count that has the same value wherever the class evaluates it: a literal, a constant of the module
 * (`WINDOWS`, `Bridge.WINDOWS`) whose name nothing in `scope` shadows, or an expression of such.
 */
export function isConstantCount(count: Node, scope: Node | undefined): boolean {
  if (Node.isNumericLiteral(count)) return true;
  if (Node.isParenthesizedExpression(count)) return isConstantCount(count.getExpression(), scope);
  if (Node.isBinaryExpression(count)) {
    const computes = /^(?:[-+*/%]|<<|>>>?|\*\*)$/.test(count.getOperatorToken().getText());
    return computes && isConstantCount(count.getLeft(), scope) && isConstantCount(count.getRight(), scope);
  }
  const root = Node.isPropertyAccessExpression(count) ? count.getExpression() : count;
  if (!Node.isIdentifier(root)) return false;
  const symbol = root.getSymbol();
  const [declaration] = symbol?.getDeclarations() ?? [];
  if (declaration === undefined || !isModuleConstant(declaration)) return false;
  const same = scope === undefined ? [] : identifiersIn(scope, root.getText());
  return !same.some((node) => {
    const isName = Node.isPropertyAccessExpression(node.getParent()) && node.getParent() !== root.getParent();
    return !isName && node.getSymbol() !== symbol;
  });
}

function isModuleConstant(declaration: Node): boolean {
  if (Node.isImportSpecifier(declaration) || Node.isNamespaceImport(declaration)) return true;
  if (Node.isClassDeclaration(declaration)) return Node.isSourceFile(declaration.getParent());
  const statement = Node.isVariableDeclaration(declaration) ? declaration.getVariableStatement() : undefined;
  return statement?.getDeclarationKind() === "const" && Node.isSourceFile(statement.getParent());
}

/** True if a function with its own `this` (not an arrow function) lies between `node` and `member`. */
export function hasThisOfItsOwn(node: Node, member: Node): boolean {
  let around = enclosingFunction(node);
  while (around !== undefined && around !== member) {
    if (!Node.isArrowFunction(around)) return true;
    around = enclosingFunction(around);
  }
  return false;
}

/** True if `node` is `scope` or lies inside it. */
export function isWithin(node: Node, scope: Node): boolean {
  return node === scope || (node.getStart() >= scope.getPos() && node.getEnd() <= scope.getEnd());
}

/** The expression that a use is part of, shortened to one line, for messages. */
export function describeUse(node: Node): string {
  const shown = callOn(node)?.call ?? outermost(node).getParent() ?? node;
  const line = firstLine(shown);
  return line.length > 60 ? `${line.slice(0, 57)}...` : line;
}

export function firstLine(node: Node): string {
  return node.getText().split("\n")[0] ?? "";
}

/** The member of `device` that contains `node`; undefined if the node is not in that class. */
export function memberOf(node: Node, device: ClassDeclaration): Node | undefined {
  return childAround(node, device);
}

/** The innermost function, field initialiser or static block around `node`. */
export function enclosingFunction(node: Node): Node | undefined {
  return ancestorWhere(node, ({ kind }) => functions.has(kind));
}

const functions: ReadonlySet<SyntaxKind> = new Set([
  SyntaxKind.ArrowFunction,
  SyntaxKind.ClassStaticBlockDeclaration,
  SyntaxKind.Constructor,
  SyntaxKind.FunctionDeclaration,
  SyntaxKind.FunctionExpression,
  SyntaxKind.GetAccessor,
  SyntaxKind.MethodDeclaration,
  SyntaxKind.PropertyDeclaration,
  SyntaxKind.SetAccessor,
]);

export function isIterationStatement(node: Node): boolean {
  return (
    Node.isForStatement(node) ||
    Node.isForOfStatement(node) ||
    Node.isForInStatement(node) ||
    Node.isWhileStatement(node) ||
    Node.isDoStatement(node)
  );
}

/** Identifiers in `scope` that refer to the variable or parameter named by `binding`. */
export function usesOfBinding(binding: Node, scope: Node): Node[] {
  const symbol = binding.getSymbol()?.compilerSymbol;
  const name = binding.getText();
  return identifiersIn(scope, name).filter((node) => {
    if (node === binding) return false;
    const parent = node.getParent();
    const used = Node.isShorthandPropertyAssignment(parent) ? parent.getValueSymbol() : node.getSymbol();
    return used?.compilerSymbol === symbol;
  });
}

/** Functions that reach the fields of an object without naming them. */
export const reflective = /^(Object|Reflect)\.\w+$|^structuredClone$|^JSON\.stringify$/;
