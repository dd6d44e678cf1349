/**
 * Phase 5, beside the fields: regions whose storage is allocated by hand, `g_new(MemoryRegion, 1)`. QOM never frees such storage;
 * the converted form fixes that leak.
 */
import { pairOfInit } from "../api.ts";
import { directiveConditions } from "../directives.ts";
import { covers, coversTogether, listOf, squeezed } from "../lifecycle.ts";
import type { FunctionBody, Program, Source } from "../program.ts";
import { Reason } from "../reasons.ts";
import { bodyOf, type Local, type Statement, statementAt } from "../statements.ts";
import type { Types } from "../types.ts";
import { textOf, wordOf } from "../words.ts";
import { acrossPair, Kind } from "./1-lex.ts";
import { Resolver } from "./3-resolve.ts";
import { argumentsOf, enclosingCall, isSplit, textBetween, type Use } from "./4-uses.ts";
import type { Helpers } from "./5-helpers.ts";
import { type Init, initForm, type Place } from "./5-judge.ts";
import { pointOf } from "./5-order.ts";

/** One allocation. */
export interface HeapSite {
  readonly source: Source;
  readonly fn: FunctionBody | undefined;
  /** The word `g_new`. */
  readonly token: number;
  /** What the storage is assigned to, without white space: a variable or a member. */
  readonly target: string;
  /** The variable if the allocation is its initial value. */
  readonly local: Local | undefined;
  readonly statement: Statement | undefined;
}

export interface HeapJudgement {
  readonly site: HeapSite;
  readonly treatment: "kept" | "refused";
  readonly reason: Reason | undefined;
  readonly at: Place;
  readonly inits: readonly Init[];
  /** For a block of regions that becomes an array of pointers: the variable, the count, and the other uses. */
  readonly block: Block | undefined;
}

export interface Block {
  readonly local: Local;
  readonly count: string;
  readonly others: readonly Use[];
}

const OPEN = wordOf("(");
const ASSIGN = wordOf("=");
const BRACKET = wordOf("[");
const AND = wordOf("&");
const SEMICOLON = wordOf(";");
const REGION = wordOf("MemoryRegion");
const ARROW = wordOf("->");
const DOT = wordOf(".");
const allocators = new Set(["g_new", "g_new0", "g_try_new", "g_try_new0"].map(wordOf));

/** All allocations of regions in the sources. */
export function findHeapSites(program: Program): HeapSite[] {
  const found: HeapSite[] = [];
  for (const source of program.sources.values()) {
    const { tokens, functions } = source;
    let next = 0;
    for (let token = 0; token < tokens.count; token++) {
      if (!allocators.has(tokens.word[token] ?? 0)) continue;
      if (tokens.word[token + 1] !== OPEN || tokens.word[token + 2] !== REGION) continue;
      while (next < functions.length && (functions[next]?.bodyClose ?? 0) < token) next++;
      const inside = functions[next];
      const fn = inside !== undefined && inside.bodyOpen < token ? inside : undefined;
      found.push(siteAt(source, fn, token));
    }
  }
  return found;
}

function siteAt(source: Source, fn: FunctionBody | undefined, token: number): HeapSite {
  const none: HeapSite = { source, fn, token, target: "", local: undefined, statement: undefined };
  const { tokens } = source;
  if (fn === undefined || tokens.word[token - 1] !== ASSIGN) return none;
  const close = acrossPair(tokens, token + 1);
  const statement = statementAt(bodyOf(fn).root, token);
  const local = statement.locals.find(({ initFirst, initLast }) => initFirst === token && initLast === close);
  if (local !== undefined) return { ...none, target: local.name, local, statement };
  if (statement.kind !== "expression" || tokens.word[close + 1] !== SEMICOLON) return none;
  return { ...none, target: squeezed(textBetween(tokens, statement.first, token - 2)), statement };
}

export class HeapJudge {
  private readonly types: Types;
  private readonly resolver: Resolver;
  private readonly helpers: Helpers;

  private readonly losses: ReadonlyMap<object, Place>;

  /** @param losses allocations whose conversion would lose a comment, and where */
  constructor(types: Types, helpers: Helpers, losses: ReadonlyMap<object, Place> = new Map()) {
    this.losses = losses;
    this.types = types;
    this.resolver = new Resolver(types);
    this.helpers = helpers;
  }

  judge(site: HeapSite): HeapJudgement {
    const { source, fn, token, target, statement } = site;
    const { tokens } = source;
    const at = { file: source.path, offset: tokens.start[token] ?? 0 };
    const lost = this.losses.get(site);
    const refuse = (reason: Reason): HeapJudgement => ({
      site,
      treatment: "refused",
      reason,
      at: lost ?? at,
      inits: [],
      block: undefined,
    });
    if (lost !== undefined) return refuse(Reason.NotUnderstood);
    const count = argumentsOf(tokens, token + 1)[1];
    const countText = count === undefined ? "" : textBetween(tokens, count[0], count[1]);
    if (countText !== "1" && !/^\d+$/.test(countText)) return refuse(Reason.BlockOfRegions);
    if (fn === undefined || target === "" || statement === undefined) return refuse(Reason.NotUnderstood);
    const isBlock = countText !== "1";
    const local = bodyOf(fn).locals.find(
      ({ name, nameToken, scopeEnd }) => name === target && nameToken < token && token <= scopeEnd,
    );
    if (isBlock && (local === undefined || local.declarators !== 1)) return refuse(Reason.BlockOfRegions);
    if (isSplit(source, fn)) return refuse(Reason.SplitBraces);
    if (tokens.unpaired >= 0) return refuse(Reason.BracketsUnpaired);
    // The statement is deleted: it must not be the whole branch of an `if`.
    if (site.local === undefined && statement.parent?.kind !== "block") return refuse(Reason.NotUnderstood);
    if (this.isFreed(site)) return refuse(Reason.StorageFreed);
    const found = this.usesOf(site, fn);
    const uses = isBlock ? found.flatMap((use) => elementUse(use) ?? []) : found;
    if (uses.length !== found.length) return refuse(Reason.BlockOfRegions);
    const inits: Init[] = [];
    for (const use of uses) {
      const pair = this.pairOf(use);
      if (pair === undefined) continue;
      const form = initForm(use, use.statement);
      if (form === undefined) return refuse(Reason.InitInExpression);
      const name = use.call && argumentsOf(tokens, use.call.open)[pair.name];
      if (name !== undefined && textBetween(tokens, name[0], name[1]) === "NULL")
        return refuse(Reason.NameNull);
      inits.push({ use, pair, form });
    }
    const [first] = inits;
    if (first === undefined) {
      const isPassed = uses.some(({ call }) => call !== undefined);
      return refuse(isPassed ? Reason.InitialisedByHelper : Reason.NeverInitialised);
    }
    // Wherever the allocation has run the initialisation has too: other uses see what they saw before.
    const home = listOf(statement, token);
    const given = directiveConditions(tokens, token).length;
    const isElsewhere = ({ use }: Init) => directiveConditions(tokens, use.first).length > given;
    const followsAllocation = inits.some(
      (init) => listOf(init.use.statement, init.use.first) === home && !isElsewhere(init),
    );
    for (const use of uses) {
      if (inits.some((init) => init.use === use)) continue;
      if (use.first < first.use.first) return refuse(Reason.UsedBeforeInit);
      if (!isCovered(fn, inits, use) && !(followsAllocation && !isBlock))
        return refuse(Reason.ConditionalInit);
    }
    for (const [index, { use }] of inits.entries()) {
      if (
        inits
          .slice(0, index)
          .some((other) => other.use.index === use.index && covers(fn, other.use.first, use.first))
      ) {
        return refuse(Reason.InitialisedTwice);
      }
    }
    const others = uses.filter((use) => !inits.some((init) => init.use === use));
    const block = isBlock && local !== undefined ? { local, count: countText, others } : undefined;
    return { site, treatment: "kept", reason: undefined, at, inits, block };
  }

  private pairOf({ call, casts, source }: Use) {
    if (call === undefined || casts.length > 0) return undefined;
    const pair = call.argument === 0 ? pairOfInit.get(call.callee) : undefined;
    if (pair !== undefined) return pair;
    const body = this.types.bodyOf(call.callee, source.path);
    const helper = body && this.helpers.get(body);
    return helper?.argument === call.argument ? helper?.pair : undefined;
  }

  /** Every later use of the variable, up to where it is assigned another allocation. */
  private usesOf(site: HeapSite, fn: FunctionBody): Use[] {
    const { source, token, target, statement } = site;
    const { tokens } = source;
    const uses: Use[] = [];
    const lastName = wordOf(/\w+(?=\W*$)/.exec(target)?.[0] ?? "");
    const scope = site.local?.scopeEnd ?? fn.bodyClose;
    const home = statement && listOf(statement, token);
    for (let at = (statement?.last ?? token) + 1; at < scope; at++) {
      if (tokens.word[at] !== lastName || tokens.kind[at] !== Kind.Word) continue;
      const { start: first } = this.resolver.postfix(source, fn, at);
      const before = tokens.word[at - 1];
      if ((before === ARROW || before === DOT) === (first === at)) continue;
      let last = at;
      if (target.endsWith("]")) last = acrossPair(tokens, at + 1);
      if (squeezed(textBetween(tokens, first, last)) !== target) continue;
      if (tokens.word[last + 1] === ASSIGN) {
        const isNext = allocators.has(tokens.word[last + 2] ?? 0);
        if (isNext && home !== undefined && at > home.last) continue; // another branch
        if (isNext) break;
      }
      const { call, casts } = enclosingCall(tokens, first, fn.bodyOpen);
      uses.push({
        source,
        fn,
        first,
        last,
        ampersand: -1,
        index: undefined,
        kind: "value",
        call,
        casts,
        statement: statementAt(bodyOf(fn).root, at),
      });
    }
    return uses.filter(
      ({ first }) =>
        home === undefined ||
        first <= home.last ||
        site.local !== undefined ||
        !this.isElsewhere(site, fn, first),
    );
  }

  /** A use beyond the block of the allocation, where other allocations may reach as well. */
  private isElsewhere({ target, token }: HeapSite, fn: FunctionBody, first: number): boolean {
    const { tokens } = fn.file;
    for (let at = token + 1; at < first; at++) {
      if (!allocators.has(tokens.word[at] ?? 0) || tokens.word[at - 1] !== ASSIGN) continue;
      const statement = statementAt(bodyOf(fn).root, at);
      if (squeezed(textBetween(tokens, statement.first, at - 2)) === target) return true;
    }
    return false;
  }

  /** True if a g_free of the same variable, or of a member of the same name, is in the file. */
  private isFreed({ source, fn, target, local }: HeapSite): boolean {
    const { tokens } = source;
    const name = /\w+(?=\W*$)/.exec(target)?.[0] ?? "";
    const from = local === undefined ? 0 : (fn?.bodyOpen ?? 0);
    const to = local === undefined ? tokens.count : (fn?.bodyClose ?? tokens.count);
    for (let token = from; token < to; token++) {
      if (!/^g_free$|^g_clear_pointer$/.test(textOf(tokens.word[token] ?? 0))) continue;
      const given = squeezed(textBetween(tokens, token + 1, acrossPair(tokens, token + 1)));
      if (new RegExp(`(^|\\W)${name}\\W`).test(given)) return true;
    }
    return false;
  }
}

/** The use of one element of a block, `&regions[i]`; undefined if the block is used as a whole. */
function elementUse(use: Use): Use | undefined {
  const { tokens } = use.source;
  const open = use.last + 1;
  const close = tokens.word[open] === BRACKET ? (tokens.match[open] ?? -1) : -1;
  if (close < 0 || tokens.word[use.first - 1] !== AND) return undefined;
  const index = textBetween(tokens, open + 1, close - 1);
  return { ...use, last: close, ampersand: use.first - 1, index, kind: "address" };
}

/** True if one of the initialisations has run before the use, or all branches of an `if` before it have one. */
function isCovered(fn: FunctionBody, inits: readonly Init[], use: Use): boolean {
  return (
    inits.some((init) => covers(fn, init.use.first, use.first)) ||
    coversTogether(fn, inits.map(pointOf), use.first)
  );
}
