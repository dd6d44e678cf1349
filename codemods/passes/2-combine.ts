/** Phase 2, over the whole program: every use of every region that has a field, in any class and any file. */
import {
  type BinaryExpression,
  type CallExpression,
  type ClassDeclaration,
  type ElementAccessExpression,
  Node,
  type ObjectBindingPattern,
  type PropertyAccessExpression,
  type SourceFile,
  SyntaxKind,
  type Type,
} from "ts-morph";
import { arrayCreations, ownedArrayCreation } from "../regions/arrays.ts";
import {
  type Creation,
  type DeclaredField,
  type FileFacts,
  type Helper,
  type RegionField,
  type Use,
  UseKind,
} from "../regions/facts.ts";
import { helperOf, regionArgument } from "../regions/helpers.ts";
import { declarationsOf, NameIndex } from "../regions/names.ts";
import {
  assignmentTo,
  creatingStatement,
  hasThisOfItsOwn,
  initOn,
  memberOf,
  newRegion,
  reflective,
  useKindOf,
} from "../regions/syntax.ts";
import { innermost } from "../regions/trace-syntax.ts";
import { kindsIn } from "../source/node-index.ts";
import { loadMentions, type Workspace } from "../source/workspace.ts";
import {
  type FieldsByName,
  fieldsBehind,
  fieldsOfName,
  fieldsOfType,
  groupByName,
  isReachable,
} from "./field-lookup.ts";

/** What the whole program does with the regions. */
export interface Combined {
  readonly files: readonly FileFacts[];
  /** Every source that was searched for uses: the targets, then other files of the package that mention a region. */
  readonly sources: readonly SourceFile[];
  readonly names: NameIndex;
}

/** A use, and the field that it may mean. */
type FoundUse = readonly [DeclaredField, Use];

/** Phase 2: every use of every region field. */
export function combine(workspace: Workspace, facts: readonly FileFacts<DeclaredField>[]): Combined {
  const fields = facts.flatMap(({ devices }) => devices.flatMap((device) => device.fields));
  const byName = groupByName(fields);
  const inTargets = collect(workspace.targets, byName);
  const reachable = new Set(fields.flatMap((field) => namesForOthers(field, inTargets.get(field) ?? [])));
  const others = loadMentions(workspace, reachable);
  const inOthers = collect(others, byName);
  const sources = [...workspace.targets, ...others];
  const names = new NameIndex(sources);
  const helpers = new Helpers(fields, names, workspace.targets);
  const withUses = (field: DeclaredField): RegionField => {
    const { embedding } = field;
    const found = [...(inTargets.get(field) ?? []), ...(inOthers.get(field) ?? [])].filter(
      ({ node }) => embedding === undefined || !node.getAncestors().includes(embedding),
    );
    const byHelper = helperCreations(field, found, helpers);
    const uses = found.map((use) => (byHelper.has(use) ? { ...use, kind: UseKind.Create } : use));
    return { ...field, uses, creations: [...creationsOf(field, uses), ...byHelper.values()] };
  };
  const files = facts.map((file) => ({
    ...file,
    devices: file.devices.map((device) => ({
      ...device,
      fields: device.fields.map(withUses).filter(isRegion),
    })),
  }));
  return { files, sources, names };
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
  return form !== "owned" || creations.length > 0;
}

/** The end of a pattern that is assigned to: `({ window } = device)`. */
const assignedPattern = /\}\s*=(?![=>])/;

function usesIn(file: SourceFile, byName: FieldsByName): FoundUse[] {
  const found: FoundUse[] = [];
  const kinds = kindsIn(file);
  const each = <Kind extends SyntaxKind>(kind: Kind) =>
    kinds.has(kind) ? file.getDescendantsOfKind(kind) : [];
  for (const access of each(SyntaxKind.PropertyAccessExpression)) {
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
  for (const call of each(SyntaxKind.CallExpression)) {
    if (reflective.test(call.getExpression().getText())) {
      for (const argument of call.getArguments()) found.push(...copied(argument, call, byName));
    }
    found.push(...namedByKey(call, byName));
  }
  for (const loop of each(SyntaxKind.ForInStatement)) {
    found.push(...copied(loop.getExpression(), loop.getExpression(), byName));
  }
  if (kinds.has(SyntaxKind.InKeyword) || assignedPattern.test(file.getFullText())) {
    for (const assignment of each(SyntaxKind.BinaryExpression)) {
      found.push(...patternOrTest(assignment, byName));
    }
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

/** `device.window`, by the type of `device`: the class, a base class, an interface, or none at all. */
function accessed(access: PropertyAccessExpression, byName: FieldsByName): FoundUse[] {
  const candidates = byName.get(access.getName());
  if (candidates === undefined) return [];
  const named = fieldsOfName(access.getNameNode(), byName);
  const fields = named.length > 0 ? named : fieldsBehind(access, byName);
  if (fields.length > 0) return fields.map((field) => useOf(field, access, kindOfUse(access, field)));
  return untyped(access.getExpression(), access, candidates);
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
    found.push(...fields.map((field) => useOf(field, argument, UseKind.Computed)));
  }
  return found;
}

/** True if the parameter that takes `argument` accepts some strings only. */
function isKey(call: CallExpression, argument: Node): boolean {
  const checker = call.getProject().getTypeChecker();
  const declaration = checker.getResolvedSignature(call)?.getDeclaration();
  if (!Node.isParametered(declaration)) return false;
  const parameter = declaration.getParameters()[call.getArguments().indexOf(argument)];
  const type = parameter?.getType();
  return type !== undefined && !type.isString() && !type.isAny() && !type.isUnknown() && mayBeKey(type);
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

/** `device["iomem"]` is a use of that field; `device[key]` may be a use of any. */
function computed(access: ElementAccessExpression, byName: FieldsByName): FoundUse[] {
  const key = access.getArgumentExpression();
  const type = access.getExpression().getType();
  if (Node.isStringLiteral(key) || Node.isNoSubstitutionTemplateLiteral(key)) {
    const name = key.getLiteralText();
    const fields = fieldsOfType(type, name, byName);
    if (fields.length > 0) return fields.map((field) => useOf(field, access, kindOfUse(access, field)));
    return untyped(access.getExpression(), access, byName.get(name) ?? []);
  }
  if (type.getNumberIndexType() !== undefined || key?.getType().isNumber()) return [];
  const fields = [...byName.keys()].flatMap((name) => fieldsOfType(type, name, byName));
  return fields.map((field) => useOf(field, access, UseKind.Computed));
}

function copied(object: Node, copy: Node, byName: FieldsByName): FoundUse[] {
  const type = object.getType();
  const fields = [...byName.keys()].flatMap((name) => fieldsOfType(type, name, byName));
  return fields.map((field) => useOf(field, copy, UseKind.Spread));
}

function useOf(field: DeclaredField, node: Node, kind: UseKind): FoundUse {
  const { declaration } = field.device;
  const member = memberOf(node, declaration);
  const home = member ?? memberOfDerived(node, declaration);
  const onObject = home !== undefined && isOnThis(node) && !hasThisOfItsOwn(node, home);
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

/** Creations by the class itself, on its own object. Others remain uses, which the third pass judges. */
function creationsOf(field: DeclaredField, uses: readonly Use[]): Creation[] {
  const own = uses.filter(({ onThis, inDerived }) => onThis || inDerived);
  if (field.array) return own.flatMap((use) => arrayCreations(use, field));
  return own.filter(({ kind }) => kind === UseKind.Create).flatMap((use) => creationAt(use, field) ?? []);
}

function creationAt({ node }: Use, field: DeclaredField): Creation | undefined {
  if (field.form !== "owned") {
    const init = initOn(node);
    const statement = init && creatingStatement(init.call);
    if (init === undefined || statement === undefined) return undefined;
    return { ...init, statement, loop: undefined, helper: undefined };
  }
  const assigned = assignmentTo(node);
  const made = assigned && newRegion(assigned.assignment.getRight());
  if (assigned === undefined || made === undefined) return undefined;
  return {
    call: made.call,
    maker: made.maker,
    statement: assigned.statement,
    loop: undefined,
    helper: undefined,
  };
}

/** Statements that pass the field to a function that initialises it, if all callers of that function do the same. */
function helperCreations(field: DeclaredField, uses: readonly Use[], helpers: Helpers): Map<Use, Creation> {
  const found = new Map<Use, Creation>();
  if (field.form !== "embedded" || field.array) return found;
  for (const use of uses) {
    if (use.kind !== UseKind.Argument || !(use.onThis || use.inDerived)) continue;
    const known = helperOf(use.node, helpers.names);
    const call = use.node.getParentIfKind(SyntaxKind.CallExpression);
    const statement = call?.getParentIfKind(SyntaxKind.ExpressionStatement);
    if (known === undefined || call === undefined || statement === undefined) continue;
    const { helper, maker } = known;
    if (helpers.convert(helper)) found.set(use, { call, statement, maker, loop: undefined, helper });
  }
  return found;
}

/** Functions that initialise regions given to them; each is judged once, however many devices call it. */
class Helpers {
  readonly names: NameIndex;
  private readonly embedded: ReadonlySet<Node>;
  private readonly targets: ReadonlySet<SourceFile>;
  private readonly known = new Map<Helper, boolean>();

  constructor(fields: readonly DeclaredField[], names: NameIndex, targets: readonly SourceFile[]) {
    const embedded = fields.filter(({ form, array }) => form === "embedded" && !array);
    this.embedded = new Set(embedded.map(({ declaration }) => declaration));
    this.names = names;
    this.targets = new Set(targets);
  }

  /** True if the function may be edited, and every caller gives it an embedded field of its own. */
  convert(helper: Helper): boolean {
    const known = this.known.get(helper);
    if (known !== undefined) return known;
    const given = helper.calls.map((each) => regionArgument(each, helper));
    const converts =
      this.targets.has(helper.fn.getSourceFile()) &&
      given.every((each) => {
        if (!Node.isPropertyAccessExpression(each) || !Node.isThisExpression(each.getExpression()))
          return false;
        return declarationsOf(each.getNameNode()).some((declaration) => this.embedded.has(declaration));
      });
    this.known.set(helper, converts);
    return converts;
  }
}
