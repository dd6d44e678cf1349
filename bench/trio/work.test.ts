import fc from "fast-check";
import { afterEach, describe, expect, it, vi } from "vitest";
import type { MetricDefinition } from "#results";
import type { Case } from "../suites/dispatch-loops.ts";
import { plantedSlice } from "./planted.ts";
import { loopWork, type SlicedWork } from "./work.ts";

const definition: MetricDefinition = {
  suite: "dispatch",
  workload: "probes",
  name: "a read",
  quantity: "time",
  source: "regionlab",
  description: "",
  unit: "ns",
  scale: "percent",
  margin: 0.5,
  role: "headline",
  estimator: "",
  decides: true,
  byConstruction: null,
};

afterEach(() => vi.restoreAllMocks());

/** A loop with a mocked clock: an access takes one millisecond, preparation a thousand. */
function counted(batch?: number) {
  let clock = 0;
  vi.spyOn(performance, "now").mockImplementation(() => clock);
  const lengths: number[] = [];
  let prepared = 0;
  const loop = (count: number) => {
    lengths.push(count);
    clock += count;
    return count;
  };
  const before = () => {
    prepared++;
    clock += 1000;
  };
  const subject: Case = {
    name: "a read",
    role: "headline",
    description: "",
    loop,
    before,
    ...(batch === undefined ? {} : { batch }),
  };
  const work = loopWork(definition, subject, { warmUpSlices: 1, slices: 2 });
  const figures = new Float64Array(1);
  return {
    work,
    slice: (count: number, extra: number) => plantedSlice(work, count, extra, figures),
    figure: () => figures[0] ?? Number.NaN,
    accesses: () => lengths.reduce((sum, length) => sum + length, 0),
    lengths,
    prepared: () => prepared,
  };
}

const counts = fc.integer({ min: 1, max: 5000 });
const batches = fc.option(fc.integer({ min: 1, max: 1024 }), { nil: undefined });

describe("loopWork", () => {
  it("makes as many accesses as requested, and gives the time of one", () => {
    fc.assert(
      fc.property(counts, batches, (count, batch) => {
        const { slice, accesses, figure } = counted(batch);
        slice(count, 0);
        expect(accesses()).toBe(count);
        expect(figure()).toBeCloseTo(1e6, 3);
      }),
    );
  });

  it("makes planted accesses in addition, and the figure grows in proportion, as it does not know of them", () => {
    fc.assert(
      fc.property(counts, batches, fc.constantFrom(0.005, 0.01, 0.02, 0.05, 1), (count, batch, extra) => {
        const { slice, accesses, figure } = counted(batch);
        slice(count, extra);
        // The number of accesses is rounded to an integer.
        expect(Math.abs(accesses() - count * (1 + extra))).toBeLessThanOrEqual(0.5 + 1e-9);
        expect(figure()).toBeCloseTo((1e6 * accesses()) / count, 3);
      }),
    );
  });

  it("plants exactly 5 % if that is an integer number of accesses", () => {
    for (const [count, batch] of [
      [6400, undefined],
      [2048, 1024],
      [5120, 1024],
    ] as const) {
      const [plain, planted] = [counted(batch), counted(batch)];
      plain.slice(count, 0);
      planted.slice(count, 0.05);
      expect([batch, planted.accesses() / plain.accesses()]).toEqual([batch, expect.closeTo(1.05, 3)]);
    }
  });

  it("plants a busy loop after what cannot be divided, and every figure grows by as much", () => {
    let clock = 0;
    vi.spyOn(performance, "now").mockImplementation(() => {
      clock += 0.001;
      return clock;
    });
    const work: SlicedWork = {
      metrics: [definition, definition],
      step: 1,
      warmUpSlices: 1,
      slices: 2,
      divisible: false,
      slice(count, into) {
        clock += 10 * count;
        into.set([count, 7]);
      },
    };
    for (const extra of [0, 0.005, 0.05, 1]) {
      const figures = new Float64Array(3).fill(9);
      plantedSlice(work, 20, extra, figures);
      const [first = 0, second = 0, third] = figures;
      expect([first / 20, second / 7]).toEqual([expect.closeTo(1 + extra, 4), expect.closeTo(1 + extra, 4)]);
      expect(third).toBe(9);
    }
  });

  it("prepares once per batch, untimed, and keeps batches within their limit", () => {
    fc.assert(
      fc.property(counts, fc.integer({ min: 1, max: 1024 }), (count, batch) => {
        const { slice, lengths, prepared, figure } = counted(batch);
        slice(count, 0);
        expect(prepared()).toBe(Math.ceil(count / batch));
        expect(lengths).toHaveLength(prepared());
        expect(Math.max(...lengths)).toBeLessThanOrEqual(batch);
        expect(figure()).toBeCloseTo(1e6, 3);
      }),
    );
    const whole = counted();
    whole.slice(640, 0);
    expect([whole.prepared(), whole.lengths]).toEqual([1, [640]]);
  });

  it("has the batch as its step, so that slices hold whole batches", () => {
    expect(counted(1024).work.step).toBe(1024);
    expect(counted().work).toMatchObject({ step: 64, warmUpSlices: 1, slices: 2, metrics: [definition] });
  });
});
