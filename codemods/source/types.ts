/** Asks types without making an object of ts-morph's for every member that they have. */
import { Node, type Symbol as NodeSymbol, type Type, type ts } from "ts-morph";
import { plainProperty } from "./plain-access.ts";

/** The property of this name. `Type.getProperty` finds the same one, and wraps all others on the way. */
export function propertyOf(type: Type, name: string): NodeSymbol | undefined {
  const properties = type.compilerType.getProperties();
  const found = hasOtherKey.test(name)
    ? properties.find((each) => each.name === name)
    : properties.find((each) => each.escapedName === name);
  return found && (type as unknown as Wrapping)._context.compilerFactory.getSymbol(found);
}

/** What a name refers to; for `this.name` and `this.field.name`, by the types that are declared. */
export function symbolOf(name: Node): NodeSymbol | undefined {
  const access = name.getParent();
  if (!Node.isPropertyAccessExpression(access) || access.getNameNode() !== name) return name.getSymbol();
  const plain = plainProperty(access.compilerNode, name.getProject().getTypeChecker().compilerObject);
  if (plain === undefined) return name.getSymbol();
  return (name as unknown as Wrapping)._context.compilerFactory.getSymbol(plain);
}

/** Names that the compiler keeps under other keys: `#private` ones, and those that begin with two underscores. */
const hasOtherKey = /^(?:#|__)/;

/** What every type and node of ts-morph has and its declarations leave out. */
interface Wrapping {
  readonly _context: { readonly compilerFactory: { getSymbol(symbol: ts.Symbol): NodeSymbol } };
}
