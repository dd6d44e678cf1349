/** Phase 4: every place that touches a region: fields, and regions that are allocated by hand. */
import type { Define, FunctionBody, Member, Program, Source, Struct, TypeRef } from "../program.ts";
import { bodyOf, type Statement, statementAt } from "../statements.ts";
import type { Types } from "../types.ts";
import { textOf, wordOf } from "../words.ts";
import { acrossPair, Kind, lex, type Tokens } from "./1-lex.ts";
import { Resolver } from "./3-resolve.ts";

/** A region field, embedded or a pointer, with all its uses. */
export interface Field {
  readonly member: Member;
  readonly isArray: boolean;
  readonly uses: Use[];
  /** Uses that are not understood, each of which refuses the field. */
  readonly obstacles: Obstacle[];
}

export type ObstacleKind =
  | "unresolved"
  | "macro-body"
  | "container-of"
  | "outside-function"
  | "split-braces"
  | "brackets-unpaired"
  | "state-copied"
  | "rust-mirror"
  | "declared-twice"
  | "in-union";

export interface Obstacle {
  readonly kind: ObstacleKind;
  readonly file: string;
  readonly offset: number;
}

/** Call that a use is an argument of. */
export interface Call {
  readonly callee: string;
  readonly calleeToken: number;
  readonly open: number;
  readonly close: number;
  readonly argument: number;
}

export interface Use {
  readonly source: Source;
  readonly fn: FunctionBody;
  /** First and last token of the expression, without `&`. */
  readonly first: number;
  readonly last: number;
  /** The `&` before it, or -1. */
  readonly ampersand: number;
  /** Text of the index into an array of regions. */
  readonly index: string | undefined;
  /** `address`: `&s->mr`; `member`: `s->mr.size`; `value`: `s->mr`. */
  readonly kind: "address" | "member" | "value";
  readonly call: Call | undefined;
  /** Casts around it, from the inside: `OBJECT`. */
  readonly casts: readonly string[];
  readonly statement: Statement;
}

const w = {
  open: wordOf("("),
  close: wordOf(")"),
  brace: wordOf("{"),
  unbrace: wordOf("}"),
  bracket: wordOf("["),
  unbracket: wordOf("]"),
  semicolon: wordOf(";"),
  comma: wordOf(","),
  and: wordOf("&"),
  arrow: wordOf("->"),
  dot: wordOf("."),
  equals: wordOf("="),
  paste: wordOf("##"),
  region: wordOf("MemoryRegion"),
  return: wordOf("return"),
};

/** Casts that hand on the pointer that they are given. */
const passingCasts = new Set(["OBJECT", "MEMORY_REGION"]);

const regionTypes = new Set(["MemoryRegion", "struct MemoryRegion"]);

/** Structures that begin with a region since they are derived from it. */
const subtypes = new Set(["IOMMUMemoryRegion"]);

/** True for a member that is a region (`pointers` 0) or a pointer to one (`pointers` 1). */
export function isRegionMember({ type }: Member, pointers: 0 | 1): boolean {
  return typeof type.base === "string" && regionTypes.has(type.base) && type.pointers === pointers;
}

/** All region fields of the sources. */
export function fieldsOf(program: Program, pointers: 0 | 1): Map<Member, Field> {
  const fields = new Map<Member, Field>();
  for (const source of program.sources.values()) {
    const tags = new Map<string, number>();
    for (const { tag } of source.structs) tags.set(tag, (tags.get(tag) ?? 0) + 1);
    for (const struct of source.structs) {
      for (const member of struct.members.values()) {
        if (!isRegionMember(member, pointers) || member.struct !== struct) continue;
        if (subtypes.has(struct.tag)) continue;
        const field: Field = { member, isArray: member.type.dimensions > 0, uses: [], obstacles: [] };
        const place = { file: source.path, offset: source.tokens.start[member.nameToken] ?? 0 };
        const isTwice =
          struct.repeated.has(member.name) || (struct.tag !== "" && (tags.get(struct.tag) ?? 0) > 1);
        if (isTwice) field.obstacles.push({ kind: "declared-twice", ...place });
        if (isInUnion(struct)) field.obstacles.push({ kind: "in-union", ...place });
        fields.set(member, field);
      }
    }
  }
  return fields;
}

/** True if a structure is a union, or is declared inside one. */
function isInUnion(struct: Struct): boolean {
  for (let at: Struct | undefined = struct; at !== undefined; at = at.outer) if (at.isUnion) return true;
  return false;
}

/** Fills in the uses of all fields. */
export function findUses(program: Program, types: Types, fields: Map<Member, Field>): void {
  new UseFinder(program, types, fields).run();
}

class UseFinder {
  private readonly program: Program;
  private readonly types: Types;
  private readonly fields: Map<Member, Field>;
  private readonly byName = new Map<number, Field[]>();
  private readonly resolver: Resolver;

  constructor(program: Program, types: Types, fields: Map<Member, Field>) {
    this.program = program;
    this.types = types;
    this.fields = fields;
    this.resolver = new Resolver(types);
    for (const field of fields.values()) {
      const word = wordOf(field.member.name);
      const known = this.byName.get(word);
      if (known === undefined) this.byName.set(word, [field]);
      else known.push(field);
    }
  }

  run(): void {
    for (const source of this.program.sources.values()) {
      this.inSource(source);
      this.inDefines(source);
      const { splice, unpaired } = source.tokens;
      if (splice >= 0) this.refuseAllNames(source, "unresolved", splice);
      if (unpaired >= 0) this.refuseAllNames(source, "brackets-unpaired", unpaired);
    }
  }

  private inSource(source: Source): void {
    const { tokens } = source;
    let next = 0;
    for (let token = 1; token < tokens.count; token++) {
      const word = tokens.word[token] ?? 0;
      if (word === 0 || !this.byName.has(word)) continue;
      while (next < source.functions.length && (source.functions[next]?.bodyClose ?? 0) < token) next++;
      const fn = source.functions[next];
      const inside = fn !== undefined && fn.bodyOpen < token ? fn : undefined;
      const before = tokens.word[token - 1] ?? 0;
      if (before === w.dot || before === w.arrow) {
        if (isDesignator(tokens, token)) {
          this.inDesignator(source, inside, token, word);
          continue;
        }
        if (inside === undefined) this.inInitializer(source, token, word);
        else this.access(source, inside, token, word);
      } else this.mention(source, token, word);
    }
  }

  private access(source: Source, fn: FunctionBody | undefined, token: number, word: number): void {
    const member = this.resolver.memberAt(source, fn, token);
    if (member === undefined) return;
    const offset = source.tokens.start[token] ?? 0;
    if (member === "unknown") {
      this.refuseAll(source, word, { kind: "unresolved", file: source.path, offset });
      return;
    }
    const field = this.fields.get(member);
    if (field === undefined) return;
    if (fn === undefined) {
      field.obstacles.push({ kind: "outside-function", file: source.path, offset });
      return;
    }
    if (isSplit(source, fn)) field.obstacles.push({ kind: "split-braces", file: source.path, offset });
    field.uses.push(this.use(source, fn, token, field));
  }

  /** `BeepState beep = { .iomem = … }` and `(BeepState){ .iomem = … }` */
  private inDesignator(source: Source, fn: FunctionBody | undefined, token: number, word: number): void {
    const { tokens } = source;
    for (let brace = openBrace(tokens, token); brace > 0; brace = openBrace(tokens, brace)) {
      const before = tokens.word[brace - 1];
      let type: TypeRef | undefined;
      if (before === w.close) {
        const open = acrossPair(tokens, brace - 1);
        const at = tokens.word[open + 1] === wordOf("struct") ? open + 2 : open + 1;
        const name = textOf(tokens.word[at] ?? 0);
        type = { base: at === open + 1 ? name : `struct ${name}`, pointers: 0, dimensions: 0 };
      } else if (before === w.equals) {
        let name = brace - 2;
        while (tokens.word[name] === w.unbracket) name = acrossPair(tokens, name) - 1;
        type = this.resolver.postfix(source, fn, name).type;
      } else continue;
      const struct = type && this.types.structOf(type, source.path);
      if (struct === undefined) return;
      for (const field of this.byName.get(word) ?? []) {
        if (!contains(this.types, struct, field.member.struct)) continue;
        field.obstacles.push({
          kind: "outside-function",
          file: source.path,
          offset: tokens.start[token] ?? 0,
        });
      }
      return;
    }
  }

  /** `DEFINE_PROP_SIZE("io", Foo, reserve.io, 0)`: the path starts from one of the types that the macro is given. */
  private inInitializer(source: Source, token: number, word: number): void {
    const { tokens } = source;
    let first = token;
    while (tokens.word[first - 1] === w.dot || tokens.word[first - 1] === w.arrow) first -= 2;
    const { call } = enclosingCall(tokens, first, 0);
    const obstacle: Obstacle = {
      kind: "outside-function",
      file: source.path,
      offset: tokens.start[token] ?? 0,
    };
    if (call === undefined) {
      this.refuseAll(source, word, obstacle);
      return;
    }
    for (const struct of this.structsNamed(source, call)) {
      let member = struct.members.get(textOf(tokens.word[first] ?? 0));
      for (let at = first + 2; at <= token && member !== undefined; at += 2) {
        member = this.types.structOf(member.type, source.path)?.members.get(textOf(tokens.word[at] ?? 0));
      }
      const field = member && this.fields.get(member);
      field?.obstacles.push(obstacle);
    }
    // No initializer follows a pointer: this is code of a function that was not understood as one.
    if (tokens.word[token - 1] === w.arrow) this.refuseAll(source, word, { ...obstacle, kind: "unresolved" });
  }

  /** The structures that arguments of a macro name. */
  private *structsNamed(source: Source, { open, close }: Call): Iterable<Struct> {
    const { tokens } = source;
    for (let token = open + 1; token < close; token++) {
      if (tokens.kind[token] !== Kind.Word) continue;
      const name = textOf(tokens.word[token] ?? 0);
      const struct =
        this.types.structOf({ base: name, pointers: 0, dimensions: 0 }, source.path) ??
        this.types.structOf({ base: `struct ${name}`, pointers: 0, dimensions: 0 }, source.path);
      if (struct !== undefined) yield struct;
    }
  }

  /** Every field that the file can see. */
  private refuseAllNames(source: Source, kind: ObstacleKind, offset: number): void {
    for (const word of this.byName.keys()) this.refuseAll(source, word, { kind, file: source.path, offset });
  }

  /** Every field of the name that the file can see. */
  private refuseAll(source: Source, word: number, obstacle: Obstacle): void {
    const closure = this.types.closureOf(source.path);
    for (const field of this.byName.get(word) ?? []) {
      if (closure.has(field.member.struct.file.path)) field.obstacles.push(obstacle);
    }
  }

  private use(source: Source, fn: FunctionBody, token: number, field: Field): Use {
    const { tokens } = source;
    let first = this.resolver.postfix(source, fn, token).start;
    let last = token;
    let index: string | undefined;
    let dimensions = field.member.type.dimensions;
    for (; dimensions > 0 && tokens.word[last + 1] === w.bracket; dimensions--) {
      const close = tokens.match[last + 1] ?? -1;
      if (close < 0) break;
      const inner = tokens.text.slice(tokens.end[last + 1], tokens.start[close]).trim();
      index = index === undefined ? inner : `${index}][${inner}`;
      last = close;
    }
    const next = tokens.word[last + 1] ?? 0;
    const statement = statementAt(bodyOf(fn).root, token);
    const isElement = dimensions === 0;
    if (next === w.dot || next === w.arrow) {
      return {
        source,
        fn,
        first,
        last,
        ampersand: -1,
        index,
        kind: "member",
        call: undefined,
        casts: [],
        statement,
      };
    }
    let ampersand = -1;
    let outerFirst = first;
    let outerLast = last;
    while (
      tokens.word[outerFirst - 1] === w.open &&
      tokens.word[outerLast + 1] === w.close &&
      !isCallee(tokens, outerFirst - 2)
    ) {
      outerFirst--;
      outerLast++;
    }
    if (tokens.word[outerFirst - 1] === w.and && !endsExpression(tokens, outerFirst - 2)) {
      ampersand = outerFirst - 1;
      if (outerFirst !== first) {
        first = outerFirst;
        last = outerLast;
      }
    }
    const isAddress = ampersand >= 0 && isElement;
    const from = ampersand >= 0 ? ampersand : first;
    const { call, casts } = enclosingCall(tokens, from, fn.bodyOpen);
    const kind = isAddress ? "address" : "value";
    return { source, fn, first, last, ampersand, index, kind, call, casts, statement };
  }

  /** A field's name without `.` or `->`: in `offsetof`, `container_of`, a property or a VMState entry. */
  private mention(source: Source, token: number, word: number): void {
    const { tokens } = source;
    const before = tokens.word[token - 1] ?? 0;
    const after = tokens.word[token + 1] ?? 0;
    if (before !== w.comma && before !== w.open) return;
    if (after !== w.comma && after !== w.close && after !== w.dot && after !== w.bracket) return;
    const { call } = enclosingCall(tokens, token, 0);
    if (call === undefined) return;
    const offset = tokens.start[token] ?? 0;
    const isMacro =
      call.callee === "container_of" || call.callee === "offsetof" || /^[A-Z][A-Z0-9_]+$/.test(call.callee);
    let isFound = false;
    for (const struct of isMacro ? this.structsNamed(source, call) : []) {
      const member = struct.members.get(textOf(word));
      const field = member && this.fields.get(member);
      field?.obstacles.push({ kind: "container-of", file: source.path, offset });
      isFound ||= member !== undefined;
    }
    const macro = isFound ? undefined : this.types.macroOf(call.callee, source.path);
    if (macro !== undefined && takesMember(macro.source, macro.define, call.argument)) {
      this.refuseAll(source, word, { kind: "macro-body", file: source.path, offset });
    }
  }

  private inDefines(source: Source): void {
    const { text } = source.tokens;
    for (const { start, end, parameters } of source.defines.values()) {
      const body = text.slice(start, end);
      if (parameters === undefined && /^\s*\w+\s*$/.test(body)) {
        // a second name of a field
        const word = wordOf(body.trim());
        if (this.byName.has(word))
          this.refuseAll(source, word, { kind: "macro-body", file: source.path, offset: start });
        continue;
      }
      if (!/->|\./.test(body)) continue;
      const tokens = lex(text, start, end);
      for (let token = 1; token < tokens.count; token++) {
        const before = tokens.word[token - 1];
        if (before !== w.dot && before !== w.arrow) continue;
        const obstacle: Obstacle = {
          kind: "macro-body",
          file: source.path,
          offset: tokens.start[token] ?? 0,
        };
        for (const word of this.namesAt(tokens, token, parameters ?? []))
          this.refuseAll(source, word, obstacle);
      }
    }
  }

  /** The names of fields that a token in a macro's body may become: its own, or those that `##` can make of it. */
  private namesAt(tokens: Tokens, token: number, parameters: readonly string[]): number[] {
    const word = tokens.word[token] ?? 0;
    if (tokens.word[token + 1] !== w.paste) return this.byName.has(word) ? [word] : [];
    let pattern = "";
    for (let at = token; at < tokens.count; at += 2) {
      const part = textOf(tokens.word[at] ?? 0);
      pattern += parameters.includes(part) || part === "" ? "\\w*" : part.replace(/\W/g, "");
      if (tokens.word[at + 1] !== w.paste) break;
    }
    const made = new RegExp(`^${pattern}$`);
    return [...this.byName.keys()].filter((each) => made.test(textOf(each)));
  }
}

/** True if a macro uses one of its parameters as the name of a member. */
function takesMember(
  { tokens: { text } }: Source,
  { parameters, start, end }: Define,
  argument: number,
): boolean {
  const parameter = parameters?.[argument];
  if (parameter === undefined || !/^\w+$/.test(parameter)) return false;
  return new RegExp(`(?:->|\\.|##)\\s*${parameter}\\b|\\b${parameter}\\s*##`).test(text.slice(start, end));
}

/** The brace that is open around a token; -1 if none is. */
function openBrace(tokens: Tokens, token: number): number {
  for (let at = token - 1; at >= 0; at--) {
    const word = tokens.word[at] ?? 0;
    if (word === w.brace) return at;
    if (word === w.semicolon) return -1;
    const partner = tokens.match[at] ?? -1;
    if (partner >= 0 && partner < at) at = partner;
  }
  return -1;
}

/** True if a structure is another, or has it among its members, in structures inside it too. */
export function contains(types: Types, outer: Struct, inner: Struct, seen = new Set<Struct>()): boolean {
  if (outer === inner) return true;
  if (seen.has(outer)) return false;
  seen.add(outer);
  for (const { type, struct } of outer.members.values()) {
    const each = type.pointers > 0 ? undefined : types.structOf(type, struct.file.path);
    if (each !== undefined && contains(types, each, inner, seen)) return true;
  }
  return false;
}

/** True if braces inside a function differ between the branches of an `#if`. */
export function isSplit({ tokens }: Source, fn: FunctionBody): boolean {
  const start = tokens.start[fn.bodyOpen] ?? 0;
  const end = tokens.end[fn.bodyClose] ?? 0;
  return tokens.splits.some((split) => split.start >= start && split.start < end);
}

const notCalls = new Set("if while for switch return sizeof".split(" ").map(wordOf));

function isCallee(tokens: Tokens, token: number): boolean {
  return tokens.kind[token] === Kind.Word && !notCalls.has(tokens.word[token] ?? 0);
}

/** True in `.u.io = value`, where nothing stands before the first dot. */
function isDesignator(tokens: Tokens, token: number): boolean {
  let at = token;
  while (
    tokens.word[at - 1] === w.dot &&
    tokens.kind[at - 2] === Kind.Word &&
    tokens.word[at - 2] !== w.return
  )
    at -= 2;
  return tokens.word[at - 1] === w.dot && !endsExpression(tokens, at - 2);
}

/** True if an operand may end at a token, so that an operator after it is binary. */
export function endsExpression(tokens: Tokens, token: number): boolean {
  const kind = tokens.kind[token];
  const word = tokens.word[token] ?? 0;
  if (kind === Kind.Word) return word !== w.return && !notCalls.has(word);
  return kind === Kind.Number || kind === Kind.String || word === w.close || word === w.unbracket;
}

/** The bracket that a token stands in; -1 if none opens after `limit`. */
export function enclosingBracket(tokens: Tokens, token: number, limit: number): number {
  let at = token - 1;
  while (at > limit) {
    const word = tokens.word[at] ?? 0;
    if (word === w.open || word === w.bracket) return at;
    if (word === w.semicolon || word === w.brace || word === w.unbrace) return -1;
    const partner = word === w.close || word === w.unbracket ? (tokens.match[at] ?? -1) : -1;
    at = partner >= 0 ? partner - 1 : at - 1;
  }
  return -1;
}

/** The call that an expression is an argument of, and the casts between. */
export function enclosingCall(
  tokens: Tokens,
  from: number,
  limit: number,
): { readonly call: Call | undefined; readonly casts: readonly string[] } {
  const casts: string[] = [];
  let token = from;
  for (;;) {
    const open = enclosingBracket(tokens, token, limit);
    if (open < 0 || tokens.word[open] !== w.open) return { call: undefined, casts };
    const calleeToken = open - 1;
    if (!isCallee(tokens, calleeToken)) {
      if (notCalls.has(tokens.word[calleeToken] ?? 0)) return { call: undefined, casts };
      token = open;
      continue;
    }
    const callee = textOf(tokens.word[calleeToken] ?? 0);
    if (passingCasts.has(callee)) {
      casts.push(callee);
      token = calleeToken;
      continue;
    }
    const close = tokens.match[open] ?? -1;
    if (close < 0) return { call: undefined, casts };
    const argument = argumentsOf(tokens, open).findIndex(([first, last]) => first <= from && from <= last);
    return { call: { callee, calleeToken, open, close, argument }, casts };
  }
}

/** True if a stretch of tokens calls nothing but macros, by their names. */
export function callsOnlyMacros({ word, kind }: Tokens, from: number, to: number): boolean {
  for (let token = from; token < to; token++) {
    if (kind[token] !== Kind.Word || word[token + 1] !== w.open) continue;
    if (!/^[A-Z][A-Z0-9_]*$|^(?:if|for|while|switch|return|sizeof)$/.test(textOf(word[token] ?? 0)))
      return false;
  }
  return true;
}

/** First and last token of each argument of a call. */
export function argumentsOf(tokens: Tokens, open: number): (readonly [first: number, last: number])[] {
  const close = tokens.match[open] ?? -1;
  const found: (readonly [number, number])[] = [];
  let first = open + 1;
  for (let token = first; token <= close; token++) {
    const word = tokens.word[token] ?? 0;
    if (token === close || word === w.comma) {
      if (token > first) found.push([first, token - 1]);
      first = token + 1;
    } else if (word === w.open || word === w.bracket || word === w.brace) {
      token = acrossPair(tokens, token);
    }
  }
  return found;
}

/** Source text of a stretch of tokens. */
export function textBetween({ text, start, end }: Tokens, first: number, last: number): string {
  return text.slice(start[first], end[last]);
}
