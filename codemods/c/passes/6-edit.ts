/** Phase 6: the text edits of a conversion to owned regions. */
import { directiveConditions } from "../directives.ts";
import { FileEdits } from "../edits.ts";
import {
  columnAfter,
  columnAt,
  guardedQuestion,
  guardedStatement,
  indentAt,
  lineEnd,
  realign,
  stretchOf,
  WIDTH,
  widest,
} from "../layout.ts";
import type { FunctionBody, Program, Signature, Source, Struct } from "../program.ts";
import { bodyOf, type Local, type Statement } from "../statements.ts";
import type { Types } from "../types.ts";
import { textOf, wordOf } from "../words.ts";
import { Kind } from "./1-lex.ts";
import { argumentsOf, type Call, type Field, textBetween, type Use } from "./4-uses.ts";
import type { HeapJudgement } from "./5-heap.ts";
import type { Helper, Helpers } from "./5-helpers.ts";
import { homeOf, type Init, isFreeName, type Judgement, type Place } from "./5-judge.ts";
import type { Through } from "./5-through.ts";
import { editReturns, editSignature, isTailCall } from "./6-edit-helpers.ts";
import { removeMembers, starMembers } from "./6-edit-members.ts";

/** New texts by path; only files that change. */
export type Changes = Map<string, string>;

/** What would lose a comment, and where that is: a member, a function or an allocation that is then not converted. */
export type Losses = Map<object, Place>;

export interface Edited {
  readonly changes: Changes;
  readonly losses: Losses;
}

/** The new texts of the files that change. */
export function finished(files: ReadonlyMap<string, FileEdits>): Edited {
  const changes: Changes = new Map();
  const losses: Losses = new Map();
  for (const [path, edits] of files) {
    for (const { owner, offset } of edits.lost)
      if (owner !== undefined) losses.set(owner, { file: path, offset });
    const changed = edits.apply();
    if (changed !== edits.text) changes.set(path, changed);
  }
  return { changes, losses };
}

export function editToOwned(
  program: Program,
  types: Types,
  judgements: readonly Judgement[],
  helpers: Helpers,
  heap: readonly HeapJudgement[],
): Edited {
  const editor = new Editor(program, types);
  for (const helper of helpers.values()) editor.helper(helper);
  for (const judgement of judgements) editor.field(judgement);
  for (const judgement of heap) editor.heap(judgement);
  return editor.finish(judgements);
}

const QUESTION_NOT = wordOf("!");

class Editor {
  private readonly program: Program;
  private readonly types: Types;
  private readonly files = new Map<string, FileEdits>();
  /** Names of new locals by the block that declares them. */
  private readonly declared = new Map<Statement, { readonly fn: FunctionBody; readonly names: string[] }>();
  private readonly locals = new Map<FunctionBody, Map<string, Field>>();
  private readonly touched = new Set<FunctionBody>();
  /** What is being converted. */
  private owner: object | undefined;

  constructor(program: Program, types: Types) {
    this.program = program;
    this.types = types;
  }

  file(path: string): FileEdits {
    let edits = this.files.get(path);
    if (edits === undefined) {
      edits = new FileEdits(this.program.sources.get(path)?.tokens.text ?? "");
      this.files.set(path, edits);
    }
    edits.owner = this.owner;
    return edits;
  }

  field({ field, treatment, inits, guards, moved }: Judgement): void {
    if (treatment === "refused") return;
    this.owner = field.member;
    const isDropped = treatment === "dropped";
    const isUsed = field.uses.length > inits.length;
    for (const use of field.uses) {
      const init = inits.find((each) => each.use === use);
      if (init?.through !== undefined) {
        this.initThrough(init, init.through, isDropped);
        continue;
      }
      const target = isDropped
        ? isUsed || init?.form === "condition"
          ? this.localFor(use.fn, field)
          : undefined
        : this.textOf(use);
      if (init !== undefined) this.init(init, target, isDropped);
      else if (use === moved && inits[0] !== undefined) this.move(use, inits[0], isDropped, field);
      else if (isDropped) this.replaceUse(use, target ?? this.localFor(use.fn, field));
      else this.keepUse(use);
      if (isDropped) this.touched.add(use.fn);
    }
    for (const use of guards) this.guard(use);
    const [init] = inits;
    if (
      isDropped &&
      init !== undefined &&
      init.through === undefined &&
      (isUsed || init.form === "condition")
    )
      this.declare(init, this.localFor(init.use.fn, field));
  }

  /** A variable is given the region that the call returns; a field that is kept is given it first. */
  private initThrough({ use, pair, form }: Init, through: Through, isDropped: boolean): void {
    const { source, fn, statement } = use;
    const { tokens } = source;
    const isInitial = statement.kind === "declaration";
    this.removeAssignment(source, statement, isInitial ? through.local : undefined);
    this.touched.add(fn);
    this.init({ use: through.use, pair, form }, isDropped ? through.local.name : this.textOf(use), false);
    if (isDropped) return;
    const { first, last } = through.use.statement;
    const at = tokens.end[last] ?? 0;
    const indent = indentAt(tokens.text, tokens.start[first] ?? 0);
    this.file(source.path).replace(at, at, `\n${indent}${through.local.name} = ${this.textOf(use)};`);
  }

  /** Removes an assignment: its statement, or the initial value of a variable. */
  private removeAssignment({ path, tokens }: Source, statement: Statement, local: Local | undefined): void {
    const { text, start, end } = tokens;
    const edits = this.file(path);
    if (local === undefined) {
      edits.replace(...stretchOf(text, start[statement.first] ?? 0, end[statement.last] ?? 0, false), "");
    } else edits.replace(end[local.initFirst - 2] ?? 0, end[local.initLast] ?? 0, "");
  }

  /**
   * Deletes an announcement in instance_init, or the assignment of the region's address, and makes it where the region has been
   * initialised.
   */
  private move(use: Use, { use: init }: Init, isDropped: boolean, field: Field): void {
    const { source, statement } = use;
    const { text, start, end } = source.tokens;
    const edits = this.file(source.path);
    edits.replace(...stretchOf(text, start[statement.first] ?? 0, end[statement.last] ?? 0, false), "");
    this.touched.add(use.fn);
    const region = isDropped ? this.localFor(init.fn, field) : this.textOf(init);
    const state = textBetween(source.tokens, init.first, init.first);
    const at = end[init.statement.last] ?? 0;
    const indent = indentAt(text, start[init.statement.first] ?? 0);
    const moved =
      use.call === undefined
        ? `${textBetween(source.tokens, statement.first, use.ampersand - 1)} ${region}`
        : `sysbus_init_mmio(SYS_BUS_DEVICE(${state}), ${region})`;
    edits.replace(at, at, `\n${indent}${moved};`);
  }

  /** The local that takes a field's place: of its name, unless another field has that in the same function. */
  private localFor(fn: FunctionBody, field: Field): string {
    const known = this.locals.get(fn) ?? new Map<string, Field>();
    this.locals.set(fn, known);
    const { name } = field.member;
    for (let number = 1; ; number++) {
      const candidate = number === 1 ? name : `${name}${number}`;
      const taken = known.get(candidate);
      if (taken === field) return candidate;
      if (taken !== undefined || (number > 1 && !isFreeName(fn, candidate))) continue;
      known.set(candidate, field);
      return candidate;
    }
  }

  /** A function that returns the region that it used to initialise, and its prototypes. */
  helper(helper: Helper): void {
    const { fn, argument, parameter, inits } = helper;
    this.owner = fn;
    const seen = new Set<Signature>();
    for (const signature of [fn, ...this.types.signaturesOf(fn)]) {
      if (seen.has(signature)) continue;
      seen.add(signature);
      editSignature(this.file(signature.file.path), signature, argument);
    }
    const edits = this.file(fn.file.path);
    const isTail = isTailCall(helper);
    for (const { call, pair } of inits) {
      const [first, last] = argumentsOf(fn.file.tokens, call.open)[call.argument] ?? [call.open, call.open];
      const { start, end, text } = fn.file.tokens;
      edits.replace(start[first] ?? 0, end[last] ?? 0, "");
      const from = start[call.calleeToken] ?? 0;
      edits.rewrite({
        start: from,
        end: end[call.close] ?? 0,
        make: (part) =>
          callText(
            fn.file,
            call,
            pair.create,
            isTail ? "return" : parameter.name,
            columnAt(text, from),
            part,
          ),
      });
    }
    if (isTail) return;
    this.declared.set(bodyOf(fn).root, { fn, names: [parameter.name] });
    editReturns(edits, helper);
  }

  private textOf({ source, first, last }: Use): string {
    const text = textBetween(source.tokens, first, last);
    return text.startsWith("(") && text.endsWith(")") ? text.slice(1, -1).trim() : text;
  }

  /** The allocation goes; the call that initialised the region returns it. */
  heap({ site, treatment, inits, block }: HeapJudgement): void {
    if (treatment === "refused" || site.statement === undefined) return;
    this.owner = site;
    const { source, local, statement } = site;
    const edits = this.file(source.path);
    this.removeAssignment(source, statement, local);
    for (const init of inits)
      this.init(init, textBetween(source.tokens, init.use.first, init.use.last), false);
    if (block === undefined) return;
    const at = source.tokens.end[block.local.nameToken] ?? 0;
    edits.replace(at, at, `[${block.count}]`);
    for (const use of block.others) this.keepUse(use);
  }

  private replaceUse(use: Use, text: string): void {
    const { start, end } = use.source.tokens;
    this.file(use.source.path).replace(start[use.ampersand] ?? 0, end[use.last] ?? 0, text);
  }

  private keepUse(use: Use): void {
    const { tokens, path } = use.source;
    const edits = this.file(path);
    if (use.kind === "address") {
      const at = tokens.start[use.ampersand] ?? 0;
      edits.replace(at, tokens.start[use.ampersand + 1] ?? at + 1, "");
    } else if (use.kind === "member") {
      const dot = use.last + 1;
      edits.replace(tokens.start[dot] ?? 0, tokens.end[dot] ?? 0, "->");
    }
  }

  /** Rewrites `memory_region_init_x(&s->mr, …)` to an assignment, or without a target to a plain call. */
  private init({ use, pair, form }: Init, target: string | undefined, isDropped: boolean): void {
    const { call, source } = use;
    if (call === undefined) return;
    const { tokens } = source;
    const { text, start, end } = tokens;
    const edits = this.file(source.path);
    if (isDropped) edits.replace(start[use.ampersand] ?? 0, end[use.last] ?? 0, "");
    if (form === "statement") {
      const from = start[call.calleeToken] ?? 0;
      edits.rewrite({
        start: from,
        end: end[call.close] ?? 0,
        make: (part) => callText(source, call, pair.create, target, columnAt(text, from), part),
      });
      return;
    }
    const { statement } = use;
    const from = start[statement.first] ?? 0;
    const isNegated = tokens.word[statement.open + 1] === QUESTION_NOT;
    const indent = indentAt(text, from);
    edits.rewrite({
      start: from,
      end: end[statement.close] ?? 0,
      make: (part) => {
        const made = callText(source, call, pair.create, target, columnAt(text, from), part);
        return `${made};\n${indent}if (${isNegated ? "!" : ""}${target})`;
      },
    });
  }

  private guard(use: Use): void {
    const { call, source, statement } = use;
    if (call === undefined) return;
    const { tokens } = source;
    const { text, start, end } = tokens;
    const region = this.textOf(use);
    const from = start[call.calleeToken] ?? 0;
    if (statement.kind === "expression" && statement.first === call.calleeToken) {
      const to = end[statement.last] ?? 0;
      const indent = indentAt(text, from);
      const column = columnAt(text, from);
      this.file(source.path).rewrite({
        start: from,
        end: to,
        make: (part) => guardedStatement(region, part(from, to), indent, column),
      });
      return;
    }
    const to = end[call.close] ?? 0;
    const isWhole = statement.open === call.calleeToken - 1 && statement.close === call.close + 1;
    this.file(source.path).rewrite({
      start: from,
      end: to,
      make: (part) => guardedQuestion(region, part(from, to), isWhole),
    });
  }

  private declare(init: Init, name: string): void {
    let home = homeOf(init);
    while (home !== undefined && (home.kind !== "block" || home.parent?.kind === "switch"))
      home = home.parent;
    if (home === undefined) return;
    const known = this.declared.get(home);
    if (known === undefined) this.declared.set(home, { fn: init.use.fn, names: [name] });
    else if (!known.names.includes(name)) known.names.push(name);
  }

  finish(judgements: readonly Judgement[]): Edited {
    const structs = new Map<Struct, Judgement[]>();
    for (const judgement of judgements) {
      if (judgement.treatment === "refused") continue;
      const { struct } = judgement.field.member;
      const known = structs.get(struct);
      if (known === undefined) structs.set(struct, [judgement]);
      else known.push(judgement);
    }
    for (const [struct, all] of structs) {
      const edits = this.file(struct.file.path);
      const members = (treatment: Judgement["treatment"]) =>
        all.filter((each) => each.treatment === treatment).map(({ field }) => field.member);
      starMembers(edits, members("kept"));
      removeMembers(edits, struct, members("dropped"));
    }
    for (const [block, { fn, names }] of this.declared) this.declareLocals(block, fn, names);
    for (const fn of this.touched) this.removeDeadLocals(fn);
    return finished(this.files);
  }

  private declareLocals(block: Statement, fn: FunctionBody, names: readonly string[]): void {
    const { text, start, end } = fn.file.tokens;
    const edits = this.file(fn.file.path);
    const last = lastDeclaration(block, fn);
    const after = end[last === undefined ? block.first : last.last] ?? 0;
    const at = lineEnd(text, after);
    if (!/^\s*(?:\/\*.*\*\/\s*|\/\/.*\s*)?$/.test(text.slice(after, at))) {
      edits.replace(after, after, ` ${declaration(names, "").trim().replaceAll("\n", " ")}`);
      return;
    }
    if (last !== undefined) {
      edits.replace(at, at, declaration(names, indentAt(text, start[last.first] ?? 0)));
      return;
    }
    const [first] = block.children;
    const indent =
      first === undefined
        ? `${indentAt(text, start[block.first] ?? 0)}    `
        : indentAt(text, start[first.first] ?? 0);
    edits.replace(at, at, `${declaration(names, indent)}\n`);
  }

  /** Removes the variables that only the deleted text used. */
  private removeDeadLocals(fn: FunctionBody): void {
    const { locals } = bodyOf(fn);
    const removed = new Set<Local>();
    for (let changed = true; changed; ) {
      changed = false;
      for (const local of locals) {
        if (removed.has(local) || !this.isDead(fn, local, removed)) continue;
        if (local.declarators !== 1 || local.statement.parent?.kind !== "block") continue;
        removed.add(local);
        changed = true;
      }
    }
    const edits = this.file(fn.file.path);
    const { text, start, end } = fn.file.tokens;
    for (const { statement } of removed) {
      edits.removeDeclaration(
        ...stretchOf(text, start[statement.first] ?? 0, end[statement.last] ?? 0, true),
      );
    }
  }

  /** True if a macro that the function uses names the variable. */
  private isInMacro(fn: FunctionBody, { name }: Local): boolean {
    const { tokens, path } = fn.file;
    for (let token = fn.bodyOpen; token < fn.bodyClose; token++) {
      if (tokens.kind[token] !== Kind.Word) continue;
      if (this.types.macroNames(textOf(tokens.word[token] ?? 0), name, path)) return true;
    }
    return false;
  }

  private isDead(fn: FunctionBody, local: Local, removed: ReadonlySet<Local>): boolean {
    const { tokens } = fn.file;
    const edits = this.file(fn.file.path);
    let wasUsed = false;
    for (let token = local.nameToken + 1; token <= local.scopeEnd; token++) {
      if (tokens.word[token] !== local.word || tokens.kind[token] !== Kind.Word) continue;
      const before = textOf(tokens.word[token - 1] ?? 0);
      if (before === "->" || before === ".") continue;
      wasUsed = true;
      const isGone =
        edits.isReplaced(tokens.start[token] ?? 0) ||
        [...removed].some(({ statement }) => statement.first <= token && token <= statement.last);
      if (!isGone) return false;
    }
    if (!wasUsed || this.isInMacro(fn, local)) return false;
    if (local.initFirst < 0) return true;
    const initializer = textBetween(tokens, local.initFirst, local.initLast);
    // Storage that nothing refers to any more is not allocated.
    return /^(?:g_new0?\(\w+,\s*\d+\)|[A-Z][A-Z0-9_]*\((?:[\w>.&-]|\s)*\)|[\w>.&[\]\s-]*|\(\w+\s*\*\)\s*\w+)$/.test(
      initializer,
    );
  }
}

/**
 * The statement after which a block's variables are declared: ERRP_GUARD() and the like may stand among declarations. Not in a
 * branch of an `#if`.
 */
function lastDeclaration(
  { first, children }: Statement,
  { file: { tokens } }: FunctionBody,
): Statement | undefined {
  const always = directiveConditions(tokens, first).length;
  let last: Statement | undefined;
  for (const child of children) {
    const isMacro =
      /^[A-Z][A-Z0-9_]+$/.test(textOf(tokens.word[child.first] ?? 0)) && child.kind === "expression";
    if (child.kind !== "declaration" && !isMacro) break;
    if (directiveConditions(tokens, child.last).length > always) continue;
    if (child.kind === "declaration" || last === undefined) last = child;
  }
  return last;
}

function declaration(names: readonly string[], indent: string): string {
  const lines: string[] = [];
  let line = "";
  for (const name of names) {
    const longer = line === "" ? `${indent}MemoryRegion *${name}` : `${line}, *${name}`;
    if (longer.length + 1 > WIDTH && line !== "") {
      lines.push(`${line};\n`);
      line = `${indent}MemoryRegion *${name}`;
    } else line = longer;
  }
  lines.push(`${line};\n`);
  return lines.join("");
}

/**
 * The call in its new form. Its line breaks stay where they were, so that the way back finds them: a break after the region,
 * which is no longer an argument, becomes one after the `=`.
 */
function callText(
  source: Source,
  call: Call,
  create: string,
  target: string | undefined,
  column: number,
  part: (start: number, end: number) => string,
): string {
  const { tokens } = source;
  const { text, start, end } = tokens;
  const given = argumentsOf(tokens, call.open);
  const open = end[call.open] ?? 0;
  const close = start[call.close] ?? 0;
  const oldColumn = columnAt(text, open);
  let rest = "";
  let hasBreak = false;
  if (call.argument === 0) {
    const [, second] = given;
    if (second !== undefined) {
      rest = part(start[second[0]] ?? 0, close);
      hasBreak = text.slice(end[second[0] - 1] ?? 0, start[second[0]]).includes("\n");
    }
  } else {
    const [, before] = given[call.argument - 1] ?? [call.open, call.open];
    const [, gone] = given[call.argument] ?? [call.open, call.open];
    rest = part(open, end[before] ?? open) + part(end[gone] ?? open, close);
  }
  // A call that was too wide before stays on its lines: the way back could not tell where it was broken.
  const wasWide = !hasBreak && widest(text.slice(start[call.calleeToken], close), column) > WIDTH - 2;
  const made = create + text.slice(end[call.calleeToken], start[call.open]);
  const assign = target === undefined ? "" : target === "return" ? "return " : `${target} = `;
  const inline = `${assign}${made}(${realign(rest, oldColumn, column + assign.length + made.length + 1)})`;
  if (target === undefined || target === "return") return inline;
  if (!hasBreak && (wasWide || widest(`${inline};`, column) <= WIDTH)) return inline;
  const indent = `${indentAt(text, start[call.calleeToken] ?? 0)}    `;
  const deeper = columnAfter(indent) + made.length + 1;
  const broken = `${target} =\n${indent}${made}(${realign(rest, oldColumn, deeper)})`;
  if (widest(`${broken};`, column) <= WIDTH) return broken;
  const hanging = `${target} =\n${indent}${made}(${realign(rest, oldColumn, columnAfter(indent) + 4)})`;
  return widest(`${hanging};`, column) < widest(`${broken};`, column) ? hanging : broken;
}
