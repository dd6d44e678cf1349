import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { indexRanges } from "./range-index.ts";

/** Disjoint ascending intervals from gaps and lengths, clustered or far apart. */
const intervals = fc
  .array(
    fc.tuple(
      fc.oneof(fc.nat({ max: 3 }), fc.nat({ max: 2 ** 40 })),
      fc.oneof(fc.integer({ min: 1, max: 4 }), fc.integer({ min: 1, max: 2 ** 33 })),
    ),
    {
      maxLength: 120,
      size: "max",
    },
  )
  .map((steps) => {
    let at = 0;
    return steps.map(([gap, length]) => {
      const start = at + gap;
      at = start + length;
      return { start, end: at };
    });
  });

describe("range index", () => {
  it("agrees with a linear search at and around every bound", () => {
    fc.assert(
      fc.property(intervals, (all) => {
        const index = indexRanges(all);
        const probes = all
          .flatMap(({ start, end }) => [start - 1, start, start + 1, end - 1, end])
          .filter((each) => each >= 0);
        for (const address of [0, ...probes, 2 ** 52]) {
          const found = all.findIndex((each) => address >= each.start && address < each.end);
          const behind = all.filter((each) => each.end <= address).length;
          expect(index.find(address)).toBe(found === -1 ? ~behind : found);
        }
      }),
      { numRuns: 500 },
    );
  });

  it("covers an interval of 2^64 bytes", () => {
    const index = indexRanges([{ start: 0, end: 2 ** 64 }]);
    expect(index.find(0)).toBe(0);
    expect(index.find(Number.MAX_SAFE_INTEGER)).toBe(0);
  });
});
