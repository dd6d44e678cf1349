/** Which functions of the program a call may run. */
import { Node } from "ts-morph";
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
  const found = names
    .named(name)
    .map((each) => each.getParent())
    .filter((each) => Node.isMethodDeclaration(each) && each.getBody() !== undefined);
  return found.length === 0 ? [undefined] : found;
}

/** Methods of derived classes that a call may run instead. */
function overridesOf(method: Node, names: NameIndex): Node[] {
  const owner = method.getParent();
  if (!Node.isMethodDeclaration(method) || !Node.isClassDeclaration(owner) || method.isStatic()) return [];
  return names
    .named(method.getName())
    .map((each) => each.getParent())
    .filter(Node.isMethodDeclaration)
    .filter((each) => {
      const other = each.getParent();
      return (
        each !== method &&
        each.getBody() !== undefined &&
        Node.isClassDeclaration(other) &&
        other.getType().isAssignableTo(owner.getType())
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
