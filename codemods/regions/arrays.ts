/** Finds the statements that create the regions of an array, in the loops that the codemods understand. */
import { type ExpressionStatement, type ForStatement, Node, type VariableStatement } from "ts-morph";
import type { Creation, DeclaredField, IndexLoop, Use } from "./facts.ts";
import { type Makers, regionMakers } from "./makers.ts";
import { arrayLoopOf, assignmentTo, countedBy, countingLoopOf, outermost } from "./syntax.ts";
import { innermost } from "./trace-syntax.ts";

/** The creations in the loop that a use of the array (`this.windows`) belongs to. */
export function arrayCreations({ node }: Use, field: DeclaredField, makers = regionMakers): Creation[] {
  if (field.form === "owned") {
    const creation = ownedArrayCreation(node, makers);
    return creation === undefined ? [] : [creation];
  }
  return [...creationsOverItems(node, makers), ...creationsByIndex(node, makers)];
}

/** `for (const window of this.windows) { window.initIo(…); }`. */
function creationsOverItems(array: Node, makers: Makers): Creation[] {
  const loop = arrayLoopOf(array);
  const body = loop?.statement.getStatement();
  if (loop === undefined || !Node.isBlock(body)) return [];
  return body.getStatements().flatMap((statement) => {
    const init = initialisationOf(statement, makers, (receiver) => receiver.getText() === loop.item);
    return init === undefined ? [] : [{ ...init, loop, helper: undefined }];
  });
}

/** `for (let i = 0; i < COUNT; i++) { this.windows[i]!.initIo(…); }`, or with a constant for the element. */
function creationsByIndex(array: Node, makers: Makers): Creation[] {
  const element = elementAt(array);
  const statement = element && statementAround(element.access);
  const around = statement && loopAround(statement);
  if (element === undefined || statement === undefined || around === undefined) return [];
  const counted = countedBy(around);
  if (counted === undefined || counted.index !== element.index) return [];
  const loop: IndexLoop = { kind: "indexed", statement: around, ...counted, item: undefined };
  if (Node.isExpressionStatement(statement)) {
    const init = initialisationOf(statement, makers, (receiver) => innermost(receiver) === element.access);
    return init === undefined ? [] : [{ ...init, loop, helper: undefined }];
  }
  const [declaration, another] = statement.getDeclarations();
  if (declaration === undefined || another !== undefined) return [];
  const value = declaration.getInitializer();
  if (value === undefined || innermost(value) !== element.access) return [];
  const name = declaration.getName();
  const body = around.getStatement();
  if (!Node.isBlock(body) || statement.getDeclarationKind() !== "const") return [];
  return body.getStatements().flatMap((each) => {
    const init = initialisationOf(each, makers, (receiver) => innermost(receiver).getText() === name);
    return init === undefined ? [] : [{ ...init, loop: { ...loop, item: statement }, helper: undefined }];
  });
}

/** `region.init…(…);` as a statement. */
function initialisationOf(
  statement: Node,
  makers: Makers,
  isRegion: (receiver: Node) => boolean,
): Omit<Creation, "loop" | "helper"> | undefined {
  if (!Node.isExpressionStatement(statement)) return undefined;
  const call = statement.getExpression();
  const receiver = Node.isCallExpression(call) ? makers.subjectOf(call) : undefined;
  if (receiver === undefined || !isRegion(receiver)) return undefined;
  const init = makers.initOn(innermost(receiver));
  return init && { ...init, statement };
}

/** `this.windows[index]`, given `this.windows`, with the name of the index. */
function elementAt(array: Node): { readonly access: Node; readonly index: string } | undefined {
  const access = outermost(array).getParent();
  if (!Node.isElementAccessExpression(access) || access.getExpression() !== outermost(array))
    return undefined;
  const index = access.getArgumentExpression();
  return Node.isIdentifier(index) ? { access, index: index.getText() } : undefined;
}

/** The statement around a node if it stands in the block of a loop. */
function statementAround(node: Node): ExpressionStatement | VariableStatement | undefined {
  const statement = node.getFirstAncestor((each) => Node.isStatement(each));
  const plain = Node.isExpressionStatement(statement) || Node.isVariableStatement(statement);
  return plain && loopAround(statement) !== undefined ? statement : undefined;
}

/** The loop whose body a statement is, or is in the block of. */
function loopAround(statement: Node): ForStatement | undefined {
  const parent = statement.getParent();
  const around = Node.isBlock(parent) ? parent.getParent() : parent;
  return Node.isForStatement(around) ? around : undefined;
}

/**
 * Given `this.windows`: the creation whose result `this.windows[index] = window;` or `this.windows.push(window);` stores,
 * or the one in `this.windows[index] = MemoryRegion.newIo(…);`.
 */
export function ownedArrayCreation(node: Node, makers = regionMakers): Creation | undefined {
  const store = node.getFirstAncestor((each) => Node.isStatement(each));
  if (!Node.isExpressionStatement(store)) return undefined;
  const element = elementAt(node);
  const assigned = element && assignmentTo(element.access);
  const direct = assigned && makers.newOn(assigned.assignment.getRight());
  if (direct !== undefined && element !== undefined) {
    const around = loopAround(store);
    const counted = around && countedBy(around);
    if (around === undefined || counted?.index !== element.index) return undefined;
    const loop: IndexLoop = { kind: "indexed", statement: around, ...counted, item: undefined };
    return { call: direct.call, maker: direct.maker, statement: store, loop, helper: undefined };
  }
  const statement = store.getPreviousSibling();
  if (!Node.isVariableStatement(statement)) return undefined;
  const made = makers.newOn(statement.getDeclarations()[0]?.getInitializer());
  const loop = countingLoopOf(statement);
  if (made === undefined || loop === undefined || loop.store !== store) return undefined;
  return { call: made.call, maker: made.maker, statement, loop, helper: undefined };
}
