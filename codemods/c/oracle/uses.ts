/**
 * The compiler's list of uses against that of the codemods. Every region field is marked as deprecated; what gcc then warns of
 * are all uses that it compiles, macros expanded.
 */

import { acrossPair } from "../passes/1-lex.ts";
import type { Field, Use } from "../passes/4-uses.ts";
import { lineAt } from "../program.ts";
import { wordOf } from "../words.ts";

const MARK = "REGIONLAB_USE";
const BRACKET = wordOf("[");
const OPEN = wordOf("(");
const BRACE = wordOf("{");
const SEMICOLON = wordOf(";");

/** The texts of the files that declare regions, with all regions marked. Lines stay where they are. */
export function markedSources(fields: readonly Field[]): Map<string, string> {
  const offsets = new Map<string, { readonly text: string; readonly at: number[] }>();
  for (const { member } of fields) {
    const { tokens, path } = member.struct.file;
    let last = member.nameToken;
    while (tokens.word[last + 1] === BRACKET) last = acrossPair(tokens, last + 1);
    const known = offsets.get(path) ?? { text: tokens.text, at: [] };
    known.at.push(tokens.end[last] ?? 0);
    offsets.set(path, known);
  }
  const marked = new Map<string, string>();
  for (const [path, { text, at }] of offsets) {
    let result = text;
    for (const offset of at.sort((a, b) => b - a)) {
      result = `${result.slice(0, offset)} __attribute__((deprecated("${MARK}")))${result.slice(offset)}`;
    }
    marked.set(path, result);
  }
  return marked;
}

/** A line of a file, from 1. */
export interface Line {
  readonly file: string;
  readonly line: number;
}

/** A use that gcc saw, and where the field is declared. */
export interface CompilerUse {
  /** Where the warning points to and, if that is inside a macro, where the macro is used, the outermost one last. */
  readonly at: readonly Line[];
  readonly declared: Line;
}

/** The uses in what gcc printed. */
export function compilerUses(output: string): CompilerUse[] {
  const found: CompilerUse[] = [];
  let at: Line[] = [];
  for (const text of output.split("\n")) {
    const [, file, number, kind, words = ""] = /^(.+?):(\d+):\d+: (warning|note): (.*)$/.exec(text) ?? [];
    if (file === undefined) continue;
    const line = { file, line: Number(number) };
    if (kind === "warning") at = words.includes(" is deprecated: ") && words.includes(MARK) ? [line] : [];
    else if (at.length > 0 && words.startsWith("in expansion of macro")) at.push(line);
    else if (at.length > 0 && words.startsWith("declared here")) {
      found.push({ at, declared: line });
      at = [];
    }
  }
  return found;
}

/**
 * The uses that gcc saw and the codemods did not. A field that is refused because of something that is not understood may have
 * more. `pathOf` turns gcc's names of files into those of the codemods.
 */
export function missedUses(
  fields: readonly Field[],
  seen: readonly CompilerUse[],
  pathOf: (file: string) => string,
): CompilerUse[] {
  const known = new Map<string, { readonly isRefused: boolean; readonly lines: Set<string> }>();
  for (const { member, uses, obstacles } of fields) {
    const { tokens, path } = member.struct.file;
    const key = `${path}:${lineAt(tokens.text, tokens.start[member.nameToken] ?? 0)}`;
    const before = known.get(key);
    known.set(key, {
      isRefused: obstacles.length > 0 || before?.isRefused === true,
      lines: new Set([...uses.flatMap(linesOf), ...(before?.lines ?? [])]),
    });
  }
  return seen.filter(({ at, declared }) => {
    const field = known.get(`${pathOf(declared.file)}:${declared.line}`);
    const isKnown = at.some(({ file, line }) => field?.lines.has(`${pathOf(file)}:${line}`));
    return field === undefined || !(field.isRefused || isKnown);
  });
}

/** The lines of a use, and those of the names of calls around it: gcc shows the arguments of some macros where the macro stands. */
function linesOf({ source, first, last, fn }: Use): string[] {
  const { text, start, end, word, match } = source.tokens;
  const from = lineAt(text, start[first] ?? 0);
  const to = lineAt(text, end[last] ?? 0);
  const lines = Array.from({ length: to - from + 1 }, (_, index) => from + index);
  for (let token = first - 1; token > fn.bodyOpen; token--) {
    const partner = match[token] ?? -1;
    if (partner >= 0 && partner < token) token = partner;
    else if (word[token] === OPEN) lines.push(lineAt(text, start[token - 1] ?? 0));
    else if (word[token] === SEMICOLON || word[token] === BRACE) break;
  }
  return lines.map((line) => `${source.path}:${line}`);
}
