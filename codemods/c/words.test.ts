import fc from "fast-check";
import { expect, test } from "vitest";
import { lex } from "./passes/1-lex.ts";
import { textOf, wordCount, wordOf } from "./words.ts";

test("a word has one number, whatever else has the same hash", () => {
  // "Aa" and "BB" have the same hash, and so have all rows of four letters made of them.
  const pair = fc.constantFrom("Aa", "BB", "C#");
  const word = fc.oneof(
    fc.array(pair, { maxLength: 4 }).map((parts) => parts.join("")),
    fc.string(),
  );
  const known = new Map<string, number>();
  fc.assert(
    fc.property(fc.array(word), (words) => {
      for (const each of words) {
        const number = wordOf(each);
        expect(textOf(number)).toBe(each);
        expect(known.get(each) ?? number).toBe(number);
        known.set(each, number);
      }
      expect(new Set(known.values()).size).toBe(known.size);
    }),
  );
});

test("words keep their numbers as the table grows, in texts too", () => {
  const before = wordOf("grown");
  const many = Array.from({ length: 100_000 }, (_, index) => `w${index}`);
  const tokens = lex(many.join(" "));
  expect(wordOf("grown")).toBe(before);
  expect(many.every((each, index) => tokens.word[index] === wordOf(each))).toBe(true);
  expect(wordCount()).toBeGreaterThan(many.length);
});
