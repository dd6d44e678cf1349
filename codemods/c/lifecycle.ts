/** When a function runs in the life of a device, and in which order two functions run: from roles, callers and positions. */

import { Kind } from "./passes/1-lex.ts";
import { enclosingCall, textBetween } from "./passes/4-uses.ts";
import type { FunctionBody, Program, Source } from "./program.ts";
import { bodyOf, isInside, type Statement, statementAt } from "./statements.ts";
import type { Types } from "./types.ts";
import { textOf, wordOf } from "./words.ts";

/** Stages of a device's life, as bits. */
export const Stage = { Init: 1, Setup: 2, Realize: 4, Run: 8, Exit: 16, Finalize: 32 } as const;

const stageOfRole: ReadonlyMap<string, number> = new Map([
  ["instance_init", Stage.Init],
  ["instance_post_init", Stage.Init],
  ["realize", Stage.Realize],
  ["parent_realize", Stage.Realize],
  ["realizefn", Stage.Realize],
  ["init", Stage.Realize],
  ["initfn", Stage.Realize],
  ["class_init", 0],
  ["base_init", 0],
  ["class_base_init", 0],
  ["exit", Stage.Exit],
  ["unrealize", Stage.Exit],
  ["parent_unrealize", Stage.Exit],
  ["instance_finalize", Stage.Finalize],
]);

/** Calls that are given a function and what that function then is. */
const stageOfArgument: ReadonlyMap<string, number> = new Map([
  ["device_class_set_parent_realize", Stage.Realize],
  ["device_class_set_parent_unrealize", Stage.Exit],
  ["object_property_add", Stage.Setup | Stage.Run],
  ["object_property_add_bool", Stage.Setup | Stage.Run],
  ["object_property_add_str", Stage.Setup | Stage.Run],
  ["object_class_property_add", Stage.Setup | Stage.Run],
  ["object_class_property_add_bool", Stage.Setup | Stage.Run],
  ["object_class_property_add_str", Stage.Setup | Stage.Run],
  ["DEFINE_MACHINE", 0],
  ["type_init", 0],
]);

/** A token of a function. */
export interface Point {
  readonly fn: FunctionBody;
  readonly token: number;
}

export interface CallSite {
  readonly caller: FunctionBody;
  readonly token: number;
}

const ASSIGN = wordOf("=");
const OPEN = wordOf("(");
const DOT = wordOf(".");
const ARROW = wordOf("->");

export class Lifecycle {
  private readonly types: Types;
  private readonly callers = new Map<FunctionBody, CallSite[]>();
  private readonly roles = new Map<FunctionBody, number>();
  private readonly stages = new Map<FunctionBody, number>();

  constructor(program: Program, types: Types) {
    this.types = types;
    const names = new Set<number>();
    for (const fn of types.allBodies()) names.add(wordOf(fn.name));
    for (const source of program.sources.values()) this.read(source, names);
  }

  private read(source: Source, names: ReadonlySet<number>): void {
    const { tokens, functions } = source;
    let next = 0;
    for (let token = 0; token < tokens.count; token++) {
      const word = tokens.word[token] ?? 0;
      if (!names.has(word) || tokens.kind[token] !== Kind.Word) continue;
      const before = tokens.word[token - 1] ?? 0;
      if (before === DOT || before === ARROW) continue;
      while (next < functions.length && (functions[next]?.bodyClose ?? 0) < token) next++;
      const fn = functions[next];
      const inside = fn !== undefined && fn.bodyOpen < token ? fn : undefined;
      if (inside === undefined && fn?.nameToken === token) continue;
      const target = this.types.bodyOf(textOf(word), source.path);
      if (target === undefined) continue;
      if (tokens.word[token + 1] === OPEN && inside !== undefined) {
        const known = this.callers.get(target);
        if (known === undefined) this.callers.set(target, [{ caller: inside, token }]);
        else known.push({ caller: inside, token });
        continue;
      }
      if (tokens.word[token + 1] === OPEN) continue; // a prototype
      this.reference(source, target, token);
    }
  }

  /** A function's name where it is not called. */
  private reference(source: Source, target: FunctionBody, token: number): void {
    const { tokens } = source;
    let stage: number = Stage.Run;
    if (tokens.word[token - 1] === ASSIGN) {
      stage = stageOfRole.get(textOf(tokens.word[token - 2] ?? 0)) ?? Stage.Run;
    } else {
      const { call } = enclosingCall(tokens, token, 0);
      if (call !== undefined) stage = stageOfArgument.get(call.callee) ?? Stage.Run;
      if (call?.callee === "DEFINE_MACHINE") stage = Stage.Realize;
    }
    this.roles.set(target, (this.roles.get(target) ?? 0) | stage);
  }

  callersOf(fn: FunctionBody): readonly CallSite[] {
    return this.callers.get(fn) ?? [];
  }

  /** Stages in which a function runs itself, not through a caller. */
  roleOf(fn: FunctionBody): number {
    return this.roles.get(fn) ?? 0;
  }

  /** All stages in which a function may run. */
  stagesOf(fn: FunctionBody): number {
    const known = this.stages.get(fn);
    if (known !== undefined) return known;
    const seen = new Set<FunctionBody>([fn]);
    const queue = [fn];
    let stages = 0;
    for (let each = queue.pop(); each !== undefined; each = queue.pop()) {
      stages |= this.roleOf(each);
      const callers = this.callersOf(each);
      if (callers.length === 0 && this.roleOf(each) === 0) stages |= Stage.Run;
      for (const { caller } of callers) {
        if (seen.has(caller)) continue;
        seen.add(caller);
        queue.push(caller);
      }
    }
    this.stages.set(fn, stages);
    return stages;
  }

  /** True if some function runs in a call of another. */
  reaches(from: FunctionBody, to: FunctionBody, depth = 6): boolean {
    if (from === to) return true;
    if (depth === 0) return false;
    return this.callersOf(to).some(({ caller }) => this.reaches(from, caller, depth - 1));
  }

  /** True if at every run of the second point the first one has run before, within the same stage. */
  precedes(first: Point, second: Point, seen = new Set<FunctionBody>()): boolean {
    if (this.callsBefore(second.fn, first.fn, second.token)) return true;
    if (seen.has(second.fn)) return true;
    seen.add(second.fn);
    const overlap = this.stagesOf(first.fn);
    if ((this.roleOf(second.fn) & overlap) !== 0) return this.callsParent(second.fn);
    const sites = this.callersOf(second.fn);
    if (sites.length === 0) return false;
    return sites.every(({ caller, token }) => {
      if ((this.stagesOf(caller) & ~laterThan(overlap)) === 0) return true;
      if (caller === first.fn) return covers(caller, first.token, token);
      if (caller.file !== first.fn.file && createsBefore(caller, token)) return true;
      return this.precedes(first, { fn: caller, token }, seen);
    });
  }

  /** A subclass's realize runs that of its parent first, which creates the parent's regions. */
  private callsParent(fn: FunctionBody): boolean {
    const { tokens } = fn.file;
    for (let token = fn.bodyOpen; token < fn.bodyClose; token++) {
      const name = textOf(tokens.word[token] ?? 0);
      if (/^parent_realize|^parent_init/.test(name)) return true;
      if (name === "realize" && tokens.word[token - 1] === ARROW && tokens.word[token + 1] === OPEN)
        return true;
    }
    return false;
  }

  /** True if a function calls, before a token and on every path to it, something that runs `wanted`. */
  private callsBefore(fn: FunctionBody, wanted: FunctionBody, before: number): boolean {
    const reaching = (target: FunctionBody, depth: number): boolean => {
      for (const { caller, token } of this.callersOf(target)) {
        if (caller === fn) {
          if (token < before && covers(fn, token, before)) return true;
        } else if (depth > 0 && reaching(caller, depth - 1)) return true;
      }
      return false;
    };
    return reaching(wanted, 4);
  }
}

/** Calls after which a device exists with its regions. */
const creating = /realize|_create|_new|_register|_legacy_init/;

/** True if a function creates something before it makes a call, which then concerns the device that was created. */
function createsBefore(fn: FunctionBody, before: number): boolean {
  const { tokens } = fn.file;
  for (let token = fn.bodyOpen; token < before; token++) {
    if (tokens.word[token + 1] === OPEN && creating.test(textOf(tokens.word[token] ?? 0))) {
      if (covers(fn, token, before)) return true;
    }
  }
  return false;
}

/**
 * True if a function realizes the device that an expression reaches into before it uses the expression: the path of the
 * child, `s->uart` of `s->uart.io`, or the variable that the expression starts from.
 */
export function realizesBefore(
  fn: FunctionBody,
  before: number,
  path: string,
  isInitStage: boolean,
): boolean {
  const { tokens } = fn.file;
  const wanted = isInitStage ? /realize|initialize_child|object_new|qdev_new|_create/ : /realize|_create/;
  for (let token = fn.bodyOpen; token < before; token++) {
    if (tokens.word[token + 1] !== OPEN || !wanted.test(textOf(tokens.word[token] ?? 0))) continue;
    if (!covers(fn, token, before)) continue;
    const close = tokens.match[token + 1] ?? token;
    const given = squeezed(textBetween(tokens, token + 1, close)).match(/[\w>.[\]-]+/g) ?? [];
    if (given.some((each) => reachesInto(path, each))) return true;
  }
  return false;
}

function reachesInto(path: string, base: string): boolean {
  if (!path.startsWith(base) || !/^\w/.test(base) || /^\d/.test(base)) return false;
  const rest = path.slice(base.length);
  return rest.startsWith(".") || rest.startsWith("->");
}

/** Stages after all of the given ones. */
export function laterThan(stages: number): number {
  let highest = 0;
  for (let bit = 1; bit <= Stage.Finalize; bit <<= 1) if ((stages & bit) !== 0) highest = bit;
  let later = 0;
  for (let bit = highest << 1; bit <= Stage.Finalize && bit > 0; bit <<= 1) later |= bit;
  return later;
}

/** True if whenever the second token of a function runs, the first one has run before in the same call. */
export function covers(fn: FunctionBody, first: number, second: number): boolean {
  if (second <= first) return false;
  const { root } = bodyOf(fn);
  const statement = statementAt(root, first);
  const block = listOf(statement, first);
  if (block === undefined || second > block.last) return false;
  if (hasLabelBetween(fn, block, first, second)) return false;
  return true;
}

/** The list of statements that a token's statement is unconditionally part of. */
export function listOf(statement: Statement, token: number): Statement | undefined {
  let at: Statement | undefined = statement;
  while (at !== undefined) {
    if (at.kind === "block") return at;
    const { parent }: Statement = at;
    if (parent === undefined) return at;
    if (parent.kind === "block") return parent;
    // The body of an `if` or loop without braces is a list of its own; its condition belongs to the outer list.
    const inHead = token >= parent.open && token <= parent.close && parent.open >= 0;
    if (
      !inHead &&
      isInside(at, parent) &&
      (parent.kind === "if" || parent.kind === "loop" || parent.kind === "switch")
    ) {
      return at;
    }
    at = parent;
  }
  return undefined;
}

/** A case or label between two tokens, to which control may come past the first one. */
function hasLabelBetween(fn: FunctionBody, block: Statement, first: number, second: number): boolean {
  return block.children.some((child) => {
    if (child.first <= first || child.first > second) return false;
    if (child.kind === "case") return true;
    if (child.kind !== "label") return false;
    const { tokens } = fn.file;
    const label = tokens.word[child.first];
    for (let token = fn.bodyOpen; token < first; token++) {
      if (tokens.word[token] === GOTO && tokens.word[token + 1] === label) return true;
    }
    return false;
  });
}

const GOTO = wordOf("goto");

/** The conditions under which a token of a function runs, outermost first; error exits are not conditions. */
export function conditionsOf(fn: FunctionBody, token: number): string[] {
  const { root } = bodyOf(fn);
  const { tokens } = fn.file;
  const conditions: string[] = [];
  let at: Statement | undefined = statementAt(root, token);
  let inner: Statement | undefined;
  while (at !== undefined) {
    const inHead = at.open >= 0 && token >= at.open && token <= at.close;
    if (!inHead && at.kind === "if") {
      const isElse = inner !== undefined && at.children.indexOf(inner) === 1;
      const text = squeezed(textBetween(tokens, at.open, at.close));
      conditions.unshift(isElse ? `!${text}` : text);
    } else if (!inHead && (at.kind === "loop" || at.kind === "switch") && at.open >= 0) {
      let text = squeezed(textBetween(tokens, at.open, at.close));
      if (at.kind === "switch" && inner !== undefined) text += caseOf(at, token, fn);
      conditions.unshift(text);
    }
    if (at.kind === "block") {
      for (const child of at.children) {
        if (child.last >= token) break;
        const left = earlyReturn(child, fn);
        if (left !== undefined) conditions.unshift(left);
      }
    }
    inner = at;
    at = at.parent;
  }
  return conditions;
}

function caseOf(statement: Statement, token: number, fn: FunctionBody): string {
  const block = statement.children.find(({ kind }) => kind === "block");
  const label = block?.children.filter(({ kind, first }) => kind === "case" && first < token).at(-1);
  return label === undefined ? "" : squeezed(textBetween(fn.file.tokens, label.first, label.last));
}

/** `if (!s->has_window) { return; }` makes what follows conditional; a return because of an error does not. */
function earlyReturn(statement: Statement, fn: FunctionBody): string | undefined {
  if (statement.kind !== "if") return undefined;
  const leaves = statement.children.some((child) => alwaysLeaves(child));
  if (!leaves) return undefined;
  const { tokens } = fn.file;
  const text = textBetween(tokens, statement.first, statement.last);
  if (
    /err|exit\s*\(|abort\s*\(|return\s+-|return\s+false|return\s+NULL|assert|goto\s+\w*(fail|out)/i.test(text)
  ) {
    return undefined;
  }
  return `!${squeezed(textBetween(tokens, statement.open, statement.close))}`;
}

function alwaysLeaves(statement: Statement): boolean {
  if (statement.kind === "return") return true;
  return statement.kind === "block" && statement.children.at(-1)?.kind === "return";
}

export function squeezed(text: string): string {
  return text.replace(/\s+/g, "");
}
