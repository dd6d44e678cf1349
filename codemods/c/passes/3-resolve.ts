/** Phase 3: the type of an expression such as `a->b[i].c`, read backwards from its end. */

import type { FunctionBody, Member, Source, TypeRef } from "../program.ts";
import { bodyOf } from "../statements.ts";
import type { Types } from "../types.ts";
import { textOf, wordOf } from "../words.ts";
import { acrossPair, Kind } from "./1-lex.ts";

/** An expression: its first token, and its type if it is known. */
export interface Typed {
  readonly start: number;
  readonly type: TypeRef | undefined;
}

const ARROW = wordOf("->");
const DOT = wordOf(".");
const OPEN = wordOf("(");
const CLOSE = wordOf(")");
const UNBRACKET = wordOf("]");
const STAR = wordOf("*");
const AND = wordOf("&");
const COMMA = wordOf(",");
const STRUCT = wordOf("struct");
const notCalls = new Set("if while for switch return sizeof".split(" ").map(wordOf));

/** Macros whose first or second argument is the type of the pointer that they yield: argument number by name. */
const typeArguments: ReadonlyMap<string, number> = new Map([
  ["container_of", 1],
  ["OBJECT_CHECK", 0],
  ["DO_UPCAST", 0],
  ["g_new", 0],
  ["g_new0", 0],
  ["g_renew", 0],
  ["OBJECT_CLASS_CHECK", 0],
  ["OBJECT_GET_CLASS", 0],
]);

export class Resolver {
  private readonly types: Types;

  constructor(types: Types) {
    this.types = types;
  }

  /** The member that a token names after `.` or `->`; undefined if the structure is not known. */
  memberAt(source: Source, fn: FunctionBody | undefined, token: number): Member | undefined | "unknown" {
    const base = this.postfix(source, fn, token - 2);
    if (base.type === undefined) return "unknown";
    const struct = this.types.structOf(base.type, source.path);
    if (struct === undefined) return this.types.isExternal(base.type) ? undefined : "unknown";
    return struct.members.get(textOf(source.tokens.word[token] ?? 0));
  }

  /** The postfix expression that ends at a token. */
  postfix(source: Source, fn: FunctionBody | undefined, token: number): Typed {
    const { tokens } = source;
    const word = tokens.word[token] ?? 0;
    if (tokens.kind[token] === Kind.Word) {
      const before = tokens.word[token - 1] ?? 0;
      if (before === DOT || before === ARROW) {
        const base = this.postfix(source, fn, token - 2);
        return { start: base.start, type: this.memberType(base.type, word, source) };
      }
      return { start: token, type: this.variable(source, fn, token, word) };
    }
    const partner = tokens.match[token] ?? -1;
    if (word === UNBRACKET && partner > 0) {
      const base = this.postfix(source, fn, partner - 1);
      return { start: base.start, type: base.type && element(this.types.expanded(base.type, source.path)) };
    }
    if (word === CLOSE && partner >= 0) {
      const callee = partner - 1;
      if (tokens.kind[callee] === Kind.Word && !notCalls.has(tokens.word[callee] ?? 0)) {
        return this.call(source, fn, callee, partner, token);
      }
      return { start: partner, type: this.bracketed(source, fn, partner, token) };
    }
    return { start: token, type: undefined };
  }

  private memberType(base: TypeRef | undefined, word: number, source: Source): TypeRef | undefined {
    if (base === undefined) return undefined;
    const struct = this.types.structOf(base, source.path);
    if (struct === undefined) return this.types.isExternal(base) ? externalType : undefined;
    return struct.members.get(textOf(word))?.type;
  }

  private variable(
    source: Source,
    fn: FunctionBody | undefined,
    token: number,
    word: number,
  ): TypeRef | undefined {
    if (fn !== undefined) {
      const { locals } = bodyOf(fn);
      for (let index = locals.length - 1; index >= 0; index--) {
        const local = locals[index];
        if (local === undefined || local.word !== word) continue;
        if (local.nameToken <= token && token <= local.scopeEnd) return local.type;
      }
      const name = textOf(word);
      const parameter = fn.parameters.find((each) => each.name === name);
      if (parameter !== undefined) return parameter.type;
    }
    return this.types.globalOf(textOf(word), source.path);
  }

  private call(
    source: Source,
    fn: FunctionBody | undefined,
    callee: number,
    open: number,
    close: number,
  ): Typed {
    const { tokens } = source;
    const before = tokens.word[callee - 1] ?? 0;
    if (before === DOT || before === ARROW) {
      return { start: this.postfix(source, fn, callee).start, type: undefined };
    }
    const name = textOf(tokens.word[callee] ?? 0);
    const argument = typeArguments.get(name);
    if (argument !== undefined) {
      let token = open + 1;
      for (let skip = argument; skip > 0 && token < close; token++) {
        if (tokens.word[token] === OPEN) token = acrossPair(tokens, token);
        else if (tokens.word[token] === COMMA) skip--;
      }
      return { start: callee, type: { base: this.typeName(source, token), pointers: 1, dimensions: 0 } };
    }
    const cast = this.types.castOf(name, source.path);
    if (cast !== undefined) return { start: callee, type: { base: cast, pointers: 1, dimensions: 0 } };
    return { start: callee, type: this.types.returnTypeOf(name, source.path) };
  }

  private typeName(source: Source, token: number): string {
    const { tokens } = source;
    return tokens.word[token] === STRUCT
      ? `struct ${textOf(tokens.word[token + 1] ?? 0)}`
      : textOf(tokens.word[token] ?? 0);
  }

  /** `((Foo *)opaque)`, `(*s)`, `(&s->x)`, `(s)` */
  private bracketed(
    source: Source,
    fn: FunctionBody | undefined,
    open: number,
    close: number,
  ): TypeRef | undefined {
    const { tokens } = source;
    const first = tokens.word[open + 1] ?? 0;
    if (first === OPEN) {
      const inner = tokens.match[open + 1] ?? -1;
      if (inner > 0 && inner + 1 < close && tokens.word[inner - 1] === STAR) {
        let pointers = 0;
        while (tokens.word[inner - 1 - pointers] === STAR) pointers++;
        const at = tokens.word[open + 2] === wordOf("const") ? open + 3 : open + 2;
        return { base: this.typeName(source, at), pointers, dimensions: 0 };
      }
    }
    const operand = this.postfix(source, fn, close - 1);
    if (operand.type === undefined) return undefined;
    const type = this.types.expanded(operand.type, source.path);
    if (operand.start === open + 1) return type;
    if (first === STAR && operand.start === open + 2) return element(type);
    if (first === AND && operand.start === open + 2) return { ...type, pointers: type.pointers + 1 };
    return undefined;
  }
}

/** The type of something that only code outside the tree declares, which has no regions. */
const externalType: TypeRef = { base: "(external)", pointers: 0, dimensions: 0 };

function element(type: TypeRef): TypeRef {
  return type.dimensions > 0
    ? { ...type, dimensions: type.dimensions - 1 }
    : { ...type, pointers: Math.max(0, type.pointers - 1) };
}
