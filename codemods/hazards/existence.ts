/** Whether a region exists wherever it is used. */
import { Node } from "ts-morph";
import type { DeviceOrder } from "../passes/evidence.ts";
import { closuresAround, placeOfUse } from "../passes/evidence.ts";
import { type IndexLoop, type Refusal, type RegionField, type Use, UseKind } from "../regions/facts.ts";
import { childConstructor, childMakers } from "../regions/makers.ts";
import { declarationsOf, type NameIndex } from "../regions/names.ts";
import { Reason } from "../regions/reasons.ts";
import {
  describeUse,
  enclosingFunction,
  isWithin,
  isWritten,
  memberOf,
  outermost,
  usesOfBinding,
} from "../regions/syntax.ts";
import { coversAllPaths, guardsOf, isStable } from "./conditional.ts";
import { creationPoint, mayPrecedeFromOutside, phaseOf } from "./order.ts";

/**
 * An embedded region exists from the start, uninitialised; an owned one from its creation. A use is understood if the
 * creation has certainly completed at every arrival, or if it stands under the same conditions as the creation and
 * nothing changes what they test.
 */
export function missingWhenUsed(
  field: RegionField,
  { order, slots }: DeviceOrder,
  names: NameIndex,
): Refusal | undefined {
  const slot = slots.get(field);
  if (slot === undefined) return undefined;
  for (const use of field.uses) {
    if (isCreating(use, field) || use.kind === UseKind.Type) continue;
    const existence = order.existsAt(placeOfUse(use), slot);
    if (existence === "always") continue;
    // A closure that is made where the region exists cannot run before.
    if (closuresAround(use.node).some((each) => order.existsAt(each, slot) === "always")) continue;
    if (existence === "unreached" && isFineUnreached(use, field)) continue;
    const isLate = !order.missesEarly(placeOfUse(use), slot);
    if (existence === "sometimes" && isLate && isGuardedLike(use, field, names)) continue;
    if (existence === "sometimes" && isFlagged(use.node, field)) continue;
    return refusalOf(use, field, existence, names);
  }
  return undefined;
}

/** Uses that are part of the creation: its receiver, its target, the head of the loop around it. */
function isCreating(use: Use, { creations }: RegionField): boolean {
  if (use.kind === UseKind.Create) return true;
  return creations.some(({ call, loop, statement, maker }) => {
    if (maker === childConstructor && isWithin(use.node, childMakers.subjectOf(call) ?? call)) return true;
    if (call.getExpression().containsRange(use.node.getPos(), use.node.getEnd())) return true;
    if (loop === undefined) return false;
    if (loop.kind === "indexed") return isInOwnIteration(use.node, loop, statement);
    const head = loop.kind === "array" ? loop.statement.getExpression() : loop.store;
    return head !== undefined && isWithin(use.node, head);
  });
}

/** In the loop that creates the elements: its bound, and `this.windows[index]` of the element just created. */
function isInOwnIteration(node: Node, { statement: loop, index, item }: IndexLoop, creation: Node): boolean {
  if (!isWithin(node, loop)) return false;
  if (item !== undefined && isWithin(node, item)) return true;
  const condition = loop.getCondition();
  if (condition !== undefined && isWithin(node, condition)) return true;
  const element = outermost(node).getParent();
  const own = Node.isElementAccessExpression(element) && element.getArgumentExpression()?.getText() === index;
  return own && node.getStart() > creation.getEnd();
}

/** True under `if (flag)` if a variable is set only where the region has been created. */
function isFlagged(node: Node, { creations }: RegionField): boolean {
  return guardsOf(node).some(({ condition, holds }) => {
    if (!holds || !Node.isIdentifier(condition)) return false;
    const [flag] = declarationsOf(condition);
    if (!Node.isVariableDeclaration(flag) || flag.getInitializer()?.getText() !== "false") return false;
    const around = enclosingFunction(flag);
    const uses = around === undefined ? [] : usesOfBinding(flag.getNameNode(), around);
    return uses.filter(isWritten).every((use) => {
      const assignment = use.getParentIf(Node.isBinaryExpression);
      if (assignment?.getRight().getText() === "false") return true;
      return (
        assignment !== undefined &&
        creations.some((creation) => isDirectlyAfter(assignment, creation.statement))
      );
    });
  });
}

/** `flag = true;` after the creation in the same block: an exception of the creation skips it. */
function isDirectlyAfter(assignment: Node, creation: Node): boolean {
  const statement = assignment.getParent();
  const plain = Node.isBinaryExpression(assignment) && assignment.getOperatorToken().getText() === "=";
  return (
    plain && statement?.getParent() === creation.getParent() && assignment.getStart() > creation.getEnd()
  );
}

/** Code that the life of the device does not reach: other objects' code, static methods, functions never called. */
function isFineUnreached(use: Use, field: RegionField): boolean {
  if (use.onThis || use.inDerived) return true;
  const [creation] = field.creations;
  return creation === undefined || !mayPrecedeFromOutside(use.node, creation, field.device.declaration);
}

/** A use under the same conditions as the creation, in code that runs after the code that creates the region. */
function isGuardedLike({ node, member }: Use, field: RegionField, names: NameIndex): boolean {
  const device = field.device.declaration;
  return field.creations.some((creation) => {
    const point = creationPoint(creation);
    const creator = memberOf(point, device);
    if (member === undefined || creator === undefined) return false;
    const follows =
      member === creator
        ? node.getStart() > point.getEnd()
        : phaseOf(member, device) > phaseOf(creator, device);
    const needed = guardsOf(point);
    const given = guardsOf(node);
    return (
      follows &&
      needed.length > 0 &&
      needed.every(
        (guard) =>
          isStable(guard.condition, names) &&
          given.some((each) => each.text === guard.text && each.holds === guard.holds),
      )
    );
  });
}

function refusalOf(
  { node, kind, onThis, member }: Use,
  field: RegionField,
  existence: "sometimes" | "never" | "unreached",
  names: NameIndex,
): Refusal {
  if (field.nullable) return { reason: Reason.NullableField, node, detail: describeUse(node) };
  if (kind === UseKind.Destructure) {
    return { reason: Reason.Destructured, node, detail: describeUse(node) };
  }
  if (existence === "sometimes" && !coversAllPaths(field)) {
    return { reason: Reason.CreatedConditionally, node, detail: describeUse(node) };
  }
  if (kind === UseKind.Return && onThis && member !== undefined && enclosingFunction(node) === member) {
    const caller = callersOf(member, names)[0] ?? node;
    return { reason: Reason.LeakedBeforeCreation, node: caller, detail: describeUse(caller) };
  }
  return { reason: Reason.UsedBeforeCreation, node, detail: describeUse(node) };
}

/** A getter or method that returns the region, called by other code before it plugs the device. */
export function leakedToOthers(field: RegionField, names: NameIndex): Refusal | undefined {
  const [creation] = field.creations;
  for (const { node, kind, onThis, member } of field.uses) {
    if (creation === undefined || kind !== UseKind.Return || !onThis || member === undefined) continue;
    const caller = callersOf(member, names).find((each) =>
      mayPrecedeFromOutside(each, creation, field.device.declaration),
    );
    if (caller !== undefined && enclosingFunction(node) === member) {
      return { reason: Reason.LeakedBeforeCreation, node: caller, detail: describeUse(caller) };
    }
  }
  return undefined;
}

/** The accesses `object.member` that call or read a member. */
function callersOf(member: Node, names: NameIndex): Node[] {
  if (!Node.hasName(member)) return [];
  return names
    .referencesTo([member], member.getName())
    .flatMap((name) => name.getParentIf(Node.isPropertyAccessExpression) ?? []);
}
