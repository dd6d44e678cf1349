import { Node, type SourceFile } from "ts-morph";
import { mentionsOf } from "../source/node-index.ts";
import { propertyOf, symbolOf } from "../source/types.ts";

/** Every place of a program where a name is written. */
export class NameIndex {
  private readonly sources: readonly SourceFile[];
  private readonly nodes = new Map<string, readonly Node[]>();
  /** By name, then by what the name refers to. */
  private readonly references = new Map<string, ReadonlyMap<Node, readonly Node[]>>();

  constructor(sources: readonly SourceFile[]) {
    this.sources = sources;
  }

  /** The identifiers, `#names` and string literals with this text, declarations included. */
  named(name: string): readonly Node[] {
    const known = this.nodes.get(name);
    if (known !== undefined) return known;
    const nodes = this.sources.flatMap((file) => mentionsOf(file, name));
    this.nodes.set(name, nodes);
    return nodes;
  }

  /** The names that refer to one of these declarations, without the declarations' own. */
  referencesTo(declarations: readonly Node[], name: string): Node[] {
    const references = this.referencesBy(name);
    const found = new Set(declarations.flatMap((each) => references.get(each) ?? []));
    const own = (node: Node) =>
      declarations.some((each) => each === node.getParent() && isNameOf(node, each));
    const nodes = [...found].filter((node) => !own(node));
    return declarations.length > 1 ? this.named(name).filter((node) => nodes.includes(node)) : nodes;
  }

  private referencesBy(name: string): ReadonlyMap<Node, readonly Node[]> {
    const known = this.references.get(name);
    if (known !== undefined) return known;
    const references = new Map<Node, Node[]>();
    for (const node of this.named(name)) {
      for (const declaration of new Set(declarationsOf(node))) {
        const nodes = references.get(declaration);
        if (nodes === undefined) references.set(declaration, [node]);
        else nodes.push(node);
      }
    }
    this.references.set(name, references);
    return references;
  }
}

function isNameOf(node: Node, declaration: Node): boolean {
  return Node.hasName(declaration) && declaration.getNameNode() === node;
}

/** The declarations that a name refers to, through imports, shorthand properties, patterns and `object["name"]`. */
export function declarationsOf(name: Node): Node[] {
  const parent = name.getParent();
  if (Node.isShorthandPropertyAssignment(parent)) {
    return [...(parent.getValueSymbol()?.getDeclarations() ?? []), ...symbolDeclarations(name)];
  }
  if (Node.isBindingElement(parent) && Node.isObjectBindingPattern(parent.getParent())) {
    const key = parent.getPropertyNameNode() ?? parent.getNameNode();
    if (key === name) {
      const property = propertyOf(parent.getParent().getType(), name.getText());
      return [...(property?.getDeclarations() ?? []), ...symbolDeclarations(name)];
    }
  }
  if (Node.isElementAccessExpression(parent) && parent.getArgumentExpression() === name) {
    const text = Node.isStringLiteral(name) ? name.getLiteralText() : "";
    return propertyOf(parent.getExpression().getType(), text)?.getDeclarations() ?? [];
  }
  return symbolDeclarations(name);
}

function symbolDeclarations(name: Node): Node[] {
  const symbol = symbolOf(name);
  return (symbol?.getAliasedSymbol() ?? symbol)?.getDeclarations() ?? [];
}
