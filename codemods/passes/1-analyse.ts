/** Phase 1, file by file: which regions are declared, in which form, and which calls create them. */
import {
  type CallExpression,
  type ClassDeclaration,
  type ExpressionStatement,
  Node,
  type PropertyDeclaration,
  type SourceFile,
  SyntaxKind,
  type Type,
  ts,
  type VariableDeclaration,
} from "ts-morph";
import { allocatedClass, allocationAt } from "../regions/allocations.ts";
import { constructorByNew, type RegionConstructor } from "../regions/constructors.ts";
import type {
  DeclaredField,
  DeviceClass,
  DeviceFacts,
  FileFacts,
  RegionAllocation,
  RegionLocal,
  StrayRegion,
} from "../regions/facts.ts";
import { localOfArgument, localsOfVariable } from "../regions/locals.ts";
import type { Made } from "../regions/makers.ts";
import { Reason } from "../regions/reasons.ts";
import { assignmentTo, newRegion } from "../regions/syntax.ts";
import { innermost, nameOnThis } from "../regions/trace-syntax.ts";
import type { Identity } from "../source/identity.ts";
import { descendantsOfKind } from "../source/node-index.ts";
import { nameOfRegion } from "../source/region-name.ts";
import { hasLinesOfItsOwn, trailingComment } from "../source/trivia.ts";
import { propertyOf } from "../source/types.ts";
import type { Workspace } from "../source/workspace.ts";

/** Class name under which regions outside every class are reported. */
export const moduleName = "(module)";

/** Phase 1: the regions of every source, in any form. */
export function analyse({ targets, identity }: Workspace): FileFacts<DeclaredField>[] {
  return targets.map((file) => analyseFile(file, identity, targets));
}

function analyseFile(
  file: SourceFile,
  identity: Identity,
  targets: readonly SourceFile[],
): FileFacts<DeclaredField> {
  const classes = descendantsOfKind(file, SyntaxKind.ClassDeclaration);
  const calls = new Map<ClassDeclaration | undefined, RegionCall[]>();
  const all = regionCalls(file, identity);
  for (const found of all) {
    const holder = nearestClass(found.call);
    const list = calls.get(holder);
    if (list === undefined) calls.set(holder, [found]);
    else list.push(found);
  }
  const devices = classes.map((declaration) =>
    analyseClass(declaration, calls.get(declaration) ?? [], identity, targets),
  );
  const strays = calls.get(undefined) ?? [];
  return {
    file,
    devices: devices.filter(
      (each) => each.fields.length + each.locals.length + each.allocations.length + each.strays.length > 0,
    ),
    strays: strays.map(({ call, made, taken }) => {
      if (taken !== undefined) return constructorTaken(call, taken);
      return made ? stray(made, Reason.CreatedInExpression) : misplaced(call);
    }),
    creations: all.flatMap(({ made }) => made ?? []),
    deviceCount: classes.filter((declaration) => identity.isDevice(declaration)).length,
  };
}

function analyseClass(
  declaration: ClassDeclaration,
  inClass: readonly RegionCall[],
  identity: Identity,
  targets: readonly SourceFile[],
): DeviceFacts<DeclaredField> {
  const device = deviceOf(declaration);
  const declared = declaration
    .getMembers()
    .filter(Node.isPropertyDeclaration)
    .flatMap((member) => analyseField(member, device, identity) ?? []);
  const fields = declared.filter(isField);
  const embeddings = new Set<Node | undefined>(fields.map((field) => embeddedBy(field.embedding)));
  const calls = inClass.filter(({ call }) => !embeddings.has(call));
  const made = analyseCalls(calls, device, fields, identity, targets);
  return {
    ...device,
    fields,
    locals: made.filter(isLocal),
    allocations: made.filter(isAllocation),
    strays: [...declared, ...made].filter(isStray),
  };
}

export function deviceOf(declaration: ClassDeclaration): DeviceClass {
  const name = declaration.getName() ?? "(anonymous)";
  return { file: declaration.getSourceFile(), name, declaration };
}

type Found = DeclaredField | RegionLocal | RegionAllocation | StrayRegion;

function isStray(found: Found): found is StrayRegion {
  return "reason" in found;
}

function isLocal(found: Found): found is RegionLocal {
  return "calls" in found;
}

function isAllocation(found: Found): found is RegionAllocation {
  return "initStatement" in found;
}

function isField(found: Found): found is DeclaredField {
  return !isStray(found) && !isLocal(found) && !isAllocation(found);
}

function analyseField(
  declaration: PropertyDeclaration,
  device: DeviceClass,
  identity: Identity,
): DeclaredField | StrayRegion | undefined {
  const embedding = embeddingIn(device.declaration, declaration);
  const base = { device, declaration, name: nameOfField(declaration), embedding };
  const initializer = declaration.getInitializer() ?? embeddedBy(embedding);
  if (Node.isCallExpression(initializer)) {
    const allocated = allocatedClass(initializer, identity);
    if (allocated !== undefined && !declaration.isStatic()) {
      return {
        ...base,
        form: "allocated",
        className: allocated.getText(),
        array: false,
        nullable: false,
        count: undefined,
      };
    }
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
    return {
      ...base,
      form: "embedded",
      className: classNode.getText(),
      array,
      nullable: false,
      count: counted,
    };
  }
  const owned = ownedField(declaration, (type) => identity.isRegion(type));
  return owned && { ...base, form: "owned", count: undefined, ...owned };
}

/** `this.name = this.embed(MemoryRegion);` in the constructor, for a field without a value of its own. */
export function embeddingIn(
  device: ClassDeclaration,
  declaration: PropertyDeclaration,
): ExpressionStatement | undefined {
  if (declaration.getInitializer() !== undefined || declaration.isStatic()) return undefined;
  const [maker] = device.getConstructors();
  return maker
    ?.getStatements()
    .filter(Node.isExpressionStatement)
    .find((statement) => {
      const call = embeddedBy(statement);
      const target = call?.getParentIf(Node.isBinaryExpression)?.getLeft();
      const name = target && nameOnThis(target);
      return (
        name === nameOfField(declaration) && hasLinesOfItsOwn(statement) && trailingComment(statement) === ""
      );
    });
}

/** The call `this.embed(…)` that a statement assigns. */
export function embeddedBy(statement: ExpressionStatement | undefined): CallExpression | undefined {
  const assignment = statement?.getExpression();
  if (!Node.isBinaryExpression(assignment) || assignment.getOperatorToken().getText() !== "=")
    return undefined;
  const call = assignment.getRight();
  return Node.isCallExpression(call) && embedCall(call) === "embed" ? call : undefined;
}

/** The name without quotes. */
export function nameOfField(declaration: PropertyDeclaration): string {
  const name = declaration.getNameNode();
  return Node.isStringLiteral(name) ? name.getLiteralText() : name.getText();
}

/** `name!: MemoryRegion;`, or `name: MemoryRegion[] = [];` for an array. */
export function ownedField(
  declaration: PropertyDeclaration,
  isSubject: (type: Type) => boolean,
): { array: boolean; className: string; nullable: boolean } | undefined {
  const typeNode = declaration.getTypeNode();
  if (Node.isArrayTypeNode(typeNode) && declaration.getInitializer()?.getText() === "[]") {
    const element = typeNode.getElementTypeNode();
    return isSubject(element.getType())
      ? { array: true, className: element.getText(), nullable: false }
      : undefined;
  }
  const initializer = declaration.getInitializer()?.getText();
  const starts = initializer === undefined || initializer === "null" || initializer === "undefined";
  if (!starts || declaration.isAbstract()) return undefined;
  const named = Node.isUnionTypeNode(typeNode)
    ? typeNode.getTypeNodes().filter((each) => !/^(?:null|undefined)$/.test(each.getText()))
    : [typeNode];
  const [region, another] = named;
  if (!Node.isTypeReference(region) || another !== undefined) return undefined;
  if (!isSubject(region.getType())) return undefined;
  return {
    array: false,
    className: region.getText(),
    nullable: Node.isUnionTypeNode(typeNode) || declaration.hasQuestionToken(),
  };
}

export function embedCall(call: CallExpression): "embed" | "embedArray" | undefined {
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
  const method = Node.isPropertyAccessExpression(callee) ? identity.symbolOf(callee) : callee.getSymbol();
  if (method === undefined) return Reason.TypeUnresolved;
  if (!identity.isOfObjectModel(method)) return Reason.NotQomObject;
  const named = isPlainName(classNode) && identity.isClassName(classNode);
  return named && call.getTypeArguments().length === 0 ? undefined : Reason.FieldForm;
}

/** `MemoryRegion`, or `memory.MemoryRegion` of a namespace import: a name that is also that of a type. */
export function isPlainName(node: Node): boolean {
  if (Node.isIdentifier(node)) return true;
  return Node.isPropertyAccessExpression(node) && Node.isIdentifier(node.getExpression());
}

/** An expression that creates a region: `MemoryRegion.newIo(…)`, `this.embed(MemoryRegion)`, `new MemoryRegion(…)`. */
interface RegionCall {
  readonly call: Node;
  readonly made: Made | undefined;
  /** For a constructor that is taken as a value, `const { newIo } = MemoryRegion`: nothing says what it creates. */
  readonly taken?: RegionConstructor;
}

function regionCalls(scope: Node, identity: Identity): RegionCall[] {
  const found: RegionCall[] = [];
  for (const call of descendantsOfKind(scope, SyntaxKind.NewExpression)) {
    if (identity.isRegionClass(call.getExpression())) found.push({ call, made: undefined });
  }
  for (const call of descendantsOfKind(scope, SyntaxKind.CallExpression, mayMakeRegion)) {
    const made = newRegion(call);
    const { classNode } = made ?? {};
    const isRegion =
      classNode !== undefined &&
      (identity.isRegionClass(classNode) || identity.isRegionClass(innermost(classNode)));
    if (isRegion) found.push({ call, made });
    else if (
      isStrayAllocation(call, identity) ||
      isStrayEmbed(call, identity) ||
      isOtherStorage(call, identity)
    )
      found.push({ call, made: undefined });
  }
  for (const [node, taken] of constructorsTaken(scope, identity))
    found.push({ call: node, made: undefined, taken });
  return found;
}

const makers: ReadonlySet<string> = new Set([
  ...constructorByNew.keys(),
  "allocate",
  "create",
  "embed",
  "embedArray",
  "newChild",
]);

/** True for a call whose name may be that of a method that makes a region. */
function mayMakeRegion(call: ts.Node): boolean {
  const callee = ts.isCallExpression(call) ? call.expression : undefined;
  if (callee === undefined) return false;
  if (ts.isPropertyAccessExpression(callee)) return makers.has(callee.name.text);
  return ts.isElementAccessExpression(callee) && ts.isStringLiteralLike(callee.argumentExpression);
}

const newNames = [...constructorByNew.keys()].join("|");
/** What the text has where a constructor is not simply called. */
const takenByName = new RegExp(
  `\\.(?:${newNames})\\b(?!\\s*[(<])|\\[\\s*["'\`](?:${newNames})["'\`]|[{,]\\s*(?:${newNames})\\s*[,}:=]`,
);

/** `MemoryRegion.newIo` other than as the callee of a call, `MemoryRegion["newIo"]`, `const { newIo } = MemoryRegion`. */
function constructorsTaken(scope: Node, identity: Identity): [Node, RegionConstructor][] {
  if (!takenByName.test(scope.getFullText())) return [];
  const found: [Node, RegionConstructor][] = [];
  const add = (node: Node, name: string, holder: Node | undefined): void => {
    const maker = constructorByNew.get(name);
    if (maker !== undefined && holder !== undefined && identity.isRegionClass(holder))
      found.push([node, maker]);
  };
  for (const access of descendantsOfKind(scope, SyntaxKind.PropertyAccessExpression)) {
    const parent = access.getParent();
    const called = Node.isCallExpression(parent) && parent.getExpression() === access;
    if (!called) add(access, access.getName(), access.getExpression());
  }
  for (const access of descendantsOfKind(scope, SyntaxKind.ElementAccessExpression)) {
    const key = access.getArgumentExpression();
    if (Node.isStringLiteral(key) || Node.isNoSubstitutionTemplateLiteral(key))
      add(access, key.getLiteralText(), access.getExpression());
  }
  for (const element of descendantsOfKind(scope, SyntaxKind.BindingElement)) {
    const declaration = element.getParent().getParent();
    const name = (element.getPropertyNameNode() ?? element.getNameNode()).getText();
    if (Node.isVariableDeclaration(declaration)) add(element, name, declaration.getInitializer());
  }
  return found;
}

/** `model.allocate(MemoryRegion)` anywhere but as the initialiser of a field. */
function isStrayAllocation(call: CallExpression, identity: Identity): boolean {
  return allocatedClass(call, identity) !== undefined && !isFieldInitialiser(call);
}

export function isFieldInitialiser(call: CallExpression): boolean {
  const parent = call.getParent();
  const declared = Node.isPropertyDeclaration(parent) && parent.getInitializer() === call;
  return declared && Node.isClassDeclaration(parent.getParent());
}

/** `this.embed(MemoryRegion)` anywhere but as the initialiser of a field. */
function isStrayEmbed(call: CallExpression, identity: Identity): boolean {
  if (embedCall(call) === undefined || isFieldInitialiser(call)) return false;
  const [classNode] = call.getArguments();
  return classNode !== undefined && mayBeRegionClass(classNode, identity);
}

/** The same on another object or by `this["embed"]`, `this.newChild("ram", MemoryRegion)`, `model["allocate"](MemoryRegion)`. */
function isOtherStorage(call: CallExpression, identity: Identity): boolean {
  if (embedCall(call) !== undefined || allocatedClass(call, identity) !== undefined) return false;
  const name = methodNamed(call);
  if (name === undefined || constructorByNew.has(name) || !makers.has(name)) return false;
  const callee = call.getExpression();
  const object = Node.isPropertyAccessExpression(callee) || Node.isElementAccessExpression(callee);
  const method = object ? propertyOf(callee.getExpression().getType(), name) : undefined;
  return identity.isOfObjectModel(method) && call.getArguments().some((each) => identity.isRegionClass(each));
}

/** `embed` of `this.embed(…)` and `this["embed"](…)`. */
function methodNamed(call: Node): string | undefined {
  const callee = Node.isCallExpression(call) ? call.getExpression() : undefined;
  if (Node.isPropertyAccessExpression(callee)) return callee.getName();
  const key = Node.isElementAccessExpression(callee) ? callee.getArgumentExpression() : undefined;
  return Node.isStringLiteral(key) || Node.isNoSubstitutionTemplateLiteral(key)
    ? key.getLiteralText()
    : undefined;
}

/** The regions that a class creates without a field, and the creations that no codemod converts. */
function analyseCalls(
  calls: readonly RegionCall[],
  device: DeviceClass,
  fields: readonly DeclaredField[],
  identity: Identity,
  targets: readonly SourceFile[],
): (RegionLocal | RegionAllocation | StrayRegion)[] {
  const byVariable = new Map<VariableDeclaration, Made[]>();
  const found: (RegionLocal | RegionAllocation | StrayRegion)[] = [];
  for (const each of calls) {
    const variable = each.made && variableOf(each.made.call);
    if (each.made === undefined || variable === undefined) {
      found.push(...analyseCall(each, device, fields, identity, targets));
    } else byVariable.set(variable, [...(byVariable.get(variable) ?? []), each.made]);
  }
  for (const [variable, made] of byVariable) {
    for (const each of localsOfVariable(variable, made, device, identity)) {
      if ("reason" in each) found.push(stray(each.made, each.reason));
      else if (each.loop?.store === undefined) found.push(each);
    }
  }
  return found;
}

/** The variable that a creation is stored in, at its declaration or later. */
export function variableOf(call: CallExpression): VariableDeclaration | undefined {
  const parent = call.getParent();
  if (Node.isVariableDeclaration(parent)) return parent;
  if (!Node.isBinaryExpression(parent) || parent.getRight() !== call) return undefined;
  const target = parent.getLeft();
  if (!Node.isIdentifier(target)) return undefined;
  return target.getSymbol()?.getDeclarations().find(Node.isVariableDeclaration);
}

function analyseCall(
  { call, made, taken }: RegionCall,
  device: DeviceClass,
  fields: readonly DeclaredField[],
  identity: Identity,
  targets: readonly SourceFile[],
): (RegionLocal | RegionAllocation | StrayRegion)[] {
  if (taken !== undefined) return [constructorTaken(call, taken)];
  if (made === undefined && Node.isCallExpression(call) && allocatedClass(call, identity) !== undefined) {
    const allocation = allocationAt(call, device, identity);
    return [allocation ?? misplaced(call)];
  }
  if (made === undefined) return [misplaced(call)];
  const parent = call.getParent();
  if (Node.isBinaryExpression(parent) && parent.getRight() === call) {
    const reason = assignmentProblem(parent.getLeft(), device, fields, identity, targets);
    return reason === undefined ? [] : [stray(made, reason)];
  }
  const local = localOfArgument(made, device, identity);
  return "reason" in local ? [stray(made, local.reason)] : [local];
}

/** Why the target that an owned region is assigned to has no embedded form; undefined if it has one. */
export function assignmentProblem(
  target: Node,
  device: DeviceClass,
  fields: readonly DeclaredField[],
  identity: Identity,
  targets: readonly SourceFile[],
  isOwnedField = (declared: PropertyDeclaration) =>
    ownedField(declared, (type) => identity.isRegion(type)) !== undefined,
): Reason | undefined {
  const array = Node.isElementAccessExpression(target) ? nameOnThis(target.getExpression()) : undefined;
  if (fields.some((field) => field.array && field.name === array)) return undefined;
  const name = nameOnThis(target);
  if (name === undefined || assignmentTo(target) === undefined) return Reason.CreatedInExpression;
  if (fields.some((field) => field.name === name && !field.array)) return undefined;
  const property = propertyOf(device.declaration.getType(), name);
  const declared = property?.getDeclarations().find(Node.isPropertyDeclaration);
  if (declared === undefined || !identity.resolved) return Reason.FieldForm;
  if (declared.getParent() === device.declaration) return Reason.FieldForm;
  const converts = targets.includes(declared.getSourceFile()) && isOwnedField(declared);
  return converts ? undefined : Reason.CreatedElsewhere;
}

export function stray(found: Node | Made, reason: Reason): StrayRegion {
  const made = "maker" in found ? found : undefined;
  const node = "maker" in found ? found.call : found;
  const form = made !== undefined ? "owned" : Node.isNewExpression(node) ? undefined : "embedded";
  return { node, name: nameOfRegion(node), form, maker: made?.maker, reason };
}

/** A region that a constructor creates under another name than its own. */
function constructorTaken(node: Node, maker: RegionConstructor): StrayRegion {
  return { node, name: nameOfRegion(node), form: "owned", maker, reason: Reason.CreatedInExpression };
}

/** Storage for a region where no codemod can use it. */
function misplaced(call: Node): StrayRegion {
  if (Node.isNewExpression(call)) return stray(call, Reason.NotQomObject);
  if (methodNamed(call)?.startsWith("embed") === true) return stray(call, Reason.FieldForm);
  return { ...stray(call, Reason.AllocatedByHand), form: "allocated" };
}

export function nearestClass(node: Node): ClassDeclaration | undefined {
  return node.getFirstAncestorByKind(SyntaxKind.ClassDeclaration);
}
