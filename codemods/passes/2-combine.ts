/** Phase 2, over the whole program: every use of every region that has a field, in any class and any file. */
import { Node, type SourceFile, SyntaxKind } from "ts-morph";
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
import { childMakers, type Made, type Makers, regionMakers, type Subject } from "../regions/makers.ts";
import { declarationsOf, NameIndex } from "../regions/names.ts";
import { Reason } from "../regions/reasons.ts";
import { assignmentTo, creatingStatement, enclosingFunction, outermost } from "../regions/syntax.ts";
import { type FieldsByName, isReachable, usesIn } from "../regions/uses.ts";
import { loadMentions, type Workspace } from "../source/workspace.ts";
import { deviceOf, nearestClass, stray } from "./1-analyse.ts";

/** What the whole program does with the regions. */
export interface Combined {
  readonly files: readonly FileFacts[];
  /** Every source that was searched for uses: the targets, then other files of the package that mention a region. */
  readonly sources: readonly SourceFile[];
  /** Paths of those that are not in UTF-8. */
  readonly notUtf8: readonly string[];
  readonly names: NameIndex;
}

/** Phase 2: every use of every region field. */
export function combine(
  workspace: Workspace,
  facts: readonly FileFacts<DeclaredField>[],
  subject: Subject = "regions",
): Combined {
  const fields = facts.flatMap(({ devices }) => devices.flatMap((device) => device.fields));
  const byName = groupByName(fields);
  const inTargets = collect(workspace.targets, byName);
  const reachable = new Set(fields.flatMap((field) => namesForOthers(field, inTargets.get(field) ?? [])));
  const { files: others, notUtf8 } = loadMentions(workspace, reachable, extensibleClasses(facts));
  const inOthers = collect(others, byName);
  const sources = [...workspace.targets, ...others];
  const names = new NameIndex(sources);
  const helpers = new Helpers(fields, names, workspace.targets);
  const withUses = (field: DeclaredField): RegionField => {
    const { embedding } = field;
    const found = [...(inTargets.get(field) ?? []), ...(inOthers.get(field) ?? [])].filter(
      ({ node }) => embedding === undefined || !node.getAncestors().includes(embedding),
    );
    if (subject === "children") {
      const uses = found.map((use) => childUse(use, field));
      return { ...field, uses, creations: creationsOf(field, uses, childMakers) };
    }
    const byHelper = helperCreations(field, found, helpers);
    const uses = found.map((use) => (byHelper.has(use) ? { ...use, kind: UseKind.Create } : use));
    return { ...field, uses, creations: [...creationsOf(field, uses, regionMakers), ...byHelper.values()] };
  };
  const files = facts.map(
    (file): FileFacts => ({
      ...file,
      devices: file.devices.map((device) => ({
        ...device,
        fields: device.fields.map(withUses).filter(isRegion),
      })),
    }),
  );
  const known = callsOf(files);
  return { files: files.map((file) => withForgotten(file, known)), sources, notUtf8, names };
}

/** The calls that belong to a region of the facts. */
function callsOf(files: readonly FileFacts[]): ReadonlySet<Node> {
  const devices = files.flatMap((file) => file.devices);
  const strays = [...files, ...devices].flatMap((each) => each.strays);
  const creating = devices.flatMap(({ fields, locals }) => [
    ...fields.flatMap(({ creations }) => creations),
    ...locals.flatMap(({ calls }) => calls),
  ]);
  return new Set([...strays.map(({ node }) => node), ...creating.map(({ call }) => call)]);
}

/** Every creation belongs to a region: those that none of the known shapes has taken are refused as what they are. */
function withForgotten(file: FileFacts, known: ReadonlySet<Node>): FileFacts {
  const forgotten = file.creations.filter(({ call }) => !known.has(call));
  if (forgotten.length === 0) return file;
  const devices = new Map(file.devices.map((device) => [device.declaration, device]));
  const strays = [...file.strays];
  for (const made of forgotten) {
    const found = stray(made, reasonForForgotten(made));
    const holder = nearestClass(made.call);
    if (holder === undefined) {
      strays.push(found);
      continue;
    }
    const device = devices.get(holder) ?? {
      ...deviceOf(holder),
      fields: [],
      locals: [],
      allocations: [],
      strays: [],
    };
    devices.set(holder, { ...device, strays: [...device.strays, found] });
  }
  return { ...file, devices: [...devices.values()], strays };
}

/** Why a creation is not one of those that make a field's region, an array's, or a local's. */
function reasonForForgotten({ call }: Made): Reason {
  const holder = call.getParent();
  if (Node.isVariableDeclaration(holder)) return Reason.FieldForm; // stored in a list that is no known field
  const target = Node.isBinaryExpression(holder) ? holder.getLeft() : undefined;
  if (target === undefined || assignmentTo(target) === undefined) return Reason.CreatedInExpression;
  if (!Node.isClassDeclaration(enclosingFunction(call)?.getParent())) return Reason.CreatedInClosure;
  return Node.isElementAccessExpression(target) ? Reason.ArrayShape : Reason.CreatedElsewhere;
}

/** Classes that hold regions and that other files may derive from. */
function extensibleClasses(facts: readonly FileFacts<DeclaredField>[]): Set<string> {
  const devices = facts.flatMap((file) => file.devices);
  return new Set(
    devices
      .filter(({ declaration }) => declaration.isExported())
      .flatMap(({ declaration }) => declaration.getName() ?? []),
  );
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
  return form !== "owned" || creations.length > 0;
}

/** Creations by the class itself, on its own object. Others remain uses, which the third pass judges. */
function creationsOf(field: DeclaredField, uses: readonly Use[], makers: Makers): Creation[] {
  const own = uses.filter(({ onThis, inDerived }) => onThis || inDerived);
  if (field.array) return own.flatMap((use) => arrayCreations(use, field, makers));
  return own
    .filter(({ kind }) => kind === UseKind.Create)
    .flatMap((use) => creationAt(use, field, makers) ?? []);
}

function creationAt({ node }: Use, field: DeclaredField, makers: Makers): Creation | undefined {
  if (field.form !== "owned") {
    const init = makers.initOn(node);
    const statement = init && creatingStatement(init.call);
    if (init === undefined || statement === undefined) return undefined;
    return { ...init, statement, loop: undefined, helper: undefined };
  }
  const assigned = assignmentTo(node);
  const made = assigned && makers.newOn(assigned.assignment.getRight());
  if (assigned === undefined || made === undefined) return undefined;
  return {
    call: made.call,
    maker: made.maker,
    statement: assigned.statement,
    loop: undefined,
    helper: undefined,
  };
}

/** A use of a child object, by the calls that create children: it may have methods of its own that are named like a region's. */
function childUse(use: Use, field: DeclaredField): Use {
  const { node } = use;
  const kind = kindOfChildUse(use);
  if (field.form === "owned") {
    const target = outermost(node).getParent();
    if (field.array) return { ...use, kind: ownedArrayCreation(node, childMakers) ? UseKind.Create : kind };
    if (!Node.isBinaryExpression(target) || childMakers.newOn(target.getRight()) === undefined)
      return { ...use, kind };
    if (kind !== UseKind.Assign || target.getOperatorToken().getText() !== "=") return { ...use, kind };
    return { ...use, kind: assignmentTo(node) ? UseKind.Create : UseKind.CreateInExpression };
  }
  const init = childMakers.initOn(node);
  if (init === undefined) return { ...use, kind };
  const plain = outermost(node) === node && Node.isExpressionStatement(init.call.getParent());
  return { ...use, kind: plain ? UseKind.Create : UseKind.CreateInExpression };
}

/** A pattern that takes fields out of the child itself, `const { device } = this.bus`, only reads it. */
function kindOfChildUse({ kind, node }: Use): UseKind {
  if (kind === UseKind.Create || kind === UseKind.CreateInExpression) return UseKind.Read;
  if (kind === UseKind.Destructure && Node.isExpression(node)) return UseKind.Read;
  return kind;
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
