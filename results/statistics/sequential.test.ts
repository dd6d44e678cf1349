import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isLook, lookOf, sequentialRule } from "./sequential.ts";

describe("sequentialRule", () => {
  it("divides the chance of error among its looks", () => {
    expect(sequentialRule([20])).toEqual({ looks: [20], level: 0.95 });
    expect(sequentialRule([12, 20, 30, 40]).level).toBeCloseTo(0.9875, 12);
    fc.assert(
      fc.property(fc.uniqueArray(fc.integer({ min: 2, max: 1000 }), { minLength: 1 }), (numbers) => {
        const { looks, level } = sequentialRule(numbers.toSorted((a, b) => a - b));
        expect(looks.length * (1 - level)).toBeCloseTo(0.05, 9);
        expect(lookOf({ looks, level })).toEqual({ level, looks: looks.length });
      }),
    );
  });

  it("looks where it says, and nowhere else", () => {
    const rule = sequentialRule([7, 11, 16]);
    expect(Array.from({ length: 20 }, (_, n) => n).filter((n) => isLook(rule, n))).toEqual([7, 11, 16]);
  });

  it.each([[[]], [[1, 5]], [[7, 7]], [[11, 7]], [[0]]])("refuses looks %j", (looks) => {
    expect(() => sequentialRule(looks)).toThrow(/ascending numbers of at least 2 processes/);
  });
});
