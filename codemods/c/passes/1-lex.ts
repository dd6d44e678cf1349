/**
 * Phase 1: raw text to tokens, without a preprocessor. All branches of `#if` are seen. Comments are skipped, directives are
 * kept aside. Texts are latin-1: an offset is a byte, whatever the file's encoding.
 */
import { NO_HASH, withCharacter, wordAt, wordOf } from "../words.ts";

export const Kind = { Word: 1, Number: 2, String: 3, Char: 4, Mark: 5 } as const;

export interface Directive {
  /** Without the `#`: `include`, `define`, `if`. */
  readonly name: string;
  /** Offset of the `#`. */
  readonly start: number;
  /** Offset of the line's end, the continuation lines included. */
  readonly end: number;
  /** Number of the first token after it. */
  readonly token: number;
}

/** Branches of an `#if` that open and close different brackets: only the first one has tokens. */
export interface SplitBranch {
  readonly token: number;
  readonly start: number;
  readonly end: number;
}

export interface Tokens {
  readonly text: string;
  readonly count: number;
  readonly kind: Uint8Array;
  /** Word numbers, of marks too; 0 for numbers, strings and characters. */
  readonly word: Int32Array;
  readonly start: Uint32Array;
  readonly end: Uint32Array;
  /** For a bracket the number of its partner, -1 for all others. */
  readonly match: Int32Array;
  /**
   * Offset of the first bracket, comment or `#if` without its other end: what follows it may belong to anything; -1 if all
   * have one.
   */
  readonly unpaired: number;
  readonly directives: readonly Directive[];
  readonly splits: readonly SplitBranch[];
  /** Offset of a line break inside a word, after a backslash: the word is read as two; -1 if there is none. */
  readonly splice: number;
}

/** Character classes: 1 begins a word, 2 digit, 4 white space. */
const classes = new Uint8Array(256);
for (let c = 0; c < 256; c++) {
  const text = String.fromCharCode(c);
  if (/[A-Za-z_$\x80-\xff]/.test(text)) classes[c] = 1;
  else if (/[0-9]/.test(text)) classes[c] = 2;
  else if (/[ \t\r\n\f\v]/.test(text)) classes[c] = 4;
}

const marks3 = new Set(["...", "<<=", ">>="]);
const marks2 = new Set("-> ++ -- && || == != <= >= << >> += -= *= /= %= &= |= ^= ##".split(" "));
/** Characters that a mark of two or three characters may have in second place. */
const secondMarks = new Uint8Array(256);
for (const mark of [...marks2, ...marks3]) secondMarks[mark.charCodeAt(1)] = 1;
const singleMarks = new Int32Array(256);
for (let c = 33; c < 127; c++) singleMarks[c] = wordOf(String.fromCharCode(c));

const NEWLINE = 10;
const BACKSLASH = 92;

interface Branch {
  readonly depth: number;
  readonly directive: Directive;
  firstEnd: number;
  firstDepth: number;
  count: number;
  uneven: boolean;
}

/** The tokens of a text, or of a part of it, such as the body of a `#define`. */
export function lex(text: string, from = 0, to = text.length): Tokens {
  reserve((to - from) >> 1);
  let { kind, word, start, end } = scratch;
  let count = 0;
  const directives: Directive[] = [];
  const splits: SplitBranch[] = [];
  const branches: Branch[] = [];
  let depth = 0;
  let position = from;
  let atLineStart = true;
  let splice = -1;
  let open = text.length;

  const push = (tokenKind: number, tokenWord: number, tokenStart: number, tokenEnd: number) => {
    if (count === kind.length) {
      reserve(count * 2);
      ({ kind, word, start, end } = scratch);
    }
    kind[count] = tokenKind;
    word[count] = tokenWord;
    start[count] = tokenStart;
    end[count] = tokenEnd;
    count++;
  };

  const directive = (hash: number, lineEnd: number) => {
    const [, name = ""] = /^#[ \t]*(\w*)/.exec(text.slice(hash, Math.min(lineEnd, hash + 40))) ?? [];
    const found: Directive = { name, start: hash, end: lineEnd, token: count };
    directives.push(found);
    if (name.startsWith("if")) {
      branches.push({ depth, directive: found, firstEnd: -1, firstDepth: depth, count: 1, uneven: false });
      return;
    }
    const branch = branches.at(-1);
    if (branch === undefined || !(name === "else" || name === "elif" || name === "endif")) return;
    if (branch.firstEnd < 0) {
      branch.firstEnd = count;
      branch.firstDepth = depth;
    }
    if (depth !== branch.depth) branch.uneven = true;
    if (name !== "endif") {
      depth = branch.depth;
      branch.count++;
      return;
    }
    branches.pop();
    if (branch.count > 1 && branch.uneven) {
      count = branch.firstEnd;
      depth = branch.firstDepth;
      splits.push({ token: count, start: branch.directive.start, end: lineEnd });
    }
  };

  while (position < to) {
    const c = text.charCodeAt(position);
    const characterClass = classes[c] ?? 0;
    if (characterClass === 4) {
      if (c === NEWLINE) atLineStart = true;
      position++;
      continue;
    }
    if (characterClass === 1) {
      const begin = position++;
      let hash = withCharacter(NO_HASH, c);
      while (position < to) {
        const next = text.charCodeAt(position);
        if (((classes[next] ?? 0) & 3) === 0) break;
        hash = withCharacter(hash, next);
        position++;
      }
      push(Kind.Word, wordAt(text, begin, position, hash), begin, position);
      atLineStart = false;
      continue;
    }
    if (characterClass === 2) {
      const begin = position++;
      while (position < to) {
        const next = text.charCodeAt(position);
        if (((classes[next] ?? 0) & 3) === 0 && next !== 46) break;
        position++;
      }
      push(Kind.Number, 0, begin, position);
      atLineStart = false;
      continue;
    }
    if (c === 47 /* / */) {
      const next = text.charCodeAt(position + 1);
      if (next === 42) {
        const close = text.indexOf("*/", position + 2);
        if (close < 0) open = Math.min(open, position);
        position = close < 0 ? to : close + 2;
        continue;
      }
      if (next === 47) {
        position = lineEndAfter(text, position, to);
        continue;
      }
    }
    if (c === 35 /* # */ && atLineStart) {
      const lineEnd = lineEndAfter(text, position, to);
      directive(position, lineEnd);
      position = lineEnd;
      continue;
    }
    atLineStart = false;
    if (c === 34 || c === 39) {
      const begin = position++;
      while (position < to) {
        const next = text.charCodeAt(position);
        if (next === BACKSLASH) position += 2;
        else if (next === c) break;
        else if (next === NEWLINE)
          break; // prose under `#if 0`
        else position++;
      }
      if (text.charCodeAt(position) === c) position++;
      push(c === 34 ? Kind.String : Kind.Char, 0, begin, Math.min(position, to));
      continue;
    }
    if (c === BACKSLASH) {
      const next = text.charCodeAt(position + 1) === 13 ? position + 3 : position + 2;
      const joins = (at: number): boolean => ((classes[text.charCodeAt(at)] ?? 0) & 3) !== 0;
      if (joins(position - 1) && joins(next)) splice = position;
      position++;
      continue;
    }
    depth += brackets[singleMarks[c] ?? 0] ?? 0;
    const two = secondMarks[text.charCodeAt(position + 1)] === 1 ? text.slice(position, position + 2) : "";
    if (two !== "" && (marks2.has(two) || two === "..")) {
      const three = text.slice(position, position + 3);
      const mark = marks3.has(three) ? three : two;
      push(Kind.Mark, wordOf(mark), position, position + mark.length);
      position += mark.length;
      continue;
    }
    push(Kind.Mark, singleMarks[c] ?? 0, position, position + 1);
    position++;
  }

  const { match, unpaired } = matchBrackets(word, count);
  open = Math.min(open, branches[0]?.directive.start ?? open, start[unpaired] ?? open);
  return {
    text,
    count,
    kind: kind.slice(0, count),
    word: word.slice(0, count),
    start: start.slice(0, count),
    end: end.slice(0, count),
    match,
    unpaired: open < text.length ? open : -1,
    directives,
    splits,
    splice,
  };
}

/** Arrays that every call fills before it copies what it needs: allocating them anew for each file would take longer. */
const scratch = {
  kind: new Uint8Array(1 << 16),
  word: new Int32Array(1 << 16),
  start: new Uint32Array(1 << 16),
  end: new Uint32Array(1 << 16),
};

function reserve(capacity: number): void {
  if (scratch.kind.length >= capacity) return;
  scratch.kind = larger(scratch.kind, new Uint8Array(capacity));
  scratch.word = larger(scratch.word, new Int32Array(capacity));
  scratch.start = larger(scratch.start, new Uint32Array(capacity));
  scratch.end = larger(scratch.end, new Uint32Array(capacity));
}

function larger<T extends Uint8Array | Int32Array | Uint32Array>(old: T, made: T): T {
  made.set(old);
  return made;
}

/** End of the logical line: a backslash before the newline continues it, a comment may span lines. */
function lineEndAfter(text: string, from: number, to: number): number {
  let position = from;
  while (position < to) {
    const newline = text.indexOf("\n", position);
    if (newline < 0 || newline >= to) return to;
    const line = text.slice(position, newline);
    const comment = line.indexOf("/*");
    if (comment >= 0) {
      const lineComment = line.indexOf("//");
      if (lineComment < 0 || lineComment > comment) {
        const close = text.indexOf("*/", position + comment + 2);
        position = close < 0 ? to : close + 2;
        continue;
      }
    }
    const before = text.charCodeAt(newline - 1) === 13 ? newline - 2 : newline - 1;
    if (text.charCodeAt(before) !== BACKSLASH) return newline;
    position = newline + 1;
  }
  return to;
}

const closeBrace = wordOf("}");
const pairs = ["()", "[]", "{}"].map(([open = "", close = ""]) => [wordOf(open), wordOf(close)] as const);
const numberEnd = 1 + Math.max(...pairs.flat());
/** By the number of a mark: 1 to open and -1 to close. */
const brackets = new Int8Array(numberEnd);
/** Of an opening bracket, the closing one. */
const closers = new Int32Array(numberEnd);
for (const [open, close] of pairs) {
  brackets[open] = 1;
  brackets[close] = -1;
  closers[open] = close;
}

/** Partners of all brackets. A brace closes whatever is open inside it: a macro may hold half a pair. */
function matchBrackets(
  word: Int32Array,
  count: number,
): {
  readonly match: Int32Array /** The first without one; -1 if there is none. */;
  readonly unpaired: number;
} {
  const match = new Int32Array(count).fill(-1);
  const open: number[] = [];
  let unpaired = count;
  const closerOf = (token: number | undefined): number => closers[word[token ?? 0] ?? 0] ?? 0;
  for (let token = 0; token < count; token++) {
    const mark = word[token] ?? 0;
    const kind = mark < numberEnd ? brackets[mark] : 0;
    if (kind === 1) {
      open.push(token);
    } else if (kind === -1) {
      if (mark === closeBrace) {
        while (open.length > 0 && closerOf(open.at(-1)) !== closeBrace)
          unpaired = Math.min(unpaired, open.pop() ?? count);
      }
      const partner = open.at(-1);
      if (partner === undefined || closerOf(partner) !== mark) {
        unpaired = Math.min(unpaired, token);
        continue;
      }
      open.pop();
      match[partner] = token;
      match[token] = partner;
    }
  }
  unpaired = Math.min(unpaired, ...open.slice(0, 1));
  return { match, unpaired: unpaired < count ? unpaired : -1 };
}

/** The other end of what begins, or ends, at a token: a bracket's partner, or the token itself if it has none. */
export function acrossPair({ match }: Tokens, token: number): number {
  const partner = match[token] ?? -1;
  return partner < 0 ? token : partner;
}
