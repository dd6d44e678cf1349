/** Pass 2, over the whole program: every use of every region that has a field, in any class and any file. */
import {
  Node,
  type ObjectBindingPattern,
  type PropertyAccessExpression,
  type PropertyDeclaration,
  type SourceFile,
  SyntaxKind,
  type Type,
} from "ts-morph";
import { type Creation, type DeviceFacts, type RegionField, type Use, UseKind } from "../regions/facts.ts";
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
import type { FileFacts } from "./1-analyse.ts";

type FieldsByName = ReadonlyMap<string, RegionField[]>;

export function combine(workspace: Workspace, facts: readonly FileFacts[]): void {
  const byName = new Map<string, RegionField[]>();
  for (const field of facts.flatMap(({ devices }) => devices.flatMap((device) => device.fields))) {
    byName.set(field.name, [...(byName.get(field.name) ?? []), field]);
  }
  if (byName.size === 0) return;
  for (const file of workspace.targets) findUses(file, byName);
  const fields = [...byName.values()].flat();
  loadMentions(workspace, new Set(fields.flatMap(namesForOthers)));
  for (const file of workspace.others) findUses(file, byName);
  for (const field of fields) field.creations.push(...creationsOf(field));
  for (const device of facts.flatMap(({ devices }) => devices)) forgetMereReferences(device);
}

/** Names by which code outside the class can reach a region: its own, if it is not private, and its getters'. */
function namesForOthers({ name, declaration, uses }: RegionField): string[] {
  const getters = uses
    .filter(({ kind }) => kind === UseKind.Return)
    .flatMap(({ member }) => (member !== undefined && Node.hasName(member) ? member.getName() : []));
  return isReachable(declaration) ? [name, ...getters] : getters;
}

/** Drops fields of region type that their class does not create: they refer to a region of another object. */
function forgetMereReferences({ fields }: DeviceFacts): void {
  const regions = fields.filter(({ form, creations }) => form === "embedded" || creations.length > 0);
  fields.splice(0, fields.length, ...regions);
}

function findUses(file: SourceFile, byName: FieldsByName): void {
  for (const access of file.getDescendantsOfKind(SyntaxKind.PropertyAccessExpression)) {
    const field = fieldOfName(access.getNameNode(), byName);
    const fields = field === undefined ? fieldsBehind(access, byName) : [field];
    for (const each of fields) addUse(each, access, kindOfUse(access, each));
  }
  for (const access of file.getDescendantsOfKind(SyntaxKind.ElementAccessExpression)) {
    findComputed(access.getExpression(), access, access.getArgumentExpression(), byName);
  }
  for (const pattern of file.getDescendantsOfKind(SyntaxKind.ObjectBindingPattern)) {
    findDestructured(pattern, byName);
  }
  for (const spread of file.getDescendantsOfKind(SyntaxKind.SpreadAssignment)) {
    findCopy(spread.getExpression(), spread, byName);
  }
  for (const call of file.getDescendantsOfKind(SyntaxKind.CallExpression)) {
    if (!reflective.test(call.getExpression().getText())) continue;
    for (const argument of call.getArguments()) findCopy(argument, call, byName);
  }
  for (const loop of file.getDescendantsOfKind(SyntaxKind.ForInStatement)) {
    findCopy(loop.getExpression(), loop.getExpression(), byName);
  }
  for (const type of file.getDescendantsOfKind(SyntaxKind.IndexedAccessType)) {
    const name = type.getIndexTypeNode().getText().slice(1, -1);
    for (const field of fieldsOfType(type.getObjectTypeNode().getType(), name, byName)) {
      addUse(field, type, UseKind.Computed);
    }
  }
}

/** Functions that reach the fields of an object without naming them. */
const reflective = /^(Object|Reflect)\.\w+$|^structuredClone$|^JSON\.stringify$/;

function findDestructured(pattern: ObjectBindingPattern, byName: FieldsByName): void {
  for (const element of pattern.getElements()) {
    const name = (element.getPropertyNameNode() ?? element.getNameNode()).getText();
    if (element.getDotDotDotToken() !== undefined) findCopy(pattern, element, byName);
    else if (byName.has(name)) {
      for (const field of fieldsOfType(pattern.getType(), name, byName)) {
        addUse(field, element, UseKind.Destructure);
      }
    }
  }
}

/** Fields that `device.window` may mean if the type of `device` is an interface or base class that their class fits. */
function fieldsBehind(access: PropertyAccessExpression, byName: FieldsByName): RegionField[] {
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
function fieldOfName(name: Node, byName: FieldsByName): RegionField | undefined {
  const candidates = byName.get(name.getText());
  if (candidates === undefined) return undefined;
  const declarations = name.getSymbol()?.getDeclarations() ?? [];
  return candidates.find((field) => declarations.some((each) => each === field.declaration));
}

function fieldsOfType(type: Type, name: string, byName: FieldsByName): RegionField[] {
  const declarations = type.getProperty(name)?.getDeclarations() ?? [];
  return (byName.get(name) ?? []).filter((field) => declarations.some((each) => each === field.declaration));
}

/** `device["iomem"]` is a use of that field; `device[key]` may be a use of any. */
function findComputed(object: Node, access: Node, key: Node | undefined, byName: FieldsByName): void {
  const type = object.getType();
  const literal = Node.isStringLiteral(key) || Node.isNoSubstitutionTemplateLiteral(key);
  const names = literal ? [key.getLiteralText()] : byName.keys();
  if (!literal && type.getNumberIndexType() !== undefined) return;
  for (const name of names) {
    for (const field of fieldsOfType(type, name, byName)) addUse(field, access, UseKind.Computed);
  }
}

function findCopy(object: Node, copy: Node, byName: FieldsByName): void {
  const type = object.getType();
  for (const name of byName.keys()) {
    for (const field of fieldsOfType(type, name, byName)) addUse(field, copy, UseKind.Spread);
  }
}

function addUse(field: RegionField, node: Node, kind: UseKind): void {
  const member = memberOf(node, field.device.declaration);
  const onThis =
    member !== undefined &&
    Node.isPropertyAccessExpression(node) &&
    Node.isThisExpression(node.getExpression()) &&
    !hasThisOfItsOwn(node, member);
  field.uses.push({ node, kind, member, onThis });
}

function kindOfUse(node: PropertyAccessExpression, field: RegionField): UseKind {
  if (field.form === "embedded") return useKindOf(node);
  if (isOwnedCreation(node, field)) return UseKind.Create;
  return useKindOf(node);
}

function isOwnedCreation(node: PropertyAccessExpression, field: RegionField): boolean {
  if (field.array) return ownedArrayCreation(node) !== undefined;
  const assigned = assignmentTo(node);
  return assigned !== undefined && newRegion(assigned.assignment.getRight()) !== undefined;
}

/** Creations by the class itself, on its own object. Others remain uses, which the third pass judges. */
function creationsOf(field: RegionField): Creation[] {
  const own = field.uses.filter(({ onThis }) => onThis);
  if (field.array) return own.flatMap((use) => arrayCreations(use, field));
  return own.filter(({ kind }) => kind === UseKind.Create).flatMap((use) => creationAt(use, field) ?? []);
}

function creationAt({ node }: Use, field: RegionField): Creation | undefined {
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

function arrayCreations({ node }: Use, field: RegionField): Creation[] {
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
