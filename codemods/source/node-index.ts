/**
 * Finds nodes in a scope without walking it again for every question. Long classes ask the same things of one method
 * thousands of times.
 */
import { type Identifier, type Node, type SourceFile, SyntaxKind, type ts } from "ts-morph";

/** Keyed by the compiler's nodes, which are replaced whenever a file's text changes. */
const identifiers = new WeakMap<ts.Node, ReadonlyMap<string, readonly Identifier[]>>();
const kinds = new WeakMap<ts.Node, Map<SyntaxKind, readonly Node[]>>();

/** The identifiers in `scope` whose text is `name`, in source order. */
export function identifiersIn(scope: Node, name: string): readonly Identifier[] {
  let byName = identifiers.get(scope.compilerNode);
  if (byName === undefined) {
    const found = new Map<string, Identifier[]>();
    for (const identifier of scope.getDescendantsOfKind(SyntaxKind.Identifier)) {
      const text = identifier.getText();
      const known = found.get(text);
      if (known === undefined) found.set(text, [identifier]);
      else known.push(identifier);
    }
    identifiers.set(scope.compilerNode, found);
    byName = found;
  }
  return byName.get(name) ?? [];
}

/** The descendants of `scope` of one kind, in source order. */
export function descendantsOfKind<Kind extends SyntaxKind>(
  scope: Node,
  kind: Kind,
): ReturnType<typeof scope.getDescendantsOfKind<Kind>> {
  const byKind = kinds.get(scope.compilerNode) ?? new Map<SyntaxKind, readonly Node[]>();
  kinds.set(scope.compilerNode, byKind);
  const known = byKind.get(kind);
  if (known !== undefined) return known as ReturnType<typeof scope.getDescendantsOfKind<Kind>>; // stored by kind
  const found = scope.getDescendantsOfKind(kind);
  byKind.set(kind, found);
  return found;
}

/** The property accesses of a whole program by the name that they end in. */
export class AccessIndex {
  private readonly byName = new Map<string, Node[]>();

  constructor(sources: readonly SourceFile[]) {
    for (const file of sources) {
      for (const access of file.getDescendantsOfKind(SyntaxKind.PropertyAccessExpression)) {
        const name = access.getName();
        const known = this.byName.get(name);
        if (known === undefined) this.byName.set(name, [access]);
        else known.push(access);
      }
    }
  }

  named(name: string): readonly Node[] {
    return this.byName.get(name) ?? [];
  }
}
