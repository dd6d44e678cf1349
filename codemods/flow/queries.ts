/**
 * Two questions about code in the life of a device: how often it runs, and whether it runs after something else.
 *
 *     const life = lifeQueries(program, deviceClass, [creation, use]);
 *     life.timesOf(creation)          // "once"
 *     life.orderOf(creation, use)     // "after": the creation has certainly completed at every arrival at the use
 *
 * All nodes are given at the start, because one walk of the class answers for all of them. A node is an expression, a
 * variable declaration or a statement, and counts when it has completed.
 */
import type { Node } from "ts-morph";
import { ts } from "ts-morph";
import type { Analysis, FlowEvent, Unknown } from "./events.ts";
import { type FlowOptions, flow } from "./flow.ts";
import type { FlowProgram } from "./program.ts";
import { functionAround, strip } from "./syntax.ts";

/** How often a node completes in the life of one device that is realized (once, unless the options say otherwise). */
export type Times = "never" | "once" | "at-most-once" | "many" | "unknown";
/** Whether a creation has completed when a use is reached: always, never, or sometimes. */
export type Order = "after" | "before" | "maybe-before" | "unknown";

export interface LifeQueries {
  timesOf(node: Node | ts.Node): Times;
  orderOf(creation: Node | ts.Node, use: Node | ts.Node): Order;
  /** What could not be followed; each may run or call anything that it can name. */
  readonly unknowns: readonly Unknown[];
}

/** Sets of possible counts: none, one, several. */
const NONE = 1;
const ONE = 2;
const SEVERAL = 4;

export function lifeQueries(
  program: FlowProgram,
  declaration: Node | ts.ClassLikeDeclaration,
  nodes: readonly (Node | ts.Node)[],
  options: FlowOptions = {},
): LifeQueries {
  const compiled = compilerNode(declaration);
  if (!ts.isClassLike(compiled))
    throw new TypeError("the life of something that is not a class was asked for");
  const index = new Map<ts.Node, number>();
  for (const node of nodes) if (!index.has(anchor(node))) index.set(anchor(node), index.size);
  const arrivals = new Map<ts.Node, Uint8Array>();
  const counts = new Counts(index, arrivals);
  const { end, unknowns, truncated } = flow(program, compiled, counts, options);

  const known = (node: Node | ts.Node): number => {
    const place = index.get(anchor(node));
    if (place === undefined) throw new RangeError(`the node was not announced: ${anchor(node).getText()}`);
    return place;
  };
  return {
    unknowns,
    timesOf(node) {
      const place = known(node);
      const set = end?.[place];
      const peak = counts.peaks[place] ?? 0;
      if (set === undefined) return "unknown";
      if (peak === 0) return isIdle(node, compiled) && unknowns.length === 0 ? "never" : "unknown";
      if ((peak & SEVERAL) !== 0 || isIn(truncated, anchor(node))) return "many";
      return set === ONE ? "once" : "at-most-once";
    },
    orderOf(creation, use) {
      known(use);
      const set = arrivals.get(anchor(use))?.[known(creation)];
      if (set === undefined) return "unknown";
      const isSure = !isIn(truncated, anchor(use)) && (set !== NONE || !isIn(truncated, anchor(creation)));
      if ((set & NONE) === 0) return isSure ? "after" : "maybe-before";
      return set === NONE && isSure ? "before" : "maybe-before";
    },
  };
}

/** True for a node in one of the functions. */
function isIn(functions: ReadonlySet<ts.Node>, node: ts.Node): boolean {
  if (functions.size === 0) return false;
  for (let each: ts.Node | undefined = node; each !== undefined; each = each.parent)
    if (functions.has(each)) return true;
  return false;
}

/** True for a node inside the class that nothing reaches. */
function isIdle(node: Node | ts.Node, declaration: ts.ClassLikeDeclaration): boolean {
  const around = functionAround(anchor(node));
  for (let each: ts.Node | undefined = around; each !== undefined; each = each.parent)
    if (each === declaration) return true;
  return false;
}

class Counts implements Analysis<Uint8Array> {
  readonly initial: Uint8Array;
  private readonly index: ReadonlyMap<ts.Node, number>;
  private readonly arrivals: Map<ts.Node, Uint8Array>;
  /** Counts of each node seen anywhere, in lives that end early too. */
  readonly peaks: Uint8Array;

  constructor(index: ReadonlyMap<ts.Node, number>, arrivals: Map<ts.Node, Uint8Array>) {
    this.index = index;
    this.arrivals = arrivals;
    this.initial = new Uint8Array(index.size).fill(NONE);
    this.peaks = new Uint8Array(index.size);
  }

  join(one: Uint8Array, other: Uint8Array): Uint8Array {
    return one.map((set, place) => set | (other[place] ?? 0));
  }

  equal(one: Uint8Array, other: Uint8Array): boolean {
    return one.every((set, place) => set === other[place]);
  }

  transfer(event: FlowEvent, state: Uint8Array): Uint8Array {
    if (event.kind !== "evaluated") return state;
    const place = this.index.get(event.node);
    if (place === undefined) return state;
    const before = this.arrivals.get(event.node);
    this.arrivals.set(event.node, before === undefined ? state : this.join(before, state));
    const next = state.slice();
    const set = state[place] ?? NONE;
    const raised = (set & NONE ? ONE : 0) | (set & (ONE | SEVERAL) ? SEVERAL : 0);
    next[place] = raised;
    this.peaks[place] = (this.peaks[place] ?? 0) | raised;
    return next;
  }
}

function compilerNode(node: Node | ts.Node): ts.Node {
  return "compilerNode" in node ? node.compilerNode : node;
}

/** The node whose completion the engine reports. */
function anchor(node: Node | ts.Node): ts.Node {
  const compiled = compilerNode(node);
  if (ts.isVariableStatement(compiled)) return compiled.declarationList.declarations[0] ?? compiled;
  if (ts.isExpressionStatement(compiled)) return strip(compiled.expression);
  return ts.isExpression(compiled) ? strip(compiled) : compiled;
}
