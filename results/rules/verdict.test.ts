import { describe, expect, it } from "vitest";
import { decide, type Evidence } from "./verdict.ts";

const interval = (low: number, high: number, adjustedPValue = 1): Evidence["ab"] => ({
  ...{ estimate: (low + high) / 2, low, high, adjustedPValue },
});
const MARGIN = { margin: 1, decides: true };

describe("decide", () => {
  it("calls a difference equivalent only if it and its control lie inside the margin", () => {
    const inside = interval(-0.1, 0.2);
    expect(decide({ ab: inside, aa: interval(-0.3, 0.9) }, MARGIN)).toBe("equivalent");
    // A few pairs that agree by luck: the spread of A against itself shows how little that means.
    expect(decide({ ab: inside, aa: interval(-0.3, 1.1) }, MARGIN)).toBe("inconclusive");
    expect(decide({ ab: inside, aa: interval(-4, 4) }, MARGIN)).toBe("inconclusive");
  });

  it("accepts a wide control if the difference is larger", () => {
    const more = interval(5, 7, 0.001);
    expect(decide({ ab: more, aa: interval(-2, 2) }, MARGIN)).toBe("slower");
    expect(decide({ ab: more, aa: interval(-9, 2) }, MARGIN)).toBe("no difference");
    expect(decide({ ab: interval(5, 7, 0.06), aa: interval(-2, 2) }, MARGIN)).toBe("inconclusive");
    expect(decide({ ab: more, aa: interval(3, 5, 0.001) }, MARGIN)).toBe("inconclusive");
    expect(decide({ ab: more, aa: interval(-2, 2) }, { ...MARGIN, decides: false })).toBe("not judged");
  });
});
