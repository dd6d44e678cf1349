import { describe, expect, it } from "vitest";
import { Random } from "./random.ts";

describe("Random", () => {
  it("gives the published outputs of xoshiro128** for the state 1, 2, 3, 4", () => {
    const random = new Random([1, 2, 3, 4]);
    expect(Array.from({ length: 8 }, () => random.uint32())).toEqual([
      11520, 0, 5927040, 70819200, 2031721883, 1637235492, 1287239034, 3734860849,
    ]);
  });

  it("repeats itself for the same seed and label, and for no other", () => {
    const draw = (seed: number, label: string) => {
      const random = Random.seeded(seed, label);
      return Array.from({ length: 4 }, () => random.uint32());
    };
    expect(draw(1, "boot")).toEqual(draw(1, "boot"));
    expect(draw(1, "boot")).not.toEqual(draw(2, "boot"));
    expect(draw(1, "boot")).not.toEqual(draw(1, "boots"));
  });

  it("draws normal deviates of mean 0 and variance 1", () => {
    const random = Random.seeded(3);
    const draws = Array.from({ length: 20_000 }, () => random.normal());
    const mean = draws.reduce((sum, x) => sum + x, 0) / draws.length;
    const variance = draws.reduce((sum, x) => sum + (x - mean) ** 2, 0) / draws.length;
    // Four standard errors of each.
    expect(Math.abs(mean)).toBeLessThan(4 / Math.sqrt(20_000));
    expect(Math.abs(variance - 1)).toBeLessThan(4 * Math.sqrt(2 / 20_000));
  });

  it("shuffles every order equally often", () => {
    const random = Random.seeded(4);
    const seen = new Map<string, number>();
    for (let i = 0; i < 6000; i++) {
      const order = random.shuffled(["x", "y", "z"]).join("");
      seen.set(order, (seen.get(order) ?? 0) + 1);
    }
    expect(seen.size).toBe(6);
    // Four standard deviations of a binomial count of 6000 draws at one sixth.
    for (const count of seen.values())
      expect(Math.abs(count - 1000)).toBeLessThan(4 * Math.sqrt((6000 * 5) / 36));
  });
});
