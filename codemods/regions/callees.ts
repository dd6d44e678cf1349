/** Which functions of the program a call may run. */
import { type ClassDeclaration, type MethodDeclaration, Node, SyntaxKind } from "ts-morph";
import { declarationsOf, type NameIndex } from "./names.ts";
import { functionOf, isOverload } from "./trace-syntax.ts";

/** Functions of the program that a call of `name` may run; empty if one of them has no body. */
export function functionsNamed(name: Node, names: NameIndex): Node[] {
  const declarations = declarationsOf(name).filter((each) => !isOverload(each));
  const functions = declarations.flatMap((each) => {
    if (Node.isMethodSignature(each) || (Node.isMethodDeclaration(each) && each.isAbstract())) {
      return implementationsOf(each, names);
    }
    const fn = functionOf(each);
    return fn === undefined ? [undefined] : [fn, ...overridesOf(fn, names)];
  });
  return functions.every((each) => each !== undefined) ? functions.filter((each) => each !== undefined) : [];
}

function implementationsOf(signature: Node, names: NameIndex): (Node | undefined)[] {
  const name = Node.hasName(signature) ? signature.getName() : "";
  const declared = signature.getParent()?.getType();
  const found = methodsNamed(name, names).all.filter((each) => {
    const owner = each.getParent();
    return declared === undefined || declared.getTypeArguments().length > 0
      ? true
      : owner.getType().isAssignableTo(declared);
  });
  return found.length === 0 ? [undefined] : [...found];
}

/** Methods of derived classes that a call may run instead. */
function overridesOf(method: Node, names: NameIndex): Node[] {
  const owner = method.getParent();
  if (!Node.isMethodDeclaration(method) || !Node.isClassDeclaration(owner) || method.isStatic()) return [];
  const methods = methodsNamed(method.getName(), names);
  const derived = methods.byBase.get(owner) ?? [];
  const others = isNominal(owner) ? methods.ofMixins : methods.all;
  const fitting = others.filter((each) => {
    const other = each.getParent();
    return Node.isClassDeclaration(other) && other.getType().isAssignableTo(owner.getType());
  });
  return [...new Set([...derived, ...fitting])].filter((each) => each !== method);
}

/** The methods of one name that have bodies: all of them, and by each class that theirs is or derives from. */
interface Methods {
  readonly all: readonly MethodDeclaration[];
  /** Those of classes that derive from the result of a call. */
  readonly ofMixins: readonly MethodDeclaration[];
  readonly byBase: ReadonlyMap<ClassDeclaration, readonly MethodDeclaration[]>;
}

/** Found once for each name: every one of very many devices may have a method of that name. */
const methodsByName = new WeakMap<NameIndex, Map<string, Methods>>();

function methodsNamed(name: string, names: NameIndex): Methods {
  const known = methodsByName.get(names) ?? new Map<string, Methods>();
  methodsByName.set(names, known);
  const found = known.get(name) ?? findMethods(name, names);
  known.set(name, found);
  return found;
}

function findMethods(name: string, names: NameIndex): Methods {
  const all = names
    .named(name)
    .map((each) => each.getParent())
    .filter(Node.isMethodDeclaration)
    .filter((each) => each.getBody() !== undefined);
  const byBase = new Map<ClassDeclaration, MethodDeclaration[]>();
  const ofMixins: MethodDeclaration[] = [];
  for (const method of all) {
    const owner = method.getParent();
    let base = Node.isClassDeclaration(owner) ? owner : undefined;
    for (; base !== undefined; base = base.getBaseClass()) {
      const list = byBase.get(base);
      if (list === undefined) byBase.set(base, [method]);
      else list.push(method);
      if (Node.isCallExpression(base.getExtends()?.getExpression())) ofMixins.push(method);
    }
  }
  return { all, ofMixins, byBase };
}

/** True if only classes derived from this one fit its type: it has members that others cannot have. */
function isNominal(declaration: ClassDeclaration): boolean {
  return declaration.getMembers().some((member) => {
    if (Node.hasName(member) && member.getName().startsWith("#")) return true;
    return (
      Node.isModifierable(member) &&
      !(Node.isStaticable(member) && member.isStatic()) &&
      !Node.isConstructorDeclaration(member) &&
      (member.hasModifier(SyntaxKind.PrivateKeyword) || member.hasModifier(SyntaxKind.ProtectedKeyword))
    );
  });
}

/** True for a function of the language's own library. */
export function isStandard(name: Node): boolean {
  const declarations = declarationsOf(name);
  return (
    declarations.length > 0 &&
    declarations.every((each) => /\/lib\.[\w.]*d\.ts$/.test(each.getSourceFile().getFilePath()))
  );
}
