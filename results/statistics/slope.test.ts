import { describe, expect, it } from "vitest";
import { Random } from "./random.ts";
import { theilSenSlope } from "./slope.ts";

describe("theilSenSlope", () => {
  it("is exact on a line, even if a quarter of the points are wrong", () => {
    const line = Array.from({ length: 20 }, (_, round) => ({ round, bytes: 1000 + 272 * round }));
    expect(theilSenSlope(line)).toBe(272);
    const disturbed = line.map((p, i) => (i % 4 === 1 ? { ...p, bytes: p.bytes + 250_000 * (i - 9) } : p));
    expect(theilSenSlope(disturbed)).toBe(272);
  });

  it("agrees with Sen's worked example (J. Amer. Stat. Assoc. 63, 1968, section 6)", () => {
    const t = [1, 2, 3, 4, 10, 12, 18];
    const y = [9, 15, 19, 20, 45, 55, 78];
    const points = t.map((round, i) => ({ round, bytes: y[i] ?? Number.NaN }));
    expect(theilSenSlope(points)).toBe(4);
  });

  it("finds no slope in noise around a constant", () => {
    const random = Random.seeded(11);
    const points = Array.from({ length: 60 }, (_, i) => ({
      round: i * 10,
      bytes: 5e6 + 1000 * random.normal(),
    }));
    expect(Math.abs(theilSenSlope(points))).toBeLessThan(3);
  });

  it("needs two rounds", () => {
    expect(() => theilSenSlope([{ round: 1, bytes: 2 }])).toThrow(RangeError);
  });
});
