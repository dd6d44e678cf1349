/**
 * No conversion loses a comment, wherever one stands, but for those of a declaration that goes: inside it, behind it on its line, or
 * above it. What the conversion to owned changes reversibly comes back byte for byte.
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, expect, test, vi } from "vitest";
import { lex } from "./passes/1-lex.ts";
import { convertToEmbedded, convertToOwned } from "./pipeline.ts";

const fixtures = join(import.meta.dirname, "fixtures");
const scratch = mkdtempSync(join(tmpdir(), "regionlab-c-comments-"));
const path = join(scratch, "device.c");
afterAll(() => rmSync(scratch, { recursive: true }));

const names = readdirSync(fixtures).filter((name) => name.endsWith(".c"));
const embeddedNames = names.filter((name) => !name.startsWith("back-"));
const textOf = (name: string): string => readFileSync(join(fixtures, name), "latin1");
const sources = names.map(textOf);
const embeddedSources = embeddedNames.map(textOf);

/** The comments of a C text, by a reading of its own: characters, one after the other. */
function comments(text: string): { comment: string; at: number }[] {
  const found: { comment: string; at: number }[] = [];
  for (let at = 0; at < text.length; at++) {
    const quote = text[at];
    if (quote === '"' || quote === "'") {
      for (at++; at < text.length && text[at] !== quote && text[at] !== "\n"; at++)
        if (text[at] === "\\") at++;
      continue;
    }
    if (quote !== "/" || (text[at + 1] !== "*" && text[at + 1] !== "/")) continue;
    const isLine = text[at + 1] === "/";
    const close = text.indexOf(isLine ? "\n" : "*/", at + 2);
    const end = close < 0 ? text.length : isLine ? close : close + 2;
    found.push({ comment: text.slice(at, end).replace(/\s+/g, " ").trim(), at });
    at = end - 1;
  }
  return found;
}

function withoutComments(text: string): string {
  let result = "";
  let position = 0;
  for (const { at } of [...comments(text)]) {
    if (at < position) continue;
    result += `${text.slice(position, at)} `;
    const isLine = text[at + 1] === "/";
    const close = text.indexOf(isLine ? "\n" : "*/", at + 2);
    position = close < 0 ? text.length : isLine ? close : close + 2;
  }
  return result + text.slice(position);
}

function squeezed(text: string): string {
  return withoutComments(text).replace(/\s+/g, "");
}

/** Comments that are gone although the declarations around them are not. */
function lost(before: string, after: string): string[] {
  const left = comments(after).map(({ comment }) => comment);
  const code = squeezed(after);
  return comments(before).flatMap(({ comment, at }) => {
    const index = left.indexOf(comment);
    if (index >= 0) {
      left.splice(index, 1);
      return [];
    }
    return declarationsAround(before, at).some((declared) => !new RegExp(`${declared}[;=,[)]`).test(code))
      ? []
      : [comment];
  });
}

/** Patterns, without white space, of the types and names that the statements before, around and behind an offset declare. */
function declarationsAround(text: string, at: number): string[] {
  const marker = "\x01";
  const marked = withoutComments(`${text.slice(0, at)}${marker}${text.slice(at)}`).replace(/^\s*#.*$/gm, ";");
  const statements = marked.split(/[;{}]/);
  const here = statements.findIndex((each) => each.includes(marker));
  return statements.slice(Math.max(0, here - 1), here + 2).flatMap((statement) => {
    const plain = statement.replace(marker, " ").trim();
    const [head] = /^(?!return|goto|else|case|typedef)(?:\w+[\s*]+)+\w+/.exec(plain) ?? [];
    return head === undefined ? [] : [head.replace(/\s+/g, "").replace(/\*/g, "\\*")];
  });
}

function quietly<T>(work: () => T): T {
  const told = vi.spyOn(process.stderr, "write").mockReturnValue(true);
  try {
    return work();
  } finally {
    told.mockRestore();
  }
}

function owned(text: string, reversible = false): string {
  writeFileSync(path, text, "latin1");
  return (
    quietly(() => convertToOwned([path], undefined, { reversible }))
      .changes.values()
      .next().value ?? text
  );
}

function embedded(text: string): string {
  writeFileSync(path, text, "latin1");
  return (
    quietly(() => convertToEmbedded([path]))
      .changes.values()
      .next().value ?? text
  );
}

interface Decoration {
  readonly at: number;
  readonly kind: "block" | "line" | "lines" | "repeat" | "delete";
}

/** Puts comments between tokens of a text, each of which differs from all others. */
function decorated(text: string, decorations: readonly Decoration[]): string {
  let result = text;
  for (const [index, { at, kind }] of decorations.entries()) {
    const { count, start, end } = lex(result);
    const token = at % Math.max(count, 1);
    const [from, to] = [start[token] ?? 0, end[token] ?? 0];
    const put = (comment: string) => `${result.slice(0, from)}${comment}${result.slice(from)}`;
    if (kind === "block") result = put(`/* c${index}, */ `);
    else if (kind === "line") result = put(`// c${index};\n`);
    else if (kind === "lines") result = put(`/* c${index}\n * more */`);
    else if (kind === "repeat") result = result.slice(0, to) + result.slice(from);
    else result = result.slice(0, from) + result.slice(to);
  }
  return result;
}

function decorations(kinds: readonly Decoration["kind"][]) {
  return fc.array(fc.record({ at: fc.nat(2000), kind: fc.constantFrom(...kinds) }), {
    minLength: 1,
    maxLength: 8,
  });
}

const comment = ["block", "line", "lines"] as const;

test("no comment is lost in either direction", () => {
  let changed = 0;
  fc.assert(
    fc.property(
      fc.constantFrom(...sources),
      decorations([...comment, ...comment, "repeat", "delete"]),
      (source, all) => {
        const text = decorated(source, all);
        const there = owned(text);
        expect(lost(text, there)).toEqual([]);
        expect(lost(there, embedded(there))).toEqual([]);
        if (there !== text) changed++;
      },
    ),
    { numRuns: 1000 },
  );
  expect(changed).toBeGreaterThan(200);
});

test("what is reversible loses none at all, and comes back byte for byte", () => {
  let changed = 0;
  fc.assert(
    fc.property(
      fc.constantFrom(...embeddedSources),
      decorations(comment),
      fc.boolean(),
      (source, all, isDos) => {
        const unix = decorated(source, all);
        const text = isDos ? unix.replaceAll("\n", "\r\n") : unix;
        const there = owned(text, true);
        const left = comments(there).map((each) => each.comment);
        for (const each of comments(text)) expect(left).toContain(each.comment);
        // A comment that breaks a call may leave it with other line breaks.
        expect(embedded(there).replace(/\s+/g, "")).toBe(text.replace(/\s+/g, ""));
        if (there !== text) changed++;
      },
    ),
    { numRuns: 1000 },
  );
  expect(changed).toBeGreaterThan(200);
});

test.each(names.filter((name) => !name.startsWith("back-")))(
  "%s comes back byte for byte with the line ends of DOS, and indented by tabs",
  (name) => {
    const text = textOf(name);
    const tabs = text.replace(/^(?: {8})+/gm, (spaces) => "\t".repeat(spaces.length / 8));
    for (const each of [tabs, text.replaceAll("\n", "\r\n"), tabs.replaceAll("\n", "\r\n")])
      expect(embedded(owned(each, true))).toBe(each);
    const there = owned(text.replaceAll("\n", "\r\n"));
    expect(there).not.toMatch(/(?<!\r)\n/);
    expect(there.replaceAll("\r\n", "\n")).toBe(owned(text));
  },
);
