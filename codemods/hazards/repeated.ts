/** Whether code that creates a region may run more than once in the life of a device. */
import { type ClassDeclaration, Node } from "ts-morph";
import type { DeviceOrder, Evidence } from "../passes/evidence.ts";
import type { Slot } from "../regions/creation-order.ts";
import type { Form, Refusal } from "../regions/facts.ts";
import { Reason } from "../regions/reasons.ts";
import { firstLine, isIterationStatement, memberOf } from "../regions/syntax.ts";
import { basesOf, callOfName, innermost } from "../regions/trace-syntax.ts";

/** The region may have been created before when control reaches a creation. */
export function createdAgain(
  creations: readonly Repeatable[],
  device: ClassDeclaration,
  { order }: DeviceOrder,
  slot: Slot,
  isRepeated: (method: Node) => boolean,
): Refusal | undefined {
  for (const { place, statement } of creations) {
    if (!order.createdAgainAt(place, slot)) continue;
    const method = memberOf(place, device);
    if (creations.length === 1 && method !== undefined && !isInLoop(place, device) && !isRepeated(method))
      continue;
    const detail = firstLine(statement);
    if (isInLoop(place, device)) return { reason: Reason.CreatedInLoop, node: statement, detail };
    const another = creations.find((each) => each.place !== place);
    // The second of two creations shows the problem; a single one runs more than once.
    const reason = another === undefined ? Reason.CreatedManyTimes : Reason.CreatedTwice;
    const node = another === undefined ? statement : (creations.at(-1)?.statement ?? statement);
    return { reason, node, detail: firstLine(node) };
  }
  return undefined;
}

/** Hooks that the framework runs once in the life of an object. */
const onceHooks = new Set(["constructor", "instanceInit", "realize", "build"]);

/**
 * Whether a method may run more than once, for methods that only other code calls, and that the flow engine therefore takes
 * to run any number of times. It does not if the program calls it at one place, outside loops and callbacks, in code that
 * itself runs once. Callers of a method that creates an embedded region are trusted to call it once: a second call would
 * initialise a live object.
 */
export function isRepeatedMethod(
  method: Node,
  form: Form,
  evidence: Evidence,
  visited: ReadonlySet<Node> = new Set(),
): boolean {
  const { tracer, identity } = evidence;
  if (visited.has(method) || !Node.isMethodDeclaration(method) || method.isStatic()) return true;
  const again = new Set([...visited, method]);
  const names = tracer.names.referencesTo([method], method.getName());
  const fromFramework = basesOf(method).some((each) => identity.isDeclaredByModel(each));
  if (fromFramework) {
    const calls = names.map(superCallIn);
    return (
      !onceHooks.has(method.getName()) ||
      new Set(calls).size < calls.length ||
      calls.some((each) => each === undefined || isRepeatedMethod(each, form, evidence, again))
    );
  }
  if (names.some((name) => callOfName(name) === undefined)) return true;
  const [caller, another] = names;
  if (another !== undefined || (caller !== undefined && isInLoopOrCallback(caller))) return true;
  if (caller === undefined) return true;
  if (form !== "owned" && !isOnThis(caller)) return false;
  const holder = memberAround(caller);
  return holder === undefined || isRepeatedMethod(holder, form, evidence, again);
}

/**
 * The hook of a derived class that continues its base's by a plain `super.hook()`, as often as it runs itself; undefined for
 * any other mention of a hook. The object model runs the `instanceInit` of each class by itself.
 */
function superCallIn(name: Node): Node | undefined {
  const access = name.getParent();
  const holder = memberAround(name);
  const isSuper = Node.isPropertyAccessExpression(access) && Node.isSuperExpression(access.getExpression());
  if (!isSuper || callOfName(name) === undefined || isInLoopOrCallback(name)) return undefined;
  const isSameHook = Node.isMethodDeclaration(holder) && holder.getName() === access.getName();
  return isSameHook && access.getName() !== "instanceInit" ? holder : undefined;
}

function memberAround(node: Node): Node | undefined {
  return node.getFirstAncestor((each) => Node.isClassDeclaration(each.getParent()));
}

function isOnThis(name: Node): boolean {
  const access = name.getParent();
  return Node.isPropertyAccessExpression(access) && Node.isThisExpression(innermost(access.getExpression()));
}

function isInLoopOrCallback(node: Node): boolean {
  return node.getAncestors().some((each) => {
    if (Node.isObjectLiteralExpression(each.getParent())) return Node.isFunctionLikeDeclaration(each);
    return isIterationStatement(each) || Node.isArrowFunction(each) || Node.isFunctionExpression(each);
  });
}

/** A creation, as a place of the flow engine and as the statement to show. */
export interface Repeatable {
  readonly place: Node;
  readonly statement: Node;
}

/** True if a loop around `node`, inside the member that holds it, repeats it. */
export function isInLoop(node: Node, device: ClassDeclaration): boolean {
  const member = memberOf(node, device);
  for (const ancestor of node.getAncestors()) {
    if (ancestor === member) return false;
    if (isIterationStatement(ancestor)) return true;
  }
  return false;
}

/** Code that runs before the object model initialises the object. */
export function createdInConstructor(statement: Node): Refusal | undefined {
  const member = memberAround(statement);
  if (!Node.isConstructorDeclaration(member) && !Node.isPropertyDeclaration(member)) return undefined;
  return { reason: Reason.CreatedInConstructor, node: statement, detail: firstLine(statement) };
}
