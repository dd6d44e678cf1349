/** Phase 2, over the whole program: every use of every region that has a field, in any class and any file. */
import {
  Node,
  type ObjectBindingPattern,
  type PropertyAccessExpression,
  type PropertyDeclaration,
  type SourceFile,
  SyntaxKind,
  type Type,
} from "ts-morph";
import {
  type Creation,
  type DeclaredField,
  type FileFacts,
  type RegionField,
  type Use,
  UseKind,
} from "../regions/facts.ts";
import {
  arrayLoopOf,
  assignmentTo,
  countingLoopOf,
  hasThisOfItsOwn,
  initOn,
  memberOf,
  newRegion,
  outermost,
  useKindOf,
} from "../regions/syntax.ts";
import { loadMentions, type Workspace } from "../source/workspace.ts";

/** What the whole program does with the regions. */
export interface Combined {
  readonly files: readonly FileFacts[];
  /** Every source that was searched for uses: the targets, then other files of the package that mention a region. */
  readonly sources: readonly SourceFile[];
}

type FieldsByName = ReadonlyMap<string, readonly DeclaredField[]>;

/** A use, and the field that it may mean. */
type FoundUse = readonly [DeclaredField, Use];

/** Phase 2: every use of every region field. */
export function combine(workspace: Workspace, facts: readonly FileFacts<DeclaredField>[]): Combined {
  const fields = facts.flatMap(({ devices }) => devices.flatMap((device) => device.fields));
  const byName = groupByName(fields);
  const inTargets = collect(workspace.targets, byName);
  const names = new Set(fields.flatMap((field) => namesForOthers(field, inTargets.get(field) ?? [])));
  const others = loadMentions(workspace, names);
  const inOthers = collect(others, byName);
  const withUses = (field: DeclaredField): RegionField => {
    const uses = [...(inTargets.get(field) ?? []), ...(inOthers.get(field) ?? [])];
    return { ...field, uses, creations: creationsOf(field, uses) };
  };
  const files = facts.map((file) => ({
    ...file,
    devices: file.devices.map((device) => ({
      ...device,
      fields: device.fields.map(withUses).filter(isRegion),
    })),
  }));
  return { files, sources: [...workspace.targets, ...others] };
}

function groupByName(fields: readonly DeclaredField[]): Map<string, DeclaredField[]> {
  const byName = new Map<string, DeclaredField[]>();
  for (const field of fields) {
    const same = byName.get(field.name);
    if (same === undefined) byName.set(field.name, [field]);
    else same.push(field);
  }
  return byName;
}

function collect(files: readonly SourceFile[], byName: FieldsByName): Map<DeclaredField, Use[]> {
  const uses = new Map<DeclaredField, Use[]>();
  if (byName.size === 0) return uses;
  for (const [field, use] of files.flatMap((file) => usesIn(file, byName))) {
    const known = uses.get(field);
    if (known === undefined) uses.set(field, [use]);
    else known.push(use);
  }
  return uses;
}

/** Names by which code outside the class can reach a region: its own, if it is not private, and its getters'. */
function namesForOthers({ name, declaration }: DeclaredField, uses: readonly Use[]): string[] {
  const getters = uses
    .filter(({ kind }) => kind === UseKind.Return)
    .flatMap(({ member }) => (member !== undefined && Node.hasName(member) ? member.getName() : []));
  return isReachable(declaration) ? [name, ...getters] : getters;
}

/** False for a field of region type that its class does not create: it refers to a region of another object. */
function isRegion({ form, creations }: RegionField): boolean {
  return form === "embedded" || creations.length > 0;
}

function usesIn(file: SourceFile, byName: FieldsByName): FoundUse[] {
  const found: FoundUse[] = [];
  for (const access of file.getDescendantsOfKind(SyntaxKind.PropertyAccessExpression)) {
    const field = fieldOfName(access.getNameNode(), byName);
    const fields = field === undefined ? fieldsBehind(access, byName) : [field];
    for (const each of fields) found.push(useOf(each, access, kindOfUse(access, each)));
  }
  for (const access of file.getDescendantsOfKind(SyntaxKind.ElementAccessExpression)) {
    found.push(...computed(access.getExpression(), access, access.getArgumentExpression(), byName));
  }
  for (const pattern of file.getDescendantsOfKind(SyntaxKind.ObjectBindingPattern)) {
    found.push(...destructured(pattern, byName));
  }
  for (const spread of file.getDescendantsOfKind(SyntaxKind.SpreadAssignment)) {
    found.push(...copied(spread.getExpression(), spread, byName));
  }
  for (const call of file.getDescendantsOfKind(SyntaxKind.CallExpression)) {
    if (!reflective.test(call.getExpression().getText())) continue;
    for (const argument of call.getArguments()) found.push(...copied(argument, call, byName));
  }
  for (const loop of file.getDescendantsOfKind(SyntaxKind.ForInStatement)) {
    found.push(...copied(loop.getExpression(), loop.getExpression(), byName));
  }
  for (const type of file.getDescendantsOfKind(SyntaxKind.IndexedAccessType)) {
    const name = type.getIndexTypeNode().getText().slice(1, -1);
    for (const field of fieldsOfType(type.getObjectTypeNode().getType(), name, byName)) {
      found.push(useOf(field, type, UseKind.Computed));
    }
  }
  return found;
}

/** Functions that reach the fields of an object without naming them. */
const reflective = /^(Object|Reflect)\.\w+$|^structuredClone$|^JSON\.stringify$/;

function destructured(pattern: ObjectBindingPattern, byName: FieldsByName): FoundUse[] {
  return pattern.getElements().flatMap((element) => {
    if (element.getDotDotDotToken() !== undefined) return copied(pattern, element, byName);
    const name = (element.getPropertyNameNode() ?? element.getNameNode()).getText();
    if (!byName.has(name)) return [];
    const fields = fieldsOfType(pattern.getType(), name, byName);
    return fields.map((field) => useOf(field, element, UseKind.Destructure));
  });
}

/** Fields that `device.window` may mean if the type of `device` is an interface or base class that their class fits. */
function fieldsBehind(access: PropertyAccessExpression, byName: FieldsByName): DeclaredField[] {
  const candidates = (byName.get(access.getName()) ?? []).filter(({ declaration }) =>
    isReachable(declaration),
  );
  if (candidates.length === 0) return [];
  const [declared] = access.getNameNode().getSymbol()?.getDeclarations() ?? [];
  if (!Node.isPropertyDeclaration(declared) && !Node.isPropertySignature(declared)) return [];
  const type = access.getExpression().getType();
  return candidates.filter(({ device }) => device.declaration.getType().isAssignableTo(type));
}

function isReachable(declaration: PropertyDeclaration): boolean {
  return !declaration.hasModifier(SyntaxKind.PrivateKeyword) && !declaration.getName().startsWith("#");
}

/** The region field that a name node refers to. Fields are compared by declaration, so equal names do not matter. */
function fieldOfName(name: Node, byName: FieldsByName): DeclaredField | undefined {
  const candidates = byName.get(name.getText());
  if (candidates === undefined) return undefined;
  const declarations = name.getSymbol()?.getDeclarations() ?? [];
  return candidates.find((field) => declarations.some((each) => each === field.declaration));
}

function fieldsOfType(type: Type, name: string, byName: FieldsByName): DeclaredField[] {
  const declarations = type.getProperty(name)?.getDeclarations() ?? [];
  return (byName.get(name) ?? []).filter((field) => declarations.some((each) => each === field.declaration));
}

/** `device["iomem"]` is a use of that field; `device[key]` may be a use of any. */
function computed(object: Node, access: Node, key: Node | undefined, byName: FieldsByName): FoundUse[] {
  const type = object.getType();
  const literal = Node.isStringLiteral(key) || Node.isNoSubstitutionTemplateLiteral(key);
  if (!literal && type.getNumberIndexType() !== undefined) return [];
  const names = literal ? [key.getLiteralText()] : [...byName.keys()];
  const fields = names.flatMap((name) => fieldsOfType(type, name, byName));
  return fields.map((field) => useOf(field, access, UseKind.Computed));
}

function copied(object: Node, copy: Node, byName: FieldsByName): FoundUse[] {
  const type = object.getType();
  const fields = [...byName.keys()].flatMap((name) => fieldsOfType(type, name, byName));
  return fields.map((field) => useOf(field, copy, UseKind.Spread));
}

function useOf(field: DeclaredField, node: Node, kind: UseKind): FoundUse {
  const member = memberOf(node, field.device.declaration);
  const onThis =
    member !== undefined &&
    Node.isPropertyAccessExpression(node) &&
    Node.isThisExpression(node.getExpression()) &&
    !hasThisOfItsOwn(node, member);
  return [field, { node, kind, member, onThis }];
}

function kindOfUse(node: PropertyAccessExpression, field: DeclaredField): UseKind {
  if (field.form === "embedded") return useKindOf(node);
  if (isOwnedCreation(node, field)) return UseKind.Create;
  return useKindOf(node);
}

function isOwnedCreation(node: PropertyAccessExpression, field: DeclaredField): boolean {
  if (field.array) return ownedArrayCreation(node) !== undefined;
  const assigned = assignmentTo(node);
  return assigned !== undefined && newRegion(assigned.assignment.getRight()) !== undefined;
}

/** Creations by the class itself, on its own object. Others remain uses, which the third pass judges. */
function creationsOf(field: DeclaredField, uses: readonly Use[]): Creation[] {
  const own = uses.filter(({ onThis }) => onThis);
  if (field.array) return own.flatMap((use) => arrayCreations(use, field));
  return own.filter(({ kind }) => kind === UseKind.Create).flatMap((use) => creationAt(use, field) ?? []);
}

function creationAt({ node }: Use, field: DeclaredField): Creation | undefined {
  if (field.form === "embedded") {
    const init = initOn(node);
    const statement = init?.call.getParent();
    if (init === undefined || !Node.isExpressionStatement(statement)) return undefined;
    return { ...init, statement, loop: undefined };
  }
  const assigned = assignmentTo(node);
  const made = assigned && newRegion(assigned.assignment.getRight());
  if (assigned === undefined || made === undefined) return undefined;
  return { call: made.call, maker: made.maker, statement: assigned.statement, loop: undefined };
}

function arrayCreations({ node }: Use, field: DeclaredField): Creation[] {
  if (field.form === "owned") {
    const creation = ownedArrayCreation(node);
    return creation === undefined ? [] : [creation];
  }
  const loop = arrayLoopOf(node);
  const body = loop?.statement.getStatement();
  if (loop === undefined || !Node.isBlock(body)) return [];
  return body.getStatements().flatMap((statement) => {
    if (!Node.isExpressionStatement(statement)) return [];
    const call = statement.getExpression();
    const callee = Node.isCallExpression(call) ? call.getExpression() : undefined;
    const receiver = Node.isPropertyAccessExpression(callee) ? callee.getExpression() : undefined;
    const init = receiver?.getText() === loop.item ? initOn(receiver) : undefined;
    return init === undefined ? [] : [{ ...init, statement, loop }];
  });
}

/** The creation whose result `this.windows[index] = window;` stores, given `this.windows`. */
function ownedArrayCreation(node: Node): Creation | undefined {
  const element = outermost(node).getParent();
  const assigned = Node.isElementAccessExpression(element) ? assignmentTo(element) : undefined;
  const statement = assigned?.statement.getPreviousSibling();
  if (!Node.isVariableStatement(statement)) return undefined;
  const made = newRegion(statement.getDeclarations()[0]?.getInitializer());
  const loop = countingLoopOf(statement);
  if (made === undefined || loop === undefined || loop.store !== assigned?.statement) return undefined;
  return { call: made.call, maker: made.maker, statement, loop };
}
