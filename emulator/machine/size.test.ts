import { describe, expect, it } from "vitest";
import { parseCount, parseSize } from "#machine";

describe("sizes", () => {
  it.each([
    ["256M", 2 ** 28],
    ["1G", 2 ** 30],
    ["64k", 2 ** 16],
    ["128", 2 ** 27],
    ["4096B", 4096],
  ])("%s", (text, bytes) => {
    expect(parseSize("-m", text)).toBe(bytes);
  });

  it.each(["", "0", "M", "12X", "-1M", "1.5G", "99999999999G"])("refuses %j and names the option", (text) => {
    expect(() => parseSize("-m", text)).toThrow(/^-m .*give a number with K, M or G/);
  });

  it("counts from the least allowed", () => {
    expect(parseCount("--smp", "1", 1)).toBe(1);
    for (const text of ["0", "one", "1e3", ""]) expect(() => parseCount("--smp", text, 1)).toThrow(/^--smp/);
  });
});
