/** Hazards in the call that creates a region: its arguments, and the method that it calls. */
import { type CallExpression, Node, SyntaxKind, type Type, type VariableDeclaration } from "ts-morph";
import type { RegionConstructor } from "../regions/constructors.ts";
import type { Creation, Form, Helper, Refusal, RegionField } from "../regions/facts.ts";
import { declarationsOf } from "../regions/names.ts";
import { Reason } from "../regions/reasons.ts";
import { firstLine } from "../regions/syntax.ts";
import { innermost } from "../regions/trace-syntax.ts";
import type { Identity } from "../source/identity.ts";
import { classType, fieldType, propertyOf } from "../source/types.ts";

/** Problems of the call itself: its arguments and the method that it calls. */
export function callProblem(
  call: CallExpression,
  identity: Identity,
  owners: "own" | "any" = "own",
  helper?: Helper,
): Reason | undefined {
  const names = parameterNames(call);
  if (names === undefined) return Reason.TypeUnresolved;
  const args = argumentsOf(call);
  if (args === undefined) return Reason.ArgumentsSpread;
  const argument = (name: string) => args.values[names.indexOf(name)];
  const given = argument("name");
  if (names.includes("name") && (given === undefined || mayBeMissing(given))) return Reason.NameMissing;
  const owner = argument("owner");
  if (owner !== undefined && identity.isRegionObject(owner)) return Reason.OwnerIsRegion;
  const differs = owners === "own" && owner !== undefined && !isOwnObject(owner, args.from ?? helper);
  return differs ? Reason.OwnerElsewhere : undefined;
}

/** A function and the calls of it, which say what its parameters are. */
type Called = Pick<Helper, "fn" | "calls">;

/**
 * The arguments of a call, one by one: also those of `init…(...argumentsFor(this))` if the function only returns a list.
 * Undefined if they cannot be told apart.
 */
function argumentsOf(
  call: CallExpression,
): { readonly values: readonly Node[]; readonly from: Called | undefined } | undefined {
  const given = call.getArguments();
  if (!given.some(Node.isSpreadElement)) return { values: given, from: undefined };
  const [spread, another] = given;
  const made = Node.isSpreadElement(spread) && another === undefined ? spread.getExpression() : undefined;
  if (!Node.isCallExpression(made)) return undefined;
  const [fn] = declarationsOf(made.getExpression());
  if (!Node.isFunctionDeclaration(fn)) return undefined;
  const [statement, more] = fn.getStatements();
  const list =
    Node.isReturnStatement(statement) && more === undefined ? statement.getExpression() : undefined;
  if (!Node.isArrayLiteralExpression(list) || list.getElements().some(Node.isSpreadElement)) return undefined;
  return { values: list.getElements(), from: { fn, calls: [made] } };
}

/** True for `this` and a constant that holds it: an owner that ends with the storage of the device, not before or after. */
function isOwnObject(owner: Node, helper?: Called): boolean {
  const node = innermost(owner);
  if (Node.isThisExpression(node)) return true;
  if (node.getType().getSymbol()?.getName() === "NoOwner") return isInMachine(node);
  const [declaration] = declarationsOf(node);
  if (helper !== undefined && Node.isParameterDeclaration(declaration)) {
    const index = helper.fn.getParameters().indexOf(declaration);
    return helper.calls.every((call) => {
      const given = call.getArguments()[index];
      return given !== undefined && isOwnObject(given);
    });
  }
  if (Node.isIdentifier(node)) {
    const value = Node.isVariableDeclaration(declaration) ? declaration.getInitializer() : undefined;
    const constant = Node.isVariableDeclaration(declaration) && isConst(declaration);
    return constant && value !== undefined && isOwnObject(value);
  }
  return false;
}

/** A machine is never released before its object model, and neither is a region without an owner. */
function isInMachine(node: Node): boolean {
  let declaration = node.getFirstAncestorByKind(SyntaxKind.ClassDeclaration);
  for (; declaration !== undefined; declaration = declaration.getBaseClass()) {
    if (declaration.getName() === "Machine") return true;
  }
  return false;
}

function isConst(declaration: VariableDeclaration): boolean {
  return declaration.getVariableStatement()?.getDeclarationKind() === "const";
}

function mayBeMissing(name: Node): boolean {
  if (Node.isStringLiteral(name) || Node.isTemplateExpression(name)) return false;
  const type = name.getType();
  return type.isNull() || type.isUndefined() || type.isNullable();
}

function parameterNames(call: CallExpression): string[] | undefined {
  const callee = call.getExpression();
  const name = Node.isPropertyAccessExpression(callee) ? callee.getNameNode() : callee;
  const [method, another] = declarationsOf(name);
  if (Node.isMethodDeclaration(method) && another === undefined) {
    const names = method.getParameters().map((parameter) => parameter.getName());
    return names[0] === "this" ? names.slice(1) : names;
  }
  const signature = call.getProject().getTypeChecker().getResolvedSignature(call);
  return signature?.getDeclaration() === undefined
    ? undefined
    : signature.getParameters().map((parameter) => parameter.getName());
}

/** True if the region's class has the constructor of the other form, and that creates a region of the same class. */
export function hasCounterpart(
  maker: RegionConstructor,
  from: Form,
  classType: Type,
  instance: Type,
): boolean {
  if (from === "owned") return propertyOf(instance, maker.init) !== undefined;
  const method = propertyOf(classType, maker.new)?.getDeclarations()[0];
  const made = method?.getType().getCallSignatures()[0]?.getReturnType().getNonNullableType();
  if (made?.isTypeParameter()) return isOfClassItIsCalledOn(method, made);
  return made !== undefined && made.getSymbol() === instance.getSymbol();
}

/** Whether the type parameter `made` is the class of the receiver: `static newIommu<R>(this: QomType<R>, …): R`. */
function isOfClassItIsCalledOn(method: Node | undefined, made: Type): boolean {
  const [receiver] = Node.isMethodDeclaration(method) ? method.getParameters() : [];
  if (receiver?.getName() !== "this") return false;
  const { compilerType } = made;
  const type = receiver.getType();
  const arguments_ = [...type.getTypeArguments(), ...type.getAliasTypeArguments()];
  return arguments_.some((each) => each.compilerType === compilerType);
}

export function creationCall(field: RegionField, identity: Identity): Refusal | undefined {
  for (const creation of field.creations) {
    const owners = field.form === "allocated" ? "any" : "own";
    const { helper } = creation;
    const reason =
      callProblem(helper?.init ?? creation.call, identity, owners, helper) ??
      counterpartProblem(field, creation);
    if (reason !== undefined) return { reason, node: creation.call, detail: firstLine(creation.statement) };
  }
  return undefined;
}

function counterpartProblem(field: RegionField, { maker, call }: Creation): Reason | undefined {
  const embedding = field.embedding?.getExpression();
  const assigned = Node.isBinaryExpression(embedding) ? embedding.getRight() : undefined;
  const initializer = field.declaration.getInitializer() ?? assigned;
  const embedded = Node.isCallExpression(initializer) ? initializer.getArguments()[0] : undefined;
  const classNode = embedded ?? receiverOf(call);
  if (classNode === undefined) return Reason.TypeUnresolved;
  const declared = fieldType(field.declaration).getNonNullableType();
  const instance = (field.array && declared.getArrayElementType()) || declared;
  const found = hasCounterpart(maker, field.form, classType(classNode), instance);
  return found ? undefined : Reason.NoCounterpart;
}

function receiverOf(call: Node): Node | undefined {
  const callee = Node.isCallExpression(call) ? call.getExpression() : undefined;
  return Node.isPropertyAccessExpression(callee) ? callee.getExpression() : undefined;
}
