import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { chiSquaredTail, kruskalWallis } from "./kruskal-wallis.ts";

describe("chiSquaredTail", () => {
  it.each([
    // Points of 5, 1 and 0.1 % (R. A. Fisher, Statistical Methods for Research Workers, table III), to three decimals.
    [1, 3.841, 6.635, 10.828],
    [2, 5.991, 9.21, 13.816],
    [3, 7.815, 11.345, 16.266],
    [4, 9.488, 13.277, 18.467],
    [5, 11.07, 15.086, 20.515],
    [10, 18.307, 23.209, 29.588],
    [15, 24.996, 30.578, 37.697],
    [30, 43.773, 50.892, 59.703],
  ])("has the points of Fisher's table: %i degrees of freedom", (degrees, ...points) => {
    [0.05, 0.01, 0.001].forEach((probability, i) => {
      const point = points[i] ?? Number.NaN;
      expect(chiSquaredTail(point - 0.0006, degrees)).toBeGreaterThan(probability);
      expect(chiSquaredTail(point + 0.0006, degrees)).toBeLessThan(probability);
    });
  });

  it("is 1 at zero, falls, and grows with the degrees of freedom", () => {
    const x = fc.double({ min: 0.01, max: 80, noNaN: true });
    fc.assert(
      fc.property(x, x, fc.integer({ min: 1, max: 20 }), (one, other, degrees) => {
        const [less, more] = [Math.min(one, other), Math.max(one, other)];
        expect(chiSquaredTail(0, degrees)).toBe(1);
        expect(chiSquaredTail(more, degrees)).toBeLessThanOrEqual(chiSquaredTail(less, degrees) + 1e-12);
        expect(chiSquaredTail(less, degrees + 1)).toBeGreaterThanOrEqual(
          chiSquaredTail(less, degrees) - 1e-12,
        );
      }),
    );
  });
});

describe("kruskalWallis", () => {
  it("agrees with its authors' own example, the output of three bottle-cap machines: H = 5.656", () => {
    // Kruskal and Wallis 1952, table 1.1; rank sums 24, 14, 40. With two degrees of freedom the tail is exp(-H / 2).
    const machines = [
      [340, 345, 330, 342, 338],
      [339, 333, 344],
      [347, 343, 349, 355],
    ];
    expect(kruskalWallis(machines)).toBeCloseTo(Math.exp(-5.656 / 2), 4);
  });

  it("corrects for ties", () => {
    // Ranks 2, 2 and 2, 4: H = 12 / 20 (16 / 2 + 36 / 2) - 15 = 0.6, over 1 - (27 - 3) / (64 - 4) = 0.6: 1. One
    // standard deviation of a normal, both sides: 0.3173.
    expect(
      kruskalWallis([
        [1, 1],
        [1, 2],
      ]),
    ).toBeCloseTo(0.3173, 4);
  });

  it("is 1 where nothing can differ: one group, or one value everywhere", () => {
    expect(kruskalWallis([])).toBe(1);
    expect(kruskalWallis([[1, 2, 3]])).toBe(1);
    expect(
      kruskalWallis([
        [5, 5],
        [5, 5, 5],
      ]),
    ).toBe(1);
  });

  it("depends neither on the order of groups and values nor on the unit", () => {
    const group = fc.array(fc.integer({ min: -30, max: 30 }), { minLength: 2, maxLength: 8 });
    fc.assert(
      fc.property(fc.array(group, { minLength: 2, maxLength: 4 }), (groups) => {
        const p = kruskalWallis(groups);
        expect(p).toBeGreaterThan(0);
        expect(p).toBeLessThanOrEqual(1);
        expect(kruskalWallis(groups.toReversed().map((each) => each.toReversed()))).toBeCloseTo(p, 9);
        expect(kruskalWallis(groups.map((each) => each.map((value) => 3 * value + 7)))).toBeCloseTo(p, 9);
      }),
    );
  });
});
