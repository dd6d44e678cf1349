/** Phase 5, for fields: a region that is initialised through a pointer, `mr = &s->iomem; memory_region_init(mr, …);`. */
import { pairOfInit } from "../api.ts";
import type { FunctionBody } from "../program.ts";
import { bodyOf, type Local, type Statement, statementAt } from "../statements.ts";
import type { Types } from "../types.ts";
import { textOf, wordOf } from "../words.ts";
import { Kind, type Tokens } from "./1-lex.ts";
import { argumentsOf, callsOnlyMacros, enclosingCall, type Use } from "./4-uses.ts";

/** The statement that points a variable at the region, and the call that then initialises what the variable points at. */
export interface Through {
  readonly local: Local;
  /** The variable in the call. */
  readonly use: Use;
}

const ASSIGN = wordOf("=");
const COMMA = wordOf(",");
const SEMICOLON = wordOf(";");
const AMPERSAND = wordOf("&");
const ARROW = wordOf("->");
const DOT = wordOf(".");
const STATIC = wordOf("static");

/**
 * Follows the address of a region into a local variable, up to the call that initialises it. Nothing between the two may name the
 * variable, leave or enter the list of statements, or call a function, which might reach the region in another way.
 */
export function initialisedThrough(storage: Use, types: Types): Through | undefined {
  const { source, fn, statement, kind, call } = storage;
  const { tokens } = source;
  const list = statement.parent;
  if (kind !== "address" || call !== undefined || list?.kind !== "block") return undefined;
  const local = assignedLocal(storage);
  if (local === undefined || !isPlainPointer(local, tokens)) return undefined;
  const isNamed = ({ first, last }: Statement) => mentions(tokens, local.word, first, last).length > 0;
  const later = list.children.slice(list.children.indexOf(statement) + 1);
  const next = later.findIndex(isNamed);
  const target = later[next];
  if (target === undefined || target.last > local.scopeEnd) return undefined;
  if (!later.slice(0, next).every((each) => isHarmless(each, tokens))) return undefined;
  const [first = -1, ...rest] = mentions(tokens, local.word, target.first, target.last);
  const found = enclosingCall(tokens, first, fn.bodyOpen);
  if (found.call === undefined || found.casts.length > 0 || found.call.argument !== 0) return undefined;
  const { calleeToken, open, close, callee } = found.call;
  if (!pairOfInit.has(callee) || open !== first - 1 || tokens.word[first + 1] !== COMMA) return undefined;
  if (rest.some((token) => token < close) || statementAt(bodyOf(fn).root, first) !== target) return undefined;
  const isSplit = tokens.directives.some(({ token }) => statement.first < token && token <= close);
  if (isSplit || isReachedOtherwise(storage, local, calleeToken, types)) return undefined;
  const use: Use = {
    ...{ source, fn, first, last: first, ampersand: -1, index: undefined },
    ...{ kind: "value", call: found.call, casts: [], statement: target },
  };
  return { local, use };
}

/** How far a pointer is followed through calls. */
const DEPTH = 4;

/** What happens to a region through a pointer. */
export type Fate = "initialised" | "unparented";

/** What a use hands the region's address to: a function, or a variable that a call is given, that initialises or unparents it. */
export function fateElsewhere(use: Use, types: Types): Fate | undefined {
  const { call, casts, kind, fn, source, statement, ampersand } = use;
  if (kind !== "address") return undefined;
  if (call !== undefined) {
    const body = casts.length > 0 ? undefined : types.bodyOf(call.callee, source.path);
    return body && fateOfParameter(body, call.argument, types, DEPTH);
  }
  const { tokens } = source;
  const local = statement.locals.find(
    ({ initFirst, initLast }) => initFirst <= ampersand && ampersand <= initLast,
  );
  if (local !== undefined) return fateOfPointee(fn, local.word, types, DEPTH);
  if (statement.kind !== "expression" || tokens.word[statement.first + 1] !== ASSIGN) return undefined;
  return fateOfPointee(fn, tokens.word[statement.first] ?? 0, types, DEPTH);
}

function fateOfParameter(fn: FunctionBody, argument: number, types: Types, depth: number): Fate | undefined {
  const parameter = fn.parameters[argument];
  return parameter && fateOfPointee(fn, wordOf(parameter.name), types, depth - 1);
}

/** What a function, or one that it calls, does to the region that a variable points to. */
function fateOfPointee(fn: FunctionBody, word: number, types: Types, depth: number): Fate | undefined {
  if (depth === 0 || word === 0) return undefined;
  const { tokens, path } = fn.file;
  for (const token of mentions(tokens, word, fn.bodyOpen, fn.bodyClose)) {
    const { call, casts } = enclosingCall(tokens, token, fn.bodyOpen);
    if (call === undefined) continue;
    if (call.callee === "object_unparent") return "unparented";
    const given = argumentsOf(tokens, call.open)[call.argument];
    if (casts.length > 0 || given?.[0] !== token || given[1] !== token) continue;
    if (call.argument === 0 && call.callee.startsWith("memory_region_init")) return "initialised";
    const body = types.bodyOf(call.callee, path);
    const fate = body && body !== fn ? fateOfParameter(body, call.argument, types, depth) : undefined;
    if (fate !== undefined) return fate;
  }
  return undefined;
}

/** The variable that the address is the initial value of, or is assigned to by a statement of its own. */
function assignedLocal({ source: { tokens }, fn, statement, ampersand, last }: Use): Local | undefined {
  if (tokens.word[ampersand - 1] !== ASSIGN) return undefined;
  if (statement.kind === "declaration") {
    return statement.locals.find(({ initFirst, initLast }) => initFirst === ampersand && initLast === last);
  }
  const { first } = statement;
  if (statement.kind !== "expression" || first + 2 !== ampersand || tokens.word[last + 1] !== SEMICOLON)
    return undefined;
  return bodyOf(fn)
    .locals.filter(
      ({ word, nameToken, scopeEnd }) =>
        word === tokens.word[first] && nameToken < first && first <= scopeEnd,
    )
    .at(-1);
}

function isPlainPointer({ type, statement, nameToken }: Local, tokens: Tokens): boolean {
  if (type.base !== "MemoryRegion" || type.pointers !== 1 || type.dimensions > 0) return false;
  for (let token = statement.first; token < nameToken; token++)
    if (tokens.word[token] === STATIC) return false;
  return true;
}

/** Where a variable's name stands, but for members of that name. */
function mentions(tokens: Tokens, word: number, from: number, to: number): number[] {
  const found: number[] = [];
  for (let token = from; token <= to; token++) {
    const before = tokens.word[token - 1];
    if (tokens.word[token] === word && before !== ARROW && before !== DOT) found.push(token);
  }
  return found;
}

const passed = new Set(["block", "if", "loop", "declaration", "expression"]);

/** True if control comes past a statement, and it calls nothing but macros. */
function isHarmless(statement: Statement, tokens: Tokens): boolean {
  if (!passed.has(statement.kind)) return false;
  if (!callsOnlyMacros(tokens, statement.first, statement.last)) return false;
  return statement.children.every((child) => isHarmless(child, tokens));
}

/** True if something else may read the variable: a pointer to it, or a macro before the call. */
function isReachedOtherwise(
  { fn, statement }: Use,
  { word, name }: Local,
  before: number,
  types: Types,
): boolean {
  const { tokens, path } = fn.file;
  for (let token = fn.bodyOpen; token < fn.bodyClose; token++) {
    if (tokens.word[token] === word && tokens.word[token - 1] === AMPERSAND) return true;
  }
  for (let token = statement.last + 1; token < before; token++) {
    if (tokens.kind[token] !== Kind.Word) continue;
    if (types.macroNames(textOf(tokens.word[token] ?? 0), name, path)) return true;
  }
  return false;
}
