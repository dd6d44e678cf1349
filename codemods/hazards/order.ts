/** Infers when code runs in a device's life from its position in the source. */
import { type ClassDeclaration, Node } from "ts-morph";
import type { Creation, RegionField } from "../regions/facts.ts";
import { Phase, phaseAfterCall, phaseOfHook } from "../regions/lifecycle.ts";
import { callOn, enclosingFunction, memberOf } from "../regions/syntax.ts";

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
    .filter((caller) => !visited.has(caller) && callsOfMember(caller, member).length > 0)
    .map((caller) => phaseOf(caller, device, visited));
  return phases.length === 0 ? Phase.Run : (Math.min(...phases) as Phase); // the minimum of phases is a phase
}

function nameOfMember(member: Node): string | undefined {
  if (Node.isConstructorDeclaration(member)) return "constructor";
  if (Node.isMethodDeclaration(member) || Node.isGetAccessorDeclaration(member)) return member.getName();
  if (Node.isSetAccessorDeclaration(member)) return member.getName();
  return undefined;
}

/** Places in `caller`, outside nested functions, where `this.callee(…)` is called or `this.callee` is read. */
function callsOfMember(caller: Node, callee: Node): Node[] {
  const name = nameOfMember(callee);
  if (name === undefined || caller === callee) return [];
  const found: Node[] = [];
  caller.forEachDescendant((node) => {
    if (!Node.isPropertyAccessExpression(node) || node.getName() !== name) return;
    if (!Node.isThisExpression(node.getExpression()) || enclosingFunction(node) !== caller) return;
    const called = Node.isGetAccessorDeclaration(callee) || Node.isCallExpression(node.getParent());
    if (called) found.push(node);
  });
  return found;
}

/** The node that marks when a creation happens: code before it finds no region. */
export function creationPoint(creation: Creation): Node {
  return creation.loop?.statement ?? creation.statement;
}

/** The first creation of a field in source order. */
export function firstCreation(field: RegionField): Creation | undefined {
  return [...field.creations].sort((a, b) => a.statement.getStart() - b.statement.getStart())[0];
}

/** True if `node`, which needs the region, may run before the region is created. */
export function mayPrecede(node: Node, field: RegionField): boolean {
  const first = firstCreation(field);
  const device = field.device.declaration;
  const creator = first && memberOf(first.statement, device);
  if (first === undefined || creator === undefined) return false;
  const point = creationPoint(first);
  const member = memberOf(node, device);
  const around = enclosingFunction(node);
  if (member === undefined) return mayPrecedeFromOutside(node, creator, device);
  if (around !== member) return false; // A nested function runs later; if it may run earlier, the field is kept.
  if (member === creator) return node.getStart() < point.getStart() || isArgumentOf(node, first);
  const [usePhase, createPhase] = [phaseOf(member, device), phaseOf(creator, device)];
  if (usePhase !== createPhase) return usePhase < createPhase;
  const creatorCalls = callsOfMember(member, creator);
  if (creatorCalls.length > 0) return creatorCalls.every((call) => node.getStart() < call.getStart());
  return callsOfMember(creator, member).some((call) => call.getStart() < point.getStart());
}

function isArgumentOf(node: Node, creation: Creation): boolean {
  return creation.call
    .getArguments()
    .some((each) => each === node || each.containsRange(node.getPos(), node.getEnd()));
}

/** Uses by a subclass through `this`, and by other code through the object. */
function mayPrecedeFromOutside(node: Node, creator: Node, device: ClassDeclaration): boolean {
  const around = enclosingFunction(node);
  if (around === undefined || !Node.isPropertyAccessExpression(node)) return false;
  const receiver = node.getExpression();
  if (!Node.isThisExpression(receiver)) {
    return laterCalls(around, node, receiver.getText()).some(
      (name) => phaseAfterCall(name) === phaseOf(creator, device),
    );
  }
  const usePhase = Node.isPropertyDeclaration(around)
    ? Phase.Construct
    : phaseOfHook(nameOfMember(around) ?? "");
  if (usePhase === undefined) return false;
  const createPhase = phaseOf(creator, device);
  if (usePhase !== createPhase) return usePhase < createPhase;
  return laterCalls(around, node, "super").includes(nameOfMember(around) ?? "");
}

/** Methods that `around` calls on `receiver` after `node`. */
function laterCalls(around: Node, node: Node, receiver: string): string[] {
  const names: string[] = [];
  around.forEachDescendant((each) => {
    if (each.getStart() <= node.getStart() || each.getText() !== receiver) return;
    const called = callOn(each);
    if (called !== undefined) names.push(called.method);
  });
  return names;
}
