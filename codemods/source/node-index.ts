/**
 * Finds nodes in a scope without walking it again for every question. Long classes ask the same things of one method
 * thousands of times.
 */
import {
  type Identifier,
  type Node,
  type PrivateIdentifier,
  type SourceFile,
  SyntaxKind,
  ts,
} from "ts-morph";

/** Keyed by the compiler's nodes, which are replaced whenever a file's text changes. */
const identifiers = new WeakMap<ts.Node, ReadonlyMap<string, readonly Name[]>>();
const kinds = new WeakMap<ts.Node, Map<SyntaxKind, readonly Node[]>>();

type Name = Identifier | PrivateIdentifier;

/** The identifiers in `scope` whose text is `name`, or `#name`, in source order. */
export function identifiersIn(scope: Node, name: string): readonly Name[] {
  let byName = identifiers.get(scope.compilerNode);
  if (byName === undefined) {
    const found = new Map<string, Name[]>();
    const names: readonly Name[] = [
      ...scope.getDescendantsOfKind(SyntaxKind.Identifier),
      ...scope.getDescendantsOfKind(SyntaxKind.PrivateIdentifier),
    ];
    for (const identifier of names) {
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

const namesByScope = new WeakMap<ts.Node, ReadonlyMap<string, readonly ts.Node[]>>();

/** Like `identifiersIn`, as the compiler's nodes: for questions that the syntax alone answers. */
export function namesIn(scope: Node, name: string): readonly ts.Node[] {
  const root = scope.compilerNode;
  let byName = namesByScope.get(root);
  if (byName === undefined) {
    const found = new Map<string, ts.Node[]>();
    const visit = (node: ts.Node): void => {
      if (ts.isIdentifier(node) || ts.isPrivateIdentifier(node)) {
        const known = found.get(node.text);
        if (known === undefined) found.set(node.text, [node]);
        else known.push(node);
      } else ts.forEachChild(node, visit);
    };
    visit(root);
    namesByScope.set(root, found);
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

const kindsOfFiles = new WeakMap<ts.Node, ReadonlySet<SyntaxKind>>();

/** The kinds of nodes in a file. Most files have few; what they have none of need not be looked for. */
export function kindsIn(file: SourceFile): ReadonlySet<SyntaxKind> {
  const known = kindsOfFiles.get(file.compilerNode);
  if (known !== undefined) return known;
  const found = new Set<SyntaxKind>();
  const visit = (node: ts.Node): void => {
    found.add(node.kind);
    ts.forEachChild(node, visit);
  };
  visit(file.compilerNode);
  kindsOfFiles.set(file.compilerNode, found);
  return found;
}
