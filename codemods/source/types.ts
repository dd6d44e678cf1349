/** Asks types without making an object of ts-morph's for every member that they have. */
import type { Symbol as NodeSymbol, Type, ts } from "ts-morph";

/** The property of this name. `Type.getProperty` finds the same one, and wraps all others on the way. */
export function propertyOf(type: Type, name: string): NodeSymbol | undefined {
  const properties = type.compilerType.getProperties();
  const found = hasOtherKey.test(name)
    ? properties.find((each) => each.name === name)
    : properties.find((each) => each.escapedName === name);
  return found && (type as unknown as Wrapping)._context.compilerFactory.getSymbol(found);
}

/** Names that the compiler keeps under other keys: `#private` ones, and those that begin with two underscores. */
const hasOtherKey = /^(?:#|__)/;

/** What every type of ts-morph has and its declarations leave out. */
interface Wrapping {
  readonly _context: { readonly compilerFactory: { getSymbol(symbol: ts.Symbol): NodeSymbol } };
}
