/** Phase 3: decides whether to convert each region (with or without a field), skip it as already done, or refuse it. */
import { type Node, ts } from "ts-morph";
import { callProblem, creationCall, hasCounterpart } from "../hazards/call.ts";
import {
  arrayShape,
  commentInside,
  createdElsewhere,
  createdInClosure,
  createdInExpression,
  createdUnderOtherName,
  leadOf,
  neverCreated,
  objectOf,
  usedAfterFailure,
} from "../hazards/creation.ts";
import { declarationHazards } from "../hazards/declaration.ts";
import { leakedToOthers, missingWhenUsed } from "../hazards/existence.ts";
import { firstCreation } from "../hazards/order.ts";
import { reachedBeforePlug } from "../hazards/peers.ts";
import { createdAgain, createdInConstructor, isRepeatedMethod } from "../hazards/repeated.ts";
import {
  allocationUnparented,
  fatesOfField,
  fatesOfLocal,
  localUnparented,
  notFollowed,
  observed,
  unparented,
  useHazards,
} from "../hazards/use.ts";
import {
  type DeviceFacts,
  type Direction,
  type Form,
  type LocalCreation,
  type Refusal,
  type RegionAllocation,
  type RegionField,
  type RegionLocal,
  UseKind,
} from "../regions/facts.ts";
import { Reason } from "../regions/reasons.ts";
import { changeOfIndex, firstLine, hasThisOfItsOwn, isConstantCount, memberOf } from "../regions/syntax.ts";
import { hasComment } from "../source/trivia.ts";
import type { Evidence } from "./evidence.ts";
import { fieldNamesOf } from "./field-names.ts";
import { reasonToKeep } from "./keep.ts";

/** The decision on one region. `why` says why an owned region keeps a field. */
export type Verdict =
  | {
      readonly outcome: "converted";
      readonly treatment: "dropped" | "kept";
      readonly why: string | undefined;
    }
  | { readonly outcome: "already" }
  | { readonly outcome: "refused"; readonly refusal: Refusal };

export interface JudgedDevice {
  readonly device: DeviceFacts;
  readonly fields: ReadonlyMap<RegionField, Verdict>;
  readonly locals: ReadonlyMap<RegionLocal, Verdict>;
  readonly allocations: ReadonlyMap<RegionAllocation, Verdict>;
  /** The fields that the locals get in the embedded form. */
  readonly fieldNames: ReadonlyMap<RegionLocal, string>;
  /** True if the class is to be edited: at least one region converts and none is refused. */
  readonly converts: boolean;
}

/** True if a codemod of this direction starts from a form. */
export function isSourceForm(form: Form | undefined, direction: Direction): boolean {
  return form === undefined || (direction === "to-owned") === (form !== "owned");
}

/** Why what a class has cannot be converted; undefined if it can. */
export interface Rules {
  field(
    field: RegionField,
    device: DeviceFacts,
    evidence: Evidence,
    direction: Direction,
  ): Refusal | undefined;
  local(local: RegionLocal, device: DeviceFacts, evidence: Evidence): Refusal | undefined;
  /** Whether an owned one that nothing uses would be a variable that nothing uses. */
  readonly needsUse: boolean;
}

export const regionRules: Rules = { field: fieldRefusal, local: localRefusal, needsUse: true };

/** Judges a class as a whole: one refused region leaves all of them unchanged. */
export function judge(
  device: DeviceFacts,
  direction: Direction,
  evidence: Evidence,
  rules: Rules = regionRules,
): JudgedDevice {
  const fields = new Map(
    device.fields.map((field) => [field, judgeField(field, device, direction, evidence, rules)]),
  );
  const locals = new Map(
    device.locals.map((local) => [local, judgeLocal(local, device, direction, evidence, rules)]),
  );
  const allocations = new Map(
    device.allocations.map((each) => [each, judgeAllocation(each, direction, evidence)]),
  );
  const fieldNames = direction === "to-owned" ? new Map() : fieldNamesOf(device, evidence);
  const strayRefused = refusedStray(device, direction);
  const verdicts = [...fields.values(), ...locals.values(), ...allocations.values()];
  const refused = verdicts.find((verdict) => verdict.outcome === "refused");
  const culprit = refused?.refusal.detail ?? strayRefused?.name;
  if (culprit !== undefined) {
    refuseRest(fields, culprit, (field) => field.declaration);
    refuseRest(locals, culprit, statementOf);
    refuseRest(allocations, culprit, ({ statement }) => statement);
  }
  const judged = [...fields.values(), ...locals.values(), ...allocations.values()];
  const converts = judged.some(({ outcome }) => outcome === "converted");
  return { device, fields, locals, allocations, fieldNames, converts };
}

function refusedStray({ strays }: DeviceFacts, direction: Direction) {
  return strays.find((each) => isSourceForm(each.form, direction));
}

/** What the first refused region of a class is; undefined if none is refused. */
export function culpritOf(judged: JudgedDevice, direction: Direction): string | undefined {
  const verdicts = [...judged.fields.values(), ...judged.locals.values(), ...judged.allocations.values()];
  const refused = verdicts.find((verdict) => verdict.outcome === "refused");
  return refused?.refusal.detail ?? refusedStray(judged.device, direction)?.name;
}

/** The statement that creates a region without a field, for reports. */
export function statementOf({ calls, declaration }: RegionLocal): Node {
  const [first] = calls;
  if (first === undefined) throw new Error(`nothing creates ${declaration?.getName() ?? "the region"}`);
  return first.statement;
}

/** The same class with every region that would convert refused for a reason found later. */
export function refuseDevice(judged: JudgedDevice, refusal: Refusal): JudgedDevice {
  const refused: Verdict = { outcome: "refused", refusal };
  const refuse = <Region>(verdicts: ReadonlyMap<Region, Verdict>): Map<Region, Verdict> =>
    new Map(
      [...verdicts].map(([region, verdict]) => [region, verdict.outcome === "converted" ? refused : verdict]),
    );
  return {
    device: judged.device,
    fields: refuse(judged.fields),
    locals: refuse(judged.locals),
    allocations: refuse(judged.allocations),
    fieldNames: judged.fieldNames,
    converts: false,
  };
}

function refuseRest<Region>(
  regions: Map<Region, Verdict>,
  detail: string,
  nodeOf: (region: Region) => Node,
): void {
  for (const [region, verdict] of regions) {
    if (verdict.outcome !== "converted") continue;
    const refusal = { reason: Reason.ClassRefused, node: nodeOf(region), detail };
    regions.set(region, { outcome: "refused", refusal });
  }
}

function judgeField(
  field: RegionField,
  device: DeviceFacts,
  direction: Direction,
  evidence: Evidence,
  rules: Rules,
): Verdict {
  if (!isSourceForm(field.form, direction)) {
    if (field.form !== "allocated") return { outcome: "already" };
    const { declaration: node, name: detail } = field;
    return { outcome: "refused", refusal: { reason: Reason.AllocatedByHand, node, detail } };
  }
  const refusal = rules.field(field, device, evidence, direction);
  if (refusal !== undefined) return { outcome: "refused", refusal };
  const why = direction === "to-owned" ? reasonToKeep(field) : "it has a field";
  if (why === undefined && rules.needsUse && !isUsed(field)) {
    const { declaration: node, name: detail } = field;
    return { outcome: "refused", refusal: { reason: Reason.NeverUsed, node, detail } };
  }
  return { outcome: "converted", treatment: why === undefined ? "dropped" : "kept", why };
}

/** The first hazard that applies, in the order in which they explain the most. */
function fieldRefusal(field: RegionField, device: DeviceFacts, evidence: Evidence): Refusal | undefined {
  for (const hazard of declarationHazards) {
    const refusal = hazard(field);
    if (refusal !== undefined) return refusal;
  }
  const fates = fatesOfField(field, evidence);
  const deviceOrder = evidence.orderOf(device);
  const slot = deviceOrder.slots.get(field);
  const { names } = evidence.tracer;
  const isRepeated = (method: Node) => isRepeatedMethod(method, field.form, evidence);
  const creations = field.creations.map(({ statement, call, loop }) => ({
    place: loop?.statement ?? call,
    statement,
  }));
  return (
    createdElsewhere(field, evidence.targets) ??
    createdUnderOtherName(field, fates) ??
    createdInExpression(field) ??
    arrayShape(field, fates) ??
    // What cannot be followed may be what initialises it.
    (field.creations.length === 0 ? notFollowed(fates) : undefined) ??
    neverCreated(field) ??
    createdInClosure(field) ??
    firstRefusal(field.creations, ({ statement }) => createdInConstructor(statement)) ??
    (slot && createdAgain(creations, field.device.declaration, deviceOrder, slot, isRepeated)) ??
    usedAfterFailure(field) ??
    commentInside(field) ??
    creationCall(field, evidence.identity) ??
    firstOf(useHazards, field) ??
    unparented(field, fates, evidence) ??
    missingWhenUsed(field, deviceOrder, names) ??
    leakedToOthers(field, names) ??
    reachedBeforePlug(field, evidence) ??
    notFollowed(fates) ??
    observed(device.declaration, evidence)
  );
}

export function firstRefusal<Item>(
  items: readonly Item[],
  hazard: (item: Item) => Refusal | undefined,
): Refusal | undefined {
  for (const item of items) {
    const refusal = hazard(item);
    if (refusal !== undefined) return refusal;
  }
  return undefined;
}

export function firstOf(
  hazards: readonly ((field: RegionField) => Refusal | undefined)[],
  field: RegionField,
): Refusal | undefined {
  for (const hazard of hazards) {
    const refusal = hazard(field);
    if (refusal !== undefined) return refusal;
  }
  return undefined;
}

/** True if anything other than its creation uses the region. */
function isUsed(field: RegionField): boolean {
  if (field.array) return true; // the loop's variable is used, or the array is kept
  if (field.creations.some(({ helper }) => helper !== undefined)) return true;
  return field.uses.some(({ kind }) => kind !== UseKind.Create);
}

function judgeLocal(
  local: RegionLocal,
  device: DeviceFacts,
  direction: Direction,
  evidence: Evidence,
  rules: Rules,
): Verdict {
  if (direction === "to-owned") return { outcome: "already" };
  const refusal = rules.local(local, device, evidence);
  if (refusal !== undefined) return { outcome: "refused", refusal };
  return { outcome: "converted", treatment: "dropped", why: undefined };
}

/** Storage allocated by hand becomes owned; there is no embedded form that it came from. */
function judgeAllocation(allocation: RegionAllocation, direction: Direction, evidence: Evidence): Verdict {
  const { statement, init, maker, call } = allocation;
  const refuse = (reason: Reason, node: Node): Verdict => {
    return { outcome: "refused", refusal: { reason, node, detail: firstLine(node) } };
  };
  if (direction === "to-embedded") return refuse(Reason.AllocatedByHand, statement);
  const problem = callProblem(init, evidence.identity, "any");
  if (problem !== undefined) return refuse(problem, init);
  const [classNode] = call.getArguments();
  if (classNode === undefined || !hasCounterpart(maker, "allocated", classNode.getType(), call.getType())) {
    return refuse(Reason.NoCounterpart, init);
  }
  const lead = init.getText().slice(0, init.getExpression().getEnd() - init.getStart());
  if (hasComment(lead)) return refuse(Reason.CommentInside, init);
  const fates = evidence.tracer.fatesOf(call);
  const again = fates.find(({ kind, node }) => kind === "create" && node !== init);
  if (again !== undefined) return refuse(Reason.CreatedTwice, again.node);
  const unparenting = allocationUnparented(allocation, fates);
  if (unparenting !== undefined) return { outcome: "refused", refusal: unparenting };
  const lost = notFollowed(fates);
  if (lost !== undefined) return { outcome: "refused", refusal: lost };
  const seen = allocation.device && observed(allocation.device.declaration, evidence);
  if (seen !== undefined) return { outcome: "refused", refusal: seen };
  return { outcome: "converted", treatment: "kept", why: "it keeps the variable that held its storage" };
}

function localRefusal(local: RegionLocal, device: DeviceFacts, evidence: Evidence): Refusal | undefined {
  const refuse = (reason: Reason, node: Node): Refusal => ({ reason, node, detail: firstLine(node) });
  for (const creation of local.calls) {
    const { call, statement, maker } = creation;
    const problem = callProblem(call, evidence.identity);
    if (problem !== undefined) return refuse(problem, call);
    if (hasCommentBefore(creation, local)) return refuse(Reason.CommentInside, statement);
    const classNode = call.getExpressionIfKindOrThrow(ts.SyntaxKind.PropertyAccessExpression).getExpression();
    if (!hasCounterpart(maker, "owned", classNode.getType(), call.getType())) {
      return refuse(Reason.NoCounterpart, call);
    }
  }
  const misplaced = misplacedLocal(local, device, evidence);
  if (misplaced !== undefined) return misplaced;
  const fates = fatesOfLocal(local, evidence);
  return (
    localUnparented(local, fates, evidence) ?? notFollowed(fates) ?? observed(device.declaration, evidence)
  );
}

/** Whether a comment stands where a codemod replaces the beginning of a local's creation. */
export function hasCommentBefore({ call, statement, how }: LocalCreation, { loop }: RegionLocal): boolean {
  const replaced = how === "argument" || loop !== undefined ? call.getExpression() : objectOf(call);
  return hasComment(leadOf(statement, replaced));
}

/** Why something without a field cannot be converted where it is created, be it a region or a child. */
export function misplacedLocal(
  local: RegionLocal,
  device: DeviceFacts,
  evidence: Evidence,
): Refusal | undefined {
  const refuse = (reason: Reason, node: Node): Refusal => ({ reason, node, detail: firstLine(node) });
  const { calls, loop } = local;
  const tooEarly = firstRefusal(calls, ({ statement }) => createdInConstructor(statement));
  if (tooEarly !== undefined) return tooEarly;
  const deviceOrder = evidence.orderOf(device);
  const slot = deviceOrder.slots.get(local);
  const creations = calls.map(({ call, statement }) => ({ place: loop?.statement ?? call, statement }));
  const isRepeated = (method: Node) => isRepeatedMethod(method, "owned", evidence);
  const again = slot && createdAgain(creations, device.declaration, deviceOrder, slot, isRepeated);
  if (again !== undefined) return again;
  const scope = memberOf(statementOf(local), device.declaration);
  if (loop !== undefined) {
    if (!isConstantCount(loop.count, scope)) return refuse(Reason.ArrayShape, loop.statement);
    const moved = changeOfIndex(loop);
    if (moved !== undefined) return refuse(Reason.ArrayShape, moved);
  }
  const rebound = local.uses.find((use) => scope !== undefined && hasThisOfItsOwn(use, scope));
  if (rebound !== undefined) return refuse(Reason.ThisRebound, rebound);
  const listing = evidence.listingOf(device.declaration);
  return listing && refuse(Reason.OwnerSpread, listing);
}

/** The first creation's constructor, for reports. */
export function constructorOf(field: RegionField) {
  return firstCreation(field)?.maker;
}

/** Uses as `this.name`, which a dropped field's local replaces. */
export function ownUses(field: RegionField): Node[] {
  return field.uses.filter(({ onThis }) => onThis).map(({ node }) => node);
}
