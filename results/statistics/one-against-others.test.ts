import { describe, expect, it } from "vitest";
import { oneAgainstOthers } from "./one-against-others.ts";
import { Random } from "./random.ts";

describe("oneAgainstOthers", () => {
  it("is Student's own test for two groups: his data on two soporifics, taken as independent", () => {
    // Student, Biometrika 6, 1908; R prints p-value = 0.07919 for t.test(..., var.equal = TRUE).
    const first = [0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0];
    const second = [1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4];
    expect(Math.abs(oneAgainstOthers([first, second]) - 0.07919)).toBeLessThan(0.000006);
  });

  it("tells machines apart by a few counts each, which ranks cannot", () => {
    const near = (centre: number) => [centre - 0.02, centre + 0.01, centre + 0.03, centre];
    expect(oneAgainstOthers([near(1.5), near(0.5)])).toBeLessThan(0.0001);
    expect(oneAgainstOthers([near(1.5), near(0.5), near(1)])).toBeLessThan(0.001);
    expect(oneAgainstOthers([near(1), near(1.01)])).toBeGreaterThan(0.1);
    expect(oneAgainstOthers([near(1).slice(0, 2), near(2).slice(0, 2)])).toBeLessThan(0.01);
  });

  it("is 1 where nothing can be told, and never 0", () => {
    expect(oneAgainstOthers([])).toBe(1);
    expect(oneAgainstOthers([[1, 2, 3]])).toBe(1);
    expect(oneAgainstOthers([[1, 2, 3], [9]])).toBe(1);
    expect(
      oneAgainstOthers([
        [1, 1],
        [1, 1],
      ]),
    ).toBe(1);
    expect(
      oneAgainstOthers([
        [1, 1],
        [2, 2],
      ]),
    ).toBe(1e-6);
  });

  it("claims a difference where there is none at most as often as it says", () => {
    const random = Random.seeded(7, "groups");
    const trials = 4000;
    for (const sizes of [
      [4, 4],
      [2, 2],
      [3, 3, 3],
      [8, 2, 5, 2],
    ]) {
      let claims = 0;
      for (let trial = 0; trial < trials; trial++) {
        const groups = sizes.map((size) => Array.from({ length: size }, () => random.normal()));
        if (oneAgainstOthers(groups) < 0.01) claims++;
      }
      // 1 % of 4000 is 40, with a standard deviation of 6.3.
      expect(claims, sizes.join("+")).toBeLessThan(40 + 4 * 6.3);
    }
  });
});
