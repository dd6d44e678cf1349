/** Phase 1 of a conversion of child objects: which ones a class has, in which form, and which calls create them. */
import {
  type CallExpression,
  type ClassDeclaration,
  Node,
  type PropertyDeclaration,
  type SourceFile,
  SyntaxKind,
  type VariableDeclaration,
} from "ts-morph";
import {
  assignmentProblem,
  deviceOf,
  embedCall,
  embeddedBy,
  embeddingIn,
  isFieldInitialiser,
  isPlainName,
  nameOfField,
  nearestClass,
  ownedField,
  stray,
  variableOf,
} from "../passes/1-analyse.ts";
import type {
  DeclaredField,
  DeviceClass,
  DeviceFacts,
  FileFacts,
  LocalCreation,
  RegionLocal,
  StrayRegion,
} from "../regions/facts.ts";
import { localOfArgument, localsOfVariable, nameFor, placeProblem } from "../regions/locals.ts";
import { childMakers, type Made } from "../regions/makers.ts";
import { Reason } from "../regions/reasons.ts";
import type { Identity } from "../source/identity.ts";
import { hasLinesOfItsOwn } from "../source/trivia.ts";
import type { Workspace } from "../source/workspace.ts";

export function analyseChildren({ targets, identity }: Workspace): FileFacts<DeclaredField>[] {
  return targets.map((file) => analyseFile(file, identity, targets));
}

function analyseFile(
  file: SourceFile,
  identity: Identity,
  targets: readonly SourceFile[],
): FileFacts<DeclaredField> {
  const classes = file.getDescendantsOfKind(SyntaxKind.ClassDeclaration);
  const creations = newChildren(file, identity);
  const made = byClass(creations, ({ call }) => call);
  const embedded = byClass(embeddedChildren(file, identity), (call) => call);
  const devices = classes.map((declaration) =>
    analyseClass(
      declaration,
      made.get(declaration) ?? [],
      embedded.get(declaration) ?? [],
      identity,
      targets,
    ),
  );
  return {
    file,
    devices: devices.filter((each) => each.fields.length + each.locals.length + each.strays.length > 0),
    strays: [
      ...(embedded.get(undefined) ?? []).map((call) => stray(call, Reason.FieldForm)),
      ...(made.get(undefined) ?? []).map((each) => stray(each, Reason.CreatedInExpression)),
    ],
    creations,
    deviceCount: classes.filter((declaration) => identity.isDevice(declaration)).length,
  };
}

function byClass<Item>(
  items: readonly Item[],
  callOf: (item: Item) => Node,
): Map<ClassDeclaration | undefined, Item[]> {
  const groups = new Map<ClassDeclaration | undefined, Item[]>();
  for (const item of items) {
    const holder = nearestClass(callOf(item));
    groups.set(holder, [...(groups.get(holder) ?? []), item]);
  }
  return groups;
}

function newChildren(file: SourceFile, identity: Identity): Made[] {
  if (!file.getFullText().includes("newChild")) return [];
  return file.getDescendantsOfKind(SyntaxKind.CallExpression).flatMap((call) => {
    const made = childMakers.newOn(call);
    return made !== undefined && identity.isChildClass(made.classNode) ? [made] : [];
  });
}

/** The calls `this.embed(Type)` and `this.embedArray(Type, count)`. */
function embeddedChildren(file: SourceFile, identity: Identity): CallExpression[] {
  if (!file.getFullText().includes("embed")) return [];
  return file.getDescendantsOfKind(SyntaxKind.CallExpression).filter((call) => {
    const [classNode] = call.getArguments();
    return embedCall(call) !== undefined && classNode !== undefined && identity.isChildClass(classNode);
  });
}

function analyseClass(
  declaration: ClassDeclaration,
  made: readonly Made[],
  embedded: readonly CallExpression[],
  identity: Identity,
  targets: readonly SourceFile[],
): DeviceFacts<DeclaredField> {
  const device = deviceOf(declaration);
  const declared = declaration
    .getMembers()
    .filter(Node.isPropertyDeclaration)
    .flatMap((member) => analyseField(member, device, embedded, identity) ?? []);
  const fields = declared.filter((each) => "declaration" in each);
  const known = new Set<Node | undefined>(
    fields.map(({ declaration: field, embedding }) => embeddedBy(embedding) ?? field.getInitializer()),
  );
  const misplaced = embedded.filter((call) => !known.has(call) && !isFieldInitialiser(call));
  const created = analyseCalls(made, device, fields, identity, targets);
  return {
    ...device,
    fields,
    locals: created.filter((each) => "calls" in each),
    allocations: [],
    strays: [
      ...declared.filter((each) => "reason" in each),
      ...misplaced.map((call) => stray(call, Reason.FieldForm)),
      ...created.filter((each) => "reason" in each),
    ],
  };
}

function analyseField(
  declaration: PropertyDeclaration,
  device: DeviceClass,
  embedded: readonly CallExpression[],
  identity: Identity,
): DeclaredField | StrayRegion | undefined {
  const embedding = embeddingIn(device.declaration, declaration);
  const name = nameOfField(declaration);
  const base = { device, declaration, name, embedding };
  const value = declaration.getInitializer() ?? embeddedBy(embedding);
  const call = embedded.find((each) => each === value);
  if (call === undefined) {
    const owned = ownedField(declaration, (type) => identity.isChild(type));
    return owned && { ...base, form: "owned", count: undefined, ...owned };
  }
  const [classNode, count] = call.getArguments();
  const plain =
    isPlainName(classNode ?? call) &&
    identity.isClassName(classNode ?? call) &&
    call.getTypeArguments().length === 0;
  if (declaration.isStatic() || !plain) {
    const reason = declaration.isStatic() ? Reason.StaticField : Reason.FieldForm;
    return { node: declaration, name, form: "embedded", maker: undefined, reason };
  }
  return {
    ...base,
    form: "embedded",
    className: classNode?.getText() ?? "",
    array: embedCall(call) === "embedArray",
    nullable: false,
    count: Node.isExpression(count) ? count : undefined,
  };
}

/** The children that a class creates without a field, and the creations that no codemod converts. */
function analyseCalls(
  calls: readonly Made[],
  device: DeviceClass,
  fields: readonly DeclaredField[],
  identity: Identity,
  targets: readonly SourceFile[],
): (RegionLocal | StrayRegion)[] {
  const byVariable = new Map<VariableDeclaration, Made[]>();
  const found: (RegionLocal | StrayRegion)[] = [];
  for (const made of calls) {
    const variable = variableOf(made.call);
    if (variable !== undefined) byVariable.set(variable, [...(byVariable.get(variable) ?? []), made]);
    else found.push(...analyseCall(made, device, fields, identity, targets));
  }
  for (const [variable, made] of byVariable) {
    for (const each of localsOfVariable(variable, made, device, identity)) {
      if ("reason" in each) found.push(stray(each.made, each.reason));
      else if (each.loop?.store === undefined) found.push(each);
    }
  }
  return found;
}

function analyseCall(
  made: Made,
  device: DeviceClass,
  fields: readonly DeclaredField[],
  identity: Identity,
  targets: readonly SourceFile[],
): (RegionLocal | StrayRegion)[] {
  const { call } = made;
  const parent = call.getParent();
  if (Node.isBinaryExpression(parent) && parent.getRight() === call) {
    const isOwned = (declared: PropertyDeclaration) =>
      ownedField(declared, (type) => identity.isChild(type)) !== undefined;
    const reason = assignmentProblem(parent.getLeft(), device, fields, identity, targets, isOwned);
    return reason === undefined ? [] : [stray(made, reason)];
  }
  const local = Node.isExpressionStatement(parent)
    ? localOfStatement(made, device, identity)
    : localOfArgument(made, device, identity);
  return "reason" in local ? [stray(made, local.reason)] : [local];
}

/** `this.newChild("pll", Pll);`: nothing but the tree of objects refers to the child. */
function localOfStatement(
  made: Made,
  device: DeviceClass,
  identity: Identity,
): RegionLocal | { readonly made: Made; readonly reason: Reason } {
  const statement = made.call.getParentIfKindOrThrow(SyntaxKind.ExpressionStatement);
  const place = placeProblem(made.call, device, identity);
  if (place !== undefined) return { made, reason: place };
  if (!Node.isBlock(statement.getParent()) || !hasLinesOfItsOwn(statement)) {
    return { made, reason: Reason.CreatedInExpression };
  }
  const { call, maker, className } = made;
  const creation: LocalCreation = { call, maker, statement, how: "declared" };
  const name = nameFor(call, "child");
  return { device, declaration: undefined, name, className, calls: [creation], uses: [], loop: undefined };
}
