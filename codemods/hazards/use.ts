/** Hazards in what becomes of a region. Every use must stand in a place that is understood. */
import { type ClassDeclaration, Node, SyntaxKind } from "ts-morph";
import type { Evidence } from "../passes/evidence.ts";
import { isLeaf, type Shape } from "../regions/constructors.ts";
import {
  type Refusal,
  type RegionAllocation,
  type RegionField,
  type RegionLocal,
  UseKind,
} from "../regions/facts.ts";
import { Phase } from "../regions/lifecycle.ts";
import { declarationsOf } from "../regions/names.ts";
import { Reason } from "../regions/reasons.ts";
import { describeUse, enclosingFunction, firstLine, memberOf, outermost } from "../regions/syntax.ts";
import type { Fate } from "../regions/trace.ts";
import { derivesFrom, innermost, isAssignmentTarget } from "../regions/trace-syntax.ts";
import { isTest } from "../source/discover.ts";
import type { Identity } from "../source/identity.ts";
import { phaseOf } from "./order.ts";
import { isInLoop } from "./repeated.ts";

const kindReasons: Readonly<Partial<Record<UseKind, Reason>>> = {
  [UseKind.Assign]: Reason.Reassigned,
  [UseKind.Delete]: Reason.Deleted,
  [UseKind.Compare]: Reason.IdentityCompared,
  [UseKind.Computed]: Reason.ComputedAccess,
  [UseKind.Spread]: Reason.OwnerSpread,
};

/** Uses that are hazards wherever they occur. */
export function strangeUse({ uses }: RegionField): Refusal | undefined {
  for (const { node, kind } of uses) {
    // Where the region certainly exists, which is judged apart, `?.` does the same in both forms.
    if (kind === UseKind.Compare && isOptionalChain(node)) continue;
    const reason = kindReasons[kind] ?? (isStrangePattern(node, kind) ? Reason.Destructured : undefined);
    if (reason !== undefined) return { reason, node, detail: describeUse(node) };
  }
  return undefined;
}

export function usedAfterRelease({ uses, device }: RegionField): Refusal | undefined {
  const late = uses.find(
    ({ member }) => member !== undefined && phaseOf(member, device.declaration) === Phase.Finalize,
  );
  return late && { reason: Reason.UsedAfterRelease, node: late.node, detail: describeUse(late.node) };
}

function isOptionalChain(node: Node): boolean {
  const access = outermost(node).getParent();
  return Node.isPropertyAccessExpression(access) && access.hasQuestionDotToken();
}

/** A pattern that gives the region a default, or that is assigned rather than declared. */
function isStrangePattern(node: Node, kind: UseKind): boolean {
  if (kind !== UseKind.Destructure) return false;
  if (!Node.isBindingElement(node) || node.getInitializer() !== undefined) return true;
  return !Node.isIdentifier(node.getNameNode()) || !Node.isVariableDeclaration(node.getParent()?.getParent());
}

/** What becomes of a region that has a field. */
export function fatesOfField(field: RegionField, { tracer }: Evidence): Fate[] {
  const depth = field.array ? 1 : 0;
  return field.uses.flatMap(({ node, kind }) => {
    if (kind === UseKind.Type) return [];
    if (kind !== UseKind.Destructure) return tracer.fatesOf(node, depth);
    const name = Node.isBindingElement(node) ? node.getNameNode() : node;
    return tracer.fatesOfBinding(name, "variable", depth);
  });
}

/** What becomes of a region that only a variable refers to. */
export function fatesOfLocal({ declaration, calls, loop }: RegionLocal, { tracer }: Evidence): Fate[] {
  if (declaration !== undefined) return tracer.fatesOfBinding(declaration.getNameNode(), "variable");
  return loop === undefined ? calls.flatMap(({ call }) => tracer.fatesOf(call)) : [];
}

/** A place that the region reaches and that nothing is known about. */
export function notFollowed(fates: readonly Fate[]): Refusal | undefined {
  const lost = fates.find(({ kind }) => kind === "unknown");
  if (lost === undefined) return undefined;
  return { reason: Reason.NotFollowed, node: lost.node, detail: `${describeUse(lost.node)}: ${lost.why}` };
}

/** Code that sees the form of a region without naming it. */
export function observed(device: ClassDeclaration, { observers }: Evidence): Refusal | undefined {
  const reading = observers.storageRead(device);
  if (reading !== undefined) {
    return { reason: Reason.StorageObserved, node: reading, detail: describeUse(reading) };
  }
  const evaluation = observers.evaluation(device);
  if (evaluation !== undefined)
    return { reason: Reason.CodeInText, node: evaluation, detail: firstLine(evaluation) };
  const strange = (node: Node | undefined, what: string): Refusal | undefined =>
    node && { reason: Reason.NotFollowed, node, detail: `${describeUse(node)}: ${what}` };
  return (
    strange(observers.decoration(device), "a decorator may run what it decorates in its own way") ??
    strange(observers.prototypeOf(device), "methods may be replaced on a prototype")
  );
}

/**
 * Flat views hold a region through its owner, so unparenting an owned leaf frees it under them. Containers and aliases
 * are never ranges of a flat view, but may be its root; unparenting them is allowed as the last use in teardown, if nothing
 * that they were given to still refers to them.
 */
export function unparented(
  field: RegionField,
  fates: readonly Fate[],
  evidence: Evidence,
): Refusal | undefined {
  const shapes = field.creations.map(({ maker }) => maker.shape);
  const use = fates.find(({ kind }) => kind === "unparent");
  if (use === undefined) return unparentedAsChild(field.device.declaration, shapes, evidence);
  const refuse = (reason: Reason, node: Node): Refusal => ({ reason, node, detail: describeUse(node) });
  if (shapes.some(isLeaf)) {
    return refuse(Reason.LeafUnparented, givenAway(field, use, evidence) ?? placeOf(use));
  }
  const direct = field.uses.find(({ node }) => node.getParent()?.getParent() === use.node);
  const tearDown = direct?.member && phaseOf(direct.member, field.device.declaration) === Phase.TearDown;
  if (direct === undefined || tearDown !== true) return refuse(Reason.ContainerUnparented, placeOf(use));
  if (fates.some((fate) => mayStillShow(fate, use, fates))) {
    return refuse(Reason.ContainerUnparented, placeOf(use));
  }
  const later = field.uses.find(({ node }) => node !== direct.node && isAfter(node, direct.node));
  return later && refuse(Reason.ContainerUnparented, later.node);
}

/** The use from which a region reaches the function that unparents it. */
function givenAway({ uses }: RegionField, unparenting: Fate, { tracer }: Evidence): Node | undefined {
  if (!unparenting.via.has("parameter")) return undefined;
  return uses.find(({ node }) => tracer.fatesOf(node).some((fate) => fate.node === unparenting.node))?.node;
}

/** An owned region that is unparented, and that only a variable refers to. */
export function localUnparented(
  { device, calls }: RegionLocal,
  fates: readonly Fate[],
  evidence: Evidence,
): Refusal | undefined {
  const shapes = calls.map(({ maker }) => maker.shape);
  const use = fates.find(({ kind }) => kind === "unparent");
  if (use === undefined) return unparentedAsChild(device.declaration, shapes, evidence);
  const reason = shapes.some(isLeaf) ? Reason.LeafUnparented : Reason.ContainerUnparented;
  return { reason, node: placeOf(use), detail: describeUse(placeOf(use)) };
}

/**
 * A region in storage allocated by hand that is unparented. An alias or a container may be, by the name that it has been
 * given, if that name is given a new value next, or if it is the last thing that happens to it.
 */
export function allocationUnparented(
  { target, maker, device }: RegionAllocation,
  fates: readonly Fate[],
): Refusal | undefined {
  const isFine = (fate: Fate): boolean => {
    const kept = fates.some((each) => isRootOfSpace(each) || isHandedTo(each, "initMmio"));
    if (isLeaf(maker.shape) || kept || innermost(placeOf(fate)).getText() !== target) {
      return false;
    }
    if (device === undefined || isInLoop(fate.node, device.declaration)) return false;
    const around = enclosingFunction(fate.node);
    const next = around
      ?.getDescendants()
      .find((each) => each.getStart() > fate.node.getEnd() && each.getText() === target);
    if (next !== undefined) return isAssignmentTarget(next);
    const member = memberOf(fate.node, device.declaration);
    return member !== undefined && phaseOf(member, device.declaration) === Phase.TearDown;
  };
  const wrong = fates.find((fate) => fate.kind === "unparent" && !isFine(fate));
  if (wrong === undefined) return undefined;
  const reason = isLeaf(maker.shape) ? Reason.LeafUnparented : Reason.ContainerUnparented;
  return { reason, node: placeOf(wrong), detail: describeUse(placeOf(wrong)) };
}

/** Code that unparents children of a device without naming them, such as `for (… of this.children())`. */
export function unparentedAsChild(
  device: RegionField["device"]["declaration"],
  shapes: readonly Shape[],
  evidence: Evidence,
): Refusal | undefined {
  const found = evidence.childrenUnparented().find((object) => mayBe(object, device, evidence.identity));
  if (found === undefined) return undefined;
  const reason = shapes.some(isLeaf) ? Reason.LeafUnparented : Reason.ContainerUnparented;
  return { reason, node: found, detail: describeUse(found) };
}

/** True if an expression may be an object of the class. */
function mayBe(object: Node, device: ClassDeclaration, identity: Identity): boolean {
  const around = object.getFirstAncestorByKind(SyntaxKind.ClassDeclaration);
  if (Node.isThisExpression(innermost(object)) && around !== undefined) {
    return around === device || derivesFrom(around, device) || derivesFrom(device, around);
  }
  const type = object.getType().getNonNullableType();
  // Tests take apart any object of the model, but those that they make themselves.
  const declared = type.getSymbol()?.getDeclarations() ?? [];
  const isGeneral = declared.some((each) => identity.isDeclaredByModel(each));
  if (isGeneral && isTest(object.getSourceFile().getFilePath())) return false;
  return type.isAny() || device.getType().isAssignableTo(type);
}

/** True for `new AddressSpace(model, region, …)`: flat views then read the region's owner when they are destroyed. */
function isRootOfSpace({ kind, node }: Fate): boolean {
  return (
    kind === "handed" && Node.isNewExpression(node) && /AddressSpace$/.test(node.getExpression().getText())
  );
}

/**
 * What a region was given to, and may still be in when it is unparented. A device's own container is not: it is detached
 * from it. Another container is not, if the region is removed from it first.
 */
function mayStillShow(fate: Fate, unparenting: Fate, fates: readonly Fate[]): boolean {
  if (fate.kind !== "handed" || isHandedTo(fate, "delSubregion")) return false;
  if (!isHandedTo(fate, "addSubregion")) return true;
  if (isEmbeddedInThis(receiverOf(fate))) return false;
  const leaving = statementAround(unparenting.node);
  return !fates.some((each) => {
    if (!isHandedTo(each, "delSubregion")) return false;
    const removal = statementAround(each.node);
    return (
      containerOf(each) === containerOf(fate) &&
      removal.getParent() === leaving.getParent() &&
      removal.getEnd() <= leaving.getStart()
    );
  });
}

export function isHandedTo({ kind, node }: Fate, method: string): boolean {
  const callee = kind === "handed" && Node.isCallExpression(node) ? node.getExpression() : undefined;
  return Node.isPropertyAccessExpression(callee) && callee.getName() === method;
}

function receiverOf({ node }: Fate): Node | undefined {
  const callee = Node.isCallExpression(node) ? node.getExpression() : undefined;
  return Node.isPropertyAccessExpression(callee) ? innermost(callee.getExpression()) : undefined;
}

/** The text of the container; a constant stands for what it was given. */
function containerOf(fate: Fate): string | undefined {
  const receiver = receiverOf(fate);
  const [declaration] = Node.isIdentifier(receiver) ? declarationsOf(receiver) : [];
  const isConstant =
    Node.isVariableDeclaration(declaration) &&
    declaration.getVariableStatement()?.getDeclarationKind() === "const";
  return (isConstant ? declaration.getInitializer() : receiver)?.getText();
}

/** `this.container` if its declaration embeds it. */
function isEmbeddedInThis(container: Node | undefined): boolean {
  if (!Node.isPropertyAccessExpression(container) || !Node.isThisExpression(container.getExpression()))
    return false;
  return declarationsOf(container.getNameNode()).some((each) => {
    const value = Node.isPropertyDeclaration(each) ? each.getInitializer() : undefined;
    return Node.isCallExpression(value) && /^this\.embed(?:Array)?$/.test(value.getExpression().getText());
  });
}

function statementAround(node: Node): Node {
  return node.getFirstAncestor(Node.isStatement) ?? node;
}

/** The expression that is unparented. */
function placeOf({ node }: Fate): Node {
  const callee = Node.isCallExpression(node) ? node.getExpression() : undefined;
  if (Node.isPropertyAccessExpression(callee) && callee.getName() === "unparent")
    return callee.getExpression();
  return node;
}

function isAfter(node: Node, other: Node): boolean {
  return enclosingFunction(node) === enclosingFunction(other) && node.getStart() > other.getEnd();
}

export const useHazards = [strangeUse, usedAfterRelease];
