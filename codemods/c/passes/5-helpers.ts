/**
 * Phase 5, before judging: functions that initialise a region which they are given. Such a function can return the region
 * instead, if all its callers change with it.
 */
import { type Pair, pairOfInit } from "../api.ts";
import { directiveConditions } from "../directives.ts";
import { covers, type Lifecycle } from "../lifecycle.ts";
import type { FunctionBody, Parameter, Program } from "../program.ts";
import { bodyOf, type Statement, statementAt } from "../statements.ts";
import type { Types } from "../types.ts";
import { textOf, wordOf } from "../words.ts";
import { Kind } from "./1-lex.ts";
import { argumentsOf, type Call, enclosingCall, isSplit, textBetween } from "./4-uses.ts";

/** A call in a helper that initialises its parameter. */
export interface HelperInit {
  readonly call: Call;
  readonly statement: Statement;
  readonly pair: Pair;
}

/** A function that initialises the region that its parameter points to. */
export interface Helper {
  readonly fn: FunctionBody;
  readonly parameter: Parameter;
  /** Number of the parameter. */
  readonly argument: number;
  readonly inits: readonly HelperInit[];
  /** Tokens at which the parameter is used apart from that. */
  readonly uses: readonly number[];
  /** `return;` statements, all of them after the initialisation. */
  readonly returns: readonly Statement[];
  readonly pair: Pair;
}

export type Helpers = Map<FunctionBody, Helper>;

const COMMA = wordOf(",");
const OPEN = wordOf("(");
const CLOSE = wordOf(")");
const SEMICOLON = wordOf(";");
const ASSIGN = wordOf("=");
const AND = wordOf("&");
const GOTO = wordOf("goto");

/** All functions that could return the region that they initialise. */
export function findHelpers(program: Program, types: Types, lifecycle: Lifecycle): Helpers {
  const helpers: Helpers = new Map();
  for (let before = -1; before !== helpers.size; ) {
    before = helpers.size;
    for (const source of program.sources.values()) {
      for (const fn of source.functions) {
        if (helpers.has(fn) || lifecycle.roleOf(fn) !== 0) continue;
        const helper = helperOf(fn, types, helpers);
        if (helper !== undefined && !isCalledElsewhere(program, fn)) helpers.set(fn, helper);
      }
    }
  }
  return helpers;
}

/** True if a file that was not read closely calls the function, or a macro does. */
function isCalledElsewhere(program: Program, fn: FunctionBody): boolean {
  if (fn.isStatic) return false;
  for (const text of program.others.values()) if (text.includes(fn.name)) return true;
  return false;
}

function helperOf(fn: FunctionBody, types: Types, helpers: Helpers): Helper | undefined {
  const { file, returns } = fn;
  if (returns.base !== "void" || returns.pointers !== 0 || pairOfInit.has(fn.name)) return undefined;
  for (const [argument, parameter] of fn.parameters.entries()) {
    const { base, pointers } = parameter.type;
    if (base !== "MemoryRegion" || pointers !== 1) continue;
    const helper = helperFor(fn, parameter, argument, types, helpers);
    if (helper !== undefined && !isSplit(file, fn) && file.tokens.unpaired < 0) return helper;
  }
  return undefined;
}

function helperFor(
  fn: FunctionBody,
  parameter: Parameter,
  argument: number,
  types: Types,
  helpers: Helpers,
): Helper | undefined {
  const { tokens, path } = fn.file;
  const { root } = bodyOf(fn);
  const word = wordOf(parameter.name);
  const inits: HelperInit[] = [];
  const uses: number[] = [];
  for (let token = fn.bodyOpen; token < fn.bodyClose; token++) {
    if (tokens.word[token] !== word || tokens.kind[token] !== Kind.Word) continue;
    const before = textOf(tokens.word[token - 1] ?? 0);
    if (before === "." || before === "->") continue;
    const { call, casts } = enclosingCall(tokens, token, fn.bodyOpen);
    const isPlain =
      (tokens.word[token - 1] === OPEN || tokens.word[token - 1] === COMMA) &&
      (tokens.word[token + 1] === COMMA || tokens.word[token + 1] === CLOSE);
    const pair =
      call === undefined || casts.length > 0 || !isPlain
        ? undefined
        : initPair(call, types.bodyOf(call.callee, path), helpers);
    if (call === undefined || pair === undefined) {
      if (tokens.word[token + 1] === ASSIGN || tokens.word[token - 1] === AND) return undefined;
      uses.push(token);
      continue;
    }
    const statement = statementAt(root, token);
    const isStatement = statement.kind === "expression" && statement.first === call.calleeToken;
    if (!isStatement || tokens.word[call.close + 1] !== SEMICOLON) return undefined;
    const name = argumentsOf(tokens, call.open)[pair.name];
    if (name !== undefined && textBetween(tokens, name[0], name[1]) === "NULL") return undefined;
    inits.push({ call, statement, pair });
  }
  const done = initialised(root, inits);
  const [first] = inits;
  if (done === undefined || first === undefined) return undefined;
  const always = directiveConditions(tokens, fn.bodyOpen).length;
  if (inits.some(({ call }) => directiveConditions(tokens, call.open).length > always)) return undefined;
  for (let token = fn.bodyOpen; token < done.first; token++)
    if (tokens.word[token] === GOTO) return undefined;
  const returns = returnsOf(root);
  const isAfter = (token: number) =>
    token > done.last || inits.some(({ call }) => covers(fn, call.calleeToken, token));
  if (!uses.every(isAfter) || !returns.every((each) => isAfter(each.first))) return undefined;
  const pair: Pair = { ...first.pair, init: fn.name, create: fn.name, name: -1, mayFail: false };
  return { fn, parameter, argument, inits, uses, returns, pair };
}

/** The pair if a call initialises what its argument points to. */
function initPair(call: Call, target: FunctionBody | undefined, helpers: Helpers): Pair | undefined {
  const pair = call.argument === 0 ? pairOfInit.get(call.callee) : undefined;
  if (pair !== undefined) return pair;
  const helper = target && helpers.get(target);
  return helper !== undefined && helper.argument === call.argument ? helper.pair : undefined;
}

/** The statement of the body after which the region is initialised on every path. */
function initialised(root: Statement, inits: readonly HelperInit[]): Statement | undefined {
  if (inits.length === 0) return undefined;
  return root.children.find((statement) => {
    const inside = inits.filter(
      (init) => statement.first <= init.statement.first && init.statement.last <= statement.last,
    );
    return inside.length === inits.length && initialises(statement, inits);
  });
}

function initialises(statement: Statement, inits: readonly HelperInit[]): boolean {
  if (inits.some((init) => init.statement === statement)) return true;
  if (statement.kind === "block")
    return statement.children.filter((child) => initialises(child, inits)).length === 1;
  return (
    statement.kind === "if" &&
    statement.children.length === 2 &&
    statement.children.every((child) => initialises(child, inits))
  );
}

function returnsOf(statement: Statement): Statement[] {
  if (statement.kind === "return") return [statement];
  return statement.children.flatMap(returnsOf);
}
