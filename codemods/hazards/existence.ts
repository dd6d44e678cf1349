/** Whether a region exists wherever it is used. */
import { Node } from "ts-morph";
import type { DeviceOrder } from "../passes/evidence.ts";
import { closuresAround, placeOfUse } from "../passes/evidence.ts";
import { type Creation, type Refusal, type RegionField, type Use, UseKind } from "../regions/facts.ts";
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
    const other = otherElement(use, field);
    if (other !== undefined) return other;
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
    const head = partsOfLoop(loop).some((part) => part !== undefined && isWithin(use.node, part));
    return head || isElementMade(use.node, loop, statement);
  });
}

/** An element named in the loop that creates them, other than by its index: the loop may have made it by then, or not. */
function otherElement({ node }: Use, { creations }: RegionField): Refusal | undefined {
  const element = outermost(node).getParent();
  const loop = creations.find((each) => each.loop && isWithin(node, each.loop.statement))?.loop;
  if (loop === undefined || !Node.isElementAccessExpression(element)) return undefined;
  if (isIndexOf(loop, element.getArgumentExpression())) return undefined;
  const detail = `${describeUse(node)}: whether that element exists by then`;
  return { reason: Reason.NotFollowed, node, detail };
}

type Loop = NonNullable<Creation["loop"]>;

/** Where a loop that creates the elements names the array itself. */
function partsOfLoop(loop: Loop): (Node | undefined)[] {
  if (loop.kind === "array") return [loop.statement.getExpression()];
  return loop.kind === "counting" ? [loop.store] : [loop.item, loop.statement.getCondition()];
}

/** In the loop that creates the elements: `this.windows[index]` once it is there, and `this.windows[index - 1]`. */
function isElementMade(node: Node, loop: Loop, creation: Node): boolean {
  const element = outermost(node).getParent();
  if (!isWithin(node, loop.statement) || !Node.isElementAccessExpression(element)) return false;
  const place = element.getArgumentExpression();
  if (isIndexOf(loop, place)) {
    const made = loop.kind === "counting" ? (loop.store ?? creation) : creation;
    return node.getStart() > made.getEnd();
  }
  const isDifference = Node.isBinaryExpression(place) && place.getOperatorToken().getText() === "-";
  return isDifference && isIndexOf(loop, place.getLeft()) && /^[1-9]\d*$/.test(place.getRight().getText());
}

/** True for the name of the loop's index, and not for another variable that hides it. */
function isIndexOf({ index, statement }: Loop, name: Node | undefined): boolean {
  if (!Node.isIdentifier(name) || name.getText() !== index) return false;
  const [declaration] = name.getSymbol()?.getDeclarations() ?? []; // as a key it would be that of a property
  const head = statement.getInitializer();
  return declaration !== undefined && head !== undefined && isWithin(declaration, head);
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
