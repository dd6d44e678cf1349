/** When a function runs in the life of a device, and in which order two functions run: from roles, callers and positions. */

import { directiveConditions } from "./directives.ts";
import { acrossPair, Kind, type Tokens } from "./passes/1-lex.ts";
import { enclosingCall, textBetween } from "./passes/4-uses.ts";
import type { FunctionBody, Program, Source } from "./program.ts";
import { bodyOf, isInside, type Statement, statementAt } from "./statements.ts";
import type { Types } from "./types.ts";
import { textOf, wordCount, wordOf } from "./words.ts";

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

/** What a function is assigned to that runs any number of times while the machine does, often or not. */
const repeatingRole =
  /^(?:(?:legacy_)?reset|device_reset|enter|hold|(?:config_)?(?:read|write)(?:_with_attrs)?|(?:pre|post)_(?:load|save))$/;

/** Calls that are given a function which then runs any number of times. */
const repeatingCall =
  /^(?:timer_(?:new|init)\w*|ptimer_init|\w*_bh_new\w*|qemu_register_reset\w*|qemu_allocate_irqs?|qdev_init_gpio_in\w*|device_class_set_legacy_reset|resettable_class_set_parent_phases|qemu_add_vm_change_state_handler\w*|object_(?:class_)?property_add\w*)$/;

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
const CLOSE = wordOf(")");
const BRACKET = wordOf("[");
const UNBRACKET = wordOf("]");
const BRACE = wordOf("{");
const UNBRACE = wordOf("}");
const SEMICOLON = wordOf(";");
const COMMA = wordOf(",");
const MINUS = wordOf("-");
const GOTO = wordOf("goto");
const BREAK = wordOf("break");
const DOT = wordOf(".");
const ARROW = wordOf("->");
const PHASES = wordOf("phases");

export class Lifecycle {
  private readonly types: Types;
  private readonly callers = new Map<FunctionBody, CallSite[]>();
  private readonly roles = new Map<FunctionBody, number>();
  private readonly stages = new Map<FunctionBody, number>();
  private readonly repeating = new Set<FunctionBody>();
  private readonly assigned = new Map<Source, ReadonlyMap<string, readonly FunctionBody[]>>();

  constructor(program: Program, types: Types) {
    this.types = types;
    const named = [...types.allBodies()].map(({ name }) => wordOf(name));
    const names = new Uint8Array(wordCount());
    for (const word of named) names[word] = 1;
    for (const source of program.sources.values()) this.read(source, names);
  }

  private read(source: Source, names: Uint8Array): void {
    const { tokens, functions } = source;
    let next = 0;
    for (let token = 0; token < tokens.count; token++) {
      const word = tokens.word[token] ?? 0;
      if (names[word] !== 1) continue;
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
      // `rc->phases.exit` is the last phase of a reset, `k->exit` the end of a PCI device.
      const isPhase = tokens.word[token - 4] === PHASES;
      const role = textOf(tokens.word[token - 2] ?? 0);
      if (isPhase || repeatingRole.test(role)) this.repeating.add(target);
      else stage = stageOfRole.get(role) ?? Stage.Run;
    } else {
      const { call } = enclosingCall(tokens, token, 0);
      if (call !== undefined) stage = stageOfArgument.get(call.callee) ?? Stage.Run;
      if (repeatingCall.test(call?.callee ?? "")) this.repeating.add(target);
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

  /**
   * True if a token may run any number of times while the machine does: in a reset, a register's handler, a timer's callback or
   * the like, or in what one calls.
   * @param isFirm not under a condition that may ask what the device did before
   */
  mayRepeat({ fn, token }: Point, isFirm: boolean, seen = new Set<FunctionBody>()): boolean {
    if (seen.has(fn)) return false;
    if (isFirm && !isFirmAt({ fn, token })) return false;
    if (this.repeating.has(fn)) return true;
    seen.add(fn);
    return this.callersOf(fn).some(({ caller, token: at }) =>
      this.mayRepeat({ fn: caller, token: at }, isFirm, seen),
    );
  }

  /** The second of two calls with the same arguments, one after the other, of a function or of one that runs it. */
  calledAgain(fn: FunctionBody, depth = 4): CallSite | undefined {
    const sites = this.callersOf(fn);
    const given = ({ caller, token }: CallSite): string => {
      const { tokens } = caller.file;
      return squeezed(textBetween(tokens, token + 1, acrossPair(tokens, token + 1)));
    };
    const again = sites.find((site) =>
      sites.some(
        (other) =>
          other.caller === site.caller &&
          covers(site.caller, other.token, site.token) &&
          given(other) === given(site),
      ),
    );
    if (again !== undefined || depth === 0) return again;
    const callers = new Set(sites.map(({ caller }) => caller));
    callers.delete(fn);
    for (const caller of callers) {
      const found = this.calledAgain(caller, depth - 1);
      if (found !== undefined) return found;
    }
    return undefined;
  }

  /** True if a function that may run after another one assigns a member of that name, in a file that names it. */
  isAssignedLater(source: Source, member: string, fn: FunctionBody): boolean {
    const known = this.assigned.get(source) ?? assignmentsIn(source);
    this.assigned.set(source, known);
    const later = ~(this.stagesOf(fn) | Stage.Init | Stage.Setup | Stage.Realize);
    return (known.get(member) ?? []).some((each) => (this.stagesOf(each) & later) !== 0);
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
    if ((this.roleOf(second.fn) & ~laterThan(overlap)) !== 0) {
      return (this.roleOf(second.fn) & overlap) !== 0 && callsParentBefore(second.fn, second.token);
    }
    const sites = this.callersOf(second.fn);
    if (sites.length === 0) return false;
    return sites.every(({ caller, token }) => {
      if ((this.stagesOf(caller) & ~laterThan(overlap)) === 0) return true;
      if (caller === first.fn) return covers(caller, first.token, token);
      if (caller.file !== first.fn.file && createsBefore(caller, token, (overlap & ~Stage.Init) === 0))
        return true;
      return this.precedes(first, { fn: caller, token }, seen);
    });
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

const assigning = new Set("= += -= *= /= %= &= |= ^= <<= >>= ++ --".split(" ").map(wordOf));

/** The functions of a file that assign a member, by the member's name. */
function assignmentsIn({ tokens, functions }: Source): ReadonlyMap<string, readonly FunctionBody[]> {
  const found = new Map<string, FunctionBody[]>();
  for (const fn of functions) {
    for (let token = fn.bodyOpen; token < fn.bodyClose; token++) {
      const before = tokens.word[token - 1];
      if ((before !== ARROW && before !== DOT) || tokens.kind[token] !== Kind.Word) continue;
      let after = token + 1;
      while (tokens.word[after] === BRACKET) after = acrossPair(tokens, after) + 1;
      if (!assigning.has(tokens.word[after] ?? 0)) continue;
      const name = textOf(tokens.word[token] ?? 0);
      const known = found.get(name);
      if (known === undefined) found.set(name, [fn]);
      else if (known.at(-1) !== fn) known.push(fn);
    }
  }
  return found;
}

/** A subclass's realize runs that of its parent, which creates the parent's regions, before it makes a use. */
function callsParentBefore(fn: FunctionBody, before: number): boolean {
  const { tokens } = fn.file;
  for (let token = fn.bodyOpen; token < before; token++) {
    if (tokens.word[token + 1] !== OPEN) continue;
    const name = textOf(tokens.word[token] ?? 0);
    const isParent =
      /^parent_(?:\w+_)?(?:realize|init)/.test(name) ||
      (name === "realize" && tokens.word[token - 1] === ARROW);
    if (isParent && covers(fn, token, before)) return true;
  }
  return false;
}

/** True for what runs under no condition that may ask what the device did before. */
export function isFirmAt({ fn, token }: Point): boolean {
  return !conditionsOf(fn, token).some((condition) => asksState(condition, fn));
}

/** False for a condition that reads nothing but parameters, constants, and variables whose initial value is made of those. */
function asksState(condition: string, fn: FunctionBody, depth = 4): boolean {
  if (/^!?#/.test(condition) || condition.includes(";")) return false; // a branch of an #if, the head of a loop
  const read = condition.replace(/^else/, "").replace(/\)(?:case[^:]*|default):/g, ")");
  if (depth === 0 || condition === "(operand)" || /->|\.|\b[a-z]\w*\(/.test(read)) return true;
  return (read.match(/\b[a-z_]\w*/g) ?? []).some((name) => {
    if (fn.parameters.some((parameter) => parameter.name === name)) return false;
    const { initFirst, initLast } = bodyOf(fn).locals.find((each) => each.name === name) ?? { initFirst: -1 };
    return (
      initFirst < 0 || asksState(textBetween(fn.file.tokens, initFirst, initLast ?? initFirst), fn, depth - 1)
    );
  });
}

/** Calls after which a device exists, and those after which its realize has run as well. */
const creating = /(?:^|_)(?:new|initialize_child\w*|init_child\w*)(?:_|$)|_create|_legacy_init/;
const realizing = /realize|_create|_legacy_init/;

/** True if a function creates the device that it then gives to a call. */
function createsBefore(fn: FunctionBody, before: number, isInitStage: boolean): boolean {
  const { tokens } = fn.file;
  const open = before + 1;
  const given = rootsBetween(fn, open, acrossPair(tokens, open));
  if (given.size === 0) return false;
  const wanted = isInitStage ? creating : realizing;
  for (let token = fn.bodyOpen; token < before; token++) {
    if (tokens.word[token + 1] !== OPEN || !wanted.test(textOf(tokens.word[token] ?? 0))) continue;
    if (!covers(fn, token, before)) continue;
    const concerned = rootsBetween(fn, token + 1, acrossPair(tokens, token + 1));
    for (const name of assignedAround(fn, token)) concerned.add(name);
    if ([...given].some((name) => concerned.has(name))) return true;
  }
  return false;
}

/** The variables that expressions between two tokens start from, those that are cast included. */
function rootsBetween(fn: FunctionBody, from: number, to: number): Set<string> {
  const { tokens } = fn.file;
  const roots = new Set<string>();
  for (let token = from + 1; token < to; token++) {
    if (tokens.kind[token] !== Kind.Word || tokens.word[token + 1] === OPEN) continue;
    const before = tokens.word[token - 1];
    if (before !== DOT && before !== ARROW && isVariable(fn, textOf(tokens.word[token] ?? 0)))
      roots.add(textOf(tokens.word[token] ?? 0));
  }
  return roots;
}

function isVariable(fn: FunctionBody, name: string): boolean {
  return (
    fn.parameters.some((parameter) => parameter.name === name) ||
    bodyOf(fn).locals.some((local) => local.name === name)
  );
}

/** The variable that the statement around a call assigns to, or declares. */
function assignedAround(fn: FunctionBody, token: number): string[] {
  const { tokens } = fn.file;
  const statement = statementAt(bodyOf(fn).root, token);
  const declared = statement.locals.find(
    ({ initFirst, initLast }) => initFirst <= token && token <= initLast,
  );
  if (declared !== undefined) return [declared.name];
  const isAssigned = statement.kind === "expression" && tokens.word[statement.first + 1] === ASSIGN;
  return isAssigned ? [textOf(tokens.word[statement.first] ?? 0)] : [];
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
    const close = acrossPair(tokens, token + 1);
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
  if (!isEvaluated(fn, statement, first)) return false;
  const given = directiveConditions(fn.file.tokens, second);
  return directiveConditions(fn.file.tokens, first).every((each) => given.includes(each));
}

/**
 * True if whenever a token of a function runs, one of several statements has run before: one in each branch of an `if` that
 * has run before it.
 */
export function coversTogether(fn: FunctionBody, points: readonly Inside[], second: number): boolean {
  const covered = (branch: Statement): boolean =>
    points.some(
      ({ token, statement }) =>
        statement === branch || (isInside(statement, branch) && covers(fn, token, branch.last)),
    ) || branch.children.some((child) => isCoveredIf(child) && covers(fn, child.open, branch.last));
  const isCoveredIf = ({ kind, children }: Statement): boolean =>
    kind === "if" && children.length === 2 && children.every(covered);
  const before = (statement: Statement): boolean =>
    statement.first < second &&
    ((isCoveredIf(statement) && statement.last < second && covers(fn, statement.open, second)) ||
      statement.children.some(before));
  return points.length > 1 && before(bodyOf(fn).root);
}

/** A token, and its statement. */
export interface Inside {
  readonly token: number;
  readonly statement: Statement;
}

const shortCircuits = new Set(["&&", "||", "?"].map(wordOf));

/** False for the right operand of `&&`, `||` or `?:`, in the brackets around it too. */
function isEvaluated(fn: FunctionBody, statement: Statement, token: number): boolean {
  const { tokens } = fn.file;
  let isEarlierArgument = false;
  for (let at = token - 1; at >= statement.first; at--) {
    const word = tokens.word[at] ?? 0;
    if (word === SEMICOLON || word === BRACE || word === UNBRACE) return true;
    if (word === CLOSE || word === UNBRACKET) at = Math.min(at, acrossPair(tokens, at));
    else if (word === OPEN) isEarlierArgument = false;
    else if (word === COMMA) isEarlierArgument = true;
    else if (!isEarlierArgument && shortCircuits.has(word)) return false;
  }
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

/** The conditions under which a token of a function runs; error exits are not conditions, branches of `#if` are. */
export function conditionsOf(fn: FunctionBody, token: number): string[] {
  const { root } = bodyOf(fn);
  const { tokens } = fn.file;
  const conditions: string[] = [];
  let at: Statement | undefined = statementAt(root, token);
  if (!isEvaluated(fn, at, token)) conditions.push("(operand)");
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
        conditions.unshift(...exitsOf(child, fn, token));
      }
    }
    inner = at;
    at = at.parent;
  }
  return [...directiveConditions(tokens, token), ...conditions.map(withoutDoubleNegation)];
}

/** `!(!s->has_io)` is `(s->has_io)`. */
function withoutDoubleNegation(condition: string): string {
  const [, plain] = /^!\(!([\w>.[\]-]+)\)$/.exec(condition) ?? [];
  return plain === undefined ? condition : `(${plain})`;
}

function caseOf(statement: Statement, token: number, fn: FunctionBody): string {
  const block = statement.children.find(({ kind }) => kind === "block");
  const label = block?.children.filter(({ kind, first }) => kind === "case" && first < token).at(-1);
  return label === undefined ? "" : squeezed(textBetween(fn.file.tokens, label.first, label.last));
}

/**
 * What must not hold for control to come past a statement to a later token: `if (!s->has_window) { return; }` makes what
 * follows conditional; leaving because of an error does not, since the device then does not come to life.
 */
function exitsOf(statement: Statement, fn: FunctionBody, target: number, around: Statement[] = []): string[] {
  if (statement.kind === "return" || statement.kind === "jump") {
    const innermost = around.at(-1);
    if (!leavesBefore(statement, fn, target) || (innermost && isErrorExit(innermost, statement, fn)))
      return [];
    const { tokens } = fn.file;
    const texts = around.map(({ open, close }) => squeezed(textBetween(tokens, open, close)));
    return [texts.length === 1 ? `!${texts[0]}` : `!(${texts.join("&&")})`];
  }
  const isBranch = statement.kind === "if" || statement.kind === "loop" || statement.kind === "switch";
  const inside = isBranch ? [...around, statement] : around;
  return statement.children.flatMap((child, index) => {
    const exits = exitsOf(child, fn, target, inside);
    return statement.kind === "if" && index === 1 ? exits.map((text) => `else${text}`) : exits;
  });
}

/** True if a jump goes past a later token of the function. */
function leavesBefore(jump: Statement, fn: FunctionBody, target: number): boolean {
  if (jump.kind === "return") return true;
  const { tokens } = fn.file;
  if (tokens.word[jump.first] === GOTO) {
    const label = labelAt(bodyOf(fn).root, tokens, tokens.word[jump.first + 1] ?? 0);
    return label === undefined || label > target;
  }
  for (let at = jump.parent; at !== undefined; at = at.parent) {
    if (at.kind === "loop" || (at.kind === "switch" && tokens.word[jump.first] === BREAK))
      return at.last >= target;
  }
  return false;
}

/** True if a loop around a token may be left behind it, other than because of an error: some rounds then never reach the token. */
export function leavesLoopAfter(fn: FunctionBody, token: number): boolean {
  const { tokens } = fn.file;
  const leaves = (jump: Statement, loop: Statement, branch: Statement | undefined): boolean => {
    if (branch !== undefined && isErrorExit(branch, jump, fn)) return false;
    if (jump.kind === "return") return true;
    if (tokens.word[jump.first] !== BREAK)
      return tokens.word[jump.first] === GOTO && leavesBefore(jump, fn, loop.last);
    let at = jump.parent;
    while (at !== undefined && at.kind !== "loop" && at.kind !== "switch") at = at.parent;
    return at === loop;
  };
  const search = (statement: Statement, loop: Statement, branch: Statement | undefined): boolean => {
    if (statement.last < token) return false;
    if (statement.kind === "return" || statement.kind === "jump") return leaves(statement, loop, branch);
    const inner = statement.kind === "if" || statement.kind === "switch" ? statement : branch;
    return statement.children.some((child) => search(child, loop, inner));
  };
  for (let at: Statement | undefined = statementAt(bodyOf(fn).root, token); at !== undefined; at = at.parent)
    if (at.kind === "loop" && at.children.some((child) => search(child, at as Statement, undefined)))
      return true;
  return false;
}

function labelAt(statement: Statement, tokens: Tokens, word: number): number | undefined {
  if (statement.kind === "label" && tokens.word[statement.first] === word) return statement.first;
  for (const child of statement.children) {
    const found = labelAt(child, tokens, word);
    if (found !== undefined) return found;
  }
  return undefined;
}

const errorCall =
  /^(?:error_(?:setg|report|propagate|append|vreport|exit|printf)\w*|hw_error|exit|_exit|abort|g_assert_not_reached)$/;
const errorVariable = /^(?:(?:local_)?err(?:p|or)?|error_(?:fatal|abort)|ret|rc|res)$/;
const errorLabel = /(?:^|_)(?:err|error|fail|failed|failure|bad|abort)(?:_|\d|$)/i;

/** True if a branch is left because something failed: it names the error, or the result of a call. */
function isErrorExit(branch: Statement, jump: Statement, fn: FunctionBody): boolean {
  const { tokens } = fn.file;
  const words = tokens.word;
  if (words[jump.first] === GOTO && errorLabel.test(textOf(words[jump.first + 1] ?? 0))) return true;
  if (jump.kind === "return" && words[jump.first + 1] === MINUS) return true;
  const isNamed = (token: number): boolean => {
    if (tokens.kind[token] !== Kind.Word) return false;
    const name = textOf(words[token] ?? 0);
    if (words[token + 1] === OPEN) return errorCall.test(name);
    const before = words[token - 1];
    return before !== DOT && before !== ARROW && errorVariable.test(name);
  };
  for (let token = branch.open; token <= branch.close; token++) if (isNamed(token)) return true;
  const body = branch.children.find((child) => isInside(jump, child));
  for (let token = body?.first ?? jump.first; token <= jump.last; token++) if (isNamed(token)) return true;
  return false;
}

/** An expression without white space and comments. */
export function squeezed(text: string): string {
  return text.replace(/\s+|\/\*[\s\S]*?\*\/|\/\/.*/g, "");
}
