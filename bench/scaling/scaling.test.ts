import { describe, expect, it } from "vitest";
import { formsOf, sizesTo } from "./command.ts";
import { verdictOf } from "./measure.ts";
import { WORKS } from "./works.ts";

describe("works that grow", () => {
  it.each(WORKS.map((work) => [work.name, work] as const))(
    "%s runs at several sizes in both forms",
    (_, work) => {
      for (const form of ["embedded", "owned"] as const)
        for (const size of [2, 60]) expect(work.prepare(form, size)()).toBeGreaterThan(0);
    },
  );
});

describe("a verdict", () => {
  it("is settled only if the whole interval says the same", () => {
    expect(verdictOf({ exponent: 0.1, low: 0, high: 0.2 }, 0.35)).toBe("reached");
    expect(verdictOf({ exponent: 1, low: 0.9, high: 1.1 }, 0.35)).toBe("missed");
    expect(verdictOf({ exponent: 0.3, low: 0.2, high: 0.4 }, 0.35)).toBe("open");
  });
});

describe("options", () => {
  it("are checked", () => {
    expect(sizesTo("100000")).toEqual([10, 100, 1000, 10_000, 100_000]);
    for (const most of ["10", "1e4", "99999", "many", "10000000"])
      expect(() => sizesTo(most)).toThrow(/give 100000/);
    expect(formsOf("owned,embedded")).toEqual(["owned", "embedded"]);
    for (const forms of ["", "owned,owned", "heap"])
      expect(() => formsOf(forms)).toThrow(/give embedded, owned/);
  });
});
