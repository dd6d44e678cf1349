/** Phase 1, file by file: which regions are declared, in which form, and which calls create them. */
import {
  type CallExpression,
  type ClassDeclaration,
  Node,
  type PropertyDeclaration,
  type SourceFile,
  SyntaxKind,
} from "ts-morph";
import type {
  DeclaredField,
  DeviceClass,
  DeviceFacts,
  FileFacts,
  RegionLocal,
  StrayRegion,
} from "../regions/facts.ts";
import { Reason } from "../regions/reasons.ts";
import { assignmentTo, countingLoopOf, enclosingFunction, memberOf, newRegion } from "../regions/syntax.ts";
import type { Identity } from "../source/identity.ts";
import type { Workspace } from "../source/workspace.ts";

/** Class name under which regions outside every class are reported. */
export const moduleName = "(module)";

/** Phase 1: the regions of every source, in whatever form. */
export function analyse({ targets, identity }: Workspace): FileFacts<DeclaredField>[] {
  return targets.map((file) => analyseFile(file, identity));
}

function analyseFile(file: SourceFile, identity: Identity): FileFacts<DeclaredField> {
  const classes = file.getDescendantsOfKind(SyntaxKind.ClassDeclaration);
  const devices = classes.map((declaration) => analyseClass(declaration, identity));
  const strays = regionCalls(file, identity).filter(({ call }) => nearestClass(call) === undefined);
  return {
    file,
    devices: devices.filter((each) => each.fields.length + each.locals.length + each.strays.length > 0),
    strays: strays.map((found) => stray(found, found.made ? Reason.CreatedInExpression : Reason.FieldForm)),
    deviceCount: classes.filter((declaration) => identity.isDevice(declaration)).length,
  };
}

function analyseClass(declaration: ClassDeclaration, identity: Identity): DeviceFacts<DeclaredField> {
  const device: DeviceClass = {
    file: declaration.getSourceFile(),
    name: declaration.getName() ?? "(anonymous)",
    declaration,
  };
  const declared = declaration
    .getMembers()
    .filter(Node.isPropertyDeclaration)
    .flatMap((member) => analyseField(member, device, identity) ?? []);
  const fields = declared.filter(isField);
  const calls = regionCalls(declaration, identity).filter(({ call }) => nearestClass(call) === declaration);
  const made = calls.flatMap((found) => analyseCall(found, device, fields, identity) ?? []);
  return {
    ...device,
    fields,
    locals: made.filter(isLocal),
    strays: [...declared, ...made].filter(isStray),
  };
}

type Found = DeclaredField | RegionLocal | StrayRegion;

function isStray(found: Found): found is StrayRegion {
  return "reason" in found;
}

function isLocal(found: Found): found is RegionLocal {
  return "statement" in found;
}

function isField(found: Found): found is DeclaredField {
  return !isStray(found) && !isLocal(found);
}

function analyseField(
  declaration: PropertyDeclaration,
  device: DeviceClass,
  identity: Identity,
): DeclaredField | StrayRegion | undefined {
  const base = { device, declaration, name: declaration.getName() };
  const initializer = declaration.getInitializer();
  if (Node.isCallExpression(initializer)) {
    const embedded = embedCall(initializer);
    if (embedded === undefined) return undefined;
    const classNode = initializer.getArguments()[0];
    if (classNode === undefined || !mayBeRegionClass(classNode, identity)) return undefined;
    const reason = declaration.isStatic()
      ? Reason.StaticField
      : embedProblem(initializer, classNode, identity);
    if (reason !== undefined) {
      const { name } = base;
      return { node: declaration, name, form: "embedded", maker: undefined, reason };
    }
    const count = embedded === "embedArray" ? initializer.getArguments()[1] : undefined;
    const array = embedded === "embedArray";
    const counted = count !== undefined && Node.isExpression(count) ? count : undefined;
    return { ...base, form: "embedded", className: classNode.getText(), array, count: counted };
  }
  const owned = ownedField(declaration, identity);
  return owned && { ...base, form: "owned", count: undefined, ...owned };
}

/** `name!: MemoryRegion;`, or `name: MemoryRegion[] = [];` for an array. */
function ownedField(
  declaration: PropertyDeclaration,
  identity: Identity,
): { array: boolean; className: string } | undefined {
  const typeNode = declaration.getTypeNode();
  if (Node.isArrayTypeNode(typeNode) && declaration.getInitializer()?.getText() === "[]") {
    const element = typeNode.getElementTypeNode();
    return identity.isRegion(element.getType()) ? { array: true, className: element.getText() } : undefined;
  }
  if (!Node.isTypeReference(typeNode) || !declaration.hasExclamationToken()) return undefined;
  return identity.isRegion(typeNode.getType()) ? { array: false, className: typeNode.getText() } : undefined;
}

function embedCall(call: CallExpression): "embed" | "embedArray" | undefined {
  const callee = call.getExpression();
  if (!Node.isPropertyAccessExpression(callee) || !Node.isThisExpression(callee.getExpression()))
    return undefined;
  const name = callee.getName();
  return name === "embed" || name === "embedArray" ? name : undefined;
}

/** True for the region class, and for an unresolved class, which is refused rather than ignored. */
function mayBeRegionClass(classNode: Node, identity: Identity): boolean {
  return identity.isRegionClass(classNode) || identity.isUnresolved(classNode);
}

function embedProblem(call: CallExpression, classNode: Node, identity: Identity): Reason | undefined {
  if (!identity.isRegionClass(classNode)) return Reason.TypeUnresolved;
  const callee = call.getExpression();
  const method = Node.isPropertyAccessExpression(callee) ? callee.getNameNode() : callee;
  if (method.getSymbol() === undefined) return Reason.TypeUnresolved;
  if (!identity.isObjectModelMethod(method)) return Reason.NotQomObject;
  const named = Node.isIdentifier(classNode) && identity.isClassName(classNode);
  return named && call.getTypeArguments().length === 0 ? undefined : Reason.FieldForm;
}

/** An expression that creates a region: `MemoryRegion.newIo(…)`, `this.embed(MemoryRegion)`, `new MemoryRegion(…)`. */
interface RegionCall {
  readonly call: Node;
  readonly made: ReturnType<typeof newRegion>;
}

function regionCalls(scope: Node, identity: Identity): RegionCall[] {
  const found: RegionCall[] = [];
  for (const call of scope.getDescendantsOfKind(SyntaxKind.NewExpression)) {
    if (identity.isRegionClass(call.getExpression())) found.push({ call, made: undefined });
  }
  for (const call of scope.getDescendantsOfKind(SyntaxKind.CallExpression)) {
    const made = newRegion(call);
    if (made !== undefined && identity.isRegionClass(made.classNode)) found.push({ call, made });
    else if (embedCall(call) !== undefined && isStrayEmbed(call, identity))
      found.push({ call, made: undefined });
  }
  return found;
}

/** `this.embed(MemoryRegion)` anywhere but as the initialiser of a field. */
function isStrayEmbed(call: CallExpression, identity: Identity): boolean {
  const [classNode] = call.getArguments();
  const parent = call.getParent();
  const declared = Node.isPropertyDeclaration(parent) && parent.getInitializer() === call;
  if (declared && Node.isClassDeclaration(parent.getParent())) return false;
  return classNode !== undefined && mayBeRegionClass(classNode, identity);
}

function analyseCall(
  found: RegionCall,
  device: DeviceClass,
  fields: readonly DeclaredField[],
  identity: Identity,
): RegionLocal | StrayRegion | undefined {
  const { call, made } = found;
  if (made === undefined) {
    return stray(found, Node.isNewExpression(call) ? Reason.NotQomObject : Reason.FieldForm);
  }
  const parent = call.getParent();
  if (Node.isVariableDeclaration(parent)) {
    const local = regionLocal(made, device, identity);
    if (typeof local === "string") return stray(found, local);
    return local.loop?.store === undefined ? local : undefined;
  }
  if (Node.isBinaryExpression(parent) && parent.getRight() === call) {
    const reason = assignmentProblem(parent.getLeft(), device, fields, identity);
    return reason && stray(found, reason);
  }
  return stray(found, Reason.CreatedInExpression);
}

/** The local that a creation declares, or the reason that it cannot become a field. */
function regionLocal(
  { call, className, maker }: NonNullable<RegionCall["made"]>,
  device: DeviceClass,
  identity: Identity,
): RegionLocal | Reason {
  const declaration = call.getParentIfKindOrThrow(SyntaxKind.VariableDeclaration);
  const statement = declaration.getVariableStatement();
  if (statement === undefined || statement.getDeclarations().length !== 1) return Reason.LocalReassigned;
  if (!statement.getText().startsWith("const ")) return Reason.LocalReassigned;
  if (!Node.isIdentifier(declaration.getNameNode())) return Reason.CreatedInExpression;
  if (!identity.isDevice(device.declaration)) return Reason.NotQomObject;
  const member = memberOf(call, device.declaration);
  if (member === undefined || isStatic(member)) return Reason.CreatedInExpression;
  if (enclosingFunction(call) !== member) return Reason.CreatedInClosure;
  const name = declaration.getName();
  return {
    device,
    declaration,
    statement,
    name,
    className,
    call,
    maker,
    loop: countingLoopOf(statement),
  };
}

function isStatic(member: Node): boolean {
  return Node.isStaticable(member) && member.isStatic();
}

/** Why the target that an owned region is assigned to has no embedded form; undefined if it has one. */
function assignmentProblem(
  target: Node,
  device: DeviceClass,
  fields: readonly DeclaredField[],
  identity: Identity,
): Reason | undefined {
  if (!Node.isPropertyAccessExpression(target) || !Node.isThisExpression(target.getExpression())) {
    return Reason.CreatedInExpression;
  }
  if (assignmentTo(target) === undefined) return Reason.CreatedInExpression;
  const name = target.getName();
  if (fields.some((field) => field.name === name && !field.array)) return undefined;
  const declared = target.getNameNode().getSymbol()?.getDeclarations().find(Node.isPropertyDeclaration);
  const nullable = declared?.getType().isNullable() || declared?.getTypeNode()?.getText().includes("null");
  if (nullable || declared?.hasQuestionToken()) return Reason.NullableField;
  if (declared !== undefined && declared.getParent() !== device.declaration && identity.resolved) {
    return Reason.CreatedElsewhere;
  }
  return Reason.FieldForm;
}

function stray({ call, made }: RegionCall, reason: Reason): StrayRegion {
  const form = made !== undefined ? "owned" : Node.isNewExpression(call) ? undefined : "embedded";
  return {
    node: call,
    name: call.getText().split("(")[0] ?? "",
    form,
    maker: made?.maker,
    reason,
  };
}

function nearestClass(node: Node): ClassDeclaration | undefined {
  return node.getFirstAncestorByKind(SyntaxKind.ClassDeclaration);
}
