import { expect, test } from "vitest";
import { brokenCall, fitsWidth, layoutCall } from "./layout.ts";

const style = { width: 110, indent: "  ", tabWidth: 2, trailingCommas: true };
const call = { indent: "    ", head: "this.map", tail: ";" };
/** An argument that makes the call `columns` wide in total. */
const argumentFor = (columns: number) => "x".repeat(columns - call.indent.length - "this.map(a, );".length);

test("a call that just fits stays on its line", () => {
  const text = layoutCall({ ...call, args: ["a", argumentFor(style.width)] }, style);
  expect(text).not.toContain("\n");
  expect(call.indent.length + text.length).toBe(style.width);
});

test("with one more column, every argument gets its own line", () => {
  const long = argumentFor(style.width + 1);
  expect(layoutCall({ ...call, args: ["a", long] }, style)).toBe(
    `this.map(\n      a,\n      ${long},\n    );`,
  );
});

test("a broken call has the file's indentation and commas", () => {
  const tabs = { width: 80, indent: "\t", tabWidth: 4, trailingCommas: false };
  expect(brokenCall({ ...call, indent: "\t\t", args: ["a", "b"] }, tabs)).toBe(
    "this.map(\n\t\t\ta,\n\t\t\tb\n\t\t);",
  );
});

test("the width of every line counts, that of the first including what is before it", () => {
  const ten = " ".repeat(10);
  expect(fitsWidth("x".repeat(100), ten, style)).toBe(true);
  expect(fitsWidth("x".repeat(101), ten, style)).toBe(false);
  expect(fitsWidth(`x\n${"x".repeat(111)}`, "", style)).toBe(false);
});

test("a tab is as wide as the style says", () => {
  expect(fitsWidth("x".repeat(106), "\t", { ...style, tabWidth: 4 })).toBe(true);
  expect(fitsWidth("x".repeat(106), "\t", { ...style, tabWidth: 8 })).toBe(false);
});
