/** Hazards in how a region is created. */
import { type CallExpression, Node, SyntaxKind, type Type } from "ts-morph";
import type { RegionConstructor } from "../regions/constructors.ts";
import {
  type ArrayLoop,
  type CountingLoop,
  type Creation,
  type Refusal,
  type RegionField,
  type Use,
  UseKind,
} from "../regions/facts.ts";
import { follow, type Trace } from "../regions/follow.ts";
import { Reason } from "../regions/reasons.ts";
import {
  describeUse,
  enclosingFunction,
  firstLine,
  initOn,
  isConstantCount,
  isIterationStatement,
  isWithin,
  memberOf,
} from "../regions/syntax.ts";
import type { Identity } from "../source/identity.ts";
import { hasComment, hasLinesOfItsOwn, trailingComment } from "../source/trivia.ts";
import { createdConditionally } from "./conditional.ts";

/** Something other than a plain statement of the class itself initialises the region. */
export function createdElsewhere({ uses }: RegionField): Refusal | undefined {
  for (const { node, kind, member, onThis } of uses) {
    if (kind !== UseKind.Create && kind !== UseKind.CreateInExpression) continue;
    if (member === undefined || (!onThis && kind === UseKind.Create)) {
      return { reason: Reason.CreatedElsewhere, node, detail: describeUse(node) };
    }
  }
  return undefined;
}

export function createdInExpression({ uses }: RegionField): Refusal | undefined {
  const use = uses.find(({ kind }) => kind === UseKind.CreateInExpression);
  if (use === undefined) return undefined;
  return { reason: Reason.CreatedInExpression, node: use.node, detail: describeUse(use.node) };
}

export function createdByHelper({ uses, array }: RegionField): Refusal | undefined {
  return array ? undefined : createdBy("helper", Reason.CreatedByHelper, uses);
}

/** `const r = this.iomem; r.initIo(…)`. */
export function createdThroughAlias({ uses, array }: RegionField): Refusal | undefined {
  return array ? undefined : createdBy("alias", Reason.CreatedThroughAlias, uses);
}

function createdBy(via: Trace["via"], reason: Reason, uses: readonly Use[]): Refusal | undefined {
  for (const { node, kind } of uses) {
    if (kind === UseKind.Create) continue;
    const found = follow(node).find((trace) => trace.via === via && initOn(trace.node) !== undefined);
    if (found === undefined) continue;
    const shown = via === "helper" ? node : found.node;
    return { reason, node: shown, detail: describeUse(shown) };
  }
  return undefined;
}

export function arrayShape(field: RegionField): Refusal | undefined {
  if (!field.array) return undefined;
  const refuse = (node: Node): Refusal => ({ reason: Reason.ArrayShape, node, detail: firstLine(node) });
  const [creation, another] = field.creations;
  if (creation === undefined || another !== undefined) return refuse(another?.statement ?? field.declaration);
  for (const { node } of field.uses) {
    const inits = follow(node).flatMap((trace) => initOn(trace.node) ?? []);
    const other = inits.find(({ call }) => call !== creation.call);
    if (other !== undefined) return refuse(other.call);
  }
  const { loop } = creation;
  if (loop === undefined || leavesEarly(creation) || hasStrangeText(loop)) return refuse(creation.statement);
  const count = loop.kind === "counting" ? loop.count : field.count;
  const creator = memberOf(creation.statement, field.device.declaration);
  if (count === undefined || !isConstantCount(count, creator)) return refuse(count ?? field.declaration);
  const needsIndex = loop.kind === "array" && loop.index === undefined;
  return needsIndex && mentions(loop.statement, "i") ? refuse(loop.statement) : undefined;
}

/** An iteration that ends before its region is created would leave a gap. */
function leavesEarly({ statement }: Creation): boolean {
  const block = statement.getParent();
  const jumps = block?.getDescendants().filter(isJump) ?? [];
  return jumps.some((jump) => jump.getEnd() < statement.getStart());
}

function isJump(node: Node): boolean {
  return Node.isBreakStatement(node) || Node.isContinueStatement(node) || Node.isReturnStatement(node);
}

/** Text that a conversion would lose: comments in the loop's head, or beside the statement that stores the region. */
function hasStrangeText(loop: ArrayLoop | CountingLoop): boolean {
  const { statement } = loop;
  const head = statement.getText().slice(0, statement.getStatement().getStart() - statement.getStart());
  if (hasComment(head) || !Node.isBlock(statement.getStatement())) return true;
  const store = loop.kind === "counting" ? loop.store : undefined;
  return store !== undefined && (!hasLinesOfItsOwn(store) || trailingComment(store) !== "");
}

function mentions(scope: Node, name: string): boolean {
  return scope.getDescendantsOfKind(SyntaxKind.Identifier).some((node) => node.getText() === name);
}

/** A comment between the parts that a conversion replaces would be lost. */
export function commentInside({ creations, declaration, name }: RegionField): Refusal | undefined {
  if (hasComment(declaration.getText())) return { reason: Reason.FieldForm, node: declaration, detail: name };
  const lossy = creations.find(({ statement, call }) => {
    const end = call.getExpression().getEnd() - statement.getStart();
    return hasComment(statement.getText().slice(0, end));
  });
  if (lossy === undefined) return undefined;
  return { reason: Reason.CreatedInExpression, node: lossy.statement, detail: firstLine(lossy.statement) };
}

export function neverCreated({ creations, declaration, name }: RegionField): Refusal | undefined {
  if (creations.length > 0) return undefined;
  return { reason: Reason.NeverCreated, node: declaration, detail: name };
}

/** Several creations are fine if only one of them can run. */
export function createdTwice({ creations }: RegionField): Refusal | undefined {
  for (const [index, one] of creations.entries()) {
    const clash = creations.slice(index + 1).find((other) => !areExclusive(one.statement, other.statement));
    if (clash !== undefined) {
      return { reason: Reason.CreatedTwice, node: clash.statement, detail: firstLine(clash.statement) };
    }
  }
  return undefined;
}

function areExclusive(one: Node, other: Node): boolean {
  const ancestors = new Set<Node>(one.getAncestors());
  const common = other.getAncestors().find((each) => ancestors.has(each));
  if (Node.isIfStatement(common)) return true; // neither is the condition, so one is in each branch
  if (!Node.isCaseBlock(common)) return false;
  const clause = one.getAncestors().find((each) => each.getParent() === common);
  const last =
    Node.isCaseClause(clause) || Node.isDefaultClause(clause) ? clause.getStatements().at(-1) : undefined;
  const end = Node.isBlock(last) ? last.getStatements().at(-1) : last;
  return Node.isBreakStatement(end) || Node.isReturnStatement(end) || Node.isThrowStatement(end);
}

export function createdInLoop({ creations, device }: RegionField): Refusal | undefined {
  for (const { statement, loop } of creations) {
    const inner = loop?.statement ?? statement;
    if (isInLoop(inner, device.declaration)) {
      return { reason: Reason.CreatedInLoop, node: statement, detail: firstLine(statement) };
    }
  }
  return undefined;
}

/** True if a loop around `node`, inside the member that holds it, repeats it. */
export function isInLoop(node: Node, device: RegionField["device"]["declaration"]): boolean {
  const member = memberOf(node, device);
  for (const ancestor of node.getAncestors()) {
    if (ancestor === member) return false;
    if (isIterationStatement(ancestor)) return true;
  }
  return false;
}

export function createdInClosure({ creations, device }: RegionField): Refusal | undefined {
  const nested = creations.find(
    ({ statement }) => enclosingFunction(statement) !== memberOf(statement, device.declaration),
  );
  if (nested === undefined) return undefined;
  return { reason: Reason.CreatedInClosure, node: nested.statement, detail: firstLine(nested.statement) };
}

/** Problems of the call itself: its arguments and the method that it calls. */
export function callProblem(call: CallExpression, identity: Identity): Reason | undefined {
  const names = parameterNames(call);
  if (names === undefined) return Reason.TypeUnresolved;
  const argument = (name: string) => call.getArguments()[names.indexOf(name)];
  const given = argument("name");
  if (names.includes("name") && (given === undefined || mayBeMissing(given.getType())))
    return Reason.NameMissing;
  const owner = argument("owner");
  if (owner !== undefined && identity.isRegion(owner.getType()) && !owner.getType().isNull()) {
    return Reason.OwnerIsRegion;
  }
  return undefined;
}

function mayBeMissing(type: Type): boolean {
  return type.isNull() || type.isUndefined() || type.isNullable();
}

function parameterNames(call: CallExpression): string[] | undefined {
  const checker = call.getProject().getTypeChecker();
  const signature = checker.getResolvedSignature(call);
  return signature?.getDeclaration() === undefined
    ? undefined
    : signature.getParameters().map((parameter) => parameter.getName());
}

/** True if the region's class has the constructor of the other form, and that creates a region of the same class. */
export function hasCounterpart(
  maker: RegionConstructor,
  from: "embedded" | "owned",
  classType: Type,
  instance: Type,
): boolean {
  if (from === "owned") return instance.getProperty(maker.init) !== undefined;
  const method = classType.getProperty(maker.new)?.getDeclarations()[0];
  const made = method?.getType().getCallSignatures()[0]?.getReturnType().getNonNullableType();
  return made !== undefined && made.getSymbol() === instance.getSymbol();
}

export function creationCall(field: RegionField, identity: Identity): Refusal | undefined {
  for (const creation of field.creations) {
    const reason = callProblem(creation.call, identity) ?? counterpartProblem(field, creation);
    if (reason !== undefined) return { reason, node: creation.call, detail: firstLine(creation.statement) };
  }
  return undefined;
}

function counterpartProblem(field: RegionField, { maker, call }: Creation): Reason | undefined {
  const initializer = field.declaration.getInitializer();
  const embedded = Node.isCallExpression(initializer) ? initializer.getArguments()[0] : undefined;
  const classNode = embedded ?? receiverOf(call);
  if (classNode === undefined) return Reason.TypeUnresolved;
  const declared = field.declaration.getType();
  const instance = (field.array && declared.getArrayElementType()) || declared;
  const found = hasCounterpart(maker, field.form, classNode.getType(), instance);
  return found ? undefined : Reason.NoCounterpart;
}

function receiverOf(call: CallExpression): Node | undefined {
  const callee = call.getExpression();
  return Node.isPropertyAccessExpression(callee) ? callee.getExpression() : undefined;
}

/** A failed constructor has already released the region that its handler would touch. */
export function usedAfterFailure({ creations, uses }: RegionField): Refusal | undefined {
  for (const { statement } of creations) {
    for (const attempt of statement.getAncestors()) {
      if (!Node.isTryStatement(attempt) || !isWithin(statement, attempt.getTryBlock())) continue;
      const handlers = [attempt.getCatchClause(), attempt.getFinallyBlock()];
      const late = uses.find(({ node }) =>
        handlers.some((each) => each !== undefined && isWithin(node, each)),
      );
      if (late !== undefined) {
        return { reason: Reason.UsedAfterFailure, node: late.node, detail: describeUse(late.node) };
      }
    }
  }
  return undefined;
}

/** In the order in which they are checked: the first one that applies gives the reason. */
export const creationHazards = [
  createdElsewhere,
  createdByHelper,
  createdThroughAlias,
  createdInExpression,
  arrayShape,
  neverCreated,
  createdTwice,
  createdInLoop,
  createdInClosure,
  usedAfterFailure,
  createdConditionally,
  commentInside,
];
