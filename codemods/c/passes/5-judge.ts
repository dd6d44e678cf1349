/** Phase 5: per field: a local, a pointer that is kept, or refused with a reason. Only understood positions are accepted. */
import {
  needsInitialised,
  type Pair,
  pairOfInit,
  takesNull,
  tolerantQuestions,
  tolerantStatements,
} from "../api.ts";
import { directiveConditions } from "../directives.ts";
import { conditionsOf, covers, type Lifecycle, listOf, Stage, squeezed } from "../lifecycle.ts";
import type { FunctionBody } from "../program.ts";
import { Reason } from "../reasons.ts";
import { bodyOf, type Statement } from "../statements.ts";
import type { Types } from "../types.ts";
import { textOf, wordOf } from "../words.ts";
import { Kind, type Tokens } from "./1-lex.ts";
import {
  argumentsOf,
  callsOnlyMacros,
  type Field,
  type ObstacleKind,
  textBetween,
  type Use,
} from "./4-uses.ts";
import type { Helper, Helpers } from "./5-helpers.ts";
import { assigning, baseText, isAssignedBetween, Order, variableType } from "./5-order.ts";
import { fateElsewhere, initialisedThrough, type Through } from "./5-through.ts";

/** How the call that initialises a region stands in its statement. */
export type InitForm = "statement" | "condition";

export interface Init {
  readonly use: Use;
  readonly pair: Pair;
  readonly form: InitForm;
  /** Set if the call is given a variable that points at the region; `use` is then where the variable is pointed there. */
  readonly through?: Through;
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
  /** The announcement in instance_init, or the assignment right before, that moves behind the initialisation. */
  readonly moved: Use | undefined;
  /** Why it is kept rather than dropped. */
  readonly why: string;
}

const reasonOfObstacle: Readonly<Record<ObstacleKind, Reason>> = {
  unresolved: Reason.Unresolved,
  "macro-body": Reason.MacroBody,
  "container-of": Reason.ContainerOf,
  "outside-function": Reason.OutsideFunction,
  "split-braces": Reason.SplitBraces,
  "brackets-unpaired": Reason.BracketsUnpaired,
  "state-copied": Reason.StateCopied,
  "rust-mirror": Reason.RustMirror,
  "declared-twice": Reason.DeclaredTwice,
  "in-union": Reason.InUnion,
};

const NOTHING = {
  reason: undefined,
  inits: [],
  guards: [],
  moved: undefined,
  why: "",
} as const satisfies Partial<Judgement>;

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
  /** Members whose conversion would lose a comment, and where. */
  readonly losses: ReadonlyMap<object, Place>;
  /** Members that keep the way back from restoring a file, and where. */
  readonly unrestored: ReadonlyMap<object, Place>;
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
    return { ...NOTHING, field, treatment: "refused", reason, at };
  }
}

const SEMICOLON = wordOf(";");
const ASSIGN = wordOf("=");
const NOT = wordOf("!");
const SYSBUS_INIT_MMIO = wordOf("sysbus_init_mmio");
const ARROW = wordOf("->");
const DOT = wordOf(".");

class FieldJudge {
  private readonly field: Field;
  private readonly lifecycle: Lifecycle;
  private readonly macros: ReadonlySet<string>;
  private readonly order: Order;

  private readonly options: JudgeOptions;

  constructor(field: Field, options: JudgeOptions) {
    this.field = field;
    this.options = options;
    this.lifecycle = options.lifecycle;
    this.macros = options.macros;
    this.order = new Order(options.lifecycle, field.isArray);
  }

  run(): Judgement {
    const { field } = this;
    const { member, uses, obstacles } = field;
    const declared = placeOf(member.struct.file.path, member.struct.file.tokens.start[member.nameToken]);
    const [obstacle] = obstacles;
    if (obstacle !== undefined) throw new Refusal(reasonOfObstacle[obstacle.kind], obstacle);
    const lost = this.options.losses.get(member);
    if (lost !== undefined) throw new Refusal(Reason.NotUnderstood, lost);
    const unrestored = this.options.unrestored.get(member);
    if (unrestored !== undefined) throw new Refusal(Reason.NotRestored, unrestored);
    if (uses.length === 0 && this.options.reversible) throw new Refusal(Reason.NotUsed, declared);
    if (uses.length === 0) {
      // There is no region: the field is dead.
      return { ...NOTHING, field, treatment: "dropped", at: declared, why: "unused" };
    }
    for (const use of uses) this.requireUnderstood(use);
    const inits = this.inits();
    const [first] = inits;
    if (first === undefined && this.isCountedOnly()) {
      return { ...NOTHING, field, treatment: "kept", at: declared, why: "counted" };
    }
    if (first === undefined) throw new Refusal(this.whyNoInit(), declared);
    const moved = this.movedBehind(inits) ?? this.storedBefore(inits);
    const others = uses.filter((use) => use !== moved && !inits.some((init) => init.use === use));
    for (const use of others) this.requireNoFateElsewhere(use, inits);
    const keepReason = this.whyKept(inits, others);
    const found = { ...NOTHING, field, at: declared, inits, moved };
    if (keepReason === undefined && first.through === undefined) {
      const repeated = this.order.surelyRepeated(first.use);
      if (repeated !== undefined) throw new Refusal(repeated, placeOfUse(first.use));
      return { ...found, treatment: "dropped" };
    }
    const again = this.order.repeated(inits.map(({ use }) => use));
    if (again !== undefined) throw new Refusal(again.reason, placeOfUse(again.use));
    if (keepReason === undefined) return { ...found, treatment: "dropped" };
    const unfit = inits.find(({ through, form }) => through !== undefined && form === "condition");
    if (unfit !== undefined) throw new Refusal(Reason.InitInExpression, placeOfUse(unfit.use));
    const guards = others.filter((use) => this.needsGuard(use, inits));
    return { ...found, treatment: "kept", guards, why: keepReason };
  }

  /**
   * `sysbus_init_mmio(sbd, &s->iomem);` in instance_init, of a region that realize initialises: it can follow the
   * initialisation if it is the only one, as boards number the regions of a device, and if realize always comes so far.
   */
  private movedBehind(inits: readonly Init[]): Use | undefined {
    const [init] = inits;
    if (init === undefined || inits.length > 1 || init.form !== "statement") return undefined;
    const { lifecycle, field, options } = this;
    const { fn, source } = init.use;
    const { struct, type } = field.member;
    if (options.reversible || type.dimensions > 0 || lifecycle.roleOf(fn) !== Stage.Realize) return undefined;
    if (lifecycle.callersOf(fn).length > 0 || !/^\w+->\w+$/.test(baseText(init.use))) return undefined;
    if (this.order.wantedConditions(fn, init.use.first, 0).length > 1) return undefined;
    return field.uses.find(({ fn: other, call, statement, casts }) => {
      const { tokens } = source;
      return (
        other.file === source &&
        lifecycle.roleOf(other) === Stage.Init &&
        lifecycle.callersOf(other).length === 0 &&
        call?.callee === "sysbus_init_mmio" &&
        call.argument === 1 &&
        casts.length === 0 &&
        statement.first === call.calleeToken &&
        statement.parent === bodyOf(other).root &&
        conditionsOf(other, call.calleeToken).length === 0 &&
        tokens.word.filter((word) => word === SYSBUS_INIT_MMIO).length === 1 &&
        options.types.isLeaf(struct)
      );
    });
  }

  /** `bus->space = &s->space;` right before the call that initialises the region: the call does not see the assignment. */
  private storedBefore(inits: readonly Init[]): Use | undefined {
    const [init] = inits;
    if (init === undefined || inits.length > 1 || init.form !== "statement") return undefined;
    const { use, through } = init;
    const list = use.statement.parent;
    if (this.options.reversible || through !== undefined || list?.kind !== "block") return undefined;
    const stored = list.children[list.children.indexOf(use.statement) - 1];
    const { tokens } = use.source;
    return this.field.uses.find(({ statement, kind, call, ampersand, last, ...other }) => {
      if (statement !== stored || statement?.kind !== "expression" || kind !== "address") return false;
      if (call !== undefined || tokens.word[ampersand - 1] !== ASSIGN) return false;
      const target = squeezed(textBetween(tokens, statement.first, ampersand - 2));
      const [member = ""] = /\w+$/.exec(target) ?? [];
      const { first, last: end } = use.statement;
      const [, second] = use.call ? argumentsOf(tokens, use.call.open) : [];
      return (
        /^\w+(?:(?:->|\.)\w+)+$/.test(target) &&
        statement.last === last + 1 &&
        baseText({ ...other, statement, kind, call, ampersand, last }) === baseText(use) &&
        !hasComment(tokens.text.slice(tokens.start[statement.first], tokens.end[statement.last])) &&
        !tokens.directives.some(({ token }) => statement.first < token && token <= first) &&
        !isNamedBetween(tokens, member, second?.[0] ?? end, end) &&
        callsOnlyMacros(tokens, use.call?.open ?? first, end)
      );
    });
  }

  /** A row of regions of which only the number is used. */
  private isCountedOnly(): boolean {
    return !this.options.reversible && this.field.uses.every(({ kind }) => kind === "value");
  }

  private requireUnderstood(use: Use): void {
    // What is rewritten or goes must not hold a comment, which would go with it.
    const { text, start, end } = use.source.tokens;
    const from = use.ampersand < 0 ? use.first : use.ampersand;
    if (hasComment(text.slice(start[from], end[use.last]))) {
      throw new Refusal(Reason.NotUnderstood, placeOfUse(use));
    }
    if (use.kind !== "value") return;
    if (this.field.isArray && use.index === undefined && use.call?.callee === "ARRAY_SIZE") return;
    throw new Refusal(Reason.ValueUse, placeOfUse(use));
  }

  private inits(): Init[] {
    const found: Init[] = [];
    for (const use of this.field.uses) {
      const { call } = use;
      const through = this.through(use);
      if (through !== undefined) found.push(through);
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

  private through(storage: Use): Init | undefined {
    const { options, field } = this;
    const through = options.reversible ? undefined : initialisedThrough(storage, options.types);
    const { call, fn } = through?.use ?? {};
    const pair = pairOfInit.get(call?.callee ?? "");
    if (through === undefined || call === undefined || pair === undefined) return undefined;
    const early = field.uses.find(
      ({ first, fn: other }) => other === fn && storage.first < first && first < call.close,
    );
    if (early !== undefined) throw new Refusal(Reason.UsedBeforeInit, placeOfUse(early));
    return { ...this.init(through.use, pair), use: storage, through };
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
    const inside = (token: number): boolean => call.open < token && token <= call.close;
    if (tokens.directives.some(({ token }) => inside(token)))
      throw new Refusal(Reason.NotUnderstood, placeOfUse(use));
    const name = given[pair.name];
    if (pair.name >= 0 && name === undefined) throw new Refusal(Reason.NotUnderstood, placeOfUse(use));
    if (name !== undefined && textBetween(tokens, name[0], name[1]) === "NULL")
      throw new Refusal(Reason.NameNull, placeOfUse(use));
    const owner = given[1];
    if (pair.name >= 0 && owner !== undefined && this.isOwnerRegion(use, owner)) {
      throw new Refusal(Reason.OwnerIsRegion, placeOfUse(use));
    }
    const form = initForm(use, statement);
    if (form === undefined || (form === "condition" && !isRepeatable(use)))
      throw new Refusal(Reason.InitInExpression, placeOfUse(use));
    const [, second] = given;
    const { text, start, end } = tokens;
    const gone = text.slice(end[call.open], second === undefined ? start[call.close] : start[second[0]]);
    const around =
      form === "condition"
        ? text.slice(start[statement.first], start[call.calleeToken]) +
          text.slice(end[call.close], end[statement.close])
        : "";
    if (hasComment(gone) || hasComment(around)) {
      throw new Refusal(Reason.NotUnderstood, placeOfUse(use));
    }
    const isOwnArgument = this.field.uses.some(
      (other) => other !== use && other.fn === use.fn && inside(other.first),
    );
    if (isOwnArgument) throw new Refusal(Reason.UsedBeforeInit, placeOfUse(use));
    return { use, pair, form };
  }

  private isOwnerRegion(use: Use, [first, last]: readonly [number, number]): boolean {
    return this.field.uses.some((other) => other.fn === use.fn && other.first >= first && other.last <= last);
  }

  private whyNoInit(): Reason {
    const isPassed = this.field.uses.some(
      ({ kind, call, casts }) =>
        kind === "address" &&
        call !== undefined &&
        casts.length === 0 &&
        !call.callee.startsWith("memory_region_"),
    );
    return isPassed ? Reason.InitialisedByHelper : Reason.NeverInitialised;
  }

  /** Why the field has to stay as a pointer; undefined if a local will do. */
  private whyKept(inits: readonly Init[], others: readonly Use[]): string | undefined {
    const [init] = inits;
    if (init === undefined) return "never initialised";
    const isOnlyThrough =
      others.length === 0 && inits.every(({ use, through }) => through !== undefined && isOfVariable(use));
    if (isOnlyThrough && this.field.member.struct.members.size > 1) return undefined;
    if (inits.length > 1) return "initialised in several places";
    if (init.through !== undefined) return "initialised through a pointer";
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
      if (this.isMoved(use, other)) return "its variable is assigned in between";
      if (!covers(use.fn, use.first, other.first)) return "used outside the block that creates it";
      if (other.call?.callee === "object_unparent") return "unparented";
    }
    // A structure of the file that nothing else uses would be left unused.
    if (!isOfVariable(use)) return "its structure is a variable of the file";
    if (this.localName(use.fn) === undefined) return "its name means something else in the function";
    const { tokens } = use.source;
    // A local would be unused where the branch is not compiled.
    if (directiveConditions(tokens, use.first).length > directiveConditions(tokens, use.fn.bodyOpen).length)
      return "in a branch of an #if";
    return undefined;
  }

  /** True if a variable that the region is reached through changes between two uses. */
  private isMoved(first: Use, second: Use): boolean {
    const { tokens } = first.source;
    for (let token = first.first; token <= first.last; token++) {
      if (tokens.kind[token] !== Kind.Word) continue;
      const name = textOf(tokens.word[token] ?? 0);
      const before = tokens.word[token - 1];
      if (before === ARROW || before === DOT || variableType(first.fn, name) === undefined) continue;
      if (isAssignedBetween(first.fn, name, first.last, second.first)) return true;
    }
    return false;
  }

  /** The field's name, if nothing else in the function is called so. */
  private localName(fn: FunctionBody): string | undefined {
    const { name } = this.field.member;
    return isFreeName(fn, name) && !this.macros.has(name) ? name : undefined;
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
    const found = this.order.at(use, inits);
    if (found === "initialised") return false;
    if (this.isGuardable(use)) return true;
    throw new Refusal(
      found === "conditional" ? Reason.ConditionalInit : Reason.UsedBeforeInit,
      placeOfUse(use),
    );
  }

  /** True if the use does nothing to zeroed storage, so that a test for null keeps what it does. */
  private isGuardable(use: Use): boolean {
    const { call, statement, source } = use;
    if (use.kind !== "address" || call === undefined || call.argument !== 0) return false;
    if (!isRepeatable(use)) return false;
    if (tolerantQuestions.has(call.callee)) return true;
    if (!tolerantStatements.has(call.callee)) return false;
    return (
      statement.kind === "expression" &&
      statement.first === call.calleeToken &&
      statement.parent?.kind === "block" && // else an `else` after it would belong to the test
      source.tokens.word[call.close + 1] === SEMICOLON
    );
  }

  /** Refuses a region that something else initialises or unparents through its address. */
  private requireNoFateElsewhere(use: Use, inits: readonly Init[]): void {
    const fate = fateElsewhere(use, this.options.types);
    if (fate === "unparented") this.judgeUnparent(use, inits);
    if (fate === "initialised") {
      const reason = use.call === undefined ? Reason.NotUnderstood : Reason.InitialisedByHelper;
      throw new Refusal(reason, placeOfUse(use));
    }
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

function hasComment(text: string): boolean {
  return /\/[*/]/.test(text);
}

/** False if the expression of a region starts from something that no variable of the function is. */
function isOfVariable({ source: { tokens }, fn, first }: Use): boolean {
  const isName = tokens.kind[first] === Kind.Word && textOf(tokens.word[first + 1] ?? 0) !== "(";
  return !isName || variableType(fn, textOf(tokens.word[first] ?? 0)) !== undefined;
}

/** True if a stretch of tokens contains a name. */
function isNamedBetween({ word }: Tokens, name: string, from: number, to: number): boolean {
  const wanted = wordOf(name);
  for (let token = from; token <= to; token++) if (word[token] === wanted) return true;
  return false;
}

/** True if the expression of a region can be evaluated once more: it changes nothing. */
function isRepeatable({ source: { tokens }, first, last }: Use): boolean {
  for (let token = first; token <= last; token++) if (assigning.has(tokens.word[token] ?? 0)) return false;
  return callsOnlyMacros(tokens, first, last + 1);
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
