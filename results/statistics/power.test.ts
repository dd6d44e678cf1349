import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { fitPower, type GrowthPoint } from "./power.ts";
import { Random } from "./random.ts";

const SIZES = [10, 100, 1000, 10_000, 100_000];

describe("the exponent of a growth", () => {
  it("is exact for a power law", () => {
    fc.assert(
      fc.property(
        fc.double({ min: -1, max: 3, noNaN: true }),
        fc.double({ min: 1, max: 1e6, noNaN: true }),
        (p, c) => {
          const { exponent, low, high } = fitPower(SIZES.map((size) => ({ size, cost: c * size ** p })));
          expect(exponent).toBeCloseTo(p, 6);
          expect(high - low).toBeLessThan(1e-5);
        },
      ),
    );
  });

  it("lies in its interval in about 95 of 100 noisy series", () => {
    const random = new Random([7, 8, 9, 10]);
    const normal = () => Math.sqrt(-2 * Math.log(1 - random.unit())) * Math.cos(2 * Math.PI * random.unit());
    let inside = 0;
    for (let series = 0; series < 1000; series++) {
      const points: GrowthPoint[] = SIZES.flatMap((size) =>
        [1, 2, 3].map(() => ({ size, cost: 5 * size ** 0.3 * Math.exp(0.1 * normal()) })),
      );
      const { low, high } = fitPower(points);
      if (low <= 0.3 && 0.3 <= high) inside++;
    }
    expect(inside).toBeGreaterThan(925);
    expect(inside).toBeLessThan(975);
  });

  it("needs three sizes, and positive figures", () => {
    expect(() => fitPower([10, 100, 100].map((size) => ({ size, cost: 1 })))).toThrow(/three sizes/);
    expect(() => fitPower([1, 10, 100].map((size) => ({ size, cost: 0 })))).toThrow(/positive/);
  });
});
