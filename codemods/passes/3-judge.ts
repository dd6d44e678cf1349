/** Phase 3: decides whether to convert each region (with or without a field), skip it as already done, or refuse it. */
import { type ClassDeclaration, Node, type SourceFile, ts } from "ts-morph";
import { callProblem, creationCall, creationHazards, hasCounterpart, isInLoop } from "../hazards/creation.ts";
import { declarationHazards } from "../hazards/declaration.ts";
import { creationPoint, firstCreation } from "../hazards/order.ts";
import { leakedBeforeCreation, useHazards } from "../hazards/use.ts";
import { isLeaf } from "../regions/constructors.ts";
import {
  type DeviceFacts,
  type Direction,
  type Form,
  type Refusal,
  type RegionField,
  type RegionLocal,
  UseKind,
} from "../regions/facts.ts";
import { usesOfBinding } from "../regions/follow.ts";
import { Reason } from "../regions/reasons.ts";
import {
  firstLine,
  hasThisOfItsOwn,
  isConstantCount,
  isWithin,
  memberOf,
  newRegion,
  useKindOf,
} from "../regions/syntax.ts";
import type { Identity } from "../source/identity.ts";
import { hasComment, hasLinesOfItsOwn } from "../source/trivia.ts";

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
  /** True if the class is to be edited: at least one region converts and none is refused. */
  readonly converts: boolean;
}

/** The form that a codemod starts from. */
export function sourceForm(direction: Direction): Form {
  return direction === "to-owned" ? "embedded" : "owned";
}

/** What the verdicts depend on besides the class itself. */
export interface Evidence {
  readonly identity: Identity;
  /** Every source that was searched for uses. */
  readonly sources: readonly SourceFile[];
}

/** Judges a class as a whole: one refused region leaves all of them unchanged. */
export function judge(device: DeviceFacts, direction: Direction, evidence: Evidence): JudgedDevice {
  const form = sourceForm(direction);
  const fields = new Map(device.fields.map((field) => [field, judgeField(field, form, evidence)]));
  const locals = new Map(
    device.locals.map((local) => [local, judgeLocal(local, device.locals, form, evidence)]),
  );
  const strayRefused = device.strays.find((each) => each.form === form || each.form === undefined);
  const verdicts = [...fields.values(), ...locals.values()];
  const refused = verdicts.find((verdict) => verdict.outcome === "refused");
  const culprit = refused?.refusal.detail ?? strayRefused?.name;
  if (culprit !== undefined) {
    refuseRest(fields, culprit, (field) => field.declaration);
    refuseRest(locals, culprit, (local) => local.statement);
  }
  const converts = [...fields.values(), ...locals.values()].some(({ outcome }) => outcome === "converted");
  return { device, fields, locals, converts };
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

function judgeField(field: RegionField, form: Form, evidence: Evidence): Verdict {
  if (field.form !== form) return { outcome: "already" };
  const refusal = fieldRefusal(field, evidence);
  if (refusal !== undefined) return { outcome: "refused", refusal };
  const why = form === "embedded" ? reasonToKeep(field) : "it has a field";
  if (why === undefined && !isUsed(field)) {
    const { declaration: node, name: detail } = field;
    return { outcome: "refused", refusal: { reason: Reason.NeverUsed, node, detail } };
  }
  return { outcome: "converted", treatment: why === undefined ? "dropped" : "kept", why };
}

function fieldRefusal(field: RegionField, { identity, sources }: Evidence): Refusal | undefined {
  for (const hazard of [...declarationHazards, ...creationHazards]) {
    const refusal = hazard(field);
    if (refusal !== undefined) return refusal;
  }
  const call = creationCall(field, identity);
  if (call !== undefined) return call;
  for (const hazard of useHazards) {
    const refusal = hazard(field);
    if (refusal !== undefined) return refusal;
  }
  return leakedBeforeCreation(field, sources);
}

/** True if anything other than its creation uses the region. */
function isUsed(field: RegionField): boolean {
  if (field.array) return true; // the loop's variable is used, or the array is kept
  return field.uses.some(({ kind }) => kind !== UseKind.Create);
}

/** Why an owned region needs a field; undefined if a local in the method that creates it is enough. */
function reasonToKeep(field: RegionField): string | undefined {
  const { declaration, device, name } = field;
  if (!declaration.getModifiers().some((modifier) => modifier.getText() === "private")) {
    return "other code can reach it: it is not private";
  }
  if (device.declaration.isAbstract()) return "subclasses share it: the class is abstract";
  const [creation, another] = field.creations;
  if (creation === undefined) return "nothing creates it";
  if (another !== undefined) return "it is created in several branches";
  const creator = memberOf(creation.statement, device.declaration);
  const outside = field.uses.find(({ member }) => member !== creator);
  if (outside !== undefined) return `used in ${memberName(outside.member)}`;
  if (creator === undefined) return "nothing creates it";
  if (field.array) return reasonToKeepArray(field);
  if (field.uses.some(({ onThis }) => !onThis)) return "used on another object than this";
  const scope = creation.statement.getParent();
  if (!Node.isBlock(scope) || !hasLinesOfItsOwn(creation.statement))
    return "its creation has no block of its own";
  const point = creationPoint(creation);
  for (const { node, kind } of field.uses) {
    if (kind === UseKind.Create) continue;
    if (!isWithin(node, scope)) return "used outside the block that creates it";
    if (node.getStart() < point.getStart()) return "a function declared before its creation uses it";
    if (isWithin(node, creation.statement)) return "its own creation refers to it";
  }
  if (isReserved(name)) return `${name} cannot be the name of a local`;
  if (bindsName(creator, name)) return `${name} means something else in ${memberName(creator)}`;
  return undefined;
}

function reasonToKeepArray(field: RegionField): string | undefined {
  const loop = field.creations[0]?.loop;
  if (loop?.kind !== "array") return "it is not created by a loop over the array";
  if (field.uses.length > 1) return "used outside the loop that creates it";
  if (field.name !== `${loop.item}s`) return `its name is not the loop variable's (${loop.item}) with an s`;
  const body = loop.statement.getStatement();
  const uses = body
    .getDescendants()
    .filter((node) => Node.isIdentifier(node) && node.getText() === loop.item);
  return uses.length > 1 ? undefined : "the loop only creates it";
}

/** The member's name as written in the source. */
export function memberName(member: Node | undefined): string {
  if (member === undefined) return "another class";
  if (Node.isConstructorDeclaration(member)) return "the constructor";
  return Node.hasName(member) ? member.getName() : "the class";
}

function isReserved(name: string): boolean {
  if (name === "arguments" || name === "eval" || name === "await" || name === "undefined") return true;
  const scanner = ts.createScanner(ts.ScriptTarget.Latest, true, ts.LanguageVariant.Standard, name);
  return scanner.scan() !== ts.SyntaxKind.Identifier;
}

/** True if `name` refers to a variable, parameter or import anywhere in `scope`. */
function bindsName(scope: Node, name: string): boolean {
  const found = scope.forEachDescendant((node) => {
    if (!Node.isIdentifier(node) || node.getText() !== name) return undefined;
    const parent = node.getParent();
    if (Node.isPropertyAccessExpression(parent)) return parent.getNameNode() !== node || undefined;
    const key = Node.isPropertyAssignment(parent) || Node.isMethodDeclaration(parent);
    return !(key && parent.getNameNode() === node) || undefined;
  });
  return found === true;
}

function judgeLocal(
  local: RegionLocal,
  locals: readonly RegionLocal[],
  form: Form,
  { identity, sources }: Evidence,
): Verdict {
  if (form !== "owned") return { outcome: "already" };
  const refuse = (reason: Reason, node: Node): Verdict => {
    return { outcome: "refused", refusal: { reason, node, detail: firstLine(node) } };
  };
  const { call, statement, loop, declaration } = local;
  const problem = callProblem(call, identity);
  if (problem !== undefined) return refuse(problem, call);
  const lead = statement.getText().slice(0, call.getExpression().getEnd() - statement.getStart());
  if (hasComment(lead)) return refuse(Reason.CreatedInExpression, statement);
  const classNode = call.getExpressionIfKindOrThrow(ts.SyntaxKind.PropertyAccessExpression).getExpression();
  if (!hasCounterpart(local.maker, "owned", classNode.getType(), declaration.getType())) {
    return refuse(Reason.NoCounterpart, call);
  }
  if (isInLoop(loop?.statement ?? statement, local.device.declaration)) {
    return refuse(Reason.CreatedInLoop, statement);
  }
  const scope = memberOf(statement, local.device.declaration);
  if (loop !== undefined && !isConstantCount(loop.count, scope))
    return refuse(Reason.ArrayShape, loop.statement);
  if (isNameTaken(local, locals, sources)) return refuse(Reason.NameTaken, declaration);
  return localUseProblem(local, refuse) ?? { outcome: "converted", treatment: "dropped", why: undefined };
}

function localUseProblem(
  { declaration, statement, device, maker }: RegionLocal,
  refuse: (reason: Reason, node: Node) => Verdict,
): Verdict | undefined {
  const scope = memberOf(statement, device.declaration) ?? statement;
  for (const use of usesOfBinding(declaration.getNameNode(), scope)) {
    if (hasThisOfItsOwn(use, scope)) return refuse(Reason.ThisRebound, use);
    if (useKindOf(use) !== UseKind.Unparent) continue;
    return refuse(isLeaf(maker.shape) ? Reason.LeafUnparented : Reason.ContainerUnparented, use);
  }
  return undefined;
}

/** Name of the field that a dropped region gets: an array takes its loop variable's plural. */
export function fieldNameOf({ name, loop }: RegionLocal): string {
  return loop === undefined ? name : `${name}s`;
}

/** True if the class, a base class or a derived class already has a member of the field's name. */
function isNameTaken(
  local: RegionLocal,
  locals: readonly RegionLocal[],
  sources: readonly SourceFile[],
): boolean {
  const name = fieldNameOf(local);
  const { declaration } = local.device;
  if (locals.some((other) => other !== local && fieldNameOf(other) === name)) return true;
  if (declaration.getType().getProperty(name) !== undefined) return true;
  const classes = sources.flatMap((file) => file.getDescendantsOfKind(ts.SyntaxKind.ClassDeclaration));
  const kin = classes.filter((each) => derivesFrom(each, declaration) || derivesFrom(declaration, each));
  return kin.some((each) => each.getInstanceMember(name) !== undefined || declaresRegion(each, name));
}

function derivesFrom(declaration: ClassDeclaration, base: ClassDeclaration): boolean {
  for (let each = declaration.getBaseClass(); each !== undefined; each = each.getBaseClass()) {
    if (each === base) return true;
  }
  return false;
}

/** True for a class with a local region of that name, which would become a field as well. */
function declaresRegion(declaration: ClassDeclaration, name: string): boolean {
  return declaration
    .getDescendantsOfKind(ts.SyntaxKind.VariableDeclaration)
    .some((each) => each.getName() === name && newRegion(each.getInitializer()) !== undefined);
}

/** The first creation's constructor, for reports. */
export function constructorOf(field: RegionField) {
  return firstCreation(field)?.maker;
}

/** Uses as `this.name`, which a dropped field's local replaces. */
export function ownUses(field: RegionField): Node[] {
  return field.uses.filter(({ onThis }) => onThis).map(({ node }) => node);
}
