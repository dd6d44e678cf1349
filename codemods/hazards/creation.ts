/** Hazards in how a region is created. */
import { type CallExpression, type Expression, Node, type Type } from "ts-morph";
import { describeUse, isOnThis, usesOfBinding } from "../passes/2-combine.ts";
import type { RegionConstructor } from "../regions/constructors.ts";
import { type Creation, type Refusal, type RegionField, UseKind } from "../regions/facts.ts";
import { Reason } from "../regions/reasons.ts";
import {
  enclosingFunction,
  initOn,
  isConstantCount,
  isIterationStatement,
  memberOf,
  outermost,
} from "../regions/syntax.ts";
import type { Identity } from "../source/identity.ts";

/** Some other place than a plain statement of the class itself initialises the region. */
export function createdElsewhere({ uses }: RegionField): Refusal | undefined {
  for (const { node, kind, member } of uses) {
    if (kind !== UseKind.Create && kind !== UseKind.CreateInExpression) continue;
    if (member === undefined || (!isOnThis(node) && kind === UseKind.Create)) {
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

export function createdByHelper({ uses }: RegionField): Refusal | undefined {
  for (const { node, kind } of uses) {
    if (kind !== UseKind.Argument) continue;
    if (helperInitialises(node, new Set())) {
      return { reason: Reason.CreatedByHelper, node, detail: describeUse(node) };
    }
  }
  return undefined;
}

/** Follows an argument into the function called, and on from there. */
function helperInitialises(argument: Node, visited: Set<Node>): boolean {
  const value = outermost(argument);
  const call = value.getParent();
  if (!Node.isCallExpression(call) && !Node.isNewExpression(call)) return false;
  const index = call.getArguments().indexOf(value);
  for (const helper of declarationsOf(call.getExpression())) {
    const parameters = parametersOf(helper);
    const parameter = parameters?.[Math.min(index, parameters.length - 1)]?.getNameNode();
    if (parameter === undefined || visited.has(parameter)) continue;
    visited.add(parameter);
    if (!Node.isIdentifier(parameter)) return true; // taken apart in the parameter list: where it goes is not followed
    for (const use of usesOfBinding(parameter, helper)) {
      if (initOn(use) !== undefined || helperInitialises(use, visited)) return true;
    }
  }
  return false;
}

function declarationsOf(callee: Expression): Node[] {
  const symbol = Node.isPropertyAccessExpression(callee)
    ? callee.getNameNode().getSymbol()
    : callee.getSymbol();
  return (symbol?.getAliasedSymbol() ?? symbol)?.getDeclarations() ?? [];
}

function parametersOf(helper: Node) {
  if (Node.isFunctionLikeDeclaration(helper)) return helper.getParameters();
  if (Node.isVariableDeclaration(helper) || Node.isPropertyDeclaration(helper)) {
    const value = helper.getInitializer();
    if (Node.isArrowFunction(value) || Node.isFunctionExpression(value)) return value.getParameters();
  }
  if (Node.isClassDeclaration(helper)) return helper.getConstructors()[0]?.getParameters();
  return undefined;
}

/** `const r = this.iomem; r.initIo(…)`. */
export function createdThroughAlias({ uses }: RegionField): Refusal | undefined {
  for (const { node, kind } of uses) {
    if (kind !== UseKind.Alias) continue;
    const declaration = outermost(node).getParent();
    if (!Node.isVariableDeclaration(declaration)) continue;
    const scope = enclosingFunction(declaration) ?? declaration.getSourceFile();
    const init = usesOfBinding(declaration.getNameNode(), scope).find((use) => initOn(use) !== undefined);
    if (init !== undefined)
      return { reason: Reason.CreatedThroughAlias, node: init, detail: describeUse(init) };
  }
  return undefined;
}

export function arrayShape(field: RegionField): Refusal | undefined {
  if (!field.array) return undefined;
  const refuse = (node: Node): Refusal => ({ reason: Reason.ArrayShape, node, detail: firstLine(node) });
  const inPlace = field.uses.find(({ node }) => {
    const element = outermost(node).getParent();
    return Node.isElementAccessExpression(element) && initOn(element) !== undefined;
  });
  if (inPlace !== undefined) return refuse(inPlace.node);
  const [creation, another] = field.creations;
  if (creation === undefined || another !== undefined) return refuse(another?.statement ?? field.declaration);
  const { loop } = creation;
  const count = loop?.kind === "counting" ? loop.count : field.count;
  if (count === undefined || !isConstantCount(count)) return refuse(count ?? field.declaration);
  if (field.form === "owned") return undefined;
  return loop?.kind === "array" && loop.index === undefined && mentions(loop.statement, "i")
    ? refuse(loop.statement)
    : undefined;
}

function mentions(scope: Node, name: string): boolean {
  return (
    scope.forEachDescendant((node) => (Node.isIdentifier(node) && node.getText() === name) || undefined) ===
    true
  );
}

export function neverCreated({ creations, declaration, name }: RegionField): Refusal | undefined {
  if (creations.length > 0) return undefined;
  return { reason: Reason.NeverCreated, node: declaration, detail: name };
}

/** Several creations are fine where only one of them can run. */
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

/** True when a loop around `node`, inside the member that holds it, repeats it. */
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

/** Reasons that lie in the call itself: its arguments and the method that it calls. */
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

/** True when the region's class has the constructor of the other form, and that makes a region of the same class. */
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

/** True when `node` is `scope` or stands inside of it. */
export function isWithin(node: Node, scope: Node): boolean {
  return node === scope || (node.getStart() >= scope.getPos() && node.getEnd() <= scope.getEnd());
}

export function firstLine(node: Node): string {
  return node.getText().split("\n")[0] ?? "";
}

/** In the order in which they are asked: the first that finds something names the reason. */
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
];
