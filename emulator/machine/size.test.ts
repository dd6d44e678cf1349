import { describe, expect, it } from "vitest";
import { parseCount, parseSize } from "#machine";

describe("sizes", () => {
  it.each([
    ["256M", 2 ** 28],
    ["1G", 2 ** 30],
    ["64k", 2 ** 16],
    ["128", 2 ** 27],
    ["4096B", 4096],
    ["1.5G", 1.5 * 2 ** 30],
    ["0x100", 2 ** 28],
    ["0100", 100 * 2 ** 20],
    ["08", 2 ** 23],
    ["+64", 2 ** 26],
    ["4T", 2 ** 42],
  ])("%s", (text, bytes) => {
    expect(parseSize("-m", text)).toBe(bytes);
  });

  it.each(["", "0", "M", "12X", "-1M", "1.5.G", "0x", "1e3"])("refuses %j and names the option", (text) => {
    expect(() => parseSize("-m", text)).toThrow(/^-m .*give a number with K, M or G/);
  });

  it.each(["99999999999G", "1.3B"])("refuses %j, which is no number of bytes", (text) => {
    expect(() => parseSize("-m", text)).toThrow(/^-m .*not a whole number of bytes, or too large/);
  });

  it("counts from the least allowed", () => {
    expect(parseCount("--smp", "1", 1)).toBe(1);
    for (const text of ["0", "one", "1e3", ""]) expect(() => parseCount("--smp", text, 1)).toThrow(/^--smp/);
    expect(() => parseCount("--smp", "99999999999999999999", 1)).toThrow(
      /^--smp .*: too large; give at most/,
    );
  });
});
