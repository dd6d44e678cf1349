import { describe, expect, it } from "vitest";
import { combineLifetimes, measureLifetimes, surprises } from "./lifetimes.ts";

const A = measureLifetimes("embedded");
const B = measureLifetimes("owned");

describe("lifetimes of both forms", () => {
  it("end as predicted", () => {
    expect(surprises(combineLifetimes({ A, B }))).toEqual([]);
  });

  it("differ between the arms in at least half of all scenarios, and never between an arm and itself", () => {
    const differing = (b: typeof B) =>
      combineLifetimes({ A, B: b }).filter(
        ({ arms }) => JSON.stringify(arms.A.observed) !== JSON.stringify(arms.B.observed),
      ).length;
    expect(2 * differing(B)).toBeGreaterThanOrEqual(A.length);
    expect(differing(measureLifetimes("embedded"))).toBe(0);
  });

  it("report every figure that was predicted wrongly", () => {
    const planted = A.map((each) =>
      each.scenario === "held-child"
        ? { ...each, expected: { ...each.expected, usesAfterFree: 0, blocksUnfreed: 1 } }
        : each,
    );
    expect(surprises(combineLifetimes({ A: planted, B }))).toEqual([
      "held-child, arm A: blocksUnfreed is 0, not 1",
      "held-child, arm A: usesAfterFree is 20, not 0",
    ]);
  });

  it("of different scenarios are not combined", () => {
    expect(() => combineLifetimes({ A, B: B.slice(1) })).toThrow(/different numbers/);
    expect(() => combineLifetimes({ A, B: B.toReversed() })).toThrow(/different lifetimes: A held-child/);
  });
});
