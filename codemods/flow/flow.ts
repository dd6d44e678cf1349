/**
 * Walks the life of one object of a class, in the order in which the object model runs it:
 *
 *     constructors → instanceInit, root to leaf → setters and options, any number of times
 *       → realize, and a machine's `build` → run: everything that may be entered from outside, any number of times
 *       → unrealize → (realize again) → instanceFinalize, leaf to root
 *
 * Calls are followed wherever their target is at hand, with their arguments, so that a helper that is called twice is
 * walked twice. What an engine of this kind must get right, and what it does about it:
 *
 * - Callbacks of array methods, and of `transaction`, run at once. Callbacks given to the framework run later. Callbacks
 *   given to unknown code run at once or later, any number of times. Generators likewise.
 * - After an `await`, the caller may go on first, and the rest may run at any later time: the function is walked again with
 *   what may be entered from outside, so that its parts count as running many times.
 * - Exceptions of calls are edges inside `try`; outside of it only `throw` is. An exception that leaves a hook ends the
 *   life there, as `plug` does.
 * - A public method may be entered whenever the device is realized; whether other files call it earlier is not known
 *   here. Private methods run only where they are called.
 * - What cannot be followed is an `unknown` event, with the node and a reason in words.
 */
import type { ts } from "ts-morph";
import { BUILD, type Entry, entriesOf, isConfiguring, isMachine } from "./entries.ts";
import { type Analysis, type FlowResult, LifePhase } from "./events.ts";
import { newExits } from "./exits.ts";
import { construct, evaluate } from "./expressions.ts";
import { DEVICE } from "./frames.ts";
import { takeApart } from "./patterns.ts";
import type { ClassShape, FlowProgram } from "./program.ts";
import { execute } from "./statements.ts";
import { Walker } from "./walker.ts";

export interface FlowOptions {
  /** Whether the device may be realized again after `unrealize`; default: no. */
  readonly realizedAgain?: boolean;
  /**
   * Whether to walk, after `unrealize`, everything that may still be entered until the object ends. The walk goes on from where
   * `unrealize` left off. Default: no.
   */
  readonly enteredAfterwards?: boolean;
  /** Whether to walk the ends of devices that are never realized, or whose `realize` fails. Default: no. */
  readonly abandoned?: boolean;
  /**
   * Whether to walk, before `realize`, all that may run early: overrides of what the framework declares, all functions of
   * options, and what has been passed to others by then. Default: setters and what sets options only.
   */
  readonly enteredEarly?: boolean;
}

/** Runs an analysis over the life of an object of `declaration`. */
export function flow<S>(
  program: FlowProgram,
  declaration: ts.ClassLikeDeclaration,
  analysis: Analysis<S>,
  options: FlowOptions = {},
): FlowResult<S> {
  const shape = program.shapeOf(declaration);
  const entries = entriesOf(program, shape);
  const walker = new Walker(program, shape, analysis, entries, { evaluate, execute, takeApart });
  const life = new Life(walker, shape, entries);
  const end = life.walk(analysis.initial, options);
  return { end, unknowns: walker.unknowns, truncated: walker.truncated };
}

class Life<S> {
  private readonly walker: Walker<S>;
  private readonly shape: ClassShape;
  private readonly entries: readonly Entry[];

  constructor(walker: Walker<S>, shape: ClassShape, entries: readonly Entry[]) {
    this.walker = walker;
    this.shape = shape;
    this.entries = entries;
  }

  walk(initial: S, options: FlowOptions): S | undefined {
    const { walker } = this;
    walker.unrealized = options.enteredEarly === true;
    let state = walker.phase(LifePhase.Construct, initial);
    if (state !== undefined) state = construct(walker, this.shape, [DEVICE], undefined, state, walker.top);
    state = this.initialise(walker.phase(LifePhase.Initialise, state));
    state = walker.phase(LifePhase.Configure, state);
    const early = this.entries.filter((each) =>
      options.enteredEarly === true ? each.early === true : isConfiguring(each),
    );
    if (state !== undefined)
      state = this.repeatEntries(state, early, options.enteredEarly ? walker.handed : []);
    if (state === undefined) return undefined;
    if (options.abandoned === true) this.abandon(state);
    let failed: S | undefined;
    const realized = (each: S): S | undefined => {
      const { done, thrown } = this.realize(each, options);
      failed = walker.join(failed, thrown);
      if (options.enteredAfterwards === true && done !== undefined) {
        const after = walker.phase(LifePhase.Afterwards, done);
        if (after !== undefined) this.runTime(after);
      }
      return done;
    };
    let ended = realized(state);
    if (options.realizedAgain === true && ended !== undefined) ended = walker.repeat(ended, realized);
    this.finalize(failed);
    return this.finalize(ended);
  }

  private initialise(state: S | undefined): S | undefined {
    let current = state;
    for (const each of [...this.shape.chain].reverse()) current = this.ownHook(each, "instanceInit", current);
    return current;
  }

  /** The device goes without having been realized. */
  private abandon(state: S | undefined): S | undefined {
    return this.hook("onUnparent", this.walker.phase(LifePhase.Abandoned, state));
  }

  /** One `realize`, the run time, and `unrealize`; `thrown` is the state in which a hook failed. */
  private realize(
    state: S,
    options: FlowOptions,
  ): { readonly done: S | undefined; readonly thrown: S | undefined } {
    const { walker } = this;
    const outer = walker.exits;
    const exits = newExits<S>();
    walker.exits = exits;
    let current = this.hook("realize", walker.phase(LifePhase.Realize, state));
    if (isMachine(walker.program, this.shape)) current = this.hook(BUILD, current);
    if (options.abandoned === true) walker.phase(LifePhase.Failed, this.abandon(exits.thrown));
    walker.unrealized = false;
    current = walker.phase(LifePhase.Run, current);
    if (current !== undefined) current = this.runTime(current);
    current = this.hook("unrealize", walker.phase(LifePhase.Unrealize, current));
    current = this.hook("onUnparent", current);
    walker.exits = outer;
    return { done: walker.phase(LifePhase.Unrealized, current), thrown: exits.thrown };
  }

  private runTime(state: S): S {
    return this.repeatEntries(state, this.entries, this.walker.registered);
  }

  /** Enters all of these, any number of times, and the closures, which may become more. */
  private repeatEntries(state: S, entries: readonly Entry[], closures: readonly Entry[]): S {
    const { walker } = this;
    let known = -1;
    let current = state;
    while (known !== closures.length) {
      known = closures.length;
      current = walker.repeat(current, (each) => walker.enterAll(walker.enterAll(each, entries), closures));
    }
    return current;
  }

  private finalize(state: S | undefined): S | undefined {
    let current = this.walker.phase(LifePhase.Finalize, state);
    for (const each of this.shape.chain) current = this.ownHook(each, "instanceFinalize", current);
    return current;
  }

  /** A hook that overrides: the most derived one runs, and calls `super` where it likes. */
  private hook(name: string, state: S | undefined): S | undefined {
    const method = this.shape.method(name);
    if (method === undefined || state === undefined) return state;
    return this.walker.enter({ fn: method, self: [DEVICE], bindings: new Map(), outer: undefined }, state);
  }

  /** A hook that the object model calls for each class that declares it. */
  private ownHook(holder: ts.ClassLikeDeclaration, name: string, state: S | undefined): S | undefined {
    if (state === undefined) return undefined;
    const method = this.shape.ownMethod(holder, name);
    if (method === undefined) return state;
    return this.walker.enter({ fn: method, self: [DEVICE], bindings: new Map(), outer: undefined }, state);
  }
}
