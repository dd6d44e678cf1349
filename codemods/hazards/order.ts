/** Infers when code runs in a device's life from its position in the source. */
import { type ClassDeclaration, Node, ts } from "ts-morph";
import type { Creation, RegionField } from "../regions/facts.ts";
import { Phase, phaseAfterCall, phaseOfHook } from "../regions/lifecycle.ts";
import { callOn, enclosingFunction, isWithin, memberOf } from "../regions/syntax.ts";
import { namesIn } from "../source/node-index.ts";

/** Phase in which a member of a class first runs; a method called by hooks runs as early as the earliest of them. */
export function phaseOf(member: Node, device: ClassDeclaration, visited = new Set<Node>()): Phase {
  if (Node.isPropertyDeclaration(member)) return Phase.Construct;
  if (Node.isSetAccessorDeclaration(member)) return Phase.Init; // properties are set before realize
  const name = nameOfMember(member);
  const hook = name === undefined ? undefined : phaseOfHook(name);
  if (hook !== undefined) return hook;
  visited.add(member);
  const phases = device
    .getMembers()
    .filter((caller) => !visited.has(caller) && callsMember(caller, member))
    .map((caller) => phaseOf(caller, device, visited));
  return phases.length === 0 ? Phase.Run : (Math.min(...phases) as Phase); // the minimum of phases is a phase
}

function nameOfMember(member: Node): string | undefined {
  if (Node.isConstructorDeclaration(member)) return "constructor";
  if (Node.isMethodDeclaration(member) || Node.isGetAccessorDeclaration(member)) return member.getName();
  if (Node.isSetAccessorDeclaration(member)) return member.getName();
  return undefined;
}

/** True if `caller`, outside nested functions, calls `this.callee(…)` or reads `this.callee`. */
function callsMember(caller: Node, callee: Node): boolean {
  const name = nameOfMember(callee);
  if (name === undefined || caller === callee) return false;
  return namesIn(caller, name).some((identifier) => {
    const node = identifier.parent;
    if (!ts.isPropertyAccessExpression(node) || node.name !== identifier) return false;
    if (node.expression.kind !== ts.SyntaxKind.ThisKeyword) return false;
    const called = Node.isGetAccessorDeclaration(callee) || ts.isCallExpression(node.parent);
    return called && isDirectlyIn(node, caller.compilerNode);
  });
}

/** True if no other function lies between a node and the member that contains it. */
function isDirectlyIn(node: ts.Node, member: ts.Node): boolean {
  for (let around = node.parent; around !== member; around = around.parent) {
    if (ts.isFunctionLike(around) || ts.isClassLike(around)) return false;
  }
  return true;
}

/** The node that marks when a creation happens: code before it finds no region. */
export function creationPoint(creation: Creation): Node {
  return creation.loop?.statement ?? creation.statement;
}

/** The first creation of a field in source order. */
export function firstCreation(field: RegionField): Creation | undefined {
  return [...field.creations].sort((a, b) => a.statement.getStart() - b.statement.getStart())[0];
}

/**
 * True if code outside the class uses the region, or calls a method that needs it, before it has the device do what
 * creates the region.
 */
export function mayPrecedeFromOutside(
  node: Node,
  creation: Creation,
  device: ClassDeclaration,
  receiver = objectOf(node),
): boolean {
  const creator = memberOf(creation.statement, device);
  const around = enclosingFunction(node);
  if (creator === undefined || around === undefined || receiver === undefined) return false;
  if (!Node.isThisExpression(receiver)) {
    const phase = phaseOf(creator, device);
    const creating = callsOn(around, receiver.getText()).filter(
      ({ method }) => phaseAfterCall(method) === phase,
    );
    const has = ({ call }: CallOn) => call.getEnd() <= node.getStart() && isBefore(call, node);
    return creating.some(({ call }) => call.getStart() > node.getStart()) && !creating.some(has);
  }
  const usePhase = Node.isPropertyDeclaration(around)
    ? Phase.Construct
    : phaseOfHook(nameOfMember(around) ?? "");
  if (usePhase === undefined) return false;
  const createPhase = phaseOf(creator, device);
  if (usePhase !== createPhase) return usePhase < createPhase;
  const name = nameOfMember(around);
  return callsOn(around, "super").some(
    ({ method, call }) => method === name && call.getStart() > node.getStart(),
  );
}

/** True for a call whose statement has completed when control reaches a node below it. */
function isBefore(call: Node, node: Node): boolean {
  const block = call.getFirstAncestor(Node.isStatement)?.getParent();
  return block !== undefined && isWithin(node, block);
}

function objectOf(node: Node): Node | undefined {
  const access = Node.isPropertyAccessExpression(node) || Node.isElementAccessExpression(node);
  return access ? node.getExpression() : undefined;
}

type CallOn = NonNullable<ReturnType<typeof callOn>>;

/** The calls of methods on `receiver` in a function. */
function callsOn(around: Node, receiver: string): CallOn[] {
  const calls: CallOn[] = [];
  around.forEachDescendant((each) => {
    const called = each.getText() === receiver ? callOn(each) : undefined;
    if (called !== undefined) calls.push(called);
  });
  return calls;
}
