import { describe, expect, it } from "vitest";
import { classifyOutliers, median, summarize } from "./distribution.ts";

describe("summarize", () => {
  it("interpolates quantiles as type 7 of Hyndman and Fan", () => {
    // R 4: quantile(c(3, 6, 7, 8, 8, 10, 13, 15, 16, 20)) is 3, 7.25, 9, 14.5, 20.
    const summary = summarize([20, 3, 7, 6, 8, 16, 8, 10, 15, 13]);
    expect(summary).toMatchObject({ count: 10, min: 3, q1: 7.25, median: 9, q3: 14.5, max: 20 });
    expect(summary.p99).toBeCloseTo(16 + 0.91 * 4, 12);
  });

  it("takes the mean of the two middle values of an even number", () => {
    expect(median([4, 1, 3, 2])).toBe(2.5);
  });

  it("refuses an empty sample", () => {
    expect(() => summarize([])).toThrow(RangeError);
  });
});

describe("classifyOutliers", () => {
  it("labels by Tukey's inner and outer fences and drops nothing", () => {
    // Quartiles of the nine middle values are 3 and 7, the spread 4: fences at 13 and 19.
    const samples = [1, 2, 3, 4, 5, 6, 7, 8, 9];
    expect(classifyOutliers(samples)).toEqual(Array(9).fill("none"));
    expect(classifyOutliers([1, 2, 3, 4, 5, 6, 7, 8, 13])).toEqual([...Array(8).fill("none"), "none"]);
    expect(classifyOutliers([1, 2, 3, 4, 5, 6, 7, 8, 14])).toEqual([...Array(8).fill("none"), "mild"]);
    expect(classifyOutliers([-14, 2, 3, 4, 5, 6, 7, 8, 9])).toEqual(["severe", ...Array(8).fill("none")]);
  });
});
