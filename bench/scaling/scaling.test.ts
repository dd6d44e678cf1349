import { describe, expect, it } from "vitest";
import { formsOf, sizesTo } from "./command.ts";
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
