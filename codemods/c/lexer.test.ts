import fc from "fast-check";
import { expect, test } from "vitest";
import { lex } from "./passes/1-lex.ts";
import { textOf } from "./words.ts";

function words(text: string): string[] {
  const { count, start, end } = lex(text);
  return Array.from({ length: count }, (_, token) => text.slice(start[token], end[token]));
}

test("comments, directives and white space are no tokens", () => {
  expect(words('#define A 1 \\\n  2\nint /* b */ a = 1; // c "\nchar *s = "/* \\" */";\n')).toEqual([
    "int",
    "a",
    "=",
    "1",
    ";",
    "char",
    "*",
    "s",
    "=",
    '"/* \\" */"',
    ";",
  ]);
});

test("marks of several characters are one token", () => {
  expect(words("a->b++ <<= c && ...")).toEqual(["a", "->", "b", "++", "<<=", "c", "&&", "..."]);
});

test("an apostrophe in prose does not swallow the next line", () => {
  expect(words("#if 0\nit doesn't matter\n#endif\nint a;").slice(-3)).toEqual(["int", "a", ";"]);
});

test("where branches differ in braces the first one counts, and the place is remembered", () => {
  const text = "void f(void) {\n#ifdef A\nif (a) {\n#else\nif (b) {\n#endif\n}\n}\nint z;";
  const { splits, match } = lex(text);
  expect(splits).toHaveLength(1);
  expect(words(text)).not.toContain("b");
  const brace = words(text).indexOf("{");
  expect(words(text)[(match[brace] ?? 0) + 1]).toBe("int");
});

test("branches that each close what they open all have tokens", () => {
  expect(words("#ifdef A\nf({1});\n#else\ng();\n#endif\n")).toEqual([
    "f",
    "(",
    "{",
    "1",
    "}",
    ")",
    ";",
    "g",
    "(",
    ")",
    ";",
  ]);
});

test("tokens are in order, do not overlap, and their words are their text", () => {
  const piece = fc.constantFrom(
    "a",
    "_b1",
    "->",
    "(",
    ")",
    "{",
    "}",
    "[",
    "]",
    '"s"',
    "'c'",
    "12",
    "0x1f",
    ";",
    "/* c */",
    "\n",
    " ",
    "#if X\n",
    "#else\n",
    "#endif\n",
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 40 }), (pieces) => {
      const text = pieces.join(" ");
      const { count, start, end, word, match } = lex(text);
      let position = 0;
      for (let token = 0; token < count; token++) {
        expect(start[token]).toBeGreaterThanOrEqual(position);
        position = end[token] ?? 0;
        const name = textOf(word[token] ?? 0);
        if (name !== "") expect(text.slice(start[token], end[token])).toBe(name);
        const partner = match[token] ?? -1;
        if (partner >= 0) expect(match[partner]).toBe(token);
      }
    }),
  );
});
