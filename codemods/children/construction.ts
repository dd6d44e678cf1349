/**
 * What happens when an object of a class is constructed, before its first initialiser runs. An embedded child is constructed
 * with its parent, an owned one when it is created, so nothing of it may show outside.
 */
import { type ClassDeclaration, Node, type PropertyAccessExpression, SyntaxKind } from "ts-morph";
import type { Evidence } from "../passes/evidence.ts";
import { constructorByInit, constructorByNew } from "../regions/constructors.ts";
import { declarationsOf } from "../regions/names.ts";
import { isWithin, isWritten } from "../regions/syntax.ts";
import { innermost } from "../regions/trace-syntax.ts";

/** The first thing in the construction of an object that does or sees something outside it; undefined if nothing does. */
export function constructionObserved(
  child: ClassDeclaration,
  evidence: Evidence,
  visited = new Set<Node>(),
): Node | undefined {
  for (const declaration of [child, ...evidence.classes.basesOf(child)]) {
    if (visited.has(declaration) || evidence.identity.isDeclaredByModel(declaration)) continue;
    visited.add(declaration);
    for (const code of constructingCode(declaration)) {
      const found = observedIn(code, code, evidence, visited);
      if (found !== undefined) return found;
    }
  }
  return undefined;
}

/** The initial values of an object's fields, and the bodies of its constructors. */
function constructingCode(declaration: ClassDeclaration): Node[] {
  return declaration.getMembers().flatMap((member) => {
    if (Node.isConstructorDeclaration(member)) return member.getBody() ?? [];
    if (!Node.isPropertyDeclaration(member) || member.isStatic()) return [];
    return member.getInitializer() ?? [];
  });
}

/** @param whole the code that runs; what it declares itself is its own */
function observedIn(node: Node, whole: Node, evidence: Evidence, visited: Set<Node>): Node | undefined {
  if (Node.isArrowFunction(node) || Node.isFunctionExpression(node) || Node.isClassExpression(node))
    return undefined; // does not run yet
  if (isOutside(node, whole, evidence, visited)) return node;
  for (const each of node.forEachChildAsArray()) {
    const found = observedIn(each, whole, evidence, visited);
    if (found !== undefined) return found;
  }
  return undefined;
}

function isOutside(node: Node, whole: Node, evidence: Evidence, visited: Set<Node>): boolean {
  if (Node.isAwaitExpression(node) || Node.isYieldExpression(node)) return true;
  if (Node.isCallExpression(node)) return doesSomething(node.getExpression(), evidence, visited);
  if (Node.isNewExpression(node)) return doesSomething(node.getExpression(), evidence, visited);
  if (Node.isPropertyAccessExpression(node)) {
    if (isWritten(node)) return !Node.isThisExpression(innermost(node.getExpression()));
    return isPartOfModel(node) || isGetter(node) || isChanged(node, evidence);
  }
  if (Node.isElementAccessExpression(node)) return isWritten(node) && !isOwnElement(node);
  if (!Node.isIdentifier(node)) return false;
  const isName = Node.isPropertyAccessExpression(node.getParent()) && node.getParent() !== undefined;
  const access = isName ? node.getParentIfKind(SyntaxKind.PropertyAccessExpression) : undefined;
  if (access?.getNameNode() === node) return false;
  const [declaration] = declarationsOf(node);
  if (declaration === undefined || isWithin(declaration, whole)) return false;
  if (isWritten(node)) return true;
  const statement = Node.isVariableDeclaration(declaration) ? declaration.getVariableStatement() : undefined;
  return statement !== undefined && statement.getDeclarationKind() !== "const"; // may have another value later
}

/** `this.words[3] = 1`. */
function isOwnElement(node: Node): boolean {
  const object = Node.isElementAccessExpression(node) ? innermost(node.getExpression()) : node;
  return Node.isPropertyAccessExpression(object) && Node.isThisExpression(innermost(object.getExpression()));
}

/** `this.model.clock`: what it is may change until the child is created. */
function isPartOfModel(access: PropertyAccessExpression): boolean {
  const object = innermost(access.getExpression());
  return Node.isPropertyAccessExpression(object) && object.getName() === "model";
}

/** A getter runs code. */
function isGetter(access: PropertyAccessExpression): boolean {
  const declarations = declarationsOf(access.getNameNode());
  return declarations.some(
    (each) => Node.isGetAccessorDeclaration(each) && !each.getSourceFile().isDeclarationFile(),
  );
}

/** `counters.next`, where some code of the program assigns it. */
function isChanged(access: PropertyAccessExpression, { tracer }: Evidence): boolean {
  const object = innermost(access.getExpression());
  if (!Node.isIdentifier(object)) return false;
  const references = tracer.names.referencesTo(declarationsOf(access.getNameNode()), access.getName());
  return references.some((name) => {
    const place = name.getParentIfKind(SyntaxKind.PropertyAccessExpression);
    return place !== undefined && isWritten(place);
  });
}

/** Standard functions whose result depends on when they are called, or that do something. */
const moments =
  /^(?:Math\.random|Date\b|performance\b|console\b|globalThis\b|process\b|crypto\b|Symbol$|set\w+$|queueMicrotask$)/;

/** Methods of the language's objects that change them. */
const changes =
  /^(?:push|unshift|pop|shift|splice|fill|copyWithin|sort|reverse|set|add|delete|clear|next|assign|define\w*)$/;

/** `all.push`, of something that is not the object's own. */
function isChange(callee: Node): boolean {
  if (!Node.isPropertyAccessExpression(callee) || !changes.test(callee.getName())) return false;
  const object = innermost(callee.getExpression());
  const [declaration] = Node.isIdentifier(object) ? declarationsOf(object) : [];
  return declaration?.getFirstAncestor(Node.isFunctionLikeDeclaration) === undefined && !isOfThis(object);
}

function isOfThis(object: Node): boolean {
  if (Node.isThisExpression(object) || Node.isNewExpression(object)) return true;
  return Node.isPropertyAccessExpression(object) && isOfThis(innermost(object.getExpression()));
}

/** True for a call that may do or see something outside: of a function that is not known, or of one that does. */
function doesSomething(callee: Node, evidence: Evidence, visited: Set<Node>): boolean {
  const function_ = innermost(callee);
  if (function_.getKind() === SyntaxKind.SuperKeyword) return false;
  if (moments.test(function_.getText()) || isChange(function_)) return true;
  const name = Node.isPropertyAccessExpression(function_) ? function_.getNameNode() : function_;
  const declarations = declarationsOf(name);
  if (declarations.length === 0) return true;
  return declarations.some((each) => {
    if (evidence.identity.isDeclaredByModel(each)) {
      // Of the methods of the model, those of the object itself that embed; others may number, register or schedule.
      const onThis = Node.isPropertyAccessExpression(function_) && /^embed/.test(function_.getName());
      return !onThis && !Node.isClassDeclaration(each) && !Node.isFunctionDeclaration(each);
    }
    if (each.getSourceFile().isDeclarationFile()) return false;
    if (visited.has(each)) return false;
    visited.add(each);
    if (Node.isClassDeclaration(each)) {
      visited.delete(each);
      return constructionObserved(each, evidence, visited) !== undefined;
    }
    const isFunction = Node.isFunctionDeclaration(each) || Node.isMethodDeclaration(each);
    const body = isFunction ? each.getBody() : undefined;
    return body === undefined || observedIn(body, each, evidence, visited) !== undefined;
  });
}

/** The first region that an object of the class makes, itself or through its own children; undefined if none does. */
export function regionsOf(
  child: ClassDeclaration,
  evidence: Evidence,
  visited = new Set<Node>(),
): Node | undefined {
  const { identity } = evidence;
  for (const declaration of [child, ...evidence.classes.basesOf(child)]) {
    if (visited.has(declaration) || identity.isDeclaredByModel(declaration)) continue;
    visited.add(declaration);
    for (const call of declaration.getDescendantsOfKind(SyntaxKind.CallExpression)) {
      const callee = call.getExpression();
      if (!Node.isPropertyAccessExpression(callee)) continue;
      const name = callee.getName();
      const object = callee.getExpression();
      if (constructorByNew.has(name) && identity.isRegionClass(object)) return call;
      if (constructorByInit.has(name) && identity.isRegion(object.getType())) return call;
      const classNode = /^(?:embed|embedArray|create)$/.test(name)
        ? call.getArguments()[0]
        : name === "newChild"
          ? call.getArguments()[1]
          : undefined;
      const instance = classNode?.getType().getConstructSignatures()[0]?.getReturnType();
      const part = instance?.getSymbol()?.getDeclarations().find(Node.isClassDeclaration);
      const found = part && regionsOf(part, evidence, visited);
      if (found !== undefined) return found;
    }
  }
  return undefined;
}
