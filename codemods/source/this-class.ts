/** Whose `this` an expression means, by syntax alone: the checker would follow what may have narrowed its type. */
import { ts } from "ts-morph";

/**
 * The class whose object `node`, a `this`, is: of the member around it, through arrow functions. Undefined for static members,
 * functions with a `this` of their own, and everything that is not plain.
 */
export function classOfThis(node: ts.Node): ts.ClassDeclaration | undefined {
  let around = node.parent;
  while (around !== undefined && !isMember(around)) {
    const otherThis =
      (ts.isFunctionLike(around) && !ts.isArrowFunction(around)) ||
      ts.isClassLike(around) ||
      ts.isClassStaticBlockDeclaration(around) ||
      ts.isComputedPropertyName(around) ||
      ts.isDecorator(around) ||
      ts.isModuleBlock(around);
    if (otherThis) return undefined;
    around = around.parent;
  }
  if (around === undefined || !ts.isClassDeclaration(around.parent)) return undefined;
  if (ts.getCombinedModifierFlags(around) & ts.ModifierFlags.Static) return undefined;
  return hasThisParameter(around) ? undefined : around.parent;
}

type Member =
  | ts.MethodDeclaration
  | ts.AccessorDeclaration
  | ts.ConstructorDeclaration
  | ts.PropertyDeclaration;

function isMember(node: ts.Node): node is Member {
  return (
    ts.isMethodDeclaration(node) ||
    ts.isAccessor(node) ||
    ts.isConstructorDeclaration(node) ||
    ts.isPropertyDeclaration(node)
  );
}

function hasThisParameter(member: Member): boolean {
  if (ts.isPropertyDeclaration(member)) return false;
  return member.parameters.some(({ name }) => ts.isIdentifier(name) && name.text === "this");
}
