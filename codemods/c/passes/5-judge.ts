/** Phase 5: per field: a local, a pointer that is kept, or refused with a reason. Only understood positions are accepted. */
import {
  needsInitialised,
  type Pair,
  pairOfInit,
  takesNull,
  tolerantQuestions,
  tolerantStatements,
} from "../api.ts";
import {
  conditionsOf,
  covers,
  type Lifecycle,
  laterThan,
  listOf,
  realizesBefore,
  Stage,
  squeezed,
} from "../lifecycle.ts";
import type { FunctionBody } from "../program.ts";
import { Reason } from "../reasons.ts";
import type { Statement } from "../statements.ts";
import type { Types } from "../types.ts";
import { textOf, wordOf } from "../words.ts";
import { argumentsOf, type Field, type ObstacleKind, textBetween, type Use } from "./4-uses.ts";
import type { Helper, Helpers } from "./5-helpers.ts";

/** How the call that initialises a region stands in its statement. */
export type InitForm = "statement" | "condition";

export interface Init {
  readonly use: Use;
  readonly pair: Pair;
  readonly form: InitForm;
}

export interface Place {
  readonly file: string;
  readonly offset: number;
}

export interface Judgement {
  readonly field: Field;
  readonly treatment: "dropped" | "kept" | "refused";
  readonly reason: Reason | undefined;
  /** Where the reason shows. */
  readonly at: Place;
  readonly inits: readonly Init[];
  /** Uses that need a test for null: statements and questions. */
  readonly guards: readonly Use[];
  /** Why it is kept rather than dropped. */
  readonly why: string;
}

const reasonOfObstacle: Readonly<Record<ObstacleKind, Reason>> = {
  unresolved: Reason.Unresolved,
  "macro-body": Reason.MacroBody,
  "container-of": Reason.ContainerOf,
  "outside-function": Reason.OutsideFunction,
  "split-braces": Reason.SplitBraces,
  "state-copied": Reason.StateCopied,
  "rust-mirror": Reason.RustMirror,
};

/** Thrown inside this pass only: the first reason ends the judging of a field. */
class Refusal extends Error {
  readonly reason: Reason;
  readonly at: Place;

  constructor(reason: Reason, at: Place) {
    super(reason);
    this.reason = reason;
    this.at = at;
  }
}

export interface JudgeOptions {
  /** The program's knowledge of when functions run. */
  readonly lifecycle: Lifecycle;
  readonly types: Types;
  /** Functions that return the region that they used to be given. */
  readonly helpers: Helpers;
  /** Keep every field. */
  readonly reversible: boolean;
  /** Words that a local must not be called by, since a macro has that name. */
  readonly macros: ReadonlySet<string>;
}

export function judge(field: Field, options: JudgeOptions): Judgement {
  try {
    return new FieldJudge(field, options).run();
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    const { reason, at } = error;
    return { field, treatment: "refused", reason, at, inits: [], guards: [], why: "" };
  }
}

const SEMICOLON = wordOf(";");
const NOT = wordOf("!");

class FieldJudge {
  private readonly field: Field;
  private readonly lifecycle: Lifecycle;
  private readonly macros: ReadonlySet<string>;

  private readonly options: JudgeOptions;

  constructor(field: Field, options: JudgeOptions) {
    this.field = field;
    this.options = options;
    this.lifecycle = options.lifecycle;
    this.macros = options.macros;
  }

  run(): Judgement {
    const { field } = this;
    const { member, uses, obstacles } = field;
    const declared = placeOf(member.struct.file.path, member.struct.file.tokens.start[member.nameToken]);
    const [obstacle] = obstacles;
    if (obstacle !== undefined) throw new Refusal(reasonOfObstacle[obstacle.kind], obstacle);
    if (member.struct.isUnion) throw new Refusal(Reason.InUnion, declared);
    if (uses.length === 0 && this.options.reversible) throw new Refusal(Reason.NotUsed, declared);
    if (uses.length === 0) {
      // There is no region: the field is dead.
      return {
        field,
        treatment: "dropped",
        reason: undefined,
        at: declared,
        inits: [],
        guards: [],
        why: "unused",
      };
    }
    for (const use of uses) this.requireUnderstood(use);
    const inits = this.inits();
    const [first] = inits;
    if (first === undefined) throw new Refusal(this.whyNoInit(), declared);
    const others = uses.filter((use) => !inits.some((init) => init.use === use));
    const keepReason = this.whyKept(inits, others);
    if (keepReason === undefined) {
      return { field, treatment: "dropped", reason: undefined, at: declared, inits, guards: [], why: "" };
    }
    this.requireOnce(inits);
    const guards = others.filter((use) => this.needsGuard(use, inits));
    return { field, treatment: "kept", reason: undefined, at: declared, inits, guards, why: keepReason };
  }

  private requireUnderstood(use: Use): void {
    if (use.kind !== "value") return;
    if (this.field.isArray && use.index === undefined && use.call?.callee === "ARRAY_SIZE") return;
    throw new Refusal(Reason.ValueUse, placeOfUse(use));
  }

  private inits(): Init[] {
    const found: Init[] = [];
    for (const use of this.field.uses) {
      const { call } = use;
      if (call === undefined || use.casts.length > 0) continue;
      const helper = this.helperOf(use);
      if (helper !== undefined) {
        found.push(this.init(use, helper.pair));
        continue;
      }
      if (call.argument !== 0 || !/^memory_region_init(_|$)/.test(call.callee)) continue;
      const pair = pairOfInit.get(call.callee);
      if (pair === undefined) throw new Refusal(Reason.NoCounterpart, placeOfUse(use));
      found.push(this.init(use, pair));
    }
    return found;
  }

  private helperOf({ call, source }: Use): Helper | undefined {
    const body = call && this.options.types.bodyOf(call.callee, source.path);
    const helper = body && this.options.helpers.get(body);
    return helper !== undefined && helper.argument === call?.argument ? helper : undefined;
  }

  private init(use: Use, pair: Pair): Init {
    const { call, source, statement } = use;
    const { tokens } = source;
    if (call === undefined) throw new Refusal(Reason.NotUnderstood, placeOfUse(use));
    const given = argumentsOf(tokens, call.open);
    const name = given[pair.name];
    if (pair.name >= 0 && name === undefined) throw new Refusal(Reason.NotUnderstood, placeOfUse(use));
    if (name !== undefined && textBetween(tokens, name[0], name[1]) === "NULL")
      throw new Refusal(Reason.NameNull, placeOfUse(use));
    const owner = given[1];
    if (pair.name >= 0 && owner !== undefined && this.isOwnerRegion(use, owner)) {
      throw new Refusal(Reason.OwnerIsRegion, placeOfUse(use));
    }
    const form = initForm(use, statement);
    if (form === undefined) throw new Refusal(Reason.InitInExpression, placeOfUse(use));
    return { use, pair, form };
  }

  private isOwnerRegion(use: Use, [first, last]: readonly [number, number]): boolean {
    return this.field.uses.some((other) => other.fn === use.fn && other.first >= first && other.last <= last);
  }

  private whyNoInit(): Reason {
    const isPassed = this.field.uses.some(
      ({ kind, call, casts }) => kind === "address" && call !== undefined && casts.length === 0,
    );
    return isPassed ? Reason.InitialisedByHelper : Reason.NeverInitialised;
  }

  /** Why the field has to stay as a pointer; undefined if a local will do. */
  private whyKept(inits: readonly Init[], others: readonly Use[]): string | undefined {
    const [init] = inits;
    if (init === undefined || inits.length > 1) return "initialised in several places";
    const { use } = init;
    if (this.options.reversible) return "asked for";
    if (this.field.isArray) return "array";
    const { member } = this.field;
    if (member.struct.members.size <= 1) return "only member of its structure";
    const base = baseText(use);
    for (const other of others) {
      if (other.fn !== use.fn) return `used in ${other.fn.name}`;
      if (other.kind !== "address") return "its members are accessed";
      if (baseText(other) !== base) return "used through different expressions";
      if (!covers(use.fn, use.first, other.first)) return "used outside the block that creates it";
      if (other.call?.callee === "object_unparent") return "unparented";
    }
    if (this.localName(use.fn) === undefined) return "its name means something else in the function";
    return undefined;
  }

  /** The field's name, if nothing else in the function is called so. */
  private localName(fn: FunctionBody): string | undefined {
    const { name } = this.field.member;
    return isFreeName(fn, name) && !this.macros.has(name) ? name : undefined;
  }

  /** Several initialisations are fine if they exclude each other. */
  private requireOnce(inits: readonly Init[]): void {
    for (const [index, { use }] of inits.entries()) {
      const stages = this.lifecycle.stagesOf(use.fn);
      if ((stages & ~(Stage.Init | Stage.Realize)) !== 0 && this.mayRunAgain(use.fn, stages)) {
        throw new Refusal(Reason.InitialisedAtRunTime, placeOfUse(use));
      }
      for (const other of inits.slice(0, index)) {
        if (other.use.fn !== use.fn) continue;
        if (
          covers(use.fn, other.use.first, use.first) &&
          other.use.index === use.index &&
          baseText(other.use) === baseText(use)
        ) {
          throw new Refusal(Reason.InitialisedTwice, placeOfUse(use));
        }
      }
    }
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

  /** Judges one use of a kept field: true if it needs a test for null. @throws Refusal */
  private needsGuard(use: Use, inits: readonly Init[]): boolean {
    const { lifecycle } = this;
    const stages = lifecycle.stagesOf(use.fn);
    const callee = use.call?.callee ?? "";
    if (use.kind === "value") return false; // ARRAY_SIZE reads nothing
    if (callee === "object_unparent") this.judgeUnparent(use, inits);
    if ((stages & Stage.Finalize) !== 0) throw new Refusal(Reason.UsedInFinalize, placeOfUse(use));
    if (takesNull.has(callee) || needsInitialised.has(callee)) return false;
    const covered = inits.some(
      ({ use: init }) => init.fn === use.fn && covers(use.fn, init.first, use.first),
    );
    if (covered) return false;
    const [init] = inits;
    if (init === undefined) return false;
    const inOrder = inits.some(({ use: each }) => this.runsBefore(each, use));
    const always = inits.some(({ use: each }) => this.isAlways(each, use));
    if (inOrder && always) return false;
    if (this.isGuardable(use)) return true;
    throw new Refusal(inOrder ? Reason.ConditionalInit : Reason.UsedBeforeInit, placeOfUse(use));
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
    const wanted = this.allConditions(init.fn, init.first, 4);
    if (wanted.length === 0) return true;
    const given = new Set(this.allConditions(use.fn, use.first, 3));
    return wanted.every((condition) => given.has(condition));
  }

  /** Conditions in the function itself and at all its calls. */
  private allConditions(fn: FunctionBody, token: number, depth: number): string[] {
    const own = conditionsOf(fn, token).map((text) => squeezed(text));
    if (depth === 0) return own;
    const callers = this.lifecycle.callersOf(fn).filter(({ caller }) => caller !== fn);
    if (callers.length === 0 || this.lifecycle.roleOf(fn) !== 0) return own;
    const [shared, ...rest] = callers.map((site) => this.allConditions(site.caller, site.token, depth - 1));
    // Under several callers only what all of them require is certain to hold at a use; any of them may be missing at an
    // initialisation, so there the union counts. The two agree where there is one caller.
    return [...own, ...(shared ?? []), ...rest.flat()];
  }

  /** True if the use does nothing to zeroed storage, so that a test for null keeps what it does. */
  private isGuardable(use: Use): boolean {
    const { call, statement, source } = use;
    if (use.kind !== "address" || call === undefined || call.argument !== 0) return false;
    if (tolerantQuestions.has(call.callee)) return true;
    if (!tolerantStatements.has(call.callee)) return false;
    return (
      statement.kind === "expression" &&
      statement.first === call.calleeToken &&
      source.tokens.word[call.close + 1] === SEMICOLON
    );
  }

  private judgeUnparent(use: Use, inits: readonly Init[]): void {
    const isLeaf = inits.some(({ pair }) => pair.shape !== "alias" && pair.shape !== "container");
    if (isLeaf) throw new Refusal(Reason.LeafUnparented, placeOfUse(use));
    throw new Refusal(Reason.UsedAfterUnparent, placeOfUse(use));
  }
}

/** How a call that initialises a region stands; undefined if it cannot be rewritten. */
export function initForm({ call, source }: Use, statement: Statement): InitForm | undefined {
  if (call === undefined) return undefined;
  const { tokens } = source;
  if (statement.kind === "expression" && statement.first === call.calleeToken) {
    return tokens.word[call.close + 1] === SEMICOLON ? "statement" : undefined;
  }
  if (statement.kind !== "if" || statement.parent?.kind !== "block") return undefined;
  const from = tokens.word[statement.open + 1] === NOT ? statement.open + 2 : statement.open + 1;
  return from === call.calleeToken && call.close + 1 === statement.close ? "condition" : undefined;
}

/** The expression of the state that a use starts from, without white space. */
export function baseText(use: Use): string {
  const { tokens } = use.source;
  return squeezed(textBetween(tokens, use.first, use.last)).replace(/[()]/g, "");
}

/** True if a function contains a name only as that of a member. */
export function isFreeName(fn: FunctionBody, name: string): boolean {
  const { tokens } = fn.file;
  const word = wordOf(name);
  for (let token = fn.open; token < fn.bodyClose; token++) {
    if (tokens.word[token] !== word) continue;
    const before = textOf(tokens.word[token - 1] ?? 0);
    if (before !== "->" && before !== ".") return false;
  }
  return true;
}

export function placeOfUse(use: Use): Place {
  return placeOf(use.source.path, use.source.tokens.start[use.first]);
}

function placeOf(file: string, offset: number | undefined): Place {
  return { file, offset: offset ?? 0 };
}

/** The innermost list of statements that holds the initialisation. */
export function homeOf({ use }: Init): Statement | undefined {
  return listOf(use.statement, use.first);
}
