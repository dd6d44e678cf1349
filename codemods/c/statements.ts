/** The statements of a function's body, as a tree. Tolerates macros that stand for statements. */
import { directiveConditions } from "./directives.ts";
import type { Tokens } from "./passes/1-lex.ts";
import { Kind } from "./passes/1-lex.ts";
import type { FunctionBody, TypeRef } from "./program.ts";
import { textOf, wordOf } from "./words.ts";

export type StatementKind =
  | "block"
  | "if"
  | "loop"
  | "switch"
  | "case"
  | "label"
  | "return"
  | "jump"
  | "declaration"
  | "expression";

export interface Statement {
  readonly kind: StatementKind;
  readonly first: number;
  last: number;
  /** Brackets of a condition. */
  readonly open: number;
  readonly close: number;
  readonly children: Statement[];
  readonly parent: Statement | undefined;
  /** The variables of a declaration. */
  readonly locals: Local[];
}

export interface Local {
  readonly name: string;
  readonly word: number;
  readonly type: TypeRef;
  readonly nameToken: number;
  /** Scope: up to this token. */
  readonly scopeEnd: number;
  /** First and last token of the initializer, -1 if there is none. */
  readonly initFirst: number;
  readonly initLast: number;
  readonly statement: Statement;
  /** How many variables the statement declares. */
  declarators: number;
}

/** The name of a type that is not looked into. */
export const UNKNOWN = "typeof";

const w = (text: string): number => wordOf(text);
const OPEN = w("(");
const BRACE = w("{");
const UNBRACE = w("}");
const BRACKET = w("[");
const SEMICOLON = w(";");
const COMMA = w(",");
const STAR = w("*");
const EQUALS = w("=");
const COLON = w(":");
const STRUCT = w("struct");
const UNION = w("union");
const ENUM = w("enum");

const IF = w("if");
const ELSE = w("else");
const FOR = w("for");
const WHILE = w("while");
const DO = w("do");
const SWITCH = w("switch");
const CASE = w("case");
const DEFAULT = w("default");
const RETURN = w("return");
const jumps = new Set([w("goto"), w("break"), w("continue")]);
const keywords = new Set([IF, ELSE, FOR, WHILE, DO, SWITCH, CASE, DEFAULT, RETURN, w("sizeof"), ...jumps]);
const qualifiers = new Set(
  "const volatile static extern register signed unsigned g_autofree QEMU_PACKED QEMU_UNINITIALIZED G_GNUC_UNUSED"
    .split(" ")
    .map(w),
);
const UNSIGNED = w("unsigned");

/** The body as a tree, and its variables in order. */
export interface Body {
  readonly root: Statement;
  readonly locals: readonly Local[];
}

/** The statements of a function; computed once. */
export function bodyOf(fn: FunctionBody): Body {
  fn.body ??= new BodyReader(fn).read();
  return fn.body;
}

class BodyReader {
  private readonly fn: FunctionBody;
  private readonly tokens: Tokens;
  private readonly locals: Local[] = [];
  private readonly names = new Set<number>();
  /** Structures that the function declares. */
  private readonly tags = new Set<string>();

  constructor(fn: FunctionBody) {
    this.fn = fn;
    this.tokens = fn.file.tokens;
    for (const { name } of fn.parameters) this.names.add(wordOf(name));
  }

  read(): Body {
    const root = this.statement(this.fn.bodyOpen, undefined, this.fn.bodyClose);
    return { root, locals: this.locals };
  }

  private word(token: number): number {
    return this.tokens.word[token] ?? 0;
  }

  private isName(token: number): boolean {
    return this.tokens.kind[token] === Kind.Word;
  }

  private partner(token: number): number {
    const partner = this.tokens.match[token] ?? -1;
    return partner < 0 ? token : partner;
  }

  private make(
    kind: StatementKind,
    first: number,
    parent: Statement | undefined,
    open = -1,
    close = -1,
  ): Statement {
    const statement: Statement = { kind, first, last: first, open, close, children: [], parent, locals: [] };
    parent?.children.push(statement);
    return statement;
  }

  /** Reads one statement that begins at a token; `scopeEnd` is the brace that ends the scope of its variables. */
  private statement(at: number, parent: Statement | undefined, scopeEnd: number): Statement {
    const word = this.word(at);
    if (word === BRACE) return this.block(at, parent);
    if (word === IF) return this.ifStatement(at, parent, scopeEnd);
    if (word === FOR || word === WHILE) return this.loop(at, at + 1, parent, scopeEnd);
    if (word === DO) {
      const made = this.make("loop", at, parent);
      const body = this.statement(at + 1, made, scopeEnd);
      made.last = this.endOfExpression(body.last + 1, scopeEnd);
      return made;
    }
    if (word === SWITCH) {
      const close = this.partner(at + 1);
      const made = this.make("switch", at, parent, at + 1, close);
      made.last = this.statement(close + 1, made, scopeEnd).last;
      return made;
    }
    if (word === CASE || word === DEFAULT) {
      const made = this.make("case", at, parent);
      let token = at + 1;
      while (token < scopeEnd && this.word(token) !== COLON) {
        token = this.word(token) === OPEN ? this.partner(token) + 1 : token + 1;
      }
      made.last = token;
      return made;
    }
    if (word === RETURN) return this.simple("return", at, parent, scopeEnd);
    if (jumps.has(word)) return this.simple("jump", at, parent, scopeEnd);
    if (this.isName(at) && this.word(at + 1) === COLON && this.word(at + 2) !== COLON) {
      const made = this.make("label", at, parent);
      made.last = at + 1;
      return made;
    }
    if (this.isName(at) && this.word(at + 1) === OPEN && !qualifiers.has(word)) {
      const close = this.partner(at + 1);
      const next = this.word(close + 1);
      const isLoop = next === BRACE || (this.isName(close + 1) && !this.isTypeMacro(at, close));
      if (isLoop) return this.loop(at, at + 1, parent, scopeEnd);
    }
    const declared = this.declaration(at, parent, scopeEnd);
    return declared ?? this.simple("expression", at, parent, scopeEnd);
  }

  /** `g_autoptr(Foo) foo` */
  private isTypeMacro(at: number, close: number): boolean {
    return (
      /^(g_autoptr|g_auto|g_autolist|typeof|__typeof__|GArray|QLIST_HEAD|QTAILQ_HEAD|QSIMPLEQ_HEAD|DECLARE_BITMAP)$/.test(
        textOf(this.word(at)),
      ) && close > at
    );
  }

  private simple(kind: StatementKind, at: number, parent: Statement | undefined, limit: number): Statement {
    const made = this.make(kind, at, parent);
    made.last = this.endOfExpression(at, limit);
    return made;
  }

  private endOfExpression(at: number, limit: number): number {
    let token = at;
    while (token < limit) {
      const word = this.word(token);
      if (word === SEMICOLON) return token;
      if (word === UNBRACE) return Math.max(at, token - 1);
      token = word === OPEN || word === BRACE || word === BRACKET ? this.partner(token) + 1 : token + 1;
    }
    return limit - 1;
  }

  private block(at: number, parent: Statement | undefined): Statement {
    const close = this.partner(at);
    const made = this.make("block", at, parent);
    made.last = close;
    let token = at + 1;
    while (token < close) token = Math.max(token, this.statement(token, made, close).last) + 1;
    return made;
  }

  private ifStatement(at: number, parent: Statement | undefined, scopeEnd: number): Statement {
    const open = this.word(at + 1) === OPEN ? at + 1 : at;
    const close = this.partner(open);
    const made = this.make("if", at, parent, open, close);
    let last = this.statement(close + 1, made, scopeEnd).last;
    if (this.word(last + 1) === ELSE) last = this.statement(last + 2, made, scopeEnd).last;
    made.last = last;
    return made;
  }

  private loop(at: number, open: number, parent: Statement | undefined, scopeEnd: number): Statement {
    const close = this.partner(open);
    const made = this.make("loop", at, parent, open, close);
    // The scope of a variable declared in the head is the body, which is not yet read.
    this.declaration(open + 1, made, this.peekEnd(close + 1, scopeEnd) + 1);
    made.children.length = 0;
    made.last = this.statement(close + 1, made, scopeEnd).last;
    return made;
  }

  private peekEnd(at: number, scopeEnd: number): number {
    return this.word(at) === BRACE ? this.partner(at) : this.endOfExpression(at, scopeEnd);
  }

  private declaration(at: number, parent: Statement | undefined, scopeEnd: number): Statement | undefined {
    let token = at;
    let base = "";
    let extraPointer = 0;
    for (; token < scopeEnd; token++) {
      const word = this.word(token);
      if (qualifiers.has(word)) {
        if (word === UNSIGNED && !this.isName(token + 2)) base = base === "" ? "int" : base;
        continue;
      }
      if (keywords.has(word)) return undefined;
      if (word === STRUCT || word === UNION || word === ENUM) {
        const tag = this.isName(token + 1) ? textOf(this.word(token + 1)) : "";
        if (tag !== "") token++;
        const hasBody = this.word(token + 1) === BRACE;
        if (hasBody) token = this.partner(token + 1);
        if (hasBody && tag !== "") this.tags.add(tag);
        // What a function declares for itself is not looked into: its members are of unknown types.
        const isOwn = hasBody || this.tags.has(tag);
        base = word === ENUM ? "int" : isOwn ? UNKNOWN : `struct ${tag}`;
        continue;
      }
      if (base === "" && this.isName(token)) {
        if (this.word(token + 1) === OPEN) {
          const close = this.partner(token + 1);
          if (!this.isTypeMacro(token, close)) return undefined;
          base = textOf(this.word(token + 2));
          if (textOf(word) === "g_autoptr") extraPointer = 1;
          token = close;
        } else base = textOf(word);
        continue;
      }
      if (this.isName(token) && this.isName(token + 1)) continue; // `unsigned long x`
      break;
    }
    if (base === "") return undefined;
    const isPointer = this.word(token) === STAR;
    if (isPointer && this.names.has(wordOf(base))) return undefined; // a product
    if (!isPointer && !this.isName(token)) return undefined;
    let check = token;
    while (this.word(check) === STAR || qualifiers.has(this.word(check))) check++;
    const after = this.word(check + 1);
    if (!this.isName(check) && this.word(check) !== OPEN) return undefined;
    if (this.word(check) === OPEN && this.word(check + 1) !== STAR) return undefined;
    if (
      this.isName(check) &&
      ![SEMICOLON, EQUALS, COMMA, BRACKET, COLON].includes(after) &&
      !(this.isName(check + 1) && !isPointer)
    )
      return undefined;
    const made = this.make("declaration", at, parent);
    made.last = this.endOfExpression(at, scopeEnd);
    // Prose under `#if 0` may look like the beginning of a declaration, which the code after it then ends.
    const isWhole =
      directiveConditions(this.tokens, at).length <= directiveConditions(this.tokens, made.last).length;
    this.declarators(token, isWhole ? base : UNKNOWN, extraPointer, made, scopeEnd);
    return made;
  }

  private declarators(
    from: number,
    base: string,
    extraPointer: number,
    statement: Statement,
    scopeEnd: number,
  ): void {
    let pointers = extraPointer;
    const found: Local[] = [];
    for (let token = from; token < statement.last; token++) {
      const word = this.word(token);
      if (word === STAR) pointers++;
      else if (word === COMMA) pointers = extraPointer;
      else if (word === OPEN || word === BRACKET || word === BRACE) token = this.partner(token);
      else if (this.isName(token) && !qualifiers.has(word)) {
        let dimensions = 0;
        let next = token + 1;
        while (this.word(next) === BRACKET) {
          dimensions++;
          next = this.partner(next) + 1;
        }
        let initFirst = -1;
        let initLast = -1;
        if (this.word(next) === EQUALS) {
          initFirst = next + 1;
          let end = initFirst;
          while (end < statement.last) {
            const mark = this.word(end);
            if (mark === COMMA) break;
            end = mark === OPEN || mark === BRACE || mark === BRACKET ? this.partner(end) + 1 : end + 1;
          }
          initLast = end - 1;
          next = end;
        }
        found.push({
          name: textOf(word),
          word,
          type: { base, pointers, dimensions },
          nameToken: token,
          scopeEnd,
          initFirst,
          initLast,
          statement,
          declarators: 1,
        });
        this.names.add(word);
        token = next - 1;
      }
    }
    for (const local of found) local.declarators = found.length;
    statement.locals.push(...found);
    this.locals.push(...found);
  }
}

/** The innermost statement that contains a token. */
export function statementAt(root: Statement, token: number): Statement {
  let found = root;
  for (;;) {
    const inner = found.children.find(({ first, last }) => first <= token && token <= last);
    if (inner === undefined) return found;
    found = inner;
  }
}

/** True if a statement is another or is inside it. */
export function isInside(inner: Statement, outer: Statement): boolean {
  return outer.first <= inner.first && inner.last <= outer.last;
}
