/** Phase 5 of the way back: pointer fields that only ever hold a region of their own device become that region. */
import { type Pair, pairOfCreate, tolerantQuestions, tolerantStatements } from "../api.ts";
import type { Member } from "../program.ts";
import { Reason } from "../reasons.ts";
import type { Statement } from "../statements.ts";
import { textOf, wordOf } from "../words.ts";
import { type Call, type Field, textBetween, type Use } from "./4-uses.ts";
import { baseText, type Place, placeOfUse } from "./5-judge.ts";

/** An assignment of a new region to a field. */
export interface Creation {
  readonly use: Use;
  readonly pair: Pair;
  readonly call: Call;
  /** The test for null after it, which becomes the condition that calls `init`. */
  readonly test: Statement | undefined;
}

/** A test for null around a statement or before a question, as the conversion to owned adds it. */
export interface Guard {
  readonly test: Use;
  readonly inner: Use;
  /** The `if`, or undefined for `s->mr && question(s->mr)`. */
  readonly statement: Statement | undefined;
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
const NOT = wordOf("!");
const LOGICAL_AND = wordOf("&&");
const OPEN = wordOf("(");
const CLOSE = wordOf(")");

/** The judgement of a pointer field; undefined if no new region is assigned to it. */
export function judgeToEmbedded(field: Field): EmbeddedJudgement | undefined {
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
  if (obstacles[0] !== undefined) return refuse(Reason.NotUnderstood, obstacles[0]);
  const tests = new Set<Use>();
  for (const { test } of creations) {
    for (const use of uses) if (test !== undefined && isTestOf(use, test)) tests.add(use);
  }
  const guards = guardsOf(uses, tests);
  for (const guard of guards) tests.add(guard.test);
  for (const use of uses) {
    if (tests.has(use) || creations.some((creation) => creation.use === use)) continue;
    if (!isValueOrMember(use, field.isArray)) return refuse(Reason.PointerReassigned, placeOfUse(use));
  }
  const at = { file: member.struct.file.path, offset: offsetOf(member) };
  return { field, treatment: "kept", reason: undefined, at, creations, guards };
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
  if (next?.kind !== "if") return undefined;
  const { tokens } = source;
  const from = tokens.word[next.open + 1] === NOT ? next.open + 2 : next.open + 1;
  const text = textBetween(tokens, from, next.close - 1).replace(/\s+/g, "");
  return text === baseText(use) ? next : undefined;
}

function isTestOf(use: Use, test: Statement): boolean {
  return use.first > test.open && use.last < test.close;
}

function guardsOf(uses: readonly Use[], taken: ReadonlySet<Use>): Guard[] {
  return uses.flatMap((test): Guard[] => {
    if (taken.has(test)) return [];
    const { tokens } = test.source;
    const inner = uses.find(
      (each) => each.source === test.source && each.first > test.last && baseText(each) === baseText(test),
    );
    const { call } = inner ?? {};
    if (inner === undefined || call === undefined || call.argument !== 0) return [];
    if (tokens.word[test.last + 1] === LOGICAL_AND && call.calleeToken === test.last + 2) {
      return tolerantQuestions.has(call.callee) ? [{ test, inner, statement: undefined }] : [];
    }
    const { statement } = test;
    const [body] = statement.children;
    const isWhole =
      statement.kind === "if" && test.first === statement.open + 1 && test.last + 1 === statement.close;
    if (!isWhole || statement.children.length !== 1 || body?.kind !== "block" || body.children.length !== 1)
      return [];
    const isOnly = body.children[0]?.first === call.calleeToken && tolerantStatements.has(call.callee);
    return isOnly ? [{ test, inner, statement }] : [];
  });
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
    return /^\w+$/.test(callee) && !/^(?:if|while|for|switch|sizeof)$/.test(callee) && callee !== "g_free";
  }
  return /^(?:\(|,|=|return|:|\?)$/.test(before) && /^(?:\)|,|;|:)$/.test(after);
}
