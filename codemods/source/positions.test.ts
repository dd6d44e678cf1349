import { expect, test } from "vitest";
import { applyEdits } from "./edits.ts";
import { PositionMap } from "./positions.ts";

test("places are translated across edits that add and remove lines", () => {
  const before = "one\ntwo\nthree four\nfive";
  const edits = [
    { start: 4, end: 8, text: "" },
    { start: 14, end: 18, text: "4\n4" },
  ];
  const after = applyEdits(before, edits);
  expect(after).toBe("one\nthree 4\n4\nfive");
  const map = new PositionMap(before, after, edits);
  const translated = (line: number, column: number) => Object.values(map.toEdited({ line, column }));
  expect(translated(1, 2)).toEqual([1, 2]);
  expect(translated(3, 1)).toEqual([2, 1]);
  expect(translated(3, 7)).toEqual([2, 7]);
  expect(translated(4, 2)).toEqual([4, 2]);
  expect(translated(2, 3), "what is gone was here").toEqual([2, 1]);
});
