import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ARMS, type MetricDefinition, type PerArm, SLICE_ESTIMATOR } from "#results";
import { fromSlices, perArm } from "./measurement.ts";

const definition: MetricDefinition = {
  suite: "dispatch",
  workload: "probes",
  name: "one read",
  quantity: "time",
  source: "regionlab",
  description: "One read.",
  unit: "ns",
  scale: "percent",
  margin: 1,
  role: "headline",
  estimator: "to be set",
  decides: true,
  byConstruction: null,
};

/** Slices of A, the quotients of B and A2 to them in the same turn, and a load. */
const turns = fc.array(
  fc.record({
    a: fc.double({ min: 1, max: 1000, noNaN: true }),
    b: fc.double({ min: 0.5, max: 2, noNaN: true }),
    a2: fc.double({ min: 0.5, max: 2, noNaN: true }),
    load: fc.double({ min: 1, max: 50, noNaN: true }),
  }),
  { minLength: 1, maxLength: 60 },
);

function slicesOf(
  all: readonly { readonly a: number; readonly b: number; readonly a2: number }[],
): PerArm<readonly number[]> {
  return { A: all.map(({ a }) => a), B: all.map(({ a, b }) => a * b), A2: all.map(({ a, a2 }) => a * a2) };
}

describe("fromSlices", () => {
  it("takes A's 10th percentile, and for the others its product with the median quotient of the turns", () => {
    // The 10th percentile of 11 slices is the second smallest. Quotients: 1.1 in six turns, 3 in five.
    const a = [10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20];
    const b = a.map((value, turn) => value * (turn % 2 === 0 ? 1.1 : 3));
    const { estimates, distributions, definition: made } = fromSlices(definition, { A: a, B: b, A2: a });
    expect(estimates.A).toBe(11);
    expect(estimates.A2).toBe(11);
    expect(estimates.B).toBeCloseTo(12.1, 10);
    expect(distributions.A).toMatchObject({ count: 11, min: 10, median: 15, max: 20 });
    expect(made).toEqual({ ...definition, estimator: SLICE_ESTIMATOR });
  });

  it("keeps its quotients under a load that slows all slices of a turn", () => {
    fc.assert(
      fc.property(turns, (all) => {
        const calm = fromSlices(definition, slicesOf(all)).estimates;
        const loaded = fromSlices(
          definition,
          slicesOf(all.map((turn) => ({ ...turn, a: turn.a * turn.load }))),
        ).estimates;
        for (const arm of ARMS) {
          expect(loaded[arm] / loaded.A / (calm[arm] / calm.A)).toBeCloseTo(1, 9);
        }
      }),
    );
  });

  it("is not affected by a load on one arm in fewer than half of the turns", () => {
    const a = Array.from({ length: 21 }, (_, turn) => 20 + (turn % 4));
    const hit = a.map((value, turn) => value * (turn < 10 ? 40 : 1.02));
    expect(fromSlices(definition, { A: a, B: hit, A2: a }).estimates.B / 20).toBeCloseTo(1.02, 10);
  });

  it.each(
    ARMS.flatMap((arm) => [0, -1, Number.NaN, Number.POSITIVE_INFINITY].map((time) => [arm, time] as const)),
  )("refuses a slice of arm %s that took %d", (arm, time) => {
    const times = perArm((each) => [5, each === arm ? time : 5, 5]);
    expect(() => fromSlices(definition, times)).toThrow(
      new RangeError(`one read: the time of a slice of arm ${arm} is not a positive number`),
    );
  });
});
