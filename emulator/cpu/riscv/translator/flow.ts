import { type Block, type Region, successors } from "./region.ts";

/** A block in the control-flow graph. */
export interface FlowNode {
  readonly block: Block;
  /** Position in reverse postorder: forward edges lead to higher ones, back edges to the same or lower ones. */
  readonly order: number;
  /** Blocks that this one immediately dominates and that several forward edges lead to; the last in order first. */
  readonly joins: readonly FlowNode[];
  /** Whether a back edge leads here. */
  readonly isLoop: boolean;
  /** Instructions on the longest path from here up to the next loop header. */
  readonly longestWay: number;
}

/** A region whose control flow is nested loops and joins, as WebAssembly can express it. */
export interface Flow {
  readonly entry: FlowNode;
  /** In reverse postorder. */
  readonly nodes: readonly FlowNode[];
  /** Node of a block that an edge leads to; undefined when following the edge leaves the unit. */
  target(from: FlowNode, offset: number): FlowNode | undefined;
}

interface MutableNode {
  block: Block;
  order: number;
  joins: MutableNode[];
  isLoop: boolean;
  longestWay: number;
  dominator: MutableNode | undefined;
  /** Followed edges. */
  successors: MutableNode[];
  predecessors: MutableNode[];
}

/**
 * Orders the blocks of a region and finds dominators (Cooper, Harvey and Kennedy: A Simple, Fast Dominance Algorithm),
 * loops and joins. A back edge to a block that does not dominate its source (irreducible control flow, which compilers
 * rarely generate) is not followed: such a jump leaves the unit and comes back through the table of units.
 */
export function analyseFlow(region: Region): Flow {
  const dropped = new Set<string>();
  for (;;) {
    const nodes = orderBlocks(region, dropped);
    findDominators(nodes);
    if (dropIrreducible(nodes, dropped)) continue;
    findJoins(nodes);
    findLongestWays(nodes);
    const byOffset = new Map(nodes.map((node) => [node.block.offset, node]));
    return {
      entry: nodes[0] as FlowNode, // the entry is always reached
      nodes,
      target: (from, offset) =>
        dropped.has(edge(from.block.offset, offset)) ? undefined : byOffset.get(offset),
    };
  }
}

function edge(from: number, to: number): string {
  return `${from}>${to}`;
}

function orderBlocks({ entry, blocks }: Region, dropped: ReadonlySet<string>): MutableNode[] {
  const nodes = new Map<number, MutableNode>();
  const finished: MutableNode[] = [];
  const visit = (offset: number): MutableNode | undefined => {
    const known = nodes.get(offset);
    if (known !== undefined) return known;
    const block = blocks.get(offset);
    if (block === undefined) return undefined;
    const node: MutableNode = {
      block,
      order: 0,
      joins: [],
      isLoop: false,
      longestWay: 0,
      dominator: undefined,
      successors: [],
      predecessors: [],
    };
    nodes.set(offset, node);
    for (const next of followed(block)) {
      if (dropped.has(edge(offset, next))) continue;
      const successor = visit(next);
      if (successor === undefined) continue;
      node.successors.push(successor);
      successor.predecessors.push(node);
    }
    finished.push(node);
    return node;
  };
  visit(entry);
  finished.reverse();
  finished.forEach((node, order) => {
    node.order = order;
  });
  return finished;
}

/** Where control may continue inside the region. Calls are not followed: what they call has a unit of its own. */
export function followed(block: Block): readonly number[] {
  return isCall(block) ? [] : successors(block.end);
}

/** Whether a block ends in a jump that saves its return address. */
export function isCall({ instructions, end }: Block): boolean {
  return end.kind === "jump" && instructions.at(-1)?.decoded.rd !== 0;
}

function findDominators(nodes: readonly MutableNode[]): void {
  const [entry] = nodes;
  if (entry === undefined) return;
  entry.dominator = entry;
  for (let changed = true; changed; ) {
    changed = false;
    for (const node of nodes) {
      if (node === entry) continue;
      let dominator: MutableNode | undefined;
      for (const predecessor of node.predecessors) {
        if (predecessor.dominator === undefined) continue;
        dominator = dominator === undefined ? predecessor : commonDominator(dominator, predecessor);
      }
      if (node.dominator !== dominator) {
        node.dominator = dominator;
        changed = true;
      }
    }
  }
}

function commonDominator(left: MutableNode, right: MutableNode): MutableNode {
  let [a, b] = [left, right];
  while (a !== b) {
    while (a.order > b.order) a = a.dominator ?? a;
    while (b.order > a.order) b = b.dominator ?? b;
  }
  return a;
}

function dominates(node: MutableNode, other: MutableNode): boolean {
  let at = other;
  while (at.order > node.order) at = at.dominator ?? node;
  return at === node;
}

/** Notes back edges to nodes that do not dominate their source; true if there are new ones. */
function dropIrreducible(nodes: readonly MutableNode[], dropped: Set<string>): boolean {
  const before = dropped.size;
  for (const node of nodes) {
    for (const next of node.successors) {
      if (next.order <= node.order && !dominates(next, node)) {
        dropped.add(edge(node.block.offset, next.block.offset));
      }
    }
  }
  return dropped.size > before;
}

function findJoins(nodes: readonly MutableNode[]): void {
  for (const node of nodes) {
    node.isLoop = node.predecessors.some((from) => from.order >= node.order);
    const forward = node.predecessors.filter((from) => from.order < node.order);
    if (forward.length > 1) node.dominator?.joins.unshift(node);
  }
}

function findLongestWays(nodes: readonly MutableNode[]): void {
  for (const node of nodes.toReversed()) {
    const beyond = node.successors.map((next) =>
      next.order <= node.order || next.isLoop ? 0 : next.longestWay,
    );
    node.longestWay = node.block.instructions.length + Math.max(0, ...beyond);
  }
}
