import { Node, type SourceFile, ts } from "ts-morph";

/** Every place of a program where a name is written; each file is read once, when the first name is asked for. */
export class NameIndex {
  private readonly sources: readonly SourceFile[];
  private readonly places = new Map<SourceFile, ReadonlyMap<string, readonly number[]>>();

  constructor(sources: readonly SourceFile[]) {
    this.sources = sources;
  }

  /** The identifiers, `#names` and string literals with this text, declarations included. */
  named(name: string): Node[] {
    return this.sources.flatMap((file) => {
      const starts = this.placesIn(file).get(name) ?? [];
      return starts.flatMap((start) => file.getDescendantAtPos(start) ?? []);
    });
  }

  /** The names that refer to one of these declarations, without the declarations' own. */
  referencesTo(declarations: readonly Node[], name: string): Node[] {
    return this.named(name).filter((node) => {
      if (declarations.some((each) => each === node.getParent() && isNameOf(node, each))) return false;
      return declarationsOf(node).some((each) => declarations.includes(each));
    });
  }

  private placesIn(file: SourceFile): ReadonlyMap<string, readonly number[]> {
    const known = this.places.get(file);
    if (known !== undefined) return known;
    const places = new Map<string, number[]>();
    const { compilerNode } = file;
    const visit = (node: ts.Node): void => {
      if (ts.isIdentifier(node) || ts.isPrivateIdentifier(node) || ts.isStringLiteralLike(node)) {
        const starts = places.get(node.text);
        if (starts === undefined) places.set(node.text, [node.getStart(compilerNode)]);
        else starts.push(node.getStart(compilerNode));
      } else ts.forEachChild(node, visit);
    };
    ts.forEachChild(compilerNode, visit);
    this.places.set(file, places);
    return places;
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
      const property = parent.getParent().getType().getProperty(name.getText());
      return [...(property?.getDeclarations() ?? []), ...symbolDeclarations(name)];
    }
  }
  if (Node.isElementAccessExpression(parent) && parent.getArgumentExpression() === name) {
    const text = Node.isStringLiteral(name) ? name.getLiteralText() : "";
    return parent.getExpression().getType().getProperty(text)?.getDeclarations() ?? [];
  }
  return symbolDeclarations(name);
}

function symbolDeclarations(name: Node): Node[] {
  const symbol = name.getSymbol();
  return (symbol?.getAliasedSymbol() ?? symbol)?.getDeclarations() ?? [];
}
