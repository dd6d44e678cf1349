import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { pairedDifference } from "./paired.ts";
import { Random } from "./random.ts";

describe("pairedDifference", () => {
  it("agrees with R's paired t test on Student's own data, the extra hours of sleep, cut to its first five", () => {
    // t.test(c(0.7, -1.6, -0.2, -1.2, -0.1), c(1.9, 0.8, 1.1, 0.1, -0.1), paired = TRUE): differences 1.2, 2.4, 1.3,
    // 1.3, 0; mean 1.24, standard deviation 0.8503, of the mean 0.3803; t = 3.261 with 4 degrees of freedom.
    const { estimate, low, high, pairs, above } = pairedDifference(
      [0.7, -1.6, -0.2, -1.2, -0.1],
      [1.9, 0.8, 1.1, 0.1, -0.1],
      "absolute",
    );
    expect(estimate).toBeCloseTo(1.24, 12);
    expect([low, high].map((end) => Number(end.toFixed(2)))).toEqual([0.18, 2.3]);
    expect([pairs, above]).toEqual([5, 4]);
  });

  it("is exact where all pairs agree", () => {
    const { estimate, low, high, pValue } = pairedDifference([100, 200, 50], [110, 220, 55], "percent");
    for (const value of [estimate, low, high]) expect(value).toBeCloseTo(10, 9);
    expect(pValue).toBe(0.25); // that of the sign test: three pairs on one side may be chance
  });

  it("says of A over B what it says of B over A", () => {
    const a = [10.1, 10.4, 9.8, 10.2, 10.0, 10.3, 12];
    const b = [10.9, 10.6, 11.2, 10.7, 10.8, 10.1, 11];
    const ab = pairedDifference(a, b, "percent");
    const ba = pairedDifference(b, a, "percent");
    expect((1 + ab.estimate / 100) * (1 + ba.estimate / 100)).toBeCloseTo(1, 12);
    expect((1 + ab.low / 100) * (1 + ba.high / 100)).toBeCloseTo(1, 12);
    expect(ab.pValue).toBe(ba.pValue);
  });

  it("sees a difference of 1 % on a machine that is half as fast every other minute", () => {
    const random = Random.seeded(1, "neighbours");
    const pairs = Array.from({ length: 20 }, () => {
      const neighbours = 1 + random.below(2);
      const time = () => neighbours * (1 + 0.002 * random.normal());
      return [100 * time(), 101 * time()] as const;
    });
    const { estimate, low, high, pValue } = pairedDifference(
      pairs.map(([a]) => a),
      pairs.map(([, b]) => b),
      "percent",
    );
    expect(estimate).toBeCloseTo(1, 0);
    expect([low > 0.7, high < 1.3]).toEqual([true, true]);
    expect(pValue).toBeLessThan(0.001);
  });

  const pairs = fc.array(
    fc.tuple(
      fc.double({ min: 1e-3, max: 1e6, noNaN: true }),
      fc.double({ min: 1e-3, max: 1e6, noNaN: true }),
    ),
    {
      minLength: 2,
      maxLength: 45,
    },
  );
  const level = fc.constantFrom(0.95, 1 - 0.05 / 3, 1 - 0.05 / 4);

  it("gives the figures of the pairs behind the estimate: their difference is the estimate", () => {
    fc.assert(
      fc.property(pairs, level, (drawn, least) => {
        const a = drawn.map(([first]) => first);
        const b = drawn.map(([, second]) => second);
        const percent = pairedDifference(a, b, "percent", least);
        expect((100 * percent.figures.b) / percent.figures.a - 100).toBeCloseTo(
          percent.estimate,
          6 - Math.log10(Math.max(1, Math.abs(percent.estimate))),
        );
        const absolute = pairedDifference(a, b, "absolute", least);
        expect(Math.abs(absolute.figures.b - absolute.figures.a - absolute.estimate)).toBeLessThan(1e-8);
        for (const { figures } of [percent, absolute]) {
          expect(figures.a).toBeGreaterThanOrEqual(Math.min(...a) * (1 - 1e-12));
          expect(figures.a).toBeLessThanOrEqual(Math.max(...a) * (1 + 1e-12));
        }
      }),
    );
  });

  it("never has a probability of 0, neither for two identical pairs nor for many", () => {
    expect(pairedDifference([1, 1], [2, 2], "percent").pValue).toBeGreaterThan(0);
    expect(pairedDifference([7, 7, 7], [7, 7, 7], "percent")).toMatchObject({
      estimate: 0,
      pValue: 1,
      above: 0,
    });
    fc.assert(
      fc.property(pairs, level, (drawn, least) => {
        const { pValue } = pairedDifference(
          drawn.map(([first]) => first),
          drawn.map(([, second]) => second),
          "percent",
          least,
        );
        expect(pValue).toBeGreaterThan(0);
      }),
    );
  });

  it.each([
    [0.95, 12],
    [1 - 0.05 / 3, 7],
    [1 - 0.05 / 4, 20],
  ])("covers the truth at least as often as it says: level %d, %i pairs", (least, n) => {
    const random = Random.seeded(8, `${least}${n}`);
    const trials = 1000;
    let covered = 0;
    for (let i = 0; i < trials; i++) {
      const a = Array.from({ length: n }, () => 100 * Math.exp(0.3 * random.normal()));
      const b = a.map((value) => value * 1.03 * Math.exp(0.01 * random.normal()));
      const { low, high } = pairedDifference(a, b, "percent", least);
      if (low <= 3 && 3 <= high) covered++;
    }
    expect(covered / trials).toBeGreaterThan(least - 3 * Math.sqrt((least * (1 - least)) / trials));
  });

  it("refuses values without a partner, too few, and percentages of zero", () => {
    expect(() => pairedDifference([1, 2], [1], "absolute")).toThrow(/2 values and 1 make no pairs/);
    expect(() => pairedDifference([1], [1], "absolute")).toThrow(/at least two/);
    expect(() => pairedDifference([0, 1], [1, 1], "percent")).toThrow(/absolute scale/);
  });
});
