import fc from "fast-check";
import { expect, test } from "vitest";
import { applyEdits, OffsetMap, substitute } from "./edits.ts";

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

test("offsets are translated both ways", () => {
  const map = new OffsetMap([
    { start: 2, end: 4, text: "XYZ" },
    { start: 6, end: 6, text: "+" },
  ]);
  // abcdefgh becomes abXYZef+gh
  expect([0, 1, 2, 3, 4, 6, 7].map((offset) => map.toEdited(offset))).toEqual([0, 1, 2, 2, 5, 8, 9]);
  expect([0, 2, 4, 5, 7, 8].map((offset) => map.toOriginal(offset).offset)).toEqual([0, 2, 2, 4, 6, 6]);
  expect(map.toOriginal(7).edit?.text).toBe("+");
});

test("what no edit touches is found at its translated offset, and back", () => {
  const lengths = fc.array(fc.tuple(fc.nat(3), fc.nat(3), fc.nat(3)), { maxLength: 6 });
  fc.assert(
    fc.property(lengths, fc.nat(4), (parts, tail) => {
      let text = "";
      const edits = parts.map(([kept, removed, inserted]) => {
        const start = text.length + kept;
        text += "k".repeat(kept) + "r".repeat(removed);
        return { start, end: start + removed, text: "i".repeat(inserted) };
      });
      // Every character of its own, so that equal characters mean equal places.
      text = [...`${text}${"k".repeat(tail)}`]
        .map((_, index) => String.fromCodePoint(0x4e00 + index))
        .join("");
      const edited = applyEdits(text, edits);
      const map = new OffsetMap(edits);
      for (let offset = 0; offset < text.length; offset++) {
        if (edits.some(({ start, end }) => offset >= start && offset < end)) continue;
        expect(edited[map.toEdited(offset)]).toBe(text[offset]);
        expect(map.toOriginal(map.toEdited(offset))).toEqual({ offset, edit: undefined });
      }
    }),
    { seed: 1 },
  );
});
