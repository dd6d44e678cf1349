import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { holm } from "./holm.ts";

describe("holm", () => {
  it("multiplies the k-th smallest of m by m - k + 1 and keeps the order", () => {
    // R 4: p.adjust(c(0.01, 0.04, 0.03, 0.005), "holm") is 0.03, 0.06, 0.06, 0.02.
    const adjusted = holm([0.01, 0.04, 0.03, 0.005]);
    [0.03, 0.06, 0.06, 0.02].forEach((p, i) => {
      expect(adjusted[i]).toBeCloseTo(p, 12);
    });
  });

  it("leaves a single one alone and lies between the raw value and Bonferroni's", () => {
    expect(holm([0.2])).toEqual([0.2]);
    const probability = fc.double({ min: 0, max: 1, noNaN: true });
    fc.assert(
      fc.property(fc.array(probability, { minLength: 1, maxLength: 20 }), (pValues) => {
        holm(pValues).forEach((adjusted, i) => {
          const raw = pValues[i] ?? Number.NaN;
          expect(adjusted).toBeGreaterThanOrEqual(raw);
          expect(adjusted).toBeLessThanOrEqual(Math.min(1, raw * pValues.length));
        });
      }),
    );
  });
});
