/**
 * How often each region of a class may have been created when control reaches a place, according to the flow engine.
 * One walk of the class, and one of each class derived from it, answers for all its regions.
 */
import { type ClassDeclaration, type Node, ts } from "ts-morph";
import {
  type Analysis,
  type FlowEvent,
  type FlowProgram,
  flow,
  LifePhase,
  type Unknown,
} from "../flow/index.ts";

/** A region, as places in the source. A place is an expression or a statement, and counts when it has completed. */
export interface Slot {
  readonly creations: readonly Node[];
  readonly uses: readonly Node[];
  /** Whether it exists at run time even if no creation was seen. */
  readonly existsAtRunTime?: true;
}

/** Possible counts of creations, as a set of bits. */
const NONE = 1;
const ONE = 2;
const SEVERAL = 4;

export interface CreationOrder {
  /**
   * Whether the region exists when control reaches the place: always, sometimes or never; `unreached` if no walk
   * reaches it.
   */
  existsAt(place: Node, slot: Slot): "always" | "sometimes" | "never" | "unreached";
  /** True if control may reach the place before the device is realized, or in a life in which it never is, without the region. */
  missesEarly(place: Node, slot: Slot): boolean;
  /** True if the region may have been created before when control reaches one of its creations. */
  createdAgainAt(creation: Node, slot: Slot): boolean;
  /** What the walks could not follow. */
  readonly unknowns: readonly Unknown[];
}

/** Walks a class and those derived from it. */
export function creationOrder(
  program: FlowProgram,
  declaration: ClassDeclaration,
  slots: readonly Slot[],
): CreationOrder {
  const arrivals = new Map<ts.Node, Uint8Array>();
  const analysis = new Counts(slots, arrivals);
  const unknowns = concrete(program, declaration.compilerNode).flatMap(
    (each) => flow(program, each, analysis, { enteredEarly: true, abandoned: true }).unknowns,
  );
  const indexOf = new Map(slots.map((slot, index) => [slot, index]));
  const at = (place: Node, slot: Slot, seen: ReadonlyMap<ts.Node, Uint8Array>) =>
    seen.get(anchor(place))?.[indexOf.get(slot) ?? -1];
  const countsAt = (place: Node, slot: Slot) => at(place, slot, arrivals);
  return {
    unknowns,
    existsAt(place, slot) {
      const counts = countsAt(place, slot);
      if (counts === undefined) return "unreached";
      if ((counts & NONE) === 0) return "always";
      return counts === NONE ? "never" : "sometimes";
    },
    missesEarly(place, slot) {
      return ((at(place, slot, analysis.earlyArrivals) ?? ONE) & NONE) !== 0;
    },
    createdAgainAt(creation, slot) {
      return ((countsAt(creation, slot) ?? NONE) & (ONE | SEVERAL)) !== 0;
    },
  };
}

/** The class and all that derive from it; an abstract one only if nothing derives from it. */
function concrete(program: FlowProgram, declaration: ts.ClassLikeDeclaration): ts.ClassLikeDeclaration[] {
  const derived = program.subclassesOf(declaration).flatMap((each) => concrete(program, each));
  const abstract = ts.canHaveModifiers(declaration)
    ? ts.getModifiers(declaration)?.some(({ kind }) => kind === ts.SyntaxKind.AbstractKeyword)
    : false;
  return abstract === true && derived.length > 0 ? derived : [declaration, ...derived];
}

class Counts implements Analysis<Uint8Array> {
  readonly initial: Uint8Array;
  private readonly created = new Map<ts.Node, number>();
  private readonly places = new Set<ts.Node>();
  private readonly arrivals: Map<ts.Node, Uint8Array>;
  /** Arrivals before the device is realized, and at the end of one that never is. */
  readonly earlyArrivals = new Map<ts.Node, Uint8Array>();
  private readonly atRunTime: readonly number[];
  private isEarly = false;

  constructor(slots: readonly Slot[], arrivals: Map<ts.Node, Uint8Array>) {
    this.arrivals = arrivals;
    this.initial = new Uint8Array(slots.length).fill(NONE);
    this.atRunTime = slots.flatMap(({ existsAtRunTime }, index) => (existsAtRunTime === true ? [index] : []));
    for (const [index, { creations, uses }] of slots.entries()) {
      for (const each of creations) this.created.set(anchor(each), index);
      for (const each of [...creations, ...uses]) this.places.add(anchor(each));
    }
  }

  join(one: Uint8Array, other: Uint8Array): Uint8Array {
    if (one === other) return one;
    const joined = one.slice();
    for (let slot = 0; slot < joined.length; slot++) joined[slot] = (one[slot] ?? 0) | (other[slot] ?? 0);
    return joined;
  }

  equal(one: Uint8Array, other: Uint8Array): boolean {
    if (one === other) return true;
    for (let slot = 0; slot < one.length; slot++) if (one[slot] !== other[slot]) return false;
    return true;
  }

  transfer(event: FlowEvent, state: Uint8Array): Uint8Array {
    if (event.kind === "phase") return this.enter(event.phase, state);
    if (event.kind !== "evaluated" || !this.places.has(event.node)) return state;
    for (const seen of this.isEarly ? [this.arrivals, this.earlyArrivals] : [this.arrivals]) {
      const known = seen.get(event.node);
      seen.set(event.node, known === undefined ? state : this.join(known, state));
    }
    const slot = this.created.get(event.node);
    if (slot === undefined) return state;
    const next = state.slice();
    const counts = state[slot] ?? NONE;
    next[slot] = (counts & NONE ? ONE : 0) | (counts & (ONE | SEVERAL) ? SEVERAL : 0);
    return next;
  }

  private enter(phase: LifePhase, state: Uint8Array): Uint8Array {
    this.isEarly = phase === LifePhase.Configure || phase === LifePhase.Abandoned;
    if (phase !== LifePhase.Run || this.atRunTime.length === 0) return state;
    const next = state.slice();
    for (const slot of this.atRunTime) next[slot] = ONE;
    return next;
  }
}

/** The node whose completion the engine reports for a place. */
function anchor(place: Node): ts.Node {
  let node: ts.Node = place.compilerNode;
  if (ts.isExpressionStatement(node)) node = node.expression;
  while (
    ts.isParenthesizedExpression(node) ||
    ts.isNonNullExpression(node) ||
    ts.isAsExpression(node) ||
    ts.isSatisfiesExpression(node)
  ) {
    node = node.expression;
  }
  return node;
}
