/** Hazards in how a region is used. */
import { Node, type SourceFile, SyntaxKind } from "ts-morph";
import { isLeaf } from "../regions/constructors.ts";
import { type Refusal, type RegionField, type Use, UseKind } from "../regions/facts.ts";
import { follow } from "../regions/follow.ts";
import { Phase } from "../regions/lifecycle.ts";
import { Reason } from "../regions/reasons.ts";
import { callOn, describeUse, enclosingFunction, outermost } from "../regions/syntax.ts";
import { mayPrecede, phaseOf } from "./order.ts";

const kindReasons: Readonly<Partial<Record<UseKind, Reason>>> = {
  [UseKind.Assign]: Reason.Reassigned,
  [UseKind.Delete]: Reason.Deleted,
  [UseKind.Compare]: Reason.IdentityCompared,
  [UseKind.Computed]: Reason.ComputedAccess,
  [UseKind.Destructure]: Reason.Destructured,
  [UseKind.Spread]: Reason.OwnerSpread,
};

/** Uses that are hazards wherever they occur. */
export function strangeUse({ uses }: RegionField): Refusal | undefined {
  for (const { node, kind } of uses) {
    const reason = kindReasons[kind];
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

/**
 * Flat views hold a region through its owner, so unparenting an owned leaf frees it under them. Containers and aliases
 * are never ranges of a flat view, but may be its root; unparenting them is allowed as the last use in teardown.
 */
export function unparented(field: RegionField): Refusal | undefined {
  const use = field.uses.find(isUnparent);
  if (use === undefined) return undefined;
  const refuse = (reason: Reason, node: Node): Refusal => ({ reason, node, detail: describeUse(node) });
  if (field.creations.some(({ maker }) => isLeaf(maker.shape))) {
    return refuse(Reason.LeafUnparented, use.node);
  }
  const { member } = use;
  const tearDown = member !== undefined && phaseOf(member, field.device.declaration) === Phase.TearDown;
  if (!tearDown) return refuse(Reason.ContainerUnparented, use.node);
  const later = field.uses.find(({ node }) => node !== use.node && isAfter(node, use.node));
  return later && refuse(Reason.ContainerUnparented, later.node);
}

/** `region.unparent()`, `objectUnparent(region)`, or either of them on a variable or parameter that holds the region. */
function isUnparent({ node, kind }: Use): boolean {
  if (kind === UseKind.Unparent || isUnparentArgument(node)) return true;
  const traces = follow(node).map((trace) => trace.node);
  return traces.some((trace) => callOn(trace)?.method === "unparent" || isUnparentArgument(trace));
}

function isUnparentArgument(node: Node): boolean {
  const value = outermost(node);
  const call = value.getParent();
  if (!Node.isCallExpression(call) || !call.getArguments().includes(value)) return false;
  return /(^|\.)(objectUnparent|unparent)$/.test(call.getExpression().getText());
}

function isAfter(node: Node, other: Node): boolean {
  return enclosingFunction(node) === enclosingFunction(other) && node.getStart() > other.getEnd();
}

export function usedBeforeCreation(field: RegionField): Refusal | undefined {
  const creators = new Set<Node>(field.creations.flatMap(({ call }) => [call, ...call.getAncestors()]));
  const early = field.uses.find((use) => {
    const { node, kind } = use;
    if (kind === UseKind.Create || creators.has(node) || isLoopHead(node, field)) return false;
    return !isHandedOut(use) && mayPrecede(node, field);
  });
  return early && { reason: Reason.UsedBeforeCreation, node: early.node, detail: describeUse(early.node) };
}

/** `this.windows` in the head of the loop that creates the regions, or in the statement that stores each of them. */
function isLoopHead(node: Node, { creations }: RegionField): boolean {
  return creations.some(({ loop }) => {
    if (loop === undefined) return false;
    const head = loop.kind === "array" ? loop.statement.getExpression() : loop.store;
    return head !== undefined && node.getStart() >= head.getStart() && node.getEnd() <= head.getEnd();
  });
}

function isHandedOut({ kind, onThis }: Use): boolean {
  return kind === UseKind.Return && onThis;
}

/** A getter or method that returns the region runs as early as its callers do. */
export function leakedBeforeCreation(field: RegionField, files: readonly SourceFile[]): Refusal | undefined {
  for (const use of field.uses) {
    const { node, member } = use;
    if (!isHandedOut(use) || member === undefined || enclosingFunction(node) !== member) continue;
    const name = Node.hasName(member) ? member.getName() : undefined;
    const caller =
      name === undefined ? undefined : callersOf(member, name, files).find((use) => mayPrecede(use, field));
    if (caller !== undefined) {
      return { reason: Reason.LeakedBeforeCreation, node: caller, detail: describeUse(caller) };
    }
  }
  return undefined;
}

function callersOf(member: Node, name: string, files: readonly SourceFile[]): Node[] {
  const callers: Node[] = [];
  for (const file of files) {
    if (!file.getFullText().includes(name)) continue;
    for (const node of file.getDescendantsOfKind(SyntaxKind.PropertyAccessExpression)) {
      if (node.getName() !== name) continue;
      const declarations = node.getNameNode().getSymbol()?.getDeclarations() ?? [];
      if (declarations.some((each) => each === member)) callers.push(node);
    }
  }
  return callers;
}

export const useHazards = [strangeUse, usedAfterRelease, unparented, usedBeforeCreation];
