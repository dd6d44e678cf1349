import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { centreOf, chanceOfZero, fewestForRanks, LEVEL } from "./centre.ts";
import { Random } from "./random.ts";

const upTo = (n: number) => Array.from({ length: n }, (_, i) => i + 1);

describe("centreOf", () => {
  it.each([
    // Which value from either end bounds a 95 % interval of the median, and its level (W. J. Conover, Practical
    // Nonparametric Statistics: binomial tables).
    [6, 1, 0.969],
    [9, 2, 0.961],
    [10, 2, 0.979],
    [12, 3, 0.961],
    [15, 4, 0.965],
    [20, 6, 0.959],
    [25, 8, 0.957],
  ])("of %i values lies between the %ith from either end", (n, rank, level) => {
    const centre = centreOf(upTo(n));
    expect([centre.low, centre.high]).toEqual([rank, n + 1 - rank]);
    expect(centre.estimate).toBe((n + 1) / 2);
    expect(centre.level).toBeCloseTo(level, 3);
  });

  it("of fewer than six is the mean with Student's interval", () => {
    // 1, 2, 3, 4: mean 2.5, standard deviation 1.2910, of the mean 0.6455; t(0.05; 3) = 3.1824.
    const { estimate, low, high, level } = centreOf([4, 2, 1, 3]);
    expect(estimate).toBe(2.5);
    expect(high - estimate).toBeCloseTo(3.1824 * 0.6455, 3);
    expect(estimate - low).toBeCloseTo(high - estimate, 12);
    expect(level).toBe(0.95);
  });

  it("has no interval for one value", () => {
    expect(() => centreOf([1])).toThrow(/at least two/);
  });

  it("holds for large numbers of values", () => {
    const { low, high, level } = centreOf(upTo(5000));
    expect(level).toBeGreaterThanOrEqual(0.95);
    expect(level).toBeLessThan(0.952);
    // 2500 values, and 1.96 standard deviations of a binomial with 5000 throws: 69.3.
    expect(Math.abs((high - low) / 2 - 69.3)).toBeLessThan(1);
  });

  it("does not depend on how far away an outlier is", () => {
    expect(centreOf([...upTo(19), 20])).toEqual(centreOf([...upTo(19), 1e9]));
  });

  type Shape = (random: Random) => number;
  const shapes: [name: string, draw: Shape][] = [
    ["normal", (random) => random.normal()],
    ["mostly quiet, sometimes wild", (random) => random.normal() * (random.below(5) === 0 ? 20 : 1)],
  ];
  it.each(shapes.flatMap(([name, draw]) => [3, 4, 5, 6, 10, 20].map((n) => [name, n, draw] as const)))(
    "covers the truth at least as often as it says: %s, %i values",
    (name, n, draw) => {
      const random = Random.seeded(7, `${name}${n}`);
      const trials = 2000;
      let covered = 0;
      for (let i = 0; i < trials; i++) {
        const { low, high } = centreOf(Array.from({ length: n }, () => draw(random)));
        if (low <= 0 && 0 <= high) covered++;
      }
      expect(covered / trials).toBeGreaterThan(0.95 - 3 * Math.sqrt((0.95 * 0.05) / trials));
    },
  );

  it.each([
    // The outermost two of n values miss the median with a probability of 2 / 2^n. At 98.33 % (three looks) seven
    // suffice, as six would miss it in 3.1 % of cases; at 98.75 % (four looks) and at 99 % eight suffice, as seven
    // would in 1.56 %.
    [0.95, 6],
    [1 - 0.05 / 3, 7],
    [1 - 0.05 / 4, 8],
    [0.99, 8],
  ])("at a level of %d uses ranks from %i values on", (level, fewest) => {
    expect(fewestForRanks(level)).toBe(fewest);
    expect(2 / 2 ** fewest).toBeLessThanOrEqual(1 - level);
    expect(2 / 2 ** (fewest - 1)).toBeGreaterThan(1 - level);
    expect(centreOf(upTo(fewest), level)).toMatchObject({ low: 1, high: fewest });
  });

  it.each(
    [1 - 0.05 / 3, 1 - 0.05 / 4].flatMap((level) => [3, 7, 11, 16, 20].map((n) => [level, n] as const)),
  )("covers the truth at least as often as it says at other levels: %d, %i values", (level, n) => {
    const random = Random.seeded(9, `${level}${n}`);
    const trials = 2000;
    let covered = 0;
    for (let i = 0; i < trials; i++) {
      const centre = centreOf(
        Array.from({ length: n }, () => random.normal()),
        level,
      );
      expect(centre.level).toBeGreaterThanOrEqual(level);
      if (centre.low <= 0 && 0 <= centre.high) covered++;
    }
    expect(covered / trials).toBeGreaterThan(level - 3 * Math.sqrt((level * (1 - level)) / trials));
  });

  it("of counts is their mean with Student's interval, however many they are", () => {
    // Eight values of mean 4.5 and standard error 0.8660; Student's t at 5 % with 7 degrees of freedom is 2.3646.
    const { estimate, low, high, level } = centreOf(upTo(8), LEVEL, true);
    expect(estimate).toBe(4.5);
    expect([low, high]).toEqual([expect.closeTo(4.5 - 2.0478, 3), expect.closeTo(4.5 + 2.0478, 3)]);
    expect(level).toBe(LEVEL);
    // Of measured values it is the median, between the first and the last: 2 / 2^8 is below 5 %.
    expect(centreOf(upTo(8))).toMatchObject({ estimate: 4.5, low: 1, high: 8 });
  });

  it("is wider at a higher level, and always contains the estimate", () => {
    const values = fc.array(fc.double({ min: -1e3, max: 1e3, noNaN: true }), { minLength: 8, maxLength: 40 });
    fc.assert(
      fc.property(values, (drawn) => {
        const [at95, at99] = [centreOf(drawn), centreOf(drawn, 0.99)];
        expect(at99.low).toBeLessThanOrEqual(at95.low);
        expect(at99.high).toBeGreaterThanOrEqual(at95.high);
        expect(at95.low).toBeLessThanOrEqual(at95.estimate);
        expect(at95.high).toBeGreaterThanOrEqual(at95.estimate);
      }),
    );
  });
});

describe("chanceOfZero", () => {
  it("is never 0, however well values agree", () => {
    for (const same of [
      [3, 3],
      [-3, -3, -3],
      [5e-324, 5e-324],
    ])
      expect(chanceOfZero(same)).toBeGreaterThan(0);
    expect(chanceOfZero(new Array(40).fill(1e-9))).toBeCloseTo(2 / 2 ** 40, 15);
    expect(chanceOfZero([1, 1 + 1e-15, 1, 1])).toBeGreaterThan(0);
    const values = fc.array(fc.double({ min: -1e6, max: 1e6, noNaN: true }), { minLength: 2, maxLength: 50 });
    const level = fc.constantFrom(0.95, 1 - 0.05 / 3, 1 - 0.05 / 4);
    fc.assert(
      fc.property(values, level, (drawn, least) => {
        const chance = chanceOfZero(drawn, least);
        expect(chance).toBeGreaterThan(0);
        expect(chance).toBeLessThanOrEqual(1);
      }),
    );
  });

  it.each([
    // Two-sided points of the sign test (W. J. Dixon and A. M. Mood, J. Amer. Stat. Assoc. 41, 1946): largest number of
    // the rarer sign at 5 %.
    [6, 0],
    [9, 1],
    [12, 2],
    [15, 3],
    [20, 5],
    [25, 7],
  ])("of %i values is below 5 %% with %i of the other sign, not with one more", (n, rarer) => {
    const signs = (negative: number) => upTo(n).map((value) => (value <= negative ? -value : value));
    expect(chanceOfZero(signs(rarer))).toBeLessThanOrEqual(0.05);
    expect(chanceOfZero(signs(rarer + 1))).toBeGreaterThan(0.05);
  });

  it("is that of a fair coin: 5 or fewer heads, or as few tails, in 18 throws are 0.0963", () => {
    expect(chanceOfZero(upTo(18).map((value) => (value <= 5 ? -1 : 1)))).toBeCloseTo(0.09625, 5);
  });

  it("is no larger where values agree more closely", () => {
    // Differences of heap growth in three processes of a quick run, in bytes per round, in scenarios that leaked a
    // region.
    const scattered = [657.4933, 656.8352, 652.9714];
    const chance = (values: readonly number[]) => chanceOfZero(values, LEVEL, true);
    expect(chance([656, 656, 656])).toBeLessThan(chance(scattered));
    expect(chance(scattered)).toBeLessThan(0.001);
    expect(chance([656, 656])).toBeGreaterThan(0);
  });

  it("leaves out zeros, and is 1 when there is nothing else", () => {
    expect(chanceOfZero([0, 0, 1, 2, 3, 4, 5, 6])).toBeCloseTo(2 / 2 ** 6, 12);
    expect(chanceOfZero([0, 0, 0, 0, 0, 0, 0])).toBe(1);
    expect(chanceOfZero([0, 0])).toBe(1);
  });

  it("below six values is Student's", () => {
    // Mean 2.5 over 0.6455: t = 3.873 with 3 degrees of freedom, between the points of 5 % (3.182) and 1 % (5.841).
    expect(chanceOfZero([1, 2, 3, 4], LEVEL, true)).toBeCloseTo(0.0305, 4);
  });

  it("of few measured values is never below that of the sign test: agreement may be chance", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 2, max: 5 }),
        fc.double({ min: 1e-9, max: 1e9, noNaN: true }),
        (n, value) => {
          expect(chanceOfZero(new Array(n).fill(value))).toBeGreaterThanOrEqual(2 * 0.5 ** n);
        },
      ),
    );
  });

  it("agrees with the interval: below 5 % exactly where zero lies outside", () => {
    const values = fc.array(
      fc.integer({ min: -50, max: 50 }).filter((value) => value !== 0),
      {
        minLength: 2,
        maxLength: 30,
      },
    );
    fc.assert(
      fc.property(values, (drawn) => {
        for (const exact of [true, false]) {
          if (!exact && drawn.length < 6) continue; // bounded by the sign test, see above
          const { low, high } = centreOf(drawn, LEVEL, exact);
          expect(chanceOfZero(drawn, LEVEL, exact) < 0.05).toBe(low > 0 || high < 0);
        }
      }),
    );
  });
});
