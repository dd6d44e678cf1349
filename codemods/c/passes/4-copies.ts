/** Phase 4, second half: what concerns a whole structure: it is cleared, copied, or has a mirror in Rust. */
import type { FunctionBody, Member, Program, Source, Struct, TypeRef } from "../program.ts";
import { bodyOf, type Statement } from "../statements.ts";
import type { Types } from "../types.ts";
import { textOf, wordOf } from "../words.ts";
import { acrossPair, Kind } from "./1-lex.ts";
import { Resolver } from "./3-resolve.ts";
import { argumentsOf, type Field } from "./4-uses.ts";

const OPEN = wordOf("(");
const STAR = wordOf("*");
const STRUCT = wordOf("struct");
const ASSIGN = wordOf("=");
const copying = new Set(["memset", "memcpy", "memmove", "bzero", "g_memdup", "g_memdup2"].map(wordOf));
const UNBRACKET = wordOf("]");
const ARROW = wordOf("->");
const DOT = wordOf(".");
const SIZEOF = wordOf("sizeof");

/** Marks the fields of structures that are cleared or copied as a whole. */
export function findCopies(program: Program, types: Types, fields: ReadonlyMap<Member, Field>): void {
  const resolver = new Resolver(types);
  const holders = namesOfHolders(program, types, fields);
  for (const source of program.sources.values()) {
    for (const fn of source.functions) {
      for (const { struct, token } of copiesIn(source, fn, types, resolver, holders)) {
        const offset = source.tokens.start[token] ?? 0;
        for (const field of fieldsWithin(struct, types, fields)) {
          field.obstacles.push({ kind: "state-copied", file: source.path, offset });
        }
      }
    }
  }
}

/** The names of members whose structures hold regions: only assignments to these can copy one. */
function namesOfHolders(
  program: Program,
  types: Types,
  fields: ReadonlyMap<Member, Field>,
): ReadonlySet<number> {
  const holding = new Set([...fields.keys()].map(({ struct }) => struct));
  const names = new Set<number>();
  for (let before = -1; before !== holding.size; ) {
    before = holding.size;
    for (const source of program.sources.values()) {
      for (const struct of source.structs) {
        for (const { name, type } of struct.members.values()) {
          if (type.pointers > 0) continue;
          const inner = types.structOf(type, source.path);
          if (inner === undefined || !holding.has(inner)) continue;
          holding.add(struct);
          names.add(wordOf(name));
        }
      }
    }
  }
  return names;
}

interface Copy {
  readonly struct: Struct;
  readonly token: number;
}

function* copiesIn(
  source: Source,
  fn: FunctionBody,
  types: Types,
  resolver: Resolver,
  holders: ReadonlySet<number>,
): Iterable<Copy> {
  const { tokens } = source;
  let mayAssign = false;
  let mayInitialize = false;
  for (let token = fn.bodyOpen; token < fn.bodyClose; token++) {
    const word = tokens.word[token] ?? 0;
    if (word === STAR && tokens.word[token + 2] === ASSIGN) mayAssign = true;
    if (word === ASSIGN) {
      if (tokens.word[token + 1] === STAR) mayInitialize = true;
      let name = token - 1;
      while (tokens.word[name] === UNBRACKET) name = acrossPair(tokens, name) - 1;
      const isElement = name < token - 1 && tokens.kind[name] === Kind.Word;
      if (!holders.has(tokens.word[name] ?? 0) && !isElement) continue;
      const { type } = resolver.postfix(source, fn, token - 1);
      const struct =
        type === undefined || type.pointers > 0 || type.dimensions > 0
          ? undefined
          : types.structOf(type, source.path);
      if (struct !== undefined) yield { struct, token };
      continue;
    }
    if (!copying.has(word) || tokens.word[token + 1] !== OPEN) continue;
    const close = acrossPair(tokens, token + 1);
    for (const [first, last] of argumentsOf(tokens, token + 1).slice(0, 2)) {
      // `memset(s, 0, size)`
      if (first !== last || tokens.kind[first] !== Kind.Word) continue;
      const { type } = resolver.postfix(source, fn, first);
      const struct = type?.pointers === 1 ? types.structOf(type, source.path) : undefined;
      if (struct !== undefined) yield { struct, token };
    }
    for (let inner = token + 2; inner < close; inner++) {
      if (tokens.word[inner] !== SIZEOF) continue;
      const type = sizedType(source, fn, inner + 1, resolver);
      const struct = type === undefined || type.pointers > 0 ? undefined : types.structOf(type, source.path);
      if (struct !== undefined) yield { struct, token };
    }
  }
  if (mayAssign) yield* assignmentsIn(bodyOf(fn).root, source, fn, types, resolver);
  if (!mayInitialize) return;
  for (const { type, initFirst, nameToken } of bodyOf(fn).locals) {
    // `BeepState copy = *s;`
    if (initFirst < 0 || type.pointers > 0 || tokens.word[initFirst] !== STAR) continue;
    const struct = types.structOf(type, source.path);
    if (struct !== undefined) yield { struct, token: nameToken };
  }
}

/** The type in `sizeof(Foo)`, `sizeof(struct foo)` or `sizeof(*s)`. */
function sizedType(source: Source, fn: FunctionBody, open: number, resolver: Resolver): TypeRef | undefined {
  const { tokens } = source;
  const isBracketed = tokens.word[open] === OPEN;
  let close = isBracketed ? acrossPair(tokens, open) : open + 2;
  while (!isBracketed && (tokens.word[close] === ARROW || tokens.word[close] === DOT)) close += 2;
  const first = isBracketed ? open + 1 : open;
  if (tokens.word[first] === STRUCT) {
    return {
      base: `struct ${textOf(tokens.word[first + 1] ?? 0)}`,
      pointers: close - first - 2,
      dimensions: 0,
    };
  }
  if (tokens.word[first] === STAR) {
    const { type } = resolver.postfix(source, fn, close - 1);
    return type && { ...type, pointers: type.pointers - 1 };
  }
  const { type } = resolver.postfix(source, fn, close - 1);
  if (type !== undefined || close > first + 1) return type;
  return { base: textOf(tokens.word[first] ?? 0), pointers: 0, dimensions: 0 };
}

/** `*s = …;` */
function* assignmentsIn(
  statement: Statement,
  source: Source,
  fn: FunctionBody,
  types: Types,
  resolver: Resolver,
): Iterable<Copy> {
  const { tokens } = source;
  const { first, kind } = statement;
  if (kind === "expression" && tokens.word[first] === STAR && tokens.word[first + 2] === ASSIGN) {
    const { type } = resolver.postfix(source, fn, first + 1);
    const struct = type?.pointers === 1 ? types.structOf(type, source.path) : undefined;
    if (struct !== undefined) yield { struct, token: first };
  }
  for (const child of statement.children) yield* assignmentsIn(child, source, fn, types, resolver);
}

/** The regions that a structure contains, in structures inside it too. */
function fieldsWithin(
  struct: Struct,
  types: Types,
  fields: ReadonlyMap<Member, Field>,
  seen = new Set<Struct>(),
): Field[] {
  if (seen.has(struct)) return [];
  seen.add(struct);
  return [...struct.members.values()].flatMap((member) => {
    const field = fields.get(member);
    if (field !== undefined) return [field];
    if (member.type.pointers > 0) return [];
    const inner = types.structOf(member.type, struct.file.path);
    return inner === undefined ? [] : fieldsWithin(inner, types, fields, seen);
  });
}

/** Marks the fields of structures whose size Rust code compares with that of its own. */
export function findMirrors(rust: ReadonlyMap<string, string>, fields: ReadonlyMap<Member, Field>): void {
  const mirrors = new Map<string, { readonly file: string; readonly offset: number }>();
  for (const [file, text] of rust) {
    for (const match of text.matchAll(/size_of::<[\w:]*\bbindings::(\w+)>/g)) {
      mirrors.set(match[1] ?? "", { file, offset: match.index });
    }
  }
  for (const field of fields.values()) {
    const { name, tag } = field.member.struct;
    const mirror = mirrors.get(name) ?? mirrors.get(tag);
    if (mirror !== undefined) field.obstacles.push({ kind: "rust-mirror", ...mirror });
  }
}
