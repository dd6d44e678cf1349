import { describe, expect, it } from "vitest";
import { studentProbability, studentQuantile } from "./student.ts";

describe("Student's t", () => {
  it.each([
    // Two-sided points of 5 and 1 % (R. A. Fisher, Statistical Methods for Research Workers, table IV).
    [1, 12.706, 63.657],
    [2, 4.303, 9.925],
    [3, 3.182, 5.841],
    [4, 2.776, 4.604],
    [5, 2.571, 4.032],
    [9, 2.262, 3.25],
    [20, 2.086, 2.845],
    [30, 2.042, 2.75],
  ])("has the points of Fisher's table: %i degrees of freedom", (degreesOfFreedom, five, one) => {
    expect(studentQuantile(0.05, degreesOfFreedom)).toBeCloseTo(five, 3);
    expect(studentQuantile(0.01, degreesOfFreedom)).toBeCloseTo(one, 3);
  });

  it("agrees with R on Student's own data, the extra hours of sleep: t = 4.0621, 9 degrees of freedom", () => {
    expect(studentProbability(4.0621, 9)).toBeCloseTo(0.002833, 6);
    expect(studentProbability(-4.0621, 9)).toBe(studentProbability(4.0621, 9));
  });

  it("is 1 at zero and tends to 0 far out", () => {
    expect(studentProbability(0, 3)).toBe(1);
    expect(studentProbability(1e6, 3)).toBeLessThan(1e-15);
    expect(studentProbability(Number.POSITIVE_INFINITY, 4)).toBe(0);
  });
});
