/**
 * What the flow engine tells an analysis, and what an analysis is.
 *
 * An analysis is a lattice with a transfer function. The engine walks the life of one object in the order in which the
 * object model runs it, and calls `transfer` for each event; where paths meet it calls `join`, and loops run until
 * `equal` says that nothing changes any more. A lattice must therefore have no infinite ascending chains.
 */
import type { ts } from "ts-morph";
import type { Frame } from "./frames.ts";

/** Phases of a life, in order. `run` is a loop over everything that may be entered from outside. */
export const LifePhase = {
  Construct: "construct",
  Initialise: "initialise",
  Configure: "configure",
  Realize: "realize",
  Run: "run",
  Unrealize: "unrealize",
  /** `unrealize` has returned; the object still stands. */
  Unrealized: "unrealized",
  /** Optional: `onUnparent` of a device that was never realized, or whose `realize` failed. */
  Abandoned: "abandoned",
  /** Optional, after that: `realize` has failed, and the device is gone from the tree. */
  Failed: "failed",
  /** Optional: what may still be entered between `unrealize` and the end. */
  Afterwards: "afterwards",
  /** The children have been released; the finalizers run. */
  Finalize: "finalize",
} as const;
export type LifePhase = (typeof LifePhase)[keyof typeof LifePhase];

export type FlowEvent =
  /** An expression has its value, an assignment has been made, a statement has completed: in order of evaluation. */
  | {
      readonly kind: "evaluated";
      readonly node: ts.Node;
      readonly frame: Frame;
      /** True for a call whose callee was followed: its events have been seen already. */
      readonly followed: boolean;
    }
  /** A condition was decided. */
  | {
      readonly kind: "branch";
      readonly condition: ts.Expression;
      readonly taken: boolean;
      readonly frame: Frame;
    }
  | { readonly kind: "phase"; readonly phase: LifePhase }
  /** Code that the engine cannot follow may run here. */
  | { readonly kind: "unknown"; readonly node: ts.Node; readonly why: string; readonly frame: Frame };

export interface Analysis<State> {
  readonly initial: State;
  join(one: State, other: State): State;
  equal(one: State, other: State): boolean;
  transfer(event: FlowEvent, state: State): State;
  /** True for a function that holds nothing of interest, however deep; its calls are not followed. */
  skips?(fn: ts.Node): boolean;
}

/** Something that the engine could not follow. */
export interface Unknown {
  readonly node: ts.Node;
  /** In words, such as "the method called is computed". */
  readonly why: string;
}

export interface FlowResult<State> {
  /** The state after the finalizers of a life in which every hook returned; undefined if none can. */
  readonly end: State | undefined;
  readonly unknowns: readonly Unknown[];
  /** Functions of which some call was not followed, because the calls were too deep; they may run more often than seen. */
  readonly truncated: ReadonlySet<ts.Node>;
}
