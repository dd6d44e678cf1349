/** Which region fields a name or a type may mean. There may be one of each name in each of very many files. */
import {
  Node,
  type PropertyAccessExpression,
  type PropertyDeclaration,
  SyntaxKind,
  type Type,
} from "ts-morph";
import type { DeclaredField } from "../regions/facts.ts";
import { innermost } from "../regions/trace-syntax.ts";

export type FieldsByName = ReadonlyMap<string, readonly DeclaredField[]>;

export function groupByName(fields: readonly DeclaredField[]): Map<string, DeclaredField[]> {
  const byName = new Map<string, DeclaredField[]>();
  for (const field of fields) {
    const same = byName.get(field.name);
    if (same === undefined) byName.set(field.name, [field]);
    else same.push(field);
  }
  return byName;
}

/** Fields that `device.window` may mean if the type of `device` is an interface or base class that their class fits. */
export function fieldsBehind(access: PropertyAccessExpression, byName: FieldsByName): DeclaredField[] {
  const candidates = reachableOf(byName.get(access.getName()) ?? []);
  if (candidates.length === 0) return [];
  const [declared] = access.getNameNode().getSymbol()?.getDeclarations() ?? [];
  if (!Node.isPropertyDeclaration(declared) && !Node.isPropertySignature(declared)) return [];
  const object = access.getExpression();
  const around = Node.isThisExpression(innermost(object))
    ? object.getFirstAncestorByKind(SyntaxKind.ClassDeclaration)
    : undefined;
  const type = (around ?? object).getType(); // in a class, `this` has a type of its own that nothing fits
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

export function isReachable(declaration: PropertyDeclaration): boolean {
  return !declaration.hasModifier(SyntaxKind.PrivateKeyword) && !declaration.getName().startsWith("#");
}

/** The region fields that a name may refer to: several if the object is one of several devices. */
export function fieldsOfName(name: Node, byName: FieldsByName): DeclaredField[] {
  if (!byName.has(name.getText())) return [];
  return fieldsDeclaredBy(name.getSymbol()?.getDeclarations() ?? [], name.getText(), byName);
}

export function fieldsOfType(type: Type, name: string, byName: FieldsByName): DeclaredField[] {
  if (!byName.has(name)) return [];
  return fieldsDeclaredBy(type.getProperty(name)?.getDeclarations() ?? [], name, byName);
}

/** Fields by their declarations, for each list of fields with one name. */
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
