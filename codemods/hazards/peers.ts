/** Code outside of a device that reaches its regions, or calls what needs them, before it has been plugged. */
import { type ClassDeclaration, Node, type PropertyAccessExpression, Scope, SyntaxKind } from "ts-morph";
import type { Evidence } from "../passes/evidence.ts";
import { type Creation, type Refusal, type RegionField, UseKind } from "../regions/facts.ts";
import { driverNames, Phase, phaseOfHook } from "../regions/lifecycle.ts";
import type { NameIndex } from "../regions/names.ts";
import { declarationsOf } from "../regions/names.ts";
import { Reason } from "../regions/reasons.ts";
import { callOn, describeUse, enclosingFunction, isWithin, memberOf } from "../regions/syntax.ts";
import { innermost } from "../regions/trace-syntax.ts";
import { guardsOf } from "./conditional.ts";
import { mayPrecedeFromOutside, phaseOf } from "./order.ts";

/**
 * Another device's constructor, `instanceInit`, `realize` or `onUnparent` may run before the device is plugged, unless it
 * plugs the device itself first. At run time everything is plugged. Other functions are judged by what they call later.
 */
export function reachedBeforePlug(field: RegionField, evidence: Evidence): Refusal | undefined {
  const { device } = field;
  const kin = new Set<Node>([device.declaration]);
  for (const { declaration } of evidence.classes.relativesOf(device.declaration)) kin.add(declaration);
  const [creation] = field.creations;
  if (creation === undefined || field.creations.some((each) => !isRealizing(each, device.declaration)))
    return undefined;
  for (const { access, isUse } of accessesFromOutside(field, evidence.tracer.names)) {
    const holder = access.getFirstAncestorByKind(SyntaxKind.ClassDeclaration);
    const receiver = access.getExpression();
    if ((holder !== undefined && kin.has(holder)) || isAskedWhetherRealized(access, receiver)) continue;
    const isDevice =
      holder !== undefined && evidence.identity.isDevice(holder) && !isMachine(holder, evidence);
    const isEarly = isDevice
      ? precedesPlug(holder, access, device.declaration, evidence)
      : !isUse &&
        !isPluggedAbove(access, receiver) &&
        mayPrecedeFromOutside(access, creation, device.declaration);
    if (isEarly) return { reason: Reason.UsedBeforeCreation, node: access, detail: describeUse(access) };
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

interface Access {
  readonly access: PropertyAccessExpression;
  /** True for the region itself, false for a member that needs it. */
  readonly isUse: boolean;
}

function accessesFromOutside({ uses, device }: RegionField, names: NameIndex): Access[] {
  const found: Access[] = [];
  const members = new Set<Node>();
  for (const { node, kind, onThis, inDerived, member } of uses) {
    if (kind === UseKind.Type || kind === UseKind.Create || inDerived) continue;
    if (!onThis && Node.isPropertyAccessExpression(node)) found.push({ access: node, isUse: true });
    const isSafe = guardsOf(node).some(({ text, holds }) => holds && text === "this.realized");
    if (onThis && member !== undefined && !isSafe) members.add(member);
  }
  for (const member of members) {
    const name = calledByName(member);
    if (name === undefined) continue;
    for (const each of names.referencesTo([member], name)) {
      const access = each.getParent();
      if (!Node.isPropertyAccessExpression(access) || access.getNameNode() !== each) continue;
      const caller = memberOf(access, device.declaration);
      if (caller !== undefined && Node.isThisExpression(innermost(access.getExpression())))
        members.add(caller);
      else found.push({ access, isUse: false });
    }
  }
  return found;
}

/** The name by which others call a member; undefined for what only the object model calls. */
function calledByName(member: Node): string | undefined {
  if (!Node.isMethodDeclaration(member) && !Node.isGetAccessorDeclaration(member)) return undefined;
  const name = member.getName();
  return phaseOfHook(name) === undefined ? name : undefined;
}

/** True under `if (object.realized)`. */
function isAskedWhetherRealized(access: Node, receiver: Node): boolean {
  const object = receiver.getText().replace(/[!?]$/, "");
  return guardsOf(access).some(
    ({ text, holds }) => holds && (text === `${object}.realized` || text === `${object}?.realized`),
  );
}

function isMachine(holder: ClassDeclaration, { classes }: Evidence): boolean {
  return classes.basesOf(holder).some((each) => each.getName() === "Machine");
}

/** Whether control may reach the access, in the life of a device of the class `holder`, before a call that plugs its object. */
function precedesPlug(
  holder: ClassDeclaration,
  access: PropertyAccessExpression,
  device: ClassDeclaration,
  evidence: Evidence,
): boolean {
  const plugs = plugsIn(evidence.tracer.names).filter((call) => mayPlug(call, access, device));
  const slot = { creations: plugs, uses: [access], existsAtRunTime: true } as const;
  const existence = evidence.lifeOf(holder, [slot]).existsAt(access, slot);
  return existence === "never" || existence === "sometimes";
}

/** The calls of methods that plug an object. */
function plugsIn(names: NameIndex): Node[] {
  return driverNames
    .flatMap((name) => names.named(name))
    .flatMap((name) => name.getParentIf(Node.isPropertyAccessExpression) ?? [])
    .flatMap((callee) => callee.getParentIf(Node.isCallExpression) ?? []);
}

/** A call on the same expression, or on what a function is given that plugs any device. */
function mayPlug(call: Node, access: PropertyAccessExpression, device: ClassDeclaration): boolean {
  const callee = Node.isCallExpression(call) ? call.getExpression() : undefined;
  if (!Node.isPropertyAccessExpression(callee)) return false;
  const plugged = innermost(callee.getExpression());
  if (plugged.getText() === innermost(access.getExpression()).getText()) return true;
  const [declaration] = Node.isIdentifier(plugged) ? declarationsOf(plugged) : [];
  if (declaration === undefined) return false;
  const around = enclosingFunction(access);
  const isElsewhere = around === undefined || !isWithin(declaration, around);
  return isElsewhere && device.getType().isAssignableTo(plugged.getType());
}

/** True if the function around an access has plugged the object above it. */
function isPluggedAbove(access: Node, receiver: Node): boolean {
  const text = receiver.getText();
  return (
    enclosingFunction(access)?.forEachDescendant((each, traversal) => {
      if (each.getStart() >= access.getStart()) return undefined;
      const method = each.getText() === text ? callOn(each)?.method : undefined;
      if (method === undefined || !driverNames.includes(method)) return undefined;
      traversal.stop();
      return true;
    }) === true
  );
}
