/** Phase 5 of the way back: pointer fields that only ever hold a region of their own device become that region. */
import { type Pair, pairOfCreate, tolerantQuestions, tolerantStatements } from "../api.ts";
import { columnAt, guardedQuestion, guardedStatement, indentAt, realign } from "../layout.ts";
import type { Lifecycle } from "../lifecycle.ts";
import type { Member, Source } from "../program.ts";
import { Reason } from "../reasons.ts";
import type { Statement } from "../statements.ts";
import { textOf, wordOf } from "../words.ts";
import { Kind, type Tokens } from "./1-lex.ts";
import { type Call, type Field, textBetween, type Use } from "./4-uses.ts";
import { type Place, placeOfUse } from "./5-judge.ts";
import { baseText, Order } from "./5-order.ts";

/** An assignment of a new region to a field. */
export interface Creation {
  readonly use: Use;
  readonly pair: Pair;
  readonly call: Call;
  /** The test for null after it, which becomes the condition that calls `init`. */
  readonly test: Statement | undefined;
}

/** A test for null around a statement or before a question, just as the conversion to owned adds it. */
export interface Guard {
  readonly test: Use;
  readonly source: Source;
  /** Offsets of all that the conversion added, and of what it added it to. */
  readonly from: number;
  readonly to: number;
  readonly innerFrom: number;
  readonly innerTo: number;
}

export interface EmbeddedJudgement {
  readonly field: Field;
  readonly treatment: "kept" | "refused";
  readonly reason: Reason | undefined;
  readonly at: Place;
  readonly creations: readonly Creation[];
  readonly guards: readonly Guard[];
}

const ASSIGN = wordOf("=");
const SEMICOLON = wordOf(";");
const equalities = new Set(["==", "!="].map(wordOf));
const STAR = wordOf("*");
const NOT = wordOf("!");
const LOGICAL_AND = wordOf("&&");
const OPEN = wordOf("(");
const CLOSE = wordOf(")");

/**
 * The judgement of a pointer field; undefined if no new region is assigned to it.
 * @param losses members whose conversion would lose a comment, and where
 */
export function judgeToEmbedded(
  field: Field,
  lifecycle: Lifecycle,
  losses: ReadonlyMap<object, Place>,
): EmbeddedJudgement | undefined {
  const { member, uses, obstacles } = field;
  const creations = uses.flatMap((use) => creationOf(use) ?? []);
  const [first] = creations;
  if (first === undefined) return undefined;
  const refuse = (reason: Reason, at: Place): EmbeddedJudgement => ({
    field,
    treatment: "refused",
    reason,
    at,
    creations: [],
    guards: [],
  });
  const odd = losses.get(member) ?? obstacles[0] ?? oddPlace(member, creations);
  if (odd !== undefined) return refuse(Reason.NotUnderstood, odd);
  const order = new Order(lifecycle, field.isArray);
  const tests = new Set<Use>();
  for (const { test } of creations) {
    for (const use of uses) if (test !== undefined && isTestOf(use, test)) tests.add(use);
  }
  const guards = guardsOf(uses, tests);
  for (const guard of guards) tests.add(guard.test);
  for (const use of uses) {
    if (tests.has(use) || creations.some((creation) => creation.use === use)) continue;
    const isAbsent = mayBeTested(use) && order.at(use, creations) !== "initialised";
    if (isAbsent || !isValueOrMember(use, field.isArray))
      return refuse(Reason.PointerReassigned, placeOfUse(use));
  }
  const again = order.repeated(creations.map(({ use }) => use));
  if (again !== undefined) return refuse(again.reason, placeOfUse(again.use));
  const at = { file: member.struct.file.path, offset: offsetOf(member) };
  return { field, treatment: "kept", reason: undefined, at, creations, guards };
}

/** A declaration that does not end in `*name`, or a branch of an `#if` inside what becomes one call. */
function oddPlace(member: Member, creations: readonly Creation[]): Place | undefined {
  const { path, tokens } = member.struct.file;
  if (tokens.word[member.nameToken - 1] !== STAR) return { file: path, offset: offsetOf(member) };
  return creations
    .map(({ use, call, test }) => {
      const { directives } = use.source.tokens;
      const isSplit = directives.some(
        ({ token }) => use.first < token && token <= (test?.close ?? call.close),
      );
      return isSplit ? placeOfUse(use) : undefined;
    })
    .find((place) => place !== undefined);
}

function offsetOf({ struct, nameToken }: Member): number {
  return struct.file.tokens.start[nameToken] ?? 0;
}

/** The creation whose result a use is assigned, as a statement. */
export function creationOf(use: Use): Creation | undefined {
  const { source, statement, first, last } = use;
  const { tokens } = source;
  if (statement.kind !== "expression" || statement.first !== first || tokens.word[last + 1] !== ASSIGN)
    return undefined;
  const calleeToken = last + 2;
  const pair = pairOfCreate.get(textOf(tokens.word[calleeToken] ?? 0));
  const open = calleeToken + 1;
  const close = tokens.match[open] ?? -1;
  if (pair === undefined || tokens.word[open] !== OPEN || tokens.word[close + 1] !== SEMICOLON)
    return undefined;
  const call: Call = { callee: pair.create, calleeToken, open, close, argument: 0 };
  return { use, pair, call, test: pair.mayFail ? testAfter(use) : undefined };
}

/** `if (!s->mr)` or `if (s->mr)` as the next statement. */
function testAfter(use: Use): Statement | undefined {
  const { statement, source } = use;
  const siblings = statement.parent?.children ?? [];
  const next = siblings[siblings.indexOf(statement) + 1];
  if (next?.kind !== "if" || statement.parent?.kind !== "block") return undefined;
  const { tokens } = source;
  const from = tokens.word[next.open + 1] === NOT ? next.open + 2 : next.open + 1;
  const text = textBetween(tokens, from, next.close - 1).replace(/\s+/g, "");
  return text === baseText(use) ? next : undefined;
}

function isTestOf(use: Use, test: Statement): boolean {
  return use.first > test.open && use.last < test.close;
}

/**
 * The tests for null that the conversion to owned adds, of what does nothing to zeroed storage. Any other test was written by
 * hand, and may mean more: it stays, and refuses its region.
 */
function guardsOf(uses: readonly Use[], taken: ReadonlySet<Use>): Guard[] {
  return uses.flatMap((test): Guard[] => {
    if (taken.has(test)) return [];
    const inner = uses.find(
      (each) => each.source === test.source && each.first > test.last && baseText(each) === baseText(test),
    );
    const { call } = inner ?? {};
    if (call === undefined || call.argument !== 0) return [];
    const isQuestion = test.source.tokens.word[test.last + 1] === LOGICAL_AND;
    const guard = isQuestion ? guardOfQuestion(test, call) : guardOfStatement(test, call);
    return guard === undefined ? [] : [guard];
  });
}

/** `s->mr && question(s->mr)` as a whole condition, or in brackets of its own. */
function guardOfQuestion(test: Use, call: Call): Guard | undefined {
  const { source, first, last, statement } = test;
  const { text, start, end, word } = source.tokens;
  if (call.calleeToken !== last + 2 || !tolerantQuestions.has(call.callee)) return undefined;
  if (word[first - 1] !== OPEN || word[call.close + 1] !== CLOSE) return undefined;
  const isWhole = statement.open === first - 1 && statement.close === call.close + 1;
  const isInside = statement.open === first - 2 && statement.close === call.close + 2;
  const isOfCall = /^(?!return$)\w+$/.test(textOf(word[first - 2] ?? 0));
  if (!isWhole && (isInside || isOfCall)) return undefined;
  const [innerFrom, innerTo] = [start[call.calleeToken] ?? 0, end[call.close] ?? 0];
  const [from = 0, to = 0] = isWhole ? [start[first], innerTo] : [start[first - 1], end[call.close + 1]];
  const added = guardedQuestion(
    textBetween(source.tokens, first, last),
    text.slice(innerFrom, innerTo),
    isWhole,
  );
  return text.slice(from, to) === added ? { test, source, from, to, innerFrom, innerTo } : undefined;
}

/** `if (s->mr) { statement(s->mr); }` */
function guardOfStatement(test: Use, call: Call): Guard | undefined {
  const { source, first, last, statement } = test;
  const { text, start, end } = source.tokens;
  const [body] = statement.children;
  const [only] = body?.children ?? [];
  const isWhole = statement.kind === "if" && first === statement.open + 1 && last + 1 === statement.close;
  if (!isWhole || statement.parent?.kind !== "block" || only?.first !== call.calleeToken) return undefined;
  if (!tolerantStatements.has(call.callee)) return undefined;
  const [from, to] = [start[statement.first] ?? 0, end[statement.last] ?? 0];
  const [innerFrom, innerTo] = [start[only.first] ?? 0, end[only.last] ?? 0];
  const column = columnAt(text, from);
  const inner = realign(text.slice(innerFrom, innerTo), columnAt(text, innerFrom), column);
  const added = guardedStatement(
    textBetween(source.tokens, first, last),
    inner,
    indentAt(text, from),
    column,
  );
  const isAdded = unixLines(text.slice(from, to)) === unixLines(added);
  return isAdded ? { test, source, from, to, innerFrom, innerTo } : undefined;
}

function unixLines(text: string): string {
  return text.replaceAll("\r\n", "\n");
}

/** True if a use hands the pointer to something that may ask whether it is null; the memory API does not. */
function mayBeTested({ kind, call }: Use): boolean {
  if (kind !== "value" || call?.callee === "ARRAY_SIZE") return false;
  return !/^(?:memory_region_|address_space_|sysbus_init_mmio$|pci_register_bar$|object_unparent$)/.test(
    call?.callee ?? "",
  );
}

/** True for a use that means the same of an embedded region, with `&` before it or `.` after it. */
function isValueOrMember(use: Use, isArray: boolean): boolean {
  if (use.kind === "member") return true;
  const { tokens } = use.source;
  const isElement = !isArray || use.index !== undefined;
  if (!isElement) return use.call?.callee === "ARRAY_SIZE";
  const before = textOf(tokens.word[use.first - 1] ?? 0);
  const after = textOf(tokens.word[use.last + 1] ?? 0);
  if (before === "(" && tokens.word[use.last + 1] === CLOSE) {
    const callee = textOf(tokens.word[use.first - 2] ?? 0);
    return (
      /^\w+$/.test(callee) && !/^(?:if|while|for|switch|sizeof|g_free|\w*assert|(?:un)?likely)$/.test(callee)
    );
  }
  // Which region it is may be asked; whether there is one is a test for null.
  const isCompared = ({ word, kind }: Tokens, mark: number, other: number): boolean =>
    equalities.has(word[mark] ?? 0) && kind[other] === Kind.Word && textOf(word[other] ?? 0) !== "NULL";
  const isLeft = isCompared(tokens, use.last + 1, use.last + 2);
  const isRight = isCompared(tokens, use.first - 1, use.first - 2);
  const opens = isLeft ? /^(?:\(|\{|,|=|return|:|\?|&&|\|\|)$/ : /^(?:\(|\{|,|=|return|:|\?)$/;
  const closes = isRight ? /^(?:\)|\}|,|;|:|\?|&&|\|\|)$/ : /^(?:\)|\}|,|;|:)$/;
  return (isRight || opens.test(before)) && (isLeft || closes.test(after));
}
