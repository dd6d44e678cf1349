/** Asks types without making an object of ts-morph's for every member that they have. */
import {
  type Identifier,
  Node,
  type Symbol as NodeSymbol,
  type PropertyDeclaration,
  type Type,
  ts,
} from "ts-morph";
import * as plain from "./plain-access.ts";

/** The property of this name. `Type.getProperty` finds the same one, and wraps all others on the way. */
export function propertyOf(type: Type, name: string): NodeSymbol | undefined {
  const { compilerType } = type;
  const isObject = (compilerType.flags & ts.TypeFlags.Object) !== 0;
  const found =
    isObject && !hasOtherKey.test(name) && !(name in Function.prototype)
      ? compilerType.getProperty(name)
      : compilerType.getProperties().find((each) => each.name === name);
  return found && (type as unknown as Wrapping)._context.compilerFactory.getSymbol(found);
}

/** What a name refers to; for `this.name` and `this.field.name`, by the types that are declared. */
export function symbolOf(name: Node): NodeSymbol | undefined {
  const access = name.getParent();
  if (!Node.isPropertyAccessExpression(access) || access.getNameNode() !== name) return name.getSymbol();
  const property = plain.plainProperty(access.compilerNode, checkerOf(name));
  if (property === undefined) return name.getSymbol();
  return (name as unknown as Wrapping)._context.compilerFactory.getSymbol(property);
}

/** The class that a name refers to, through imports. */
export function classNamed(name: Identifier): ts.Symbol | undefined {
  return plain.classNamed(name.compilerNode, checkerOf(name));
}

/** The type of an expression, which is found faster if it is the name of a class. */
export function classType(expression: Node): Type {
  const symbol = Node.isIdentifier(expression) ? classNamed(expression) : undefined;
  if (symbol === undefined) return expression.getType();
  const type = checkerOf(expression).getTypeOfSymbol(symbol);
  return (expression as unknown as Wrapping)._context.compilerFactory.getType(type);
}

/** The type of a field, which is known without inference if it is embedded. */
export function fieldType(field: PropertyDeclaration): Type {
  const type = plain.typeOfField(field.compilerNode, checkerOf(field));
  return (field as unknown as Wrapping)._context.compilerFactory.getType(type);
}

function checkerOf(node: Node): ts.TypeChecker {
  return node.getProject().getTypeChecker().compilerObject;
}

/**
 * Names that the compiler keeps under other keys: `#private` ones, and those that begin with two underscores. It also finds
 * those that every object or function has.
 */
const hasOtherKey = /^(?:#|__)/;

/** What every type and node of ts-morph has and its declarations leave out. */
interface Wrapping {
  readonly _context: {
    readonly compilerFactory: { getSymbol(symbol: ts.Symbol): NodeSymbol; getType(type: ts.Type): Type };
  };
}
