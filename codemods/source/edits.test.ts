import { expect, test } from "vitest";
import { applyEdits, substitute } from "./edits.ts";

test("edits apply in text order, regardless of their own order", () => {
  const edits = [
    { start: 6, end: 11, text: "trees" },
    { start: 0, end: 5, text: "two" },
  ];
  expect(applyEdits("three houses", edits)).toBe("two treess");
});

test("insertions at one position keep their order, and precede a replacement there", () => {
  const edits = [
    { start: 1, end: 2, text: "X" },
    { start: 1, end: 1, text: "1" },
    { start: 1, end: 1, text: "2" },
  ];
  expect(applyEdits("abc", edits)).toBe("a12Xc");
});

test("edits that overlap are an error", () => {
  const edits = [
    { start: 0, end: 3, text: "" },
    { start: 2, end: 4, text: "" },
  ];
  expect(() => applyEdits("abcdef", edits)).toThrow("edits overlap at offset 2");
});

test("substitute applies only edits within its range", () => {
  const edits = [
    { start: 0, end: 1, text: "X" },
    { start: 3, end: 4, text: "Y" },
  ];
  expect(substitute("abcdef", 2, 5, edits)).toBe("cYe");
});
