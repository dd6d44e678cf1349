/** Why a child object is refused. Every rule that regions and children share is used as it is. */
import { type CallExpression, type ClassDeclaration, Node, SyntaxKind } from "ts-morph";
import {
  arrayShape,
  commentInside,
  createdElsewhere,
  createdInClosure,
  createdInExpression,
  neverCreated,
  usedAfterFailure,
} from "../hazards/creation.ts";
import { declarationHazards } from "../hazards/declaration.ts";
import { leakedToOthers, missingWhenUsed } from "../hazards/existence.ts";
import { reachedBeforePlug } from "../hazards/peers.ts";
import { createdAgain, createdInConstructor, isRepeatedMethod } from "../hazards/repeated.ts";
import {
  fatesOfField,
  fatesOfLocal,
  isHandedTo,
  notFollowed,
  observed,
  unparentedAsChild,
  useHazards,
} from "../hazards/use.ts";
import {
  firstOf,
  firstRefusal,
  hasCommentBefore,
  misplacedLocal,
  type Rules,
  statementOf,
} from "../passes/3-judge.ts";
import type { Evidence } from "../passes/evidence.ts";
import type { DeviceFacts, Direction, Refusal, RegionField, RegionLocal } from "../regions/facts.ts";
import { childConstructor } from "../regions/makers.ts";
import { Reason } from "../regions/reasons.ts";
import { describeUse, firstLine } from "../regions/syntax.ts";
import { BY_HAND, type Fate } from "../regions/trace.ts";
import { innermost } from "../regions/trace-syntax.ts";
import { constructionObserved, regionsOf } from "./construction.ts";

export const childRules: Rules = { field: fieldRefusal, local: localRefusal, needsUse: false };

function fieldRefusal(
  field: RegionField,
  device: DeviceFacts,
  evidence: Evidence,
  direction: Direction,
): Refusal | undefined {
  const deviceOrder = evidence.orderOf(device);
  const slot = deviceOrder.slots.get(field);
  const { names } = evidence.tracer;
  const isRepeated = (method: Node) => isRepeatedMethod(method, field.form, evidence);
  const creations = field.creations.map(({ statement, call, loop }) => ({
    place: loop?.statement ?? call,
    statement,
  }));
  const classes = classesOf(field);
  const fates = fatesOfField(field, evidence);
  return (
    firstRefusal(declarationHazards, (hazard) => hazard(field)) ??
    createdElsewhere(field, evidence.targets) ??
    createdInExpression(field) ??
    createdUnderOtherName(field, fates) ??
    arrayShape(field, []) ??
    (field.creations.length === 0 ? keptByHand(fates) : undefined) ??
    neverCreated(field) ??
    createdInClosure(field) ??
    firstRefusal(field.creations, ({ statement }) => createdInConstructor(statement)) ??
    (slot && createdAgain(creations, field.device.declaration, deviceOrder, slot, isRepeated)) ??
    usedAfterFailure(field) ??
    commentInside(field) ??
    firstRefusal(field.creations, ({ call }) => callProblem(call)) ??
    severalClasses(field, classes) ??
    firstOf(useHazards, field) ??
    firstRefusal(classes, (each) => classProblem(each, field.declaration, direction, evidence)) ??
    missingWhenUsed(field, deviceOrder, names) ??
    leakedToOthers(field, names) ??
    reachedBeforePlug(field, evidence) ??
    observed(device.declaration, evidence) ??
    fateProblem(fates, device.declaration, evidence)
  );
}

function localRefusal(local: RegionLocal, device: DeviceFacts, evidence: Evidence): Refusal | undefined {
  const refuse = (reason: Reason, node: Node): Refusal => ({ reason, node, detail: firstLine(node) });
  const { calls } = local;
  const commented = calls.find((creation) => hasCommentBefore(creation, local));
  if (commented !== undefined) return refuse(Reason.CommentInside, commented.statement);
  const misplaced =
    firstRefusal(calls, ({ call }) => callProblem(call)) ?? misplacedLocal(local, device, evidence);
  if (misplaced !== undefined) return misplaced;
  const classes = calls.flatMap(({ call }) => classOf(call.getArguments()[1]) ?? []);
  if (new Set(classes).size > 1) return refuse(Reason.NoCounterpart, statementOf(local));
  return (
    firstRefusal(classes, (each) => classProblem(each, statementOf(local), "to-embedded", evidence)) ??
    observed(device.declaration, evidence) ??
    fateProblem(fatesOfLocal(local, evidence), device.declaration, evidence)
  );
}

/** The arguments must be a name and the child, one by one. */
function callProblem(call: CallExpression): Refusal | undefined {
  const args = call.getArguments();
  const refuse = (reason: Reason): Refusal => ({ reason, node: call, detail: firstLine(call) });
  if (args.some(Node.isSpreadElement)) return refuse(Reason.ArgumentsSpread);
  const [name, child, more] = args;
  if (name === undefined || child === undefined || more !== undefined) return refuse(Reason.TypeUnresolved);
  return name.getType().isNullable() ? refuse(Reason.NameMissing) : undefined;
}

/** The classes of which the field holds an object: one, unless branches create different ones. */
function classesOf(field: RegionField): ClassDeclaration[] {
  const assigned = field.embedding?.getExpression();
  const value = Node.isBinaryExpression(assigned) ? assigned.getRight() : field.declaration.getInitializer();
  const nodes =
    field.form === "owned"
      ? field.creations.map(({ call }) => call.getArguments()[1])
      : [Node.isCallExpression(value) ? value.getArguments()[0] : undefined];
  return [...new Set(nodes.flatMap((node) => classOf(node) ?? []))];
}

function classOf(classNode: Node | undefined): ClassDeclaration | undefined {
  const instance = classNode?.getType().getConstructSignatures()[0]?.getReturnType();
  return instance?.getSymbol()?.getDeclarations().find(Node.isClassDeclaration);
}

/** Storage has one class; and a class that has no declaration cannot be looked into. */
function severalClasses(
  { declaration, name }: RegionField,
  classes: readonly ClassDeclaration[],
): Refusal | undefined {
  if (classes.length === 1) return undefined;
  return { reason: Reason.NoCounterpart, node: declaration, detail: name };
}

/** `initializeChild` is called on the child under another name: a parameter's, a variable's, another object's. */
function createdUnderOtherName(
  { array, creations }: RegionField,
  fates: readonly Fate[],
): Refusal | undefined {
  const known = new Set<Node>(creations.map(({ call }) => call));
  const found = fates.find(
    (fate) => isHandedTo(fate, childConstructor.init) && fate.via.size > 0 && !known.has(fate.node),
  );
  if (found === undefined || array) return undefined;
  const isHelper = found.via.has("parameter") && !found.via.has("property");
  const reason = isHelper ? Reason.CreatedByHelper : Reason.CreatedThroughAlias;
  return { reason, node: found.node, detail: firstLine(found.node) };
}

/** Methods of the model that keep a reference to what they are given. */
const keepers = ["addLink", "setLink", "addChild"];

/** What becomes of a child: nothing may end it, or keep it alive, but the tree of objects. */
function fateProblem(
  fates: readonly Fate[],
  device: ClassDeclaration,
  evidence: Evidence,
): Refusal | undefined {
  const refuse = (reason: Reason, node: Node): Refusal => ({ reason, node, detail: describeUse(node) });
  const ended = fates.find(({ kind }) => kind === "unparent");
  if (ended !== undefined) return refuse(Reason.ChildUnparented, ended.node);
  const asChild = unparentedAsChild(device, [childConstructor.shape], evidence);
  if (asChild !== undefined) return { ...asChild, reason: Reason.ChildUnparented };
  return keptByHand(fates) ?? notFollowed(fates);
}

function keptByHand(fates: readonly Fate[]): Refusal | undefined {
  const kept = fates.find(
    (fate) =>
      (fate.kind === "unknown" && fate.why === BY_HAND) || keepers.some((each) => isHandedTo(fate, each)),
  );
  return kept && { reason: Reason.ChildReferenced, node: kept.node, detail: describeUse(kept.node) };
}

/** What the class of a child does not allow, whatever its parent does with it. */
function classProblem(
  child: ClassDeclaration,
  at: Node,
  direction: Direction,
  evidence: Evidence,
): Refusal | undefined {
  const ended = endsItself(child, evidence);
  if (ended !== undefined) return { reason: Reason.ChildUnparented, node: ended, detail: firstLine(ended) };
  const effect = constructionObserved(child, evidence);
  if (effect !== undefined) {
    return { reason: Reason.ConstructionObserved, node: effect, detail: firstLine(effect) };
  }
  const region = direction === "to-embedded" ? regionsOf(child, evidence) : undefined;
  return region && { reason: Reason.ChildOutlivesParent, node: at, detail: firstLine(region) };
}

/** `this.unparent()` in the class of the child, or in one that it derives from. */
function endsItself(child: ClassDeclaration, { classes, identity }: Evidence): Node | undefined {
  return [child, ...classes.basesOf(child)]
    .filter((each) => !identity.isDeclaredByModel(each))
    .flatMap((each) => each.getDescendantsOfKind(SyntaxKind.CallExpression))
    .find((call) => {
      const callee = call.getExpression();
      if (!Node.isPropertyAccessExpression(callee)) return false;
      const ends = /^(?:unparent|remove|ref|unref)$/.test(callee.getName());
      return (
        ends &&
        Node.isThisExpression(innermost(callee.getExpression())) &&
        identity.isObjectModelMethod(callee.getNameNode())
      );
    });
}
