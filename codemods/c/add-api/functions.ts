/** Declarations and definitions of functions whose name begins in a given way, found in a file's tokens. */

import { columnAfter, lineStart } from "../layout.ts";
import { Kind, lex, type Tokens } from "../passes/1-lex.ts";
import { textOf } from "../words.ts";

export interface Parameter {
  /** On one line. */
  readonly text: string;
  /** As written, perhaps on several lines. */
  readonly written: string;
  /** Column at which that begins. */
  readonly column: number;
  readonly name: string;
}

/** A call of a function inside a body. Offsets are those of the file. */
export interface Call {
  readonly name: string;
  readonly start: number;
  /** After the closing bracket. */
  readonly end: number;
  readonly arguments: readonly string[];
}

export interface CFunction {
  readonly name: string;
  /** Return type as written, storage class included. */
  readonly returns: string;
  readonly parameters: readonly Parameter[];
  /** Offset of the first character of the return type. */
  readonly start: number;
  /** Offset after the closing bracket of the parameters. */
  readonly parametersEnd: number;
  /** Offset after the semicolon or the closing brace. */
  readonly end: number;
  /** Calls in the body; undefined for a declaration. */
  readonly calls: readonly Call[] | undefined;
}

/** All functions at the outermost level whose name has the prefix, in the order of the text. */
export function functionsNamed(text: string, prefix: string): CFunction[] {
  const tokens = lex(text);
  const found: CFunction[] = [];
  for (let index = 0; index < tokens.count; index++) {
    const mark = wordAt(tokens, index);
    const partner = tokens.match[index] ?? -1;
    if (mark === "{" && partner > index) {
      index = partner;
      continue;
    }
    if (!mark.startsWith(prefix) || wordAt(tokens, index + 1) !== "(") continue;
    const close = tokens.match[index + 1] ?? -1;
    if (close < 0) continue;
    const made = functionAt(tokens, index, close);
    if (made === undefined) continue;
    found.push(made);
    index = tokens.match[close + 1] ?? -1;
    if (index < close) index = close;
  }
  return found;
}

function functionAt(tokens: Tokens, name: number, close: number): CFunction | undefined {
  const after = wordAt(tokens, close + 1);
  const bodyEnd = after === "{" ? (tokens.match[close + 1] ?? -1) : close + 1;
  if ((after !== "{" && after !== ";") || bodyEnd < 0) return undefined;
  const first = firstOfDeclaration(tokens, name);
  if (first === name) return undefined;
  const start = startOf(tokens, first);
  return {
    name: wordAt(tokens, name),
    returns: tokens.text.slice(start, startOf(tokens, name)).trim().replace(/\s+/g, " "),
    parameters: stretches(tokens, name + 1, close).map(([from, to]) => ({
      text: onOneLine(tokens, from, to),
      written: tokens.text.slice(startOf(tokens, from), endOf(tokens, to)),
      column: columnOf(tokens.text, startOf(tokens, from)),
      name: parameterName(tokens, from, to),
    })),
    start,
    parametersEnd: endOf(tokens, close),
    end: endOf(tokens, bodyEnd),
    calls: after === "{" ? callsIn(tokens, close + 2, bodyEnd) : undefined,
  };
}

/** Number of the first token after the previous declaration or directive. */
function firstOfDeclaration(tokens: Tokens, name: number): number {
  const borders = new Set(tokens.directives.map(({ token }) => token));
  let first = name;
  while (first > 0 && !borders.has(first)) {
    const before = wordAt(tokens, first - 1);
    if (before === ";" || before === "}" || before === "{") break;
    first--;
  }
  return first;
}

function callsIn(tokens: Tokens, from: number, to: number): Call[] {
  const calls: Call[] = [];
  for (let index = from; index < to; index++) {
    if (tokens.kind[index] !== Kind.Word || wordAt(tokens, index + 1) !== "(") continue;
    const close = tokens.match[index + 1] ?? -1;
    if (close < 0) continue;
    calls.push({
      name: wordAt(tokens, index),
      start: startOf(tokens, index),
      end: endOf(tokens, close),
      arguments: stretches(tokens, index + 1, close).map(([a, b]) => onOneLine(tokens, a, b)),
    });
  }
  return calls;
}

/** Parts of a bracket between its outermost commas, as first and last token. */
function stretches(tokens: Tokens, open: number, close: number): [number, number][] {
  const parts: [number, number][] = [];
  let from = open + 1;
  for (let index = open + 1; index <= close; index++) {
    const partner = tokens.match[index] ?? -1;
    if (index === close || wordAt(tokens, index) === ",") {
      if (index > from) parts.push([from, index - 1]);
      from = index + 1;
    } else if (partner > index) index = partner;
  }
  return parts;
}

/** The name that a parameter declares: in brackets for a pointer to a function, else its last word. */
function parameterName(tokens: Tokens, from: number, to: number): string {
  let name = "";
  for (let index = from; index <= to; index++) {
    if (wordAt(tokens, index) === "(" && wordAt(tokens, index + 1) === "*") return wordAt(tokens, index + 2);
    if (tokens.kind[index] === Kind.Word) name = wordAt(tokens, index);
  }
  return name;
}

function columnOf(text: string, offset: number): number {
  return columnAfter(text.slice(lineStart(text, offset), offset));
}

function onOneLine(tokens: Tokens, from: number, to: number): string {
  return tokens.text.slice(startOf(tokens, from), endOf(tokens, to)).replace(/\s+/g, " ");
}

const wordAt = (tokens: Tokens, index: number): string => textOf(tokens.word[index] ?? 0);
const startOf = (tokens: Tokens, index: number): number => tokens.start[index] ?? 0;
const endOf = (tokens: Tokens, index: number): number => tokens.end[index] ?? 0;
