/** Edits of structures: a pointer for a region that is kept, nothing for one that is dropped. */
import type { FileEdits } from "../edits.ts";
import { lineEnd, lineStart } from "../layout.ts";
import type { Member, Struct } from "../program.ts";
import { wordOf } from "../words.ts";
import { acrossPair } from "./1-lex.ts";

const COMMA = wordOf(",");

/** `MemoryRegion mr;` becomes `MemoryRegion *mr;`. */
export function starMembers(edits: FileEdits, members: readonly Member[]): void {
  for (const { struct, nameToken } of members) {
    const at = struct.file.tokens.start[nameToken] ?? 0;
    edits.replace(at, at, "*");
  }
}

/**
 * Removes members with the comment on their line, and the comment above a run of members of which none is left; no two blank
 * lines meet.
 */
export function removeMembers(edits: FileEdits, struct: Struct, dropped: readonly Member[]): void {
  if (dropped.length === 0) return;
  const declarations = new Map<number, Member[]>();
  for (const member of dropped) {
    const known = declarations.get(member.first);
    if (known === undefined) declarations.set(member.first, [member]);
    else known.push(member);
  }
  const lines = new LineRemover(edits, struct);
  for (const members of declarations.values()) {
    const [first] = members;
    if (first === undefined) continue;
    if (members.length === first.declarators) {
      lines.remove(first);
    } else removeDeclarators(edits, first, members);
  }
  lines.finish();
}

/** Removes some of the names of one declaration, each with the comma that parts it from one that stays. */
function removeDeclarators(
  edits: FileEdits,
  { struct: { file, members }, first, last }: Member,
  gone: readonly Member[],
): void {
  const { tokens } = file;
  const { start, end } = tokens;
  const [from = first] = [...members.values()]
    .filter((each) => each.first === first)
    .map(({ nameToken }) => nameToken)
    .sort((a, b) => a - b);
  let staying = -1;
  for (let token = from, comma = from; token < last; token = comma + 1) {
    comma = token;
    while (comma < last && tokens.word[comma] !== COMMA) comma = acrossPair(tokens, comma) + 1;
    const isGone = gone.some(({ nameToken }) => token <= nameToken && nameToken < comma);
    if (isGone && staying < 0) edits.removeDeclaration(start[token] ?? 0, start[comma + 1] ?? 0);
    else if (isGone) edits.removeDeclaration(start[staying] ?? 0, end[comma - 1] ?? 0);
    if (!isGone || staying >= 0) staying = comma;
  }
}

class LineRemover {
  private readonly edits: FileEdits;
  private readonly text: string;
  private readonly struct: Struct;
  /** Start offsets of removed lines. */
  private readonly removed = new Set<number>();

  constructor(edits: FileEdits, struct: Struct) {
    this.edits = edits;
    this.struct = struct;
    this.text = struct.file.tokens.text;
  }

  remove({ first, last }: Member): void {
    const { start, end } = this.struct.file.tokens;
    const from = start[first] ?? 0;
    let to = end[last] ?? 0;
    const before = this.text.slice(lineStart(this.text, from), from);
    const behind = /(?:[ \t]*\/\*(?:(?!\*\/)[\s\S])*\*\/)*[ \t]*(?:\/\/.*)?\r?\n/y;
    behind.lastIndex = to;
    if (before.trim() !== "" || !behind.test(this.text)) {
      while (/[ \t]/.test(this.text[to] ?? "")) to++;
      const isLast = /[\r\n]/.test(this.text[to] ?? "");
      this.edits.removeDeclaration(isLast ? from - (/[ \t]*$/.exec(before)?.[0].length ?? 0) : from, to);
      return;
    }
    to = behind.lastIndex;
    for (let at = lineStart(this.text, from); at < to; at = lineEnd(this.text, at)) this.removed.add(at);
  }

  finish(): void {
    const { start, end } = this.struct.file.tokens;
    const first = lineEnd(this.text, end[this.struct.open] ?? 0);
    const closing = lineStart(this.text, start[this.struct.close] ?? 0);
    const lines: { start: number; end: number; text: string }[] = [];
    for (let at = first; at < closing; at = lineEnd(this.text, at)) {
      const to = lineEnd(this.text, at);
      lines.push({ start: at, end: to, text: this.text.slice(at, to).trim() });
    }
    this.removeHeadings(lines);
    this.removeBlankLines(lines);
    for (const line of lines)
      if (this.removed.has(line.start)) this.edits.removeDeclaration(line.start, line.end);
  }

  /** A comment on lines of its own, whose members are all gone. */
  private removeHeadings(lines: readonly { start: number; text: string }[]): void {
    for (let index = 0; index < lines.length; index++) {
      const line = lines[index];
      if (line === undefined || this.removed.has(line.start) || !/^(?:\/\*|\/\/)/.test(line.text)) continue;
      let close = index;
      if (line.text.startsWith("/*")) {
        while (close < lines.length && !(lines[close]?.text ?? "").includes("*/")) close++;
        if (!(lines[close]?.text ?? "").endsWith("*/")) continue;
      } else {
        while ((lines[close + 1]?.text ?? "").startsWith("//")) close++;
      }
      let next = close + 1;
      let count = 0;
      let allGone = true;
      for (; next < lines.length; next++) {
        const text = lines[next]?.text ?? "";
        if (text === "" || /^(?:\/\*|\/\/|#|\})/.test(text)) break;
        count++;
        if (!this.removed.has(lines[next]?.start ?? -1)) allGone = false;
      }
      if (count > 0 && allGone)
        for (let each = index; each <= close; each++) this.removed.add(lines[each]?.start ?? -1);
      index = close;
    }
  }

  private removeBlankLines(lines: readonly { start: number; text: string }[]): void {
    let previousBlank = true; // the opening brace counts: no blank line follows it
    let removedSince = false;
    let lastBlank = -1;
    for (const { start, text } of lines) {
      if (this.removed.has(start)) {
        removedSince = true;
        continue;
      }
      const isBlank = text === "";
      if (isBlank && previousBlank && removedSince) this.removed.add(start);
      else {
        previousBlank = isBlank;
        lastBlank = isBlank ? start : -1;
        removedSince = false;
      }
    }
    if (removedSince && lastBlank >= 0) this.removed.add(lastBlank);
  }
}
