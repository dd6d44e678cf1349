import { expect, test } from "vitest";
import { fitsWidth, layoutCall, lineWidth } from "./layout.ts";

const call = { indent: "    ", head: "this.map", tail: ";" };
/** An argument that makes the call `columns` wide in total. */
const argumentFor = (columns: number) => "x".repeat(columns - call.indent.length - "this.map(a, );".length);

test("a call that just fits stays on its line", () => {
  const text = layoutCall({ ...call, args: ["a", argumentFor(lineWidth)] });
  expect(text).not.toContain("\n");
  expect(call.indent.length + text.length).toBe(lineWidth);
});

test("with one more column, every argument gets its own line", () => {
  const long = argumentFor(lineWidth + 1);
  expect(layoutCall({ ...call, args: ["a", long] })).toBe(`this.map(\n      a,\n      ${long},\n    );`);
});

test("the width of every line counts, that of the first including its start column", () => {
  expect(fitsWidth("x".repeat(100), 10)).toBe(true);
  expect(fitsWidth("x".repeat(100), 11)).toBe(false);
  expect(fitsWidth(`x\n${"x".repeat(111)}`, 0)).toBe(false);
});
