import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { mannWhitney } from "./mann-whitney.ts";
import { Random } from "./random.ts";

describe("mannWhitney", () => {
  it("agrees with the example of SciPy's documentation (age at diagnosis)", () => {
    const males = [19, 22, 16, 29, 24];
    const females = [20, 11, 17, 12];
    const result = mannWhitney(males, females);
    expect(result.u).toBe(17);
    expect(result.pValue).toBeCloseTo(0.1111111111, 9);
  });

  it("agrees with Hollander and Wolfe (1973), page 69, as in R's ?wilcox.test", () => {
    const term = [0.8, 0.83, 1.89, 1.04, 1.45, 1.38, 1.91, 1.64, 0.73, 1.46];
    const early = [1.15, 0.88, 0.9, 0.74, 1.21];
    const result = mannWhitney(term, early);
    expect(result.u).toBe(35);
    // R reports 0.1272 one-sided; the null distribution without ties is symmetric.
    expect(result.pValue).toBeCloseTo(2 * 0.1272, 3);
  });

  it.each([
    // Critical values of U, two-sided, level 0.05 (R. C. Milton, J. Amer. Stat. Assoc. 59, 1964).
    [5, 5, 2],
    [6, 6, 5],
    [8, 8, 13],
    [10, 10, 23],
    [8, 10, 17],
    [20, 20, 127],
  ])("puts the critical value for %i and %i at %i", (n1, n2, critical) => {
    expect(withU(n1, n2, critical).pValue).toBeLessThanOrEqual(0.05);
    expect(withU(n1, n2, critical + 1).pValue).toBeGreaterThan(0.05);
  });

  it("says 1 when all values are equal", () => {
    expect(mannWhitney([7, 7, 7], [7, 7])).toEqual({ u: 3, pValue: 1 });
  });

  it("counts ties exactly: two against two with one pair tied", () => {
    // Ranks 1, 2.5, 2.5, 4: of the six ways to choose two, the sums 3.5 and 6.5 occur twice, 5 twice.
    expect(mannWhitney([1, 2], [2, 3]).pValue).toBeCloseTo(4 / 6, 12);
  });

  it("meets the normal approximation where the exact count ends", () => {
    const random = Random.seeded(5);
    const draw = (n: number, shift: number) => Array.from({ length: n }, () => random.normal() + shift);
    const a = draw(30, 0);
    const b = draw(30, 0.5);
    const exact = mannWhitney(a, b);
    // One more far value moves both to the other branch; the probability moves by its own small step only.
    const approximate = mannWhitney([...a, -100], b);
    expect(Math.abs(approximate.pValue - exact.pValue)).toBeLessThan(0.03);
  });

  it("rejects a true null in 5 % of the trials, not more", () => {
    const random = Random.seeded(6);
    const trials = 2000;
    let rejected = 0;
    for (let i = 0; i < trials; i++) {
      const draw = () => Array.from({ length: 8 }, () => random.normal());
      if (mannWhitney(draw(), draw()).pValue < 0.05) rejected++;
    }
    // Milton's table: the critical U of 13 has exact level 0.0499; four standard errors around it.
    expect(Math.abs(rejected / trials - 0.0499)).toBeLessThan(4 * Math.sqrt((0.05 * 0.95) / trials));
  });

  it("is the same for both groups exchanged, and U of both adds up to the number of pairs", () => {
    const group = fc.array(fc.integer({ min: 0, max: 9 }), { minLength: 1, maxLength: 9 });
    fc.assert(
      fc.property(group, group, (a, b) => {
        const ab = mannWhitney(a, b);
        const ba = mannWhitney(b, a);
        expect(ab.u + ba.u).toBe(a.length * b.length);
        expect(ab.pValue).toBeCloseTo(ba.pValue, 9);
        expect(ab.pValue).toBeGreaterThan(0);
      }),
    );
  });
});

/** Two groups without ties in which exactly `u` pairs have the larger value in the first. */
function withU(n1: number, n2: number, u: number) {
  const b = Array.from({ length: n2 }, (_, i) => i + 1);
  let left = u;
  const a = Array.from({ length: n1 }, (_, i) => {
    const below = Math.min(n2, left);
    left -= below;
    return below + 0.5 + i / 1000;
  });
  return mannWhitney(a, b);
}
