/** Whether code may run again, and whether a condition keeps it from doing so. */
import { ts } from "ts-morph";
import {
  accessOf,
  type Frame,
  isAsync,
  isPrivate,
  isProtected,
  LifePhase,
  nameOf,
  strip,
} from "../flow/index.ts";
import type { Watch } from "./watch.ts";

/** The frame of the hook or entry that led here. */
function entryOf(frame: Frame): Frame {
  let current = frame;
  while (current.caller?.fn !== undefined) current = current.caller;
  return current;
}

/** Name of the method that was entered from outside. */
export function entryName(frame: Frame): string | undefined {
  const { fn } = entryOf(frame);
  return fn === undefined ? undefined : nameOf(fn.name);
}

/** True if the entry that led here may be called any number of times: reset, a setter, a public method, a callback of ops. */
export function mayRepeat(watch: Watch, frame: Frame): boolean {
  if (watch.phase !== LifePhase.Run && watch.phase !== LifePhase.Configure) return false;
  const { fn, bindings } = entryOf(frame);
  if (fn === undefined) return false;
  if (ts.isSetAccessorDeclaration(fn) || ts.isGetAccessorDeclaration(fn)) return true;
  if (ts.isMethodDeclaration(fn)) {
    // What is left of a generator, or of an asynchronous function, goes on once.
    if (fn.asteriskToken !== undefined || (isAsync(fn) && !isOpen(fn))) return false;
    return ts.isObjectLiteralExpression(fn.parent) || !isCalledOnce(watch, fn);
  }
  // A function that is declared elsewhere is a callback if it is given what its region was created with.
  if (ts.isFunctionDeclaration(fn)) return bindings.size > 0;
  const { parent } = fn;
  const isLine = ts.isCallExpression(parent) && accessOf(strip(parent.expression))?.name === "initGpioIn";
  return isLine || ts.isPropertyAssignment(parent);
}

/**
 * True for what the framework does again and again, so that each region made there is one more: `reset`, and callbacks of
 * regions and properties. A public method may be one that makes a region for each of its callers.
 */
export function isRepeatedByModel(watch: Watch, frame: Frame): boolean {
  const { fn } = entryOf(frame);
  if (fn === undefined || watch.phase !== LifePhase.Run || !watch.kind.isDevice) return false;
  if (ts.isClassElement(fn) && ts.isClassLike(fn.parent)) return nameOf(fn.name) === "reset";
  return mayRepeat(watch, frame);
}

function isOpen(method: ts.MethodDeclaration): boolean {
  return !isPrivate(method) && !isProtected(method);
}

/**
 * True for a public method that the program calls once for each object: from one place, outside of loops. A method that
 * no code of the program calls may be called any number of times.
 */
function isCalledOnce(watch: Watch, method: ts.MethodDeclaration): boolean {
  const name = nameOf(method.name);
  if (name === undefined || name === "reset") return false;
  const calls = watch.callers.callsOf(name, watch.shape.chain);
  if (calls.length === 0) return false;
  const seen = new Set<string>();
  for (const call of calls) {
    const receiver = accessOf(strip(call.expression))?.object;
    const around = functionStart(call);
    const key = `${call.getSourceFile().fileName} ${around} ${receiver?.getText() ?? ""}`;
    if (seen.has(key) || isInLoop(call, receiver)) return false;
    seen.add(key);
  }
  return true;
}

function functionStart(node: ts.Node): number {
  let each: ts.Node = node;
  while (each.parent !== undefined && !ts.isFunctionLike(each)) each = each.parent;
  return each.pos;
}

/** True for a call in a loop on a receiver that was not made in the same round. */
function isInLoop(call: ts.Node, receiver: ts.Node | undefined): boolean {
  for (let each = call.parent; each !== undefined && !ts.isFunctionLike(each); each = each.parent)
    if (ts.isIterationStatement(each, false)) {
      const name = receiver?.getText() ?? "";
      const fresh = new RegExp(`\\b(?:const|let)\\s+${name.replaceAll("$", "\\$")}\\b`).test(each.getText());
      return !(/^[\w$]+$/.test(name) && fresh);
    }
  return false;
}

/**
 * True if a condition about the device's own state decides whether the node runs: an `if` around it, a test before it that
 * leaves the function, `??=`, also in the functions that called this one.
 */
export function isGuarded(watch: Watch, node: ts.Node, frame: Frame): boolean {
  let place: ts.Node = node;
  for (let current: Frame | undefined = frame; current !== undefined; current = current.caller) {
    if (isGuardedInside(watch, place)) return true;
    if (current.call === undefined) return false;
    place = current.call;
  }
  return false;
}

function isGuardedInside(watch: Watch, node: ts.Node): boolean {
  for (let each: ts.Node = node; each.parent !== undefined && !ts.isFunctionLike(each); each = each.parent) {
    const { parent } = each;
    if (ts.isIfStatement(parent) && each !== parent.expression && asksState(watch, parent.expression))
      return true;
    if (ts.isConditionalExpression(parent) && each !== parent.condition && asksState(watch, parent.condition))
      return true;
    if (ts.isWhileStatement(parent) && each !== parent.expression && asksState(watch, parent.expression))
      return true;
    if (ts.isBinaryExpression(parent) && parent.right === each) {
      const { kind } = parent.operatorToken;
      if (kind === ts.SyntaxKind.QuestionQuestionEqualsToken || kind === ts.SyntaxKind.BarBarEqualsToken)
        return true;
      if (kind === ts.SyntaxKind.QuestionQuestionToken) return true;
      const either = kind === ts.SyntaxKind.AmpersandAmpersandToken || kind === ts.SyntaxKind.BarBarToken;
      if (either && asksState(watch, parent.left)) return true;
    }
    if (ts.isBlock(parent) || ts.isCaseOrDefaultClause(parent) || ts.isSourceFile(parent)) {
      const { pos } = each;
      if (leavingIn(parent).some((guard) => guard.pos < pos && asksState(watch, guard.expression)))
        return true;
    }
  }
  return false;
}

const leaving = new WeakMap<ts.Node, readonly ts.IfStatement[]>();

/** The statements `if (…) return;` and the like of a block, which may be long and is asked for each of its creations. */
function leavingIn(block: ts.Block | ts.CaseOrDefaultClause | ts.SourceFile): readonly ts.IfStatement[] {
  const known = leaving.get(block);
  if (known !== undefined) return known;
  const found = block.statements.filter(ts.isIfStatement).filter((each) => leaves(each.thenStatement));
  leaving.set(block, found);
  return found;
}

function leaves(statement: ts.Statement): boolean {
  if (ts.isBlock(statement)) {
    const last = statement.statements.at(-1);
    return last !== undefined && leaves(last);
  }
  return (
    ts.isReturnStatement(statement) ||
    ts.isThrowStatement(statement) ||
    ts.isBreakOrContinueStatement(statement)
  );
}

/** True for a condition about a field that the class itself changes, or about where a region is. */
function asksState(watch: Watch, condition: ts.Node): boolean {
  let asks = false;
  const visit = (node: ts.Node): void => {
    const access = accessOf(node);
    if (access?.name !== undefined) {
      const name = access.name;
      if (name === "mapped" || name === "container" || name === "realized") asks = true;
      if (
        strip(access.object).kind === ts.SyntaxKind.ThisKeyword &&
        watch.shape.storedInField(name).length > 0
      )
        asks = true;
      if (
        strip(access.object).kind === ts.SyntaxKind.ThisKeyword &&
        watch.shape.storedInElements(name).length > 0
      )
        asks = true;
    }
    if (!ts.isFunctionLike(node)) ts.forEachChild(node, visit);
  };
  visit(condition);
  return asks;
}
