import { Node, type SourceFile, ts } from "ts-morph";

/** Places of one name: the files where it is written, and where in them. */
type Places = Map<SourceFile, number[]>;

/** Every place of a program where a name is written; the files are read once, when the first name is asked for. */
export class NameIndex {
  private readonly sources: readonly SourceFile[];
  private places: ReadonlyMap<string, Places> | undefined;
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
    this.places ??= placesIn(this.sources);
    const places = this.places.get(name) ?? new Map<SourceFile, number[]>();
    const nodes = [...places].flatMap(([file, starts]) =>
      starts.flatMap((start) => file.getDescendantAtPos(start) ?? []),
    );
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

function placesIn(sources: readonly SourceFile[]): Map<string, Places> {
  const places = new Map<string, Places>();
  for (const file of sources) {
    const { compilerNode } = file;
    const visit = (node: ts.Node): void => {
      if (ts.isIdentifier(node) || ts.isPrivateIdentifier(node) || ts.isStringLiteralLike(node)) {
        const inFiles = places.get(node.text) ?? new Map<SourceFile, number[]>();
        places.set(node.text, inFiles);
        const starts = inFiles.get(file);
        if (starts === undefined) inFiles.set(file, [node.getStart(compilerNode)]);
        else starts.push(node.getStart(compilerNode));
      } else ts.forEachChild(node, visit);
    };
    ts.forEachChild(compilerNode, visit);
  }
  return places;
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
