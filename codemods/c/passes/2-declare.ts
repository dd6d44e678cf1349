/** Phase 2: declarations at file level: structures, typedefs, QOM's cast macros, functions, macros, includes. */
import type {
  Define,
  FunctionBody,
  Member,
  Parameter,
  Signature,
  Source,
  Struct,
  TypeRef,
} from "../program.ts";
import { textOf, wordOf } from "../words.ts";
import { acrossPair, Kind, type Tokens } from "./1-lex.ts";

const w = {
  open: wordOf("("),
  close: wordOf(")"),
  brace: wordOf("{"),
  unbrace: wordOf("}"),
  bracket: wordOf("["),
  semicolon: wordOf(";"),
  comma: wordOf(","),
  star: wordOf("*"),
  equals: wordOf("="),
  colon: wordOf(":"),
  struct: wordOf("struct"),
  union: wordOf("union"),
  enum: wordOf("enum"),
  typedef: wordOf("typedef"),
  static: wordOf("static"),
  extern: wordOf("extern"),
  typeof: wordOf("typeof"),
  ellipsis: wordOf("..."),
};

const qualifiers = new Set(
  "const volatile static extern inline register restrict __restrict signed unsigned _Atomic G_GNUC_UNUSED coroutine_fn coroutine_mixed_fn QEMU_ALIGNED QEMU_PACKED G_NORETURN thread_local __thread auto"
    .split(" ")
    .map(wordOf),
);

/** Words that begin no declaration. */
const statementWords = new Set(
  "return if else for while do switch case default goto break continue sizeof".split(" ").map(wordOf),
);

export const unknownType: TypeRef = { base: "", pointers: 0, dimensions: 0 };

/** The declarations of one file. */
export function declare(path: string, tokens: Tokens): Source {
  const source: Source = {
    path,
    tokens,
    structs: [],
    typedefs: new Map(),
    casts: new Map(),
    functions: [],
    prototypes: [],
    globals: new Map(),
    defines: new Map(),
    includes: includesOf(tokens),
  };
  readDefines(source);
  new FileReader(source).read(0, tokens.count);
  return source;
}

function includesOf(tokens: Tokens): string[] {
  return tokens.directives.flatMap(({ name, start, end }) => {
    if (name !== "include") return [];
    const [, path] = /"([^"]+)"/.exec(tokens.text.slice(start, end)) ?? [];
    return path === undefined ? [] : [path];
  });
}

const castBody =
  /^\s*\(?\s*(?:\w*OBJECT_CHECK|\w*INTERFACE_CHECK|container_of|DO_UPCAST)\s*\(\s*(?:struct\s+)?(\w+)\s*,|^\s*\(?\s*\(\s*(?:struct\s+)?(\w+)\s*\*\s*\)/;

function readDefines(source: Source): void {
  const { text, directives } = source.tokens;
  for (const { name, start, end } of directives) {
    if (name !== "define") continue;
    const head = /^#[ \t]*define[ \t]+(\w+)(\(([^)]*)\))?/.exec(
      text.slice(start, Math.min(end, start + 400)),
    );
    if (head === null) continue;
    const [whole, macro = "", brackets, inside = ""] = head;
    const parameters = brackets === undefined ? undefined : inside.split(",").map((each) => each.trim());
    const define: Define = { name: macro, parameters, start: start + whole.length, end };
    source.defines.set(macro, define);
    if (parameters?.length !== 1) continue;
    const [, checked, cast] = castBody.exec(text.slice(define.start, end)) ?? [];
    const type = checked ?? cast;
    if (type !== undefined) source.casts.set(macro, type);
  }
}

const attribute = /^(__attribute__|QEMU_PACKED|QEMU_ALIGNED|G_GNUC_\w+)$/;

/** Position and type after the specifiers of a declaration. */
interface Specifiers {
  readonly base: string | Struct;
  readonly next: number;
  readonly isTypedef: boolean;
  readonly isStatic: boolean;
}

class FileReader {
  private readonly source: Source;
  private readonly tokens: Tokens;

  constructor(source: Source) {
    this.source = source;
    this.tokens = source.tokens;
  }

  /** Reads the declarations from one token up to another. */
  read(from: number, to: number): void {
    let at = from;
    while (at < to) at = Math.max(at + 1, this.declaration(at, to));
  }

  private word(token: number): number {
    return this.tokens.word[token] ?? 0;
  }

  private isName(token: number): boolean {
    return this.tokens.kind[token] === Kind.Word;
  }

  private text(token: number): string {
    return textOf(this.word(token));
  }

  private declaration(at: number, to: number): number {
    const word = this.word(at);
    if (word === w.semicolon || word === w.unbrace) return at + 1;
    if (word === w.extern && this.tokens.kind[at + 1] === Kind.String) {
      return this.word(at + 2) === w.brace ? at + 3 : at + 2;
    }
    if (this.isName(at) && this.word(at + 1) === w.open) {
      const after = this.macroCall(at);
      if (after !== undefined) return after;
    }
    const specifiers = this.specifiers(at, to, undefined);
    return this.declarators(at, specifiers, to);
  }

  /** `OBJECT_DECLARE_TYPE(…)` and the like; undefined if it is something else. */
  private macroCall(at: number): number | undefined {
    const close = this.tokens.match[at + 1] ?? -1;
    if (close < 0) return at + 2;
    const next = this.word(close + 1);
    const isOther = [w.struct, w.union, w.enum, w.typedef, w.static, w.extern].includes(next);
    if (next === w.brace || (this.isName(close + 1) && !isOther && this.word(close + 2) === w.brace)) {
      return undefined; // a function without a return type
    }
    const words = this.wordsBetween(at + 2, close);
    declareCast(this.source, this.text(at), words);
    return next === w.semicolon ? close + 2 : close + 1;
  }

  private wordsBetween(from: number, to: number): string[] {
    const words: string[] = [];
    for (let token = from; token < to; token++) if (this.isName(token)) words.push(this.text(token));
    return words;
  }

  /** The specifiers of a declaration, structures included. */
  private specifiers(at: number, to: number, outer: Struct | undefined): Specifiers {
    let base: string | Struct = "";
    let isTypedef = false;
    let isStatic = false;
    let token = at;
    for (; token < to; token++) {
      const word = this.word(token);
      if (word === w.typedef) isTypedef = true;
      else if (word === w.static) isStatic = true;
      else if (qualifiers.has(word)) {
        if (base === "" && (word === wordOf("unsigned") || word === wordOf("signed"))) base = "int";
      } else if (word === w.struct || word === w.union || word === w.enum) {
        token = this.skipAttributes(token + 1);
        const tag = this.isName(token) ? this.text(token) : "";
        const open = tag === "" ? token : this.skipAttributes(token + 1);
        const close = this.word(open) === w.brace ? (this.tokens.match[open] ?? -1) : -1;
        if (close > 0) {
          base = word === w.enum ? "int" : this.struct(tag, open, close, word === w.union, outer);
          token = close;
        } else {
          base = word === w.enum ? "int" : `struct ${tag}`;
        }
      } else if (word === w.typeof) {
        token = acrossPair(this.tokens, token + 1);
        base = "typeof";
      } else if (this.isName(token) && base === "" && !statementWords.has(word)) {
        base = this.text(token);
        if (this.word(token + 1) === w.open && /^[A-Z]/.test(base)) {
          // QTAILQ_HEAD(, Foo) and other macros that stand for a type
          token = acrossPair(this.tokens, token + 1);
        }
      } else if (this.isName(token) && base !== "" && this.isName(token + 1)) {
        // an attribute macro before the name, or a type of several words
        if (this.word(token + 1) === w.open || attribute.test(this.text(token + 1))) break;
      } else break;
    }
    return { base, next: token, isTypedef, isStatic };
  }

  private skipAttributes(token: number): number {
    let at = token;
    while (this.isName(at) && attribute.test(this.text(at))) {
      at = this.word(at + 1) === w.open ? acrossPair(this.tokens, at + 1) + 1 : at + 1;
    }
    return at;
  }

  private struct(
    tag: string,
    open: number,
    close: number,
    isUnion: boolean,
    outer: Struct | undefined,
  ): Struct {
    const struct: Struct = {
      file: this.source,
      tag,
      name: tag,
      isUnion,
      open,
      close,
      members: new Map(),
      repeated: new Set(),
      outer,
    };
    this.source.structs.push(struct);
    let at = open + 1;
    while (at < close) at = Math.max(at + 1, this.member(at, close, struct));
    return struct;
  }

  private member(at: number, to: number, struct: Struct): number {
    const { base, next } = this.specifiers(at, to, struct);
    const found: { name: string; nameToken: number; pointers: number; dimensions: number }[] = [];
    let pointers = 0;
    let token = next;
    let named: (typeof found)[number] | undefined;
    let inBitfield = false;
    for (; token < to; token++) {
      const word = this.word(token);
      if (word === w.semicolon) break;
      if (word === w.star) pointers++;
      else if (word === w.comma) {
        pointers = 0;
        named = undefined;
        inBitfield = false;
      } else if (word === w.bracket) {
        if (named !== undefined) named.dimensions++;
        token = acrossPair(this.tokens, token);
      } else if (word === w.open) {
        const close = this.tokens.match[token] ?? -1;
        if (close < 0) break;
        if (named === undefined && this.word(token + 1) === w.star) {
          // a function pointer, or a pointer to an array
          const name = token + 2;
          if (this.isName(name)) {
            named = { name: this.text(name), nameToken: name, pointers: 99, dimensions: 0 };
            found.push(named);
          }
        }
        token = close;
      } else if (word === w.colon) inBitfield = true;
      else if (this.isName(token) && named === undefined && !inBitfield && !qualifiers.has(word)) {
        named = { name: this.text(token), nameToken: token, pointers, dimensions: 0 };
        found.push(named);
      }
    }
    if (found.length === 0 && typeof base !== "string") {
      // members of an anonymous structure are members of the outer one
      for (const [name, member] of base.members) struct.members.set(name, member);
    }
    if (typeof base !== "string" && base.name === "" && found[0] !== undefined) {
      base.name = `${struct.name}.${found[0].name}`;
    }
    for (const { name, nameToken, pointers: stars, dimensions } of found) {
      const member: Member = {
        name,
        type: { base, pointers: stars, dimensions },
        struct,
        nameToken,
        first: at,
        last: token,
        declarators: found.length,
      };
      if (struct.members.has(name)) struct.repeated.add(name);
      struct.members.set(name, member);
    }
    return token + 1;
  }

  /** What follows the specifiers at file level. */
  private declarators(first: number, specifiers: Specifiers, to: number): number {
    const { base, isTypedef, isStatic } = specifiers;
    let pointers = 0;
    for (let token = specifiers.next; token < to; token++) {
      const word = this.word(token);
      if (word === w.semicolon) return token + 1;
      if (word === w.star) pointers++;
      else if (word === w.comma) pointers = 0;
      else if (word === w.equals) token = this.skipInitializer(token + 1, to) - 1;
      else if (word === w.brace) return acrossPair(this.tokens, token) + 1;
      else if (word === w.open) {
        const close = this.tokens.match[token] ?? -1;
        if (close < 0) return token + 1;
        token = close;
      } else if (this.isName(token) && !qualifiers.has(word)) {
        if (this.word(token + 1) === w.open && !isTypedef) {
          const after = this.functionAt(first, token, { base, pointers, dimensions: 0 }, isStatic, to);
          if (after !== undefined) return after;
          token = acrossPair(this.tokens, token + 1);
          continue;
        }
        const type = { base, pointers, dimensions: this.word(token + 1) === w.bracket ? 1 : 0 };
        const name = this.text(token);
        if (isTypedef) {
          this.source.typedefs.set(name, type);
          if (typeof base !== "string" && pointers === 0) base.name = name;
        } else if (!this.source.globals.has(name)) this.source.globals.set(name, type);
        if (this.word(token + 1) === w.bracket) token = acrossPair(this.tokens, token + 1);
      }
    }
    return to;
  }

  private skipInitializer(from: number, to: number): number {
    for (let token = from; token < to; token++) {
      const word = this.word(token);
      if (word === w.semicolon || word === w.comma) return token;
      if (word === w.brace || word === w.open || word === w.bracket) token = acrossPair(this.tokens, token);
    }
    return to;
  }

  /** A function's definition or prototype; undefined if it is neither. */
  private functionAt(
    first: number,
    nameToken: number,
    returns: TypeRef,
    isStatic: boolean,
    to: number,
  ): number | undefined {
    let open = nameToken + 1;
    let close = this.tokens.match[open] ?? -1;
    if (close < 0) return undefined;
    if (this.word(close + 1) === w.open) {
      // HELPER(name)(parameters)
      open = close + 1;
      close = this.tokens.match[open] ?? -1;
      if (close < 0) return undefined;
    }
    let after = close + 1;
    while (this.isName(after)) {
      after = this.word(after + 1) === w.open ? acrossPair(this.tokens, after + 1) + 1 : after + 1;
    }
    if (after > to) return undefined;
    const head: Signature = {
      file: this.source,
      name: this.text(nameToken),
      isStatic,
      returns,
      first,
      nameToken,
      open,
      close,
      parameters: this.parameters(open, close),
    };
    if (this.word(after) === w.semicolon) {
      this.source.prototypes.push(head);
      return after + 1;
    }
    const bodyClose = this.word(after) === w.brace ? (this.tokens.match[after] ?? -1) : -1;
    if (bodyClose < 0) return undefined;
    const body: FunctionBody = { ...head, bodyOpen: after, bodyClose };
    this.source.functions.push(body);
    return bodyClose + 1;
  }

  private parameters(open: number, close: number): Parameter[] {
    const found: Parameter[] = [];
    let at = open + 1;
    while (at < close) {
      const { base, next } = this.specifiers(at, close, undefined);
      let pointers = 0;
      let name = -1;
      let dimensions = 0;
      let token = next;
      for (; token < close; token++) {
        const word = this.word(token);
        if (word === w.comma) break;
        if (word === w.star) pointers++;
        else if (word === w.bracket) {
          dimensions = 1;
          token = acrossPair(this.tokens, token);
        } else if (word === w.open) {
          if (this.word(token + 1) === w.star && this.isName(token + 2)) {
            name = token + 2;
            pointers = 99;
          }
          token = acrossPair(this.tokens, token);
        } else if (this.isName(token) && !qualifiers.has(word)) name = token;
      }
      if (name < 0 && typeof base === "string") name = at;
      found.push({
        name: this.text(name),
        type: { base, pointers: pointers + dimensions, dimensions: 0 },
        first: at,
        nameToken: name,
        last: token,
      });
      at = token + 1;
    }
    return found;
  }
}

/** What QOM's declaring macros declare. */
function declareCast(source: Source, macro: string, words: readonly string[]): void {
  const [instance = "", second = "", third = ""] = words;
  switch (macro) {
    case "OBJECT_DECLARE_SIMPLE_TYPE":
      source.typedefs.set(instance, { base: `struct ${instance}`, pointers: 0, dimensions: 0 });
      source.casts.set(second, instance);
      break;
    case "OBJECT_DECLARE_TYPE":
    case "OBJECT_DECLARE_CPU_TYPE": {
      // The state of every target's processor is `struct ArchCPU`.
      const tag = macro === "OBJECT_DECLARE_TYPE" ? instance : "ArchCPU";
      source.typedefs.set(instance, { base: `struct ${tag}`, pointers: 0, dimensions: 0 });
      source.typedefs.set(second, { base: `struct ${second}`, pointers: 0, dimensions: 0 });
      source.casts.set(third, instance);
      source.casts.set(`${third}_GET_CLASS`, second);
      source.casts.set(`${third}_CLASS`, second);
      break;
    }
    case "DECLARE_INSTANCE_CHECKER":
      source.casts.set(second, instance);
      break;
    case "DECLARE_OBJ_CHECKERS":
      source.casts.set(third, instance);
      source.casts.set(`${third}_GET_CLASS`, second);
      source.casts.set(`${third}_CLASS`, second);
      break;
    case "DECLARE_CLASS_CHECKERS":
      source.casts.set(`${second}_GET_CLASS`, instance);
      source.casts.set(`${second}_CLASS`, instance);
      break;
    case "OBJECT_DECLARE_INTERFACE":
      break;
    default:
  }
}
