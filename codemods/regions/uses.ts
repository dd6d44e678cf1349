/** Finds every use of a region field in a file, by the types of the objects that it is reached through. */
import {
  type AsExpression,
  type BinaryExpression,
  type CallExpression,
  type ClassDeclaration,
  type ElementAccessExpression,
  Node,
  type ObjectBindingPattern,
  type PropertyAccessExpression,
  type PropertyDeclaration,
  type SourceFile,
  SyntaxKind,
  type Type,
  ts,
} from "ts-morph";
import { descendantsOfKind, writtenName } from "../source/node-index.ts";
import { classOfThis } from "../source/this-class.ts";
import { propertyOf, symbolOf } from "../source/types.ts";
import { ownedArrayCreation } from "./arrays.ts";
import { constructorByInit, constructorByNew } from "./constructors.ts";
import { type DeclaredField, type Use, UseKind } from "./facts.ts";
import { declarationsOf } from "./names.ts";
import { assignmentTo, hasThisOfItsOwn, memberOf, newRegion, reflective, useKindOf } from "./syntax.ts";
import { derivesFrom, innermost, isOnNameOfThis, isPrototype } from "./trace-syntax.ts";

/** Region fields by name. */
export type FieldsByName = ReadonlyMap<string, readonly DeclaredField[]>;

/** A use, and the field that it may mean. */
export type FoundUse = readonly [DeclaredField, Use];

/** The uses of region fields in one file. */
export function usesIn(file: SourceFile, byName: FieldsByName): FoundUse[] {
  const found: FoundUse[] = [];
  const each = <Kind extends SyntaxKind>(kind: Kind, mayUse?: (node: ts.Node) => boolean) =>
    descendantsOfKind(file, kind, mayUse);
  const isNamed = (name: ts.MemberName) => byName.has(writtenName(name, file.compilerNode));
  for (const access of each(
    SyntaxKind.PropertyAccessExpression,
    (node) => ts.isPropertyAccessExpression(node) && isNamed(node.name),
  )) {
    found.push(...accessed(access, byName));
  }
  for (const access of each(SyntaxKind.ElementAccessExpression)) {
    found.push(...computed(access, byName));
  }
  for (const pattern of each(SyntaxKind.ObjectBindingPattern)) {
    found.push(...destructured(pattern, byName));
  }
  for (const spread of each(SyntaxKind.SpreadAssignment)) {
    found.push(...copied(spread.getExpression(), spread, byName));
  }
  for (const call of each(
    SyntaxKind.CallExpression,
    (node) => ts.isCallExpression(node) && (mayReflect(node) || givesName(node, byName)),
  )) {
    if (reflective.test(call.getExpression().getText())) {
      for (const argument of call.getArguments()) found.push(...copied(argument, call, byName));
    }
    found.push(...namedByKey(call, byName));
  }
  for (const cast of each(SyntaxKind.AsExpression)) found.push(...asRecord(cast, byName));
  for (const object of each(SyntaxKind.ThisKeyword, isGivenAway)) {
    found.push(...givenAsRecord(object, byName));
  }
  for (const loop of each(SyntaxKind.ForInStatement)) {
    found.push(...copied(loop.getExpression(), loop.getExpression(), byName));
  }
  for (const assignment of each(SyntaxKind.BinaryExpression, isPatternOrTest)) {
    found.push(...patternOrTest(assignment, byName));
  }
  for (const type of each(SyntaxKind.IndexedAccessType)) {
    const name = type.getIndexTypeNode().getText().slice(1, -1);
    const fields = fieldsOfType(type.getObjectTypeNode().getType(), name, byName);
    found.push(...fields.map((field) => useOf(field, type, UseKind.Type)));
  }
  for (const query of each(SyntaxKind.QualifiedName)) {
    const fields = fieldsOfName(query.getRight(), byName);
    found.push(...fields.map((field) => useOf(field, query, UseKind.Type)));
  }
  return found;
}

/** True for a call that `reflective` may describe. */
function mayReflect({ expression }: ts.CallExpression): boolean {
  const root = ts.isPropertyAccessExpression(expression) ? expression.expression : expression;
  return ts.isIdentifier(root);
}

/** True for a call with a string that is the name of a region. */
function givesName(call: ts.CallExpression, byName: FieldsByName): boolean {
  return call.arguments.some((each) => ts.isStringLiteral(each) && byName.has(each.text));
}

/** True for a `this` whose members may be reached by other names, where it is given to. */
function isGivenAway({ parent }: ts.Node): boolean {
  if (ts.isPropertyAccessExpression(parent)) return false;
  return !(ts.isCallExpression(parent) && createsRegion(parent)); // by far the most common; types cost more than names
}

/** True for `({ window } = device)` and `"window" in device`. */
function isPatternOrTest(node: ts.Node): boolean {
  if (!ts.isBinaryExpression(node)) return false;
  const { kind } = node.operatorToken;
  if (kind === SyntaxKind.InKeyword) return true;
  return kind === SyntaxKind.EqualsToken && ts.isObjectLiteralExpression(node.left);
}

/** `this as unknown as Record<string, unknown>`: by that type any of its names may be meant. */
function asRecord(cast: AsExpression, byName: FieldsByName): FoundUse[] {
  if (cast.getType().getStringIndexType() === undefined) return [];
  return fieldsIn(innermost(cast).getType(), byName).map((field) => useOf(field, cast, UseKind.Computed));
}

/** `const fields: Record<string, any> = this`, and the like for arguments. */
function givenAsRecord(object: Node, byName: FieldsByName): FoundUse[] {
  if (!Node.isExpression(object)) return [];
  if (object.getContextualType()?.getStringIndexType() === undefined) return [];
  return fieldsIn(object.getType(), byName).map((field) => useOf(field, object, UseKind.Computed));
}

function createsRegion({ expression }: ts.CallExpression): boolean {
  if (!ts.isPropertyAccessExpression(expression)) return false;
  const { text } = expression.name;
  return constructorByInit.has(text) || constructorByNew.has(text);
}

function fieldsIn(type: Type, byName: FieldsByName): DeclaredField[] {
  return [...byName.keys()].flatMap((name) => fieldsOfType(type, name, byName));
}

/** `device.window`, by the type of `device`: the class, a base class, an interface, or none at all. */
function accessed(access: PropertyAccessExpression, byName: FieldsByName): FoundUse[] {
  const candidates = byName.get(access.getName());
  if (candidates === undefined) return [];
  const own = ownFields(access.compilerNode, candidates);
  const named = own.length > 0 ? own : fieldsOfName(access.getNameNode(), byName);
  const fields = named.length > 0 ? named : fieldsThatFit(access, byName);
  if (fields.length > 0) return fields.map((field) => useOf(field, access, kindOfUse(access, field)));
  return untyped(access.getExpression(), access, candidates);
}

/** Fields by the class that declares them, of each list of fields with one name. */
const fieldsByClass = new WeakMap<readonly DeclaredField[], ReadonlyMap<ts.Node, readonly DeclaredField[]>>();

/** The fields that `this.window` means if its own class declares them: by far the most common, and found without types. */
function ownFields(
  { expression }: ts.PropertyAccessExpression,
  candidates: readonly DeclaredField[],
): readonly DeclaredField[] {
  const holder = expression.kind === SyntaxKind.ThisKeyword ? classOfThis(expression) : undefined;
  if (holder === undefined) return [];
  const known = fieldsByClass.get(candidates) ?? byClass(candidates);
  fieldsByClass.set(candidates, known);
  return known.get(holder) ?? [];
}

function byClass(fields: readonly DeclaredField[]): Map<ts.Node, DeclaredField[]> {
  const found = new Map<ts.Node, DeclaredField[]>();
  for (const field of fields.filter(({ declaration }) => !declaration.isStatic())) {
    const { parent } = field.declaration.compilerNode;
    found.set(parent, [...(found.get(parent) ?? []), field]);
  }
  return found;
}

/** An access to an object without a type, in a file that knows the class. */
function untyped(object: Node, access: Node, candidates: readonly DeclaredField[]): FoundUse[] {
  if (!object.getType().isAny()) return [];
  const fields = knownIn(access.getSourceFile(), candidates);
  return fields.map((field) => useOf(field, access, UseKind.Computed));
}

/** The fields of classes that a file declares or imports. */
function knownIn(file: SourceFile, candidates: readonly DeclaredField[]): DeclaredField[] {
  const known = new Set<SourceFile | undefined>([file]);
  for (const each of file.getImportDeclarations()) known.add(each.getModuleSpecifierSourceFile());
  return candidates.filter(({ device }) => known.has(device.file));
}

/** `pick(device, "window")`: a string that the type of its parameter takes for the name of a field. */
function namedByKey(call: CallExpression, byName: FieldsByName): FoundUse[] {
  const found: FoundUse[] = [];
  for (const argument of call.getArguments()) {
    if (!Node.isStringLiteral(argument)) continue;
    const name = argument.getLiteralText();
    const candidates = byName.get(name);
    if (candidates === undefined || !isKey(call, argument)) continue;
    const objects = call.getArguments().filter((each) => each !== argument);
    const named = objects.flatMap((each) => fieldsOfType(each.getType(), name, byName));
    const fields = named.length > 0 ? named : knownIn(call.getSourceFile(), candidates);
    const picked =
      named.length > 0 && isPick(call) && objects.every((each) => Node.isThisExpression(innermost(each)));
    found.push(
      ...fields.map((field) =>
        picked ? useOf(field, call, kindOfUse(call, field)) : useOf(field, argument, UseKind.Computed),
      ),
    );
  }
  return found;
}

/** True for a call of `function pick(object, key) { return object[key]; }`, whose result is the field's value. */
function isPick(call: CallExpression): boolean {
  const [fn] = declarationsOf(call.getExpression());
  if (!Node.isFunctionDeclaration(fn) || fn.isAsync() || fn.isGenerator()) return false;
  const [statement, more] = fn.getStatements();
  const access =
    Node.isReturnStatement(statement) && more === undefined ? statement.getExpression() : undefined;
  if (!Node.isElementAccessExpression(access)) return false;
  const [object, key, ...others] = fn.getParameters().map((each) => each.getName());
  return (
    others.length === 0 &&
    access.getExpression().getText() === object &&
    access.getArgumentExpression()?.getText() === key
  );
}

/** True if the parameter that takes `argument` accepts some strings only. */
function isKey(call: CallExpression, argument: Node): boolean {
  if (takesAnyString(call, call.getArguments().indexOf(argument))) return false;
  const checker = call.getProject().getTypeChecker();
  const declaration = checker.getResolvedSignature(call)?.getDeclaration();
  if (!Node.isParametered(declaration)) return false;
  const parameter = declaration.getParameters()[call.getArguments().indexOf(argument)];
  const type = parameter?.getType();
  return type !== undefined && !type.isString() && !type.isAny() && !type.isUnknown() && mayBeKey(type);
}

/**
 * True if every declaration of the function lets that parameter be any string; which of them is called costs more to know.
 */
function takesAnyString(call: CallExpression, index: number): boolean {
  const callee = call.getExpression();
  const name = Node.isPropertyAccessExpression(callee) ? callee.getNameNode() : callee;
  const declarations = symbolOf(name)?.compilerSymbol.declarations ?? [];
  return (
    declarations.length > 0 &&
    declarations.every((each) => {
      const type = ts.isFunctionLike(each) ? each.parameters[index]?.type : undefined;
      return type !== undefined && isAnyString(type);
    })
  );
}

/** `string`, and `string | null`. */
function isAnyString(type: ts.TypeNode): boolean {
  if (!ts.isUnionTypeNode(type)) return type.kind === SyntaxKind.StringKeyword;
  return type.types.some(isAnyString) && type.types.every((each) => isAnyString(each) || isNothing(each));
}

function isNothing(type: ts.TypeNode): boolean {
  if (ts.isLiteralTypeNode(type)) return type.literal.kind === SyntaxKind.NullKeyword;
  return type.kind === SyntaxKind.UndefinedKeyword;
}

function mayBeKey(type: Type): boolean {
  const bound = type.isTypeParameter() ? type.getConstraint() : type;
  if (bound === undefined) return false;
  const parts = bound.isUnion() ? bound.getUnionTypes() : [bound];
  return bound.getText().startsWith("keyof ") || parts.some((part) => part.isStringLiteral());
}

/** `({ window: x } = device)` and `"window" in device`. */
function patternOrTest(binary: BinaryExpression, byName: FieldsByName): FoundUse[] {
  const [left, right] = [binary.getLeft(), binary.getRight()];
  switch (binary.getOperatorToken().getKind()) {
    case SyntaxKind.EqualsToken: {
      if (!Node.isObjectLiteralExpression(left)) return [];
      const type = right.getType();
      return [...byName.keys()]
        .filter((name) => left.getProperty(name) !== undefined)
        .flatMap((name) => fieldsOfType(type, name, byName))
        .map((field) => useOf(field, left, UseKind.Destructure));
    }
    case SyntaxKind.InKeyword: {
      const name = Node.isStringLiteral(left) ? left.getLiteralText() : undefined;
      if (name === undefined || !byName.has(name)) return [];
      return fieldsOfType(right.getType(), name, byName).map((field) =>
        useOf(field, binary, UseKind.Compare),
      );
    }
    default:
      return [];
  }
}

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
function fieldsThatFit(access: PropertyAccessExpression, byName: FieldsByName): DeclaredField[] {
  const candidates = reachableOf(byName.get(access.getName()) ?? []);
  if (candidates.length === 0) return [];
  const [declared] = access.getNameNode().getSymbol()?.getDeclarations() ?? [];
  if (!Node.isPropertyDeclaration(declared) && !Node.isPropertySignature(declared)) return [];
  const object = access.getExpression();
  if (Node.isThisExpression(innermost(object))) {
    const around = object.getFirstAncestorByKind(SyntaxKind.ClassDeclaration);
    if (around !== undefined)
      return candidates.filter(({ device }) => derivesFrom(device.declaration, around));
  }
  const type = object.getType();
  return candidates.filter(({ device }) => device.declaration.getType().isAssignableTo(type));
}

const reachableFields = new WeakMap<readonly DeclaredField[], readonly DeclaredField[]>();

/** Those of the fields with one name that other code can reach; the same list has the same answer. */
function reachableOf(fields: readonly DeclaredField[]): readonly DeclaredField[] {
  const known = reachableFields.get(fields);
  if (known !== undefined) return known;
  const reachable = fields.filter(({ declaration }) => isReachable(declaration));
  reachableFields.set(fields, reachable);
  return reachable;
}

/** True for a field that other code can name. */
export function isReachable(declaration: PropertyDeclaration): boolean {
  return !declaration.hasModifier(SyntaxKind.PrivateKeyword) && !declaration.getName().startsWith("#");
}

/** The region fields that a name may refer to: several if the object is one of several devices. */
function fieldsOfName(name: Node, byName: FieldsByName): DeclaredField[] {
  if (!byName.has(name.getText())) return [];
  return fieldsDeclaredBy(symbolOf(name)?.getDeclarations() ?? [], name.getText(), byName);
}

function fieldsOfType(type: Type, name: string, byName: FieldsByName): DeclaredField[] {
  if (!byName.has(name)) return [];
  return fieldsDeclaredBy(propertyOf(type, name)?.getDeclarations() ?? [], name, byName);
}

/** Fields by their declarations, of each list of fields with one name: there may be one in each of very many files. */
const fieldsByDeclaration = new WeakMap<readonly DeclaredField[], ReadonlyMap<Node, DeclaredField>>();

function fieldsDeclaredBy(
  declarations: readonly Node[],
  name: string,
  byName: FieldsByName,
): DeclaredField[] {
  const candidates = byName.get(name) ?? [];
  const known =
    fieldsByDeclaration.get(candidates) ??
    new Map(candidates.map((field): [Node, DeclaredField] => [field.declaration, field]));
  fieldsByDeclaration.set(candidates, known);
  return declarations.flatMap((each) => known.get(each) ?? []);
}

/** `device["iomem"]` is a use of that field; `device[key]` may be a use of any. */
function computed(access: ElementAccessExpression, byName: FieldsByName): FoundUse[] {
  const key = access.getArgumentExpression();
  if (Node.isStringLiteral(key) || Node.isNoSubstitutionTemplateLiteral(key)) {
    const name = key.getLiteralText();
    const candidates = byName.get(name);
    if (candidates === undefined) return [];
    const fields = fieldsOfType(access.getExpression().getType(), name, byName);
    if (fields.length > 0) return fields.map((field) => useOf(field, access, kindOfUse(access, field)));
    return untyped(access.getExpression(), access, candidates);
  }
  const type = access.getExpression().getType();
  if (type.getNumberIndexType() !== undefined || key?.getType().isNumber()) return [];
  return fieldsIn(type, byName).map((field) => useOf(field, access, UseKind.Computed));
}

function copied(object: Node, copy: Node, byName: FieldsByName): FoundUse[] {
  if (isPrototype(object)) return [];
  return fieldsIn(object.getType(), byName).map((field) => useOf(field, copy, UseKind.Spread));
}

function useOf(field: DeclaredField, node: Node, kind: UseKind): FoundUse {
  const { declaration } = field.device;
  const member = memberOf(node, declaration);
  const home = member ?? memberOfDerived(node, declaration);
  const onObject =
    home !== undefined && ((isOnThis(node) && !hasThisOfItsOwn(node, home)) || isOnNameOfThis(node, home));
  return [
    field,
    {
      node,
      kind,
      member,
      onThis: onObject && member !== undefined,
      inDerived: onObject && member === undefined,
    },
  ];
}

/** `this.name` or `this["name"]`. */
function isOnThis(node: Node): boolean {
  const access = Node.isPropertyAccessExpression(node) || Node.isElementAccessExpression(node);
  return access && Node.isThisExpression(innermost(node.getExpression()));
}

/** The member of a class derived from `device` that contains `node`. */
function memberOfDerived(node: Node, device: ClassDeclaration): Node | undefined {
  const around = node.getFirstAncestorByKind(SyntaxKind.ClassDeclaration);
  for (let base = around?.getBaseClass(); base !== undefined; base = base.getBaseClass()) {
    if (base === device && around !== undefined) {
      const member = memberOf(node, around);
      return Node.isStaticable(member) && member.isStatic() ? undefined : member;
    }
  }
  return undefined;
}

function kindOfUse(node: Node, field: DeclaredField): UseKind {
  if (field.form !== "owned") return useKindOf(node);
  return isOwnedCreation(node, field) ? UseKind.Create : useKindOf(node);
}

function isOwnedCreation(node: Node, field: DeclaredField): boolean {
  if (field.array) return ownedArrayCreation(node) !== undefined;
  const assigned = assignmentTo(node);
  return assigned !== undefined && newRegion(assigned.assignment.getRight()) !== undefined;
}
