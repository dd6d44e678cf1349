/** Code outside of a device that reaches its regions, or calls what needs them, before it has been plugged. */
import { type ClassDeclaration, Node, Scope, SyntaxKind } from "ts-morph";
import type { Evidence } from "../passes/evidence.ts";
import { type Creation, type Refusal, type RegionField, UseKind } from "../regions/facts.ts";
import { driverNames, Phase, phaseOfHook } from "../regions/lifecycle.ts";
import { declarationsOf, type NameIndex } from "../regions/names.ts";
import { Reason } from "../regions/reasons.ts";
import {
  describeUse,
  enclosingFunction,
  isIterationStatement,
  isWithin,
  memberOf,
} from "../regions/syntax.ts";
import { callOfName, innermost } from "../regions/trace-syntax.ts";
import { guardsOf } from "./conditional.ts";
import { mayPrecedeFromOutside, phaseOf } from "./order.ts";

/**
 * Another device's constructor, `instanceInit`, `realize` or `onUnparent` may run before the device is plugged, unless it
 * plugs the device itself first. At run time everything is plugged. Other functions are judged by what they call later.
 */
export function reachedBeforePlug(field: RegionField, evidence: Evidence): Refusal | undefined {
  const { declaration: device } = field.device;
  const [creation] = field.creations;
  if (creation === undefined) return undefined;
  const isRealized = field.creations.every((each) => isRealizing(each, device));
  const kin = new Set<Node>([device]);
  for (const { declaration } of evidence.classes.relativesOf(device)) kin.add(declaration);
  for (const access of accessesFromOutside(field, kin, evidence.tracer.names)) {
    const { node, isUse, isGiven } = access;
    const holder = node.getFirstAncestorByKind(SyntaxKind.ClassDeclaration);
    const isOwn = isUse && holder !== undefined && kin.has(holder);
    if (isAskedWhetherRealized(access) || !(isRealized || isOwn)) continue;
    const isDevice =
      holder !== undefined && evidence.identity.isDevice(holder) && !isMachine(holder, evidence);
    const isEarly =
      isDevice && isGiven !== true
        ? precedesPlug(holder, access, device, evidence)
        : !isUse && mayPrecedeFromOutside(node, creation, device, access.receiver);
    if (isEarly) return { reason: Reason.UsedBeforeCreation, node, detail: describeUse(node) };
  }
  return undefined;
}

/** False for what is created before anybody can reach the device, and in a method that others call when they like. */
function isRealizing({ statement }: Creation, device: ClassDeclaration): boolean {
  const creator = memberOf(statement, device);
  if (creator === undefined) return false;
  const phase = phaseOf(creator, device);
  if (phase !== Phase.Run) return phase === Phase.Realize;
  return Node.isMethodDeclaration(creator) && creator.getScope() !== Scope.Public;
}

/** A place that needs an object to be plugged. */
interface Access {
  readonly node: Node;
  /** The object. */
  readonly receiver: Node;
  /** What is evaluated there. */
  readonly place: Node;
  /** True for the region itself, false for a member or a function that needs it. */
  readonly isUse: boolean;
  /** True if the function around it is given the object: whether it is plugged by then is for the caller. */
  readonly isGiven?: boolean;
}

/** A member that needs its own object to be plugged, or a function that needs one of its arguments to be. */
interface Needing {
  readonly fn: Node;
  readonly argument: number | undefined;
}

class Accesses {
  readonly found: Access[] = [];
  readonly needing: Needing[] = [];
  private readonly kin: ReadonlySet<Node>;

  constructor(kin: ReadonlySet<Node>) {
    this.kin = kin;
  }

  /** The member around a node of the object's own class needs it; the parameter's function; or else the place itself. */
  add(access: Access): void {
    const { node, receiver } = access;
    const object = innermost(receiver);
    if (object.getKind() === SyntaxKind.SuperKeyword || isThis(object)) {
      const holder = node.getFirstAncestorByKind(SyntaxKind.ClassDeclaration);
      const member = holder !== undefined && this.kin.has(holder) ? memberOf(node, holder) : undefined;
      const isSafe = guardsOf(node).some(({ text, holds }) => holds && text === "this.realized");
      if (member !== undefined && !isSafe) this.need(member, undefined);
      return;
    }
    const [declaration] = Node.isIdentifier(object) ? declarationsOf(object) : [];
    const fn = Node.isParameterDeclaration(declaration) ? declaration.getParent() : undefined;
    const isGiven = Node.isFunctionDeclaration(fn) || Node.isMethodDeclaration(fn);
    this.found.push({ ...access, isGiven });
    if (isGiven && !isAskedWhetherRealized(access))
      this.need(fn, fn.getParameters().indexOf(declaration as never));
  }

  private need(fn: Node, argument: number | undefined): void {
    if (!this.needing.some((each) => each.fn === fn && each.argument === argument))
      this.needing.push({ fn, argument });
  }
}

function accessesFromOutside({ uses }: RegionField, kin: ReadonlySet<Node>, names: NameIndex): Access[] {
  const accesses = new Accesses(kin);
  for (const { node, kind } of uses) {
    const access = kind === UseKind.Type || kind === UseKind.Create ? undefined : accessAt(node);
    if (access !== undefined) accesses.add({ ...access, isUse: true });
  }
  for (const { fn, argument } of accesses.needing) {
    for (const name of referencesTo(fn, names)) {
      const call = callOfName(name);
      const given = argument === undefined ? undefined : call?.getArguments()[argument];
      if (given !== undefined && call !== undefined)
        accesses.add({ node: call, receiver: given, place: given, isUse: false });
      const access = argument === undefined ? accessAt(name.getParent()) : undefined;
      if (access !== undefined) accesses.add({ ...access, isUse: false });
    }
  }
  return accesses.found;
}

/** `object.name`, `object["name"]`, or `name` in a pattern that takes it from an object. */
function accessAt(node: Node | undefined): Omit<Access, "isUse"> | undefined {
  if (Node.isPropertyAccessExpression(node) || Node.isElementAccessExpression(node))
    return { node, receiver: node.getExpression(), place: node };
  const variable = Node.isBindingElement(node) ? node.getParent().getParent() : undefined;
  const object = Node.isVariableDeclaration(variable) ? variable.getInitializer() : undefined;
  return node && object && { node, receiver: object, place: object };
}

/** The names by which others call a function; none for what only the object model calls. */
function referencesTo(fn: Node, names: NameIndex): readonly Node[] {
  if (!Node.isMethodDeclaration(fn) && !Node.isGetAccessorDeclaration(fn) && !Node.isFunctionDeclaration(fn))
    return [];
  const name = fn.getName();
  return name === undefined || phaseOfHook(name) !== undefined ? [] : names.referencesTo([fn], name);
}

/** True for `this`, and for a variable that holds it. */
function isThis(object: Node): boolean {
  if (Node.isThisExpression(object)) return true;
  const [declaration] = Node.isIdentifier(object) ? declarationsOf(object) : [];
  const value = Node.isVariableDeclaration(declaration) ? declaration.getInitializer() : undefined;
  return value !== undefined && Node.isThisExpression(innermost(value));
}

/** True under `if (object.realized)`. */
function isAskedWhetherRealized({ node, receiver }: Access): boolean {
  const object = innermost(receiver).getText();
  return guardsOf(node).some(
    ({ text, holds }) => holds && (text === `${object}.realized` || text === `${object}?.realized`),
  );
}

function isMachine(holder: ClassDeclaration, { classes }: Evidence): boolean {
  return classes.basesOf(holder).some((each) => each.getName() === "Machine");
}

/** Whether control may reach the access, in the life of a device of the class `holder`, before a call that plugs its object. */
function precedesPlug(
  holder: ClassDeclaration,
  access: Access,
  device: ClassDeclaration,
  evidence: Evidence,
): boolean {
  const plugs = plugsIn(evidence.tracer.names).filter((call) => mayPlug(call, access, device));
  const slot = {
    creations: plugs.flatMap((call) => [call, ...repetitionsAround(call)]),
    uses: [access.place],
    existsAtRunTime: true,
  } as const;
  const existence = evidence.lifeOf(holder, [slot]).existsAt(access.place, slot);
  return existence === "never" || existence === "sometimes";
}

/** The calls of methods that plug an object. */
function plugsIn(names: NameIndex): Node[] {
  return driverNames
    .flatMap((name) => names.named(name))
    .flatMap((name) => name.getParentIf(Node.isPropertyAccessExpression) ?? [])
    .flatMap((callee) => callee.getParentIf(Node.isCallExpression) ?? []);
}

/** Loops around a call, and calls like `forEach` that it is passed to: when they have completed, every object is plugged. */
function repetitionsAround(call: Node): Node[] {
  const around = call.getFirstAncestor((each) => Node.isClassDeclaration(each.getParent()));
  return call.getAncestors().filter((each) => {
    if (around === undefined || !isWithin(each, around)) return false;
    return (
      isIterationStatement(each) || (Node.isCallExpression(each) && !isWithin(call, each.getExpression()))
    );
  });
}

/** A call on the same expression, on an element of a collection, or on what a function is given that plugs any device. */
function mayPlug(call: Node, access: Access, device: ClassDeclaration): boolean {
  const callee = Node.isCallExpression(call) ? call.getExpression() : undefined;
  if (!Node.isPropertyAccessExpression(callee)) return false;
  const plugged = innermost(callee.getExpression());
  if (plugged.getText() === innermost(access.receiver).getText()) return true;
  const [declaration] = Node.isIdentifier(plugged) ? declarationsOf(plugged) : [];
  if (declaration === undefined) return false;
  const around = enclosingFunction(access.node);
  const isElsewhere =
    around === undefined ||
    !isWithin(declaration, around) ||
    Node.isParameterDeclaration(declaration) ||
    Node.isForOfStatement(declaration.getParent()?.getParent());
  return isElsewhere && device.getType().isAssignableTo(plugged.getType());
}
