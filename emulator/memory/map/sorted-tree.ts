import { indexRanges, type RangeIndex } from "./range-index.ts";

/** How items are ordered and, if they are intervals, where each starts and ends. */
export interface Order<T> {
  /** Negative if `a` comes before `b`, 0 if they are the same. */
  compare(a: T, b: T): number;
  /** Never decreases along the order if {@link SortedTree.overlapping} is used. */
  start(item: T): number;
  /** First value after the item. */
  end(item: T): number;
}

/** Most items of a leaf, and most children of an inner node. */
const WIDTH = 32;
/** A node with fewer is joined with a neighbour if both fit in one. */
const SPARSE = WIDTH / 4;

/** A tree is searched this often, for each of its leaves, before it pays off to index them. */
const SEARCHES_PER_LEAF = 2;

interface Leaf<T> extends Summary<T> {
  readonly items: readonly T[];
  readonly children: null;
}

interface Inner<T> extends Summary<T> {
  readonly items: null;
  readonly children: readonly Tree<T>[];
}

interface Summary<T> {
  readonly first: T;
  readonly last: T;
  /** Where each item, or the first one of each child, starts: numbers that are searched without looking at items. */
  readonly starts: readonly number[];
  /** Greatest end of an item below. */
  readonly end: number;
  readonly size: number;
}

type Tree<T> = Leaf<T> | Inner<T>;

/** The leaves of a tree side by side: a search loads few lines of memory, where a descent loads some per level. */
interface LeafIndex<T> {
  readonly index: RangeIndex;
  readonly leaves: readonly Leaf<T>[];
}

/**
 * An immutable sorted list as a tree with wide nodes (a B+ tree): a change makes a new list in logarithmic time, which
 * shares all but a few nodes with the old one.
 */
export class SortedTree<T> implements Iterable<T> {
  private readonly order: Order<T>;
  private readonly root: Tree<T> | null;
  private leafIndex: LeafIndex<T> | null = null;
  private searches = 0;

  private constructor(order: Order<T>, root: Tree<T> | null) {
    this.order = order;
    this.root = root;
  }

  /** @param items in order */
  static of<T>(order: Order<T>, items: readonly T[] = []): SortedTree<T> {
    return new SortedTree(order, top(leaves(order, items)));
  }

  get size(): number {
    return this.root?.size ?? 0;
  }

  with(item: T): SortedTree<T> {
    return this.replace(
      (other) => this.order.compare(other, item) < 0,
      (other) => this.order.compare(other, item) > 0,
      [item],
    );
  }

  without(item: T): SortedTree<T> {
    return this.replace(
      (other) => this.order.compare(other, item) < 0,
      (other) => this.order.compare(other, item) > 0,
      [],
    );
  }

  /**
   * Replaces the items between two bounds.
   * @param before true for the items below the lower bound, which come first
   * @param after true for the items above the upper bound, which come last
   * @param items what takes the place of the others, in order
   */
  replace(before: (item: T) => boolean, after: (item: T) => boolean, items: readonly T[]): SortedTree<T> {
    const { order, root } = this;
    const nodes = root === null ? leaves(order, items) : replaceIn(order, root, before, after, items);
    return new SortedTree(order, top(nodes));
  }

  /** Items from the first on for which `before` is false; it is true for those that come first. */
  *from(before: (item: T) => boolean): IterableIterator<T> {
    if (this.root !== null) yield* itemsFrom(this.root, before);
  }

  [Symbol.iterator](): IterableIterator<T> {
    return this.from(() => false);
  }

  /** The last item that starts at `place` or before, in a tree whose starts never decrease. */
  lastStartingBy(place: number): T | undefined {
    const leaf = this.leafIndex === null ? this.descend(place) : leafStartingBy(this.leafIndex, place);
    return leaf?.items[countUpTo(leaf.starts, place) - 1];
  }

  /** The last leaf that starts at `place` or before. Makes the index of leaves once that pays off. */
  private descend(place: number): Leaf<T> | undefined {
    let node = this.root;
    if (node === null) return undefined;
    let levels = 1;
    for (; node.children !== null; levels++) {
      const index = countUpTo(node.starts, place) - 1;
      if (index < 0) return undefined;
      node = node.children[index] as Tree<T>;
    }
    if (levels > 2 && ++this.searches * WIDTH > this.size * SEARCHES_PER_LEAF && this.root !== null)
      this.leafIndex = indexLeaves(this.root);
    return node;
  }

  /** Calls `visit` for each item that shares more than a bound with the interval from `low` to `high`, in order. */
  overlapping(low: number, high: number, visit: (item: T) => void): void {
    if (this.root !== null) visitOverlapping(this.order, this.root, low, high, visit);
  }
}

function replaceIn<T>(
  order: Order<T>,
  node: Tree<T>,
  before: (item: T) => boolean,
  after: (item: T) => boolean,
  items: readonly T[],
): Tree<T>[] {
  if (node.items !== null) {
    const from = firstWhere(node.items, (item) => !before(item));
    const to = Math.max(firstWhere(node.items, after), from);
    return leaves(order, [...node.items.slice(0, from), ...items, ...node.items.slice(to)]);
  }
  const { children } = node;
  const from = Math.min(
    firstWhere(children, (child) => !before(child.last)),
    children.length - 1,
  );
  const to = Math.max(
    firstWhere(children, (child) => after(child.first)),
    from + 1,
  );
  const changed = children
    .slice(from, to)
    .flatMap((child, index) => replaceIn(order, child, before, after, index === 0 ? items : []));
  // The neighbours on both sides, too, may take in what became sparse.
  const near = joined(order, [
    ...children.slice(Math.max(from - 1, 0), from),
    ...changed,
    ...children.slice(to, to + 1),
  ]);
  return inners([...children.slice(0, Math.max(from - 1, 0)), ...near, ...children.slice(to + 1)]);
}

/** Joins sparse nodes with their neighbours. */
function joined<T>(order: Order<T>, nodes: readonly Tree<T>[]): Tree<T>[] {
  const result: Tree<T>[] = [];
  for (const node of nodes) {
    const last = result.at(-1);
    const widths = last === undefined ? 0 : widthOf(last) + widthOf(node);
    const sparse = last !== undefined && Math.min(widthOf(last), widthOf(node)) < SPARSE && widths <= WIDTH;
    if (!sparse) result.push(node);
    else if (last.items !== null && node.items !== null)
      result.splice(-1, 1, ...leaves(order, [...last.items, ...node.items]));
    else if (last.children !== null && node.children !== null)
      result.splice(-1, 1, ...inners([...last.children, ...node.children]));
  }
  return result;
}

function widthOf<T>(node: Tree<T>): number {
  return node.items?.length ?? node.children?.length ?? 0;
}

function leaves<T>(order: Order<T>, items: readonly T[]): Tree<T>[] {
  return parts(items).map((part) => ({
    items: part,
    children: null,
    first: part[0] as T,
    last: part.at(-1) as T,
    starts: part.map((item) => order.start(item)),
    end: part.reduce((most, item) => Math.max(most, order.end(item)), Number.NEGATIVE_INFINITY),
    size: part.length,
  }));
}

function indexLeaves<T>(root: Tree<T>): LeafIndex<T> {
  const leaves: Leaf<T>[] = [];
  collectLeaves(root, leaves);
  const starts = leaves.map((leaf) => leaf.starts[0] as number);
  return {
    index: indexRanges(starts.map((start, i) => ({ start, end: starts[i + 1] ?? start + 1 }))),
    leaves,
  };
}

function collectLeaves<T>(node: Tree<T>, into: Leaf<T>[]): void {
  if (node.children === null) into.push(node);
  else for (const child of node.children) collectLeaves(child, into);
}

function leafStartingBy<T>({ index, leaves }: LeafIndex<T>, place: number): Leaf<T> | undefined {
  const found = index.find(place);
  const last = found >= 0 ? found : ~found - 1;
  return last >= 0 ? leaves[last] : undefined;
}

/** How many of some ascending numbers are not above `most`. */
function countUpTo(numbers: readonly number[], most: number): number {
  let low = 0;
  let high = numbers.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((numbers[middle] as number) <= most) low = middle + 1;
    else high = middle;
  }
  return low;
}

function inners<T>(children: readonly Tree<T>[]): Tree<T>[] {
  return parts(children).map((part) => ({
    items: null,
    children: part,
    first: (part[0] as Tree<T>).first,
    last: (part.at(-1) as Tree<T>).last,
    starts: part.map(({ starts }) => starts[0] as number),
    end: part.reduce((most, child) => Math.max(most, child.end), Number.NEGATIVE_INFINITY),
    size: part.reduce((sum, child) => sum + child.size, 0),
  }));
}

/** Cuts a list into parts of equal length that fit in a node. */
function parts<T>(list: readonly T[]): (readonly T[])[] {
  if (list.length === 0) return [];
  const count = Math.ceil(list.length / WIDTH);
  if (count === 1) return [list];
  return Array.from({ length: count }, (_, index) =>
    list.slice(Math.floor((index * list.length) / count), Math.floor(((index + 1) * list.length) / count)),
  );
}

/** Puts nodes below one root. */
function top<T>(nodes: readonly Tree<T>[]): Tree<T> | null {
  let level = nodes;
  while (level.length > 1) level = inners(level);
  let root = level[0] ?? null;
  while (root?.children?.length === 1) root = root.children[0] as Tree<T>;
  return root;
}

function* itemsFrom<T>(node: Tree<T>, before: (item: T) => boolean): IterableIterator<T> {
  if (node.items !== null) {
    for (let i = firstWhere(node.items, (item) => !before(item)); i < node.items.length; i++)
      yield node.items[i] as T;
    return;
  }
  const { children } = node;
  for (let i = firstWhere(children, (child) => !before(child.last)); i < children.length; i++)
    yield* itemsFrom(children[i] as Tree<T>, before);
}

function visitOverlapping<T>(
  order: Order<T>,
  node: Tree<T>,
  low: number,
  high: number,
  visit: (item: T) => void,
): void {
  if (node.end <= low || order.start(node.first) >= high) return;
  if (node.children !== null) {
    for (const child of node.children) {
      if (order.start(child.first) >= high) return;
      visitOverlapping(order, child, low, high, visit);
    }
    return;
  }
  for (const item of node.items) {
    if (order.start(item) >= high) return;
    if (order.end(item) > low) visit(item);
  }
}

/** Index of the first element for which `test` is true, if it is false for those before and true for all after it. */
function firstWhere<T>(list: readonly T[], test: (element: T) => boolean): number {
  let low = 0;
  let high = list.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (test(list[middle] as T)) high = middle;
    else low = middle + 1;
  }
  return low;
}
