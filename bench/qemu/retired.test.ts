import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Retired } from "./retired.ts";

describe("instructions that a guest retires", () => {
  it("has no spread if all processes agree", () => {
    const retired = new Retired("guest");
    for (const build of ["a", "b", "a"]) retired.add(build, 100);
    expect(retired.spread()).toBeUndefined();
  });

  it("tells a spread of one build, and what the other one did", () => {
    const retired = new Retired("OpenSBI");
    retired.add("a", 1_000_000);
    retired.add("b", 1_000_000);
    retired.add("a", 1_000_060);
    expect(retired.spread()).toBe(
      "OpenSBI did not retire the same number of instructions in all processes: 1000000 to 1000060 in a, 1000000 in b.",
    );
  });

  it("takes 0.02 % of an earlier process, and no more, as the same work", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1_000_000, max: 9_000_000 }),
        fc.integer({ min: -4000, max: 4000 }),
        (n, more) => {
          const retired = new Retired("guest");
          retired.add("a", n);
          const add = () => retired.add("b", n + more);
          if (Math.abs(more) * 5000 <= n) expect(add).not.toThrow();
          else expect(add).toThrow(/guest retired \d+ instructions in b, but in an earlier process of a/);
        },
      ),
    );
  });
});
