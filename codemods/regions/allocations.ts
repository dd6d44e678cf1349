/**
 * Finds regions in storage allocated by hand: `const r = model.allocate(MemoryRegion); r.initIo(…);`, C's `g_new` followed
 * by `memory_region_init_io`. QOM finalizes them and never frees them.
 */
import { type CallExpression, type ExpressionStatement, Node, type VariableStatement } from "ts-morph";
import type { Identity } from "../source/identity.ts";
import { identifiersIn } from "../source/node-index.ts";
import { hasLinesOfItsOwn } from "../source/trivia.ts";
import type { RegionConstructor } from "./constructors.ts";
import type { DeviceClass, RegionAllocation } from "./facts.ts";
import { declarationsOf } from "./names.ts";
import { enclosingFunction, initOn, isWithin, outermost } from "./syntax.ts";
import { innermost } from "./trace-syntax.ts";

/** The class that `model.allocate(MemoryRegion)` or `model.create(MemoryRegion)` makes an object of. */
export function allocatedClass(call: CallExpression, identity: Identity): Node | undefined {
  const callee = call.getExpression();
  if (!Node.isPropertyAccessExpression(callee)) return undefined;
  if (callee.getName() !== "allocate" && callee.getName() !== "create") return undefined;
  const [classNode] = call.getArguments();
  if (classNode === undefined || !identity.isRegionClass(classNode)) return undefined;
  return identity.isObjectModelMethod(callee.getNameNode()) ? classNode : undefined;
}

/** The allocation with the statement that initialises its region; undefined if they do not belong together plainly. */
export function allocationAt(
  call: CallExpression,
  device: DeviceClass | undefined,
  identity: Identity,
): RegionAllocation | undefined {
  const classNode = allocatedClass(call, identity);
  if (classNode === undefined) return undefined;
  const value = outermost(call);
  const holder = value.getParent();
  const statement = statementOf(holder);
  const target = Node.isVariableDeclaration(holder)
    ? holder.getNameNode()
    : Node.isBinaryExpression(holder) && holder.getRight() === value
      ? holder.getLeft()
      : undefined;
  if (statement === undefined || target === undefined || !isPlainTarget(target)) return undefined;
  const init = initialisation(target, statement);
  if (init === undefined) return undefined;
  const declares = Node.isVariableStatement(statement);
  if (declares && statement.getDeclarations().length !== 1) return undefined;
  return {
    device,
    call,
    statement,
    target: target.getText(),
    keyword: declares ? `${statement.getDeclarationKind()} ` : "",
    className: classNode.getText(),
    ...init,
  };
}

function statementOf(holder: Node | undefined): VariableStatement | ExpressionStatement | undefined {
  const statement = Node.isVariableDeclaration(holder) ? holder.getVariableStatement() : holder?.getParent();
  const plain = Node.isVariableStatement(statement) || Node.isExpressionStatement(statement);
  return plain && Node.isBlock(statement.getParent()) && hasLinesOfItsOwn(statement) ? statement : undefined;
}

/** A variable, or `this.name`. */
function isPlainTarget(target: Node): boolean {
  if (Node.isIdentifier(target)) return true;
  return Node.isPropertyAccessExpression(target) && Node.isThisExpression(innermost(target.getExpression()));
}

interface Initialisation {
  readonly init: CallExpression;
  readonly initStatement: ExpressionStatement;
  readonly maker: RegionConstructor;
}

/** `target.init…(…);` as the first statement of the same block that uses the target. */
function initialisation(target: Node, statement: Node): Initialisation | undefined {
  const block = statement.getParent();
  if (!Node.isBlock(block)) return undefined;
  const name = Node.isPropertyAccessExpression(target) ? target.getNameNode() : target;
  if (!Node.isIdentifier(name)) return undefined; // `this.#name`
  const declarations = declarationsOf(name);
  for (const next of block.getStatements().filter((each) => each.getStart() > statement.getStart())) {
    const first = identifiersIn(next, name.getText()).find((each) =>
      declarationsOf(each).some((found) => declarations.includes(found)),
    );
    if (first === undefined) {
      // Code that might use a field by other names runs before its region is initialised.
      if (Node.isPropertyAccessExpression(target) && mayRunCode(next)) return undefined;
      continue;
    }
    if (!Node.isExpressionStatement(next)) return undefined;
    const access = first.getParentIf(Node.isPropertyAccessExpression);
    const region = Node.isPropertyAccessExpression(target) ? access : first;
    const found = region && initOn(region);
    if (found === undefined || outermost(found.call).getParent() !== next) return undefined;
    const others = identifiersIn(next, name.getText()).filter(
      (each) => each !== first && isWithin(each, found.call),
    );
    if (others.some((each) => declarationsOf(each).some((one) => declarations.includes(one))))
      return undefined;
    return { init: found.call, initStatement: next, maker: found.maker };
  }
  return undefined;
}

function mayRunCode(statement: Node): boolean {
  const around = enclosingFunction(statement);
  return statement
    .getDescendants()
    .some(
      (each) =>
        (Node.isCallExpression(each) || Node.isNewExpression(each)) && enclosingFunction(each) === around,
    );
}
