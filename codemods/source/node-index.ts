/**
 * Finds nodes without walking a file again for every question. A file is walked once, by the compiler's nodes; only those
 * that are found get an object of ts-morph's, which costs many times as much.
 */
import {
  type Identifier,
  type Node,
  type PrivateIdentifier,
  type SourceFile,
  type SyntaxKind,
  ts,
} from "ts-morph";

/** The nodes of one file, each list in source order. */
interface FileIndex {
  /** Without identifiers. */
  readonly byKind: ReadonlyMap<SyntaxKind, readonly ts.Node[]>;
  /** Identifiers and private identifiers by their text; those in documentation comments as well. */
  readonly byName: ReadonlyMap<string, readonly ts.Node[]>;
  /** String literals and templates without substitutions by their text. */
  readonly byText: ReadonlyMap<string, readonly ts.Node[]>;
  /** The identifiers of documentation comments, such as those of `@param name` and `{@link name}`. */
  readonly documented: ReadonlySet<ts.Node>;
}

/** Keyed by the compiler's files, which are replaced whenever their text changes. */
const indexes = new WeakMap<ts.Node, FileIndex>();

type Name = Identifier | PrivateIdentifier;

/** The identifiers in `scope` whose text is `name`, or `#name`, in source order. */
export function identifiersIn(scope: Node, name: string): readonly Name[] {
  const found = namesWithin(scope.compilerNode, indexOf(fileOf(scope)), name);
  return found.map((each) => wrapped(scope, each) as Name); // listed by name
}

/** Like `identifiersIn`, as the compiler's nodes and without comments: for questions that the syntax alone answers. */
export function namesIn(scope: Node, name: string): readonly ts.Node[] {
  const index = indexOf(fileOf(scope));
  return namesWithin(scope.compilerNode, index, name).filter((each) => !index.documented.has(each));
}

/** The identifiers, `#names` and string literals of a file with this text, in source order; without those in comments. */
export function mentionsOf(file: SourceFile, text: string): readonly Node[] {
  const { byName, byText, documented } = indexOf(file.compilerNode);
  const names = (byName.get(text) ?? []).filter((each) => !documented.has(each));
  const strings = byText.get(text) ?? [];
  const nodes = strings.length === 0 ? names : [...names, ...strings].sort((a, b) => a.pos - b.pos);
  return nodes.map((each) => wrapped(file, each));
}

/**
 * The descendants of `scope` of one kind that `choose` takes, all without it, in source order. Not for identifiers, which are
 * found by name.
 */
export function descendantsOfKind<Kind extends SyntaxKind>(
  scope: Node,
  kind: Kind,
  choose?: (node: ts.Node) => boolean,
): ReturnType<typeof scope.getDescendantsOfKind<Kind>> {
  const all = within(scope.compilerNode, indexOf(fileOf(scope)).byKind.get(kind));
  const chosen = choose === undefined ? all : all.filter(choose);
  const found = chosen.map((each) => wrapped(scope, each));
  return found as ReturnType<typeof scope.getDescendantsOfKind<Kind>>; // listed by kind
}

/** The innermost node around `node` that `test` takes. */
export function ancestorWhere(node: Node, test: (each: ts.Node) => boolean): Node | undefined {
  for (let each = node.compilerNode.parent; each !== undefined; each = each.parent) {
    if (test(each)) return wrapped(node, each);
  }
  return undefined;
}

/** The child of `parent` that `node` is or is in; undefined if it is elsewhere. */
export function childAround(node: Node, parent: Node): Node | undefined {
  for (let each = node.compilerNode; each.parent !== undefined; each = each.parent) {
    if (each.parent === parent.compilerNode) return wrapped(node, each);
  }
  return undefined;
}

/** ts-morph's object for one of the compiler's nodes, which is in the same file as `near`. */
function wrapped(near: Node, node: ts.Node): Node {
  return (near as unknown as Wrapping)._getNodeFromCompilerNode(node);
}

/** What every node of ts-morph has and its declarations leave out; its only other way is a search by position. */
interface Wrapping {
  _getNodeFromCompilerNode(node: ts.Node): Node;
}

function fileOf(scope: Node): ts.SourceFile {
  return scope.getSourceFile().compilerNode;
}

function indexOf(file: ts.SourceFile): FileIndex {
  let index = indexes.get(file);
  if (index === undefined) {
    index = readIndex(file);
    indexes.set(file, index);
  }
  return index;
}

function readIndex(file: ts.SourceFile): FileIndex {
  const byKind = new Map<SyntaxKind, ts.Node[]>();
  const byName = new Map<string, ts.Node[]>();
  const byText = new Map<string, ts.Node[]>();
  const documented = new Set<ts.Node>();
  const addName = (node: ts.Identifier | ts.PrivateIdentifier): void => {
    const written = writtenName(node, file);
    add(byName, written, node);
    if (written !== node.text) add(byName, node.text, node); // with escapes
  };
  const visitComment = (node: ts.Node): void => {
    if (ts.isIdentifier(node) || ts.isPrivateIdentifier(node)) {
      documented.add(node);
      addName(node);
    }
    ts.forEachChild(node, visitComment);
  };
  const visit = (node: ts.Node): void => {
    const { jsDoc } = node as Documented;
    if (jsDoc !== undefined) for (const each of jsDoc) visitComment(each);
    if (ts.isIdentifier(node) || ts.isPrivateIdentifier(node)) addName(node);
    else {
      add(byKind, node.kind, node);
      if (ts.isStringLiteralLike(node)) add(byText, node.text, node);
      ts.forEachChild(node, visit);
    }
  };
  ts.forEachChild(file, visit);
  return { byKind: compact(byKind), byName: compact(byName), byText, documented };
}

/** The same lists without the room that V8 leaves in an array that grows, which is a third of all their memory. */
function compact<Key>(map: ReadonlyMap<Key, readonly ts.Node[]>): Map<Key, readonly ts.Node[]> {
  return new Map([...map].map(([key, nodes]) => [key, nodes.slice()]));
}

/** The comments that belong to a node are no children of it, and the compiler's declarations leave them out. */
interface Documented extends ts.Node {
  readonly jsDoc?: readonly ts.Node[];
}

function add<Key>(map: Map<Key, ts.Node[]>, key: Key, node: ts.Node): void {
  const present = map.get(key);
  if (present === undefined) map.set(key, [node]);
  else present.push(node);
}

/** A name as it is written, which is its text unless there are escapes in it. */
export function writtenName(node: ts.Identifier | ts.PrivateIdentifier, file: ts.SourceFile): string {
  return node.end - node.pos === node.text.length ? node.text : node.getText(file);
}

/** Those of a file's `nodes` of one kind that are descendants of `scope`, which may be the file. */
function within(scope: ts.Node, nodes: readonly ts.Node[] | undefined): readonly ts.Node[] {
  if (nodes === undefined || ts.isSourceFile(scope)) return nodes ?? [];
  const found: ts.Node[] = [];
  for (let index = firstFrom(nodes, "pos", scope.pos); index < nodes.length; index++) {
    const node = nodes[index];
    if (node === undefined || node.pos > scope.end) break;
    // A node around the scope can be as long as it is.
    const sure = node.pos > scope.pos ? node.end <= scope.end : node.end < scope.end;
    if (sure || (node.end === scope.end && isBelow(node, scope))) found.push(node);
  }
  return found;
}

/** The same for names, which end in the order in which they are listed: a comment is part of what follows it. */
function namesWithin(scope: ts.Node, { byName, documented }: FileIndex, name: string): readonly ts.Node[] {
  const nodes = byName.get(name);
  if (nodes === undefined || ts.isSourceFile(scope)) return nodes ?? [];
  const found: ts.Node[] = [];
  for (let index = firstFrom(nodes, "end", scope.pos + 1); index < nodes.length; index++) {
    const node = nodes[index];
    if (node === undefined || node.end > scope.end) break;
    const sure = !documented.has(node) && node.pos > scope.pos;
    if (sure || isBelow(node, scope)) found.push(node);
  }
  return found;
}

/** The place of the first node that begins, or ends, at `position` or later. */
function firstFrom(nodes: readonly ts.Node[], edge: "pos" | "end", position: number): number {
  let low = 0;
  let high = nodes.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((nodes[middle]?.[edge] ?? position) < position) low = middle + 1;
    else high = middle;
  }
  return low;
}

function isBelow(node: ts.Node, scope: ts.Node): boolean {
  for (let each = node.parent; each !== undefined; each = each.parent) if (each === scope) return true;
  return false;
}
