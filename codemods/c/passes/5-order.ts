/** Phase 5: whether a region has been initialised by the time of a use, and whether it may be initialised again. */
import {
  conditionsOf,
  covers,
  coversTogether,
  type Inside,
  type Lifecycle,
  laterThan,
  leavesLoopAfter,
  realizesBefore,
  Stage,
  squeezed,
} from "../lifecycle.ts";
import type { FunctionBody, Struct } from "../program.ts";
import { Reason } from "../reasons.ts";
import { bodyOf, type Statement } from "../statements.ts";
import { wordOf } from "../words.ts";
import { endsExpression, textBetween, type Use } from "./4-uses.ts";
import type { Init } from "./5-judge.ts";

const ARROW = wordOf("->");
const DOT = wordOf(".");
const AMPERSAND = wordOf("&");
const INCREMENT = wordOf("++");
const DECREMENT = wordOf("--");

/** Where a region is made, and the variable through which it is. */
export type Made = Pick<Init, "use" | "through">;

export class Order {
  private readonly lifecycle: Lifecycle;
  private readonly isArray: boolean;

  constructor(lifecycle: Lifecycle, isArray: boolean) {
    this.lifecycle = lifecycle;
    this.isArray = isArray;
  }

  /** An initialisation that may run again, or after another one: several are fine if they exclude each other. */
  repeated(inits: readonly Use[]): { readonly reason: Reason; readonly use: Use } | undefined {
    for (const [index, use] of inits.entries()) {
      const stages = this.lifecycle.stagesOf(use.fn);
      if ((stages & ~(Stage.Init | Stage.Realize)) !== 0 && this.mayRunAgain(use.fn, stages)) {
        return { reason: Reason.InitialisedAtRunTime, use };
      }
      const surely = this.surelyRepeated(use);
      if (surely !== undefined) return { reason: surely, use };
      for (const other of inits.slice(0, index)) {
        if (other.fn !== use.fn) continue;
        if (
          covers(use.fn, other.first, use.first) &&
          other.index === use.index &&
          baseText(other) === baseText(use)
        ) {
          return { reason: Reason.InitialisedTwice, use };
        }
      }
    }
    return undefined;
  }

  /** Why an initialisation certainly runs again: in a reset or the like, or in a function that is called twice. */
  surelyRepeated({ fn, first }: Use): Reason | undefined {
    if (this.lifecycle.mayRepeat({ fn, token: first }, false)) return Reason.InitialisedAtRunTime;
    const isAgain = !this.isArray && this.lifecycle.calledAgain(fn) !== undefined;
    return isAgain ? Reason.InitialisedTwice : undefined;
  }

  private mayRunAgain(fn: FunctionBody, stages: number): boolean {
    if ((stages & (Stage.Setup | Stage.Exit | Stage.Finalize)) !== 0) return true;
    // A function that boards call has no role that is known: it runs once if it is given nothing to call it later.
    return (this.lifecycle.roleOf(fn) & Stage.Run) !== 0 || this.reachedFromRunTime(fn);
  }

  private reachedFromRunTime(fn: FunctionBody, depth = 5): boolean {
    if (depth === 0) return false;
    return this.lifecycle
      .callersOf(fn)
      .some(
        ({ caller }) =>
          (this.lifecycle.roleOf(caller) & (Stage.Run | Stage.Setup)) !== 0 ||
          this.reachedFromRunTime(caller, depth - 1),
      );
  }

  /** What is sure of a region at a use: that it has been initialised, that it has been under some condition, or nothing. */
  at(use: Use, inits: readonly Made[]): "initialised" | "conditional" | "unknown" {
    // Another element of a row of regions says nothing of this one.
    const mine = inits.filter(({ use: init }) => !isOtherElement(init, use));
    const here = mine.filter(({ use: init }) => init.fn === use.fn);
    if (here.some(({ use: init }) => covers(use.fn, init.first, use.first))) return "initialised";
    const alike = here.filter(({ use: init }) => baseText(init) === baseText(use));
    if (coversTogether(use.fn, alike.map(pointOf), use.first)) return "initialised";
    if (!mine.some(({ use: each }) => this.runsBefore(each, use))) return "unknown";
    return mine.some(({ use: each }) => this.isAlways(each, use)) ? "initialised" : "conditional";
  }

  private runsBefore(init: Use, use: Use): boolean {
    const { lifecycle } = this;
    if (init.fn === use.fn) return use.first > init.first;
    const initStages = lifecycle.stagesOf(init.fn);
    const stages = lifecycle.stagesOf(use.fn);
    if ((stages & ~laterThan(initStages)) === 0) return true;
    if (init.fn.file !== use.fn.file) {
      const isInitStage = (initStages & ~Stage.Init) === 0;
      if (realizesBefore(use.fn, use.first, baseText(use), isInitStage)) return true;
    }
    return lifecycle.precedes({ fn: init.fn, token: init.first }, { fn: use.fn, token: use.first });
  }

  /** True if the initialisation is unconditional, or under conditions that the use is under as well. */
  private isAlways(init: Use, use: Use): boolean {
    const wanted = this.wantedConditions(init.fn, init.first, 4);
    if (wanted.length === 0) return true;
    const given = this.givenConditions(use.fn, use.first, 3);
    return wanted.every((condition) => given.has(condition) && this.isStable(condition, init, use));
  }

  /** Every condition that may keep an initialisation from running: those at all calls of the function, too. */
  wantedConditions(fn: FunctionBody, token: number, depth: number): string[] {
    const own = conditionsOf(fn, token);
    if (this.isArray && leavesLoopAfter(fn, token)) own.push("(loop left early)");
    if (depth === 0) return [...own, "(unknown)"];
    const callers = this.lifecycle.callersOf(fn).filter(({ caller }) => caller !== fn);
    if (callers.length === 0 || this.lifecycle.roleOf(fn) !== 0) return own;
    return [...own, ...callers.flatMap((site) => this.wantedConditions(site.caller, site.token, depth - 1))];
  }

  /** The conditions that certainly hold at a use: its own, and what all calls of the function require. */
  private givenConditions(fn: FunctionBody, token: number, depth: number): Set<string> {
    const own = new Set(conditionsOf(fn, token));
    if (depth === 0) return own;
    const callers = this.lifecycle.callersOf(fn).filter(({ caller }) => caller !== fn);
    if (callers.length === 0 || this.lifecycle.roleOf(fn) !== 0) return own;
    const [first, ...rest] = callers.map((site) => this.givenConditions(site.caller, site.token, depth - 1));
    for (const condition of first ?? []) if (rest.every((other) => other.has(condition))) own.add(condition);
    return own;
  }

  /**
   * True if a condition of both an initialisation and a use means the same at both: it reads what hangs from a pointer of the
   * same name and type, and nothing assigns a member that it reads while the machine runs.
   */
  private isStable(condition: string, init: Use, use: Use): boolean {
    if (condition.startsWith("#") || condition.startsWith("!#")) return true;
    const isSame = init.fn === use.fn;
    const { source } = init;
    const ownVariables = loopVariables(condition);
    if (isSame) for (const name of sharedLoopVariables(condition, init, use)) ownVariables.add(name);
    for (const [, link = "", name = "", next = ""] of condition.matchAll(
      /(->|\.|)\b([A-Za-z_]\w*)(?=(->|\(|))/g,
    )) {
      if (link !== "") {
        if (this.lifecycle.isAssignedLater(source, name, init.fn)) return false;
        continue;
      }
      if (next === "(" || ownVariables.has(name) || variableType(init.fn, name) === undefined) continue;
      if (isSame) {
        if (isAssignedBetween(init.fn, name, init.first, use.first)) return false;
      } else if (next !== "->" || variableType(init.fn, name) !== variableType(use.fn, name)) return false;
    }
    return true;
  }
}

/** True if both are elements of a row of regions, and not the same one. */
function isOtherElement({ index: one = "" }: Use, { index: other = "" }: Use): boolean {
  return /^\d+$/.test(one) && /^\d+$/.test(other) && Number(one) !== Number(other);
}

/** Where an initialisation stands. */
export function pointOf({ use, through }: Made): Inside {
  const { first: token, statement } = through?.use ?? use;
  return { token, statement };
}

/** The variables that the head of a loop sets and counts: those of another loop with the same head run over the same values. */
function loopVariables(condition: string): Set<string> {
  if (!condition.includes(";")) return new Set();
  return new Set([...condition.matchAll(/(\w+)(?:\+\+|--|[-+]=)/g)].map(([, name = ""]) => name));
}

/** The variables of loops around a condition that have the same head at both: the condition is asked for the same values. */
function sharedLoopVariables(condition: string, init: Use, use: Use): Set<string> {
  const [one, other] = [init, use].map(({ fn, first }) => {
    const all = conditionsOf(fn, first);
    return all.slice(0, all.indexOf(condition));
  });
  const heads = (one ?? []).filter((head) => other?.includes(head));
  const names = new Set(heads.flatMap((head) => [...loopVariables(head)]));
  for (let at: Statement | undefined = init.statement; at !== undefined; at = at.parent) {
    if (at.kind !== "loop") continue;
    for (const name of names) if (isAssignedBetween(init.fn, name, at.close, at.last)) names.delete(name);
  }
  return names;
}

/** The structure that a parameter or variable points to; undefined if the function has none of the name. */
export function variableType(fn: FunctionBody, name: string): string | Struct | undefined {
  return (
    fn.parameters.find((each) => each.name === name)?.type.base ??
    bodyOf(fn).locals.find((each) => each.name === name)?.type.base
  );
}

export const assigning = new Set("= += -= *= /= %= &= |= ^= <<= >>= ++ --".split(" ").map(wordOf));

/** True if a variable is assigned, or its address taken, between two tokens of a function. */
export function isAssignedBetween(fn: FunctionBody, name: string, from: number, to: number): boolean {
  const { tokens } = fn.file;
  const word = wordOf(name);
  for (let token = from; token < to; token++) {
    if (tokens.word[token] !== word) continue;
    const before = tokens.word[token - 1] ?? 0;
    if (before === ARROW || before === DOT) continue;
    if (assigning.has(tokens.word[token + 1] ?? 0) || before === INCREMENT || before === DECREMENT)
      return true;
    if (before === AMPERSAND && !endsExpression(tokens, token - 2)) {
      const next = tokens.word[token + 1] ?? 0;
      if (next !== ARROW && next !== DOT) return true;
    }
  }
  return false;
}

/** The expression of the state that a use starts from, without white space. */
export function baseText(use: Use): string {
  const { tokens } = use.source;
  return squeezed(textBetween(tokens, use.first, use.last)).replace(/[()]/g, "");
}
