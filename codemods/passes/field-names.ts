/** Names for the fields that owned regions without a field get in the embedded form. */
import { type ClassDeclaration, Node, type SourceFile, SyntaxKind } from "ts-morph";
import type { DeviceFacts, RegionLocal } from "../regions/facts.ts";
import { newRegion } from "../regions/syntax.ts";
import { innermost } from "../regions/trace-syntax.ts";
import type { Evidence } from "./evidence.ts";
import { isReserved } from "./keep.ts";

/**
 * A name for each local: its own or, if the class or one related to it has a member of that name, the first free one of
 * `name2`, `name3` and so on. Of two related classes with locals of one name, the base class keeps it.
 */
export function fieldNamesOf(device: DeviceFacts, evidence: Evidence): Map<RegionLocal, string> {
  const kin = relativesOf(device.declaration, evidence);
  const taken = (name: string): boolean =>
    isReserved(name) ||
    device.declaration.getType().getProperty(name) !== undefined ||
    kin.some(({ declaration, isBase }) => {
      return (
        declaration.getInstanceMember(name) !== undefined || (isBase && declaresRegion(declaration, name))
      );
    });
  const names = new Map<RegionLocal, string>();
  const used = new Set<string>();
  for (const local of device.locals) {
    const wanted = local.loop === undefined ? local.name : `${local.name}s`;
    let name = wanted;
    for (let number = 2; used.has(name) || taken(name); number++) name = `${wanted}${number}`;
    used.add(name);
    names.set(local, name);
  }
  return names;
}

interface Relative {
  readonly declaration: ClassDeclaration;
  readonly isBase: boolean;
}

/** Classes whose members share an object with those of `device`: its bases, and the classes derived from it. */
function relativesOf(device: ClassDeclaration, { sources }: Evidence): Relative[] {
  const found = new Map<ClassDeclaration, Relative>();
  const add = (declaration: ClassDeclaration, isBase: boolean): void => {
    if (declaration !== device && !found.has(declaration)) found.set(declaration, { declaration, isBase });
  };
  for (const each of basesOfClass(device)) add(each, true);
  for (const { declaration, bases } of derivedClasses(sources).get(device) ?? []) {
    add(declaration, false);
    // The classes that a mixin is combined with.
    for (const base of bases) add(base, bases.indexOf(base) > bases.indexOf(device));
  }
  return [...found.values()];
}

/** A class with everything that it derives from. */
interface Derived {
  readonly declaration: ClassDeclaration;
  readonly bases: readonly ClassDeclaration[];
}

const derivedIn = new WeakMap<readonly SourceFile[], ReadonlyMap<ClassDeclaration, readonly Derived[]>>();

/** By class, the ones that derive from it; found once for a program. */
function derivedClasses(sources: readonly SourceFile[]): ReadonlyMap<ClassDeclaration, readonly Derived[]> {
  const known = derivedIn.get(sources);
  if (known !== undefined) return known;
  const derived = new Map<ClassDeclaration, Derived[]>();
  for (const file of sources) {
    for (const declaration of file.getDescendantsOfKind(SyntaxKind.ClassDeclaration)) {
      const bases = basesOfClass(declaration);
      for (const base of bases) {
        const list = derived.get(base);
        if (list === undefined) derived.set(base, [{ declaration, bases }]);
        else list.push({ declaration, bases });
      }
    }
  }
  derivedIn.set(sources, derived);
  return derived;
}

/** The classes that a class derives from, nearest first, through mixins as well. */
function basesOfClass(declaration: ClassDeclaration): ClassDeclaration[] {
  const found: ClassDeclaration[] = [];
  const visit = (expression: Node | undefined): void => {
    const node = expression && innermost(expression);
    if (Node.isCallExpression(node)) {
      for (const mixin of declarationsIn(node.getExpression())) {
        for (const each of mixin.getDescendantsOfKind(SyntaxKind.ClassDeclaration)) extend(each);
      }
      for (const argument of node.getArguments()) visit(argument);
    } else if (node !== undefined) {
      for (const each of declarationsIn(node)) if (Node.isClassDeclaration(each)) extend(each);
    }
  };
  const extend = (base: ClassDeclaration): void => {
    if (found.includes(base)) return;
    found.push(base);
    visit(base.getExtends()?.getExpression());
  };
  visit(declaration.getExtends()?.getExpression());
  return found;
}

function declarationsIn(name: Node): Node[] {
  const symbol = (Node.isPropertyAccessExpression(name) ? name.getNameNode() : name).getSymbol();
  return (symbol?.getAliasedSymbol() ?? symbol)?.getDeclarations() ?? [];
}

/** True for a class with a local region of that name, which would become a field as well. */
function declaresRegion(declaration: ClassDeclaration, name: string): boolean {
  return declaration
    .getDescendantsOfKind(SyntaxKind.VariableDeclaration)
    .some((each) => each.getName() === name && newRegion(each.getInitializer()) !== undefined);
}
