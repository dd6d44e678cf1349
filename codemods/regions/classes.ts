/** Which classes share an object: bases, derived classes, and those that mixins are combined with. */
import { type ClassDeclaration, Node, type SourceFile, SyntaxKind } from "ts-morph";
import { descendantsOfKind } from "../source/node-index.ts";
import { innermost } from "./trace-syntax.ts";

export interface Relative {
  readonly declaration: ClassDeclaration;
  readonly isBase: boolean;
}

export class ClassGraph {
  private readonly sources: readonly SourceFile[];
  private readonly bases = new Map<ClassDeclaration, readonly ClassDeclaration[]>();
  private derived: Map<ClassDeclaration, ClassDeclaration[]> | undefined;

  constructor(sources: readonly SourceFile[]) {
    this.sources = sources;
  }

  /** The classes that a class derives from, nearest first, through mixins as well. */
  basesOf(declaration: ClassDeclaration): readonly ClassDeclaration[] {
    let found = this.bases.get(declaration);
    if (found === undefined) {
      found = basesOfClass(declaration);
      this.bases.set(declaration, found);
    }
    return found;
  }

  /** Classes whose members share an object with those of `device`. */
  relativesOf(device: ClassDeclaration): Relative[] {
    const found = new Map<ClassDeclaration, Relative>();
    const add = (declaration: ClassDeclaration, isBase: boolean): void => {
      if (declaration !== device && !found.has(declaration)) found.set(declaration, { declaration, isBase });
    };
    for (const each of this.basesOf(device)) add(each, true);
    for (const each of this.derivedFrom(device)) {
      add(each, false);
      const bases = this.basesOf(each);
      for (const base of bases) add(base, bases.indexOf(base) > bases.indexOf(device));
    }
    return [...found.values()];
  }

  private derivedFrom(device: ClassDeclaration): readonly ClassDeclaration[] {
    this.derived ??= this.collectDerived();
    return this.derived.get(device) ?? [];
  }

  private collectDerived(): Map<ClassDeclaration, ClassDeclaration[]> {
    const derived = new Map<ClassDeclaration, ClassDeclaration[]>();
    for (const file of this.sources) {
      for (const each of descendantsOfKind(file, SyntaxKind.ClassDeclaration)) {
        for (const base of this.basesOf(each)) {
          const known = derived.get(base);
          if (known === undefined) derived.set(base, [each]);
          else known.push(each);
        }
      }
    }
    return derived;
  }
}

function basesOfClass(declaration: ClassDeclaration): ClassDeclaration[] {
  const found: ClassDeclaration[] = [];
  const visit = (expression: Node | undefined): void => {
    const node = expression && innermost(expression);
    if (Node.isCallExpression(node)) {
      for (const mixin of declarationsIn(node.getExpression())) {
        for (const each of descendantsOfKind(mixin, SyntaxKind.ClassDeclaration)) extend(each);
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
