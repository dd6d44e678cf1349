/**
 * The compiler's list of uses against that of the codemods. Every region field is marked as deprecated; what gcc then warns of
 * are all uses that it compiles, macros expanded.
 */

import type { Field } from "../passes/4-uses.ts";
import { lineAt } from "../program.ts";
import { wordOf } from "../words.ts";

const MARK = "REGIONLAB_USE";
const BRACKET = wordOf("[");

/** The texts of the files that declare regions, with all regions marked. Lines stay where they are. */
export function markedSources(fields: readonly Field[]): Map<string, string> {
  const offsets = new Map<string, { readonly text: string; readonly at: number[] }>();
  for (const { member } of fields) {
    const { tokens, path } = member.struct.file;
    let last = member.nameToken;
    while (tokens.word[last + 1] === BRACKET) last = tokens.match[last + 1] ?? last + 1;
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

/** A use that gcc saw: where it stands, and where the field is declared. Lines count from 1. */
export interface CompilerUse {
  readonly file: string;
  readonly line: number;
  readonly declaredIn: string;
  readonly declaredAt: number;
}

/** The uses in what gcc printed. */
export function compilerUses(output: string): CompilerUse[] {
  const found: CompilerUse[] = [];
  let use: { file: string; line: number } | undefined;
  for (const text of output.split("\n")) {
    const warning = /^(.+?):(\d+):\d+: warning: .* is deprecated: /.exec(text);
    if (warning !== null && text.includes(MARK)) use = { file: warning[1] ?? "", line: Number(warning[2]) };
    const note = /^(.+?):(\d+):\d+: note: declared here/.exec(text);
    if (note === null || use === undefined) continue;
    found.push({ ...use, declaredIn: note[1] ?? "", declaredAt: Number(note[2]) });
    use = undefined;
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
    const lines = new Set<string>();
    for (const { source, first, last } of uses) {
      const from = lineAt(source.tokens.text, source.tokens.start[first] ?? 0);
      const to = lineAt(source.tokens.text, source.tokens.end[last] ?? 0);
      for (let line = from; line <= to; line++) lines.add(`${source.path}:${line}`);
    }
    const key = `${path}:${lineAt(tokens.text, tokens.start[member.nameToken] ?? 0)}`;
    const before = known.get(key);
    known.set(key, {
      isRefused: obstacles.length > 0 || before?.isRefused === true,
      lines: new Set([...lines, ...(before?.lines ?? [])]),
    });
  }
  return seen.filter(({ file, line, declaredIn, declaredAt }) => {
    const field = known.get(`${pathOf(declaredIn)}:${declaredAt}`);
    return field === undefined || !(field.isRefused || field.lines.has(`${pathOf(file)}:${line}`));
  });
}
