import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Comparison, MetricDefinition } from "../schema.ts";
import { type Look, Random } from "../statistics/index.ts";
import { canCompareMachines, judge, type Measured } from "./judge.ts";
import { isDecided } from "./verdict.ts";

const definition: MetricDefinition = {
  suite: "boot",
  workload: "hello",
  name: "reset to milestone",
  description: "",
  unit: "ms",
  quantity: "time",
  source: "regionlab",
  scale: "percent",
  margin: 2,
  role: "headline",
  estimator: "",
  decides: true,
  byConstruction: null,
};

const once: Look = { level: 0.95, looks: 1 };

interface Truth {
  readonly name?: string;
  /** Difference of B and of A2 from A, as a fraction. */
  readonly effect?: number;
  readonly aaEffect?: number;
  readonly noise?: number;
  readonly processes?: number;
  readonly machines?: (place: number) => number;
  readonly look?: Look;
  readonly change?: Partial<MetricDefinition>;
  readonly seed?: number;
}

function measure({
  name = "metric",
  effect = 0,
  aaEffect = 0,
  noise = 0.005,
  processes = 12,
  machines = () => 0,
  look = once,
  change = {},
  seed = 1,
}: Truth): Measured {
  const random = Random.seeded(seed, name);
  const arm = (centre: number) =>
    Array.from({ length: processes }, () => centre * (1 + noise * random.normal()));
  return {
    definition: { ...definition, name, ...change },
    samples: { A: arm(50), B: arm(50 * (1 + effect)), A2: arm(50 * (1 + aaEffect)) },
    machines: Array.from({ length: processes }, (_, place) => machines(place)),
    look,
  };
}

function judgeOne(truth: Truth): Comparison {
  const [comparison] = judge([measure(truth)]);
  if (comparison === undefined) throw new RangeError("one comparison per metric");
  return comparison;
}

describe("judge", () => {
  it("tells a real difference, an equivalence and a noisy nothing apart", () => {
    const comparisons = judge([
      measure({ name: "slow", effect: 0.1 }),
      measure({ name: "fast", effect: -0.1 }),
      measure({ name: "same" }),
      measure({ name: "noisy", noise: 0.2 }),
    ]);
    expect(comparisons.map(({ verdict }) => verdict)).toEqual([
      "slower",
      "faster",
      "equivalent",
      "inconclusive",
    ]);
    for (const { ab, aa, aaSpread } of comparisons) {
      expect(ab.adjustedPValue).toBeGreaterThanOrEqual(ab.pValue);
      expect(aaSpread).toBe(Math.max(Math.abs(aa.low), Math.abs(aa.high)));
    }
  });

  it("claims no difference of a form against itself: 300 metrics, one after the other", () => {
    const metrics = Array.from({ length: 300 }, (_, i) =>
      measure({ name: `m${i}`, noise: 0.02, seed: 100 + i }),
    );
    const verdicts = judge(metrics).flatMap(({ verdict, aaVerdict }) => [verdict, aaVerdict]);
    expect(verdicts.filter((verdict) => verdict === "faster" || verdict === "slower")).toEqual([]);
  });

  it("gives a metric the same interval, whichever others are judged with it", () => {
    const one = measure({ name: "one", effect: 0.03, noise: 0.01 });
    const [alone] = judge([one]);
    const [, second] = judge([measure({ name: "other", noise: 0.01 }), one]);
    expect([second?.ab.low, second?.ab.high]).toEqual([alone?.ab.low, alone?.ab.high]);
  });

  it("multiplies the chance by the number of looks, then by Holm within headlines and within the rest", () => {
    // All twelve pairs above: 2 / 2^12. Three looks and two equally certain headlines multiply it by three and by two.
    const look: Look = { level: 1 - 0.05 / 3, looks: 3 };
    const sure = (name: string, change: Partial<MetricDefinition> = {}) =>
      measure({ name, effect: 0.1, look, change });
    const [first, second, detail] = judge([sure("a"), sure("b"), sure("c", { role: "detail" })]);
    for (const headline of [first, second])
      expect(headline?.ab.adjustedPValue).toBeCloseTo((2 * 3 * 2) / 2 ** 12, 12);
    expect(detail?.ab.adjustedPValue).toBeCloseTo((3 * 2) / 2 ** 12, 12);
    expect(first?.ab.level).toBeGreaterThanOrEqual(look.level);
  });

  it("leaves a question open if A differs from itself: the instrument is wrong, so a verdict would be, too", () => {
    const { verdict, aaVerdict, reason } = judgeOne({ effect: 0.1, aaEffect: 0.05 });
    expect([verdict, aaVerdict]).toEqual(["inconclusive", "slower"]);
    expect(reason).toMatch(
      /A differs from itself by 5(\.\d+)? %, which by the same rule is no chance, so no verdict can be/,
    );
  });

  it("says so if A differs from itself, within the margin, by as much as B from A", () => {
    // A2 is 1.5 % below A and B 1.5 % above: certain, but no larger than what A shows against itself.
    const { verdict, reason } = judgeOne({ effect: 0.015, aaEffect: -0.015, noise: 0.006, processes: 14 });
    expect(verdict).toBe("no difference");
    expect(reason).toMatch(/B differs from A by .* %, but A differs from itself by up to/);
  });

  it("does not judge a figure that does not decide", () => {
    const { verdict, reason } = judgeOne({ effect: 0.1, change: { decides: false } });
    expect(verdict).toBe("not judged");
    expect(reason).toBe("Only shown: it was not meant to decide.");
  });

  it("gives too few processes, too many questions, and noise as reasons", () => {
    expect(judgeOne({ processes: 2, noise: 0.1 }).reason).toMatch(
      /^2 processes give an interval of ±\d.* %, and the margin is .*; fewer than 6 cannot show a difference, however large: more processes are needed/,
    );
    // All six pairs above: a chance of 3.1 %, or 6.3 % as the more certain of two headlines. The interval straddles the
    // margin.
    const [close] = judge([
      measure({ name: "one", effect: 0.02, noise: 0.002, processes: 6 }),
      measure({ name: "two", noise: 0.002, processes: 6 }),
    ]);
    expect(close?.reason).toMatch(
      /^The difference, 2\.\d+ %, has an interval without zero, but among as many questions as this run asks its chance is still 6\.\d %/,
    );
    // The same far above the margin: only the number of questions is in the way.
    const [far] = judge([
      measure({ name: "one", effect: 0.08, noise: 0.002, processes: 6 }),
      measure({ name: "two", noise: 0.002, processes: 6 }),
    ]);
    expect(far?.verdict).toBe("inconclusive");
    expect(far?.reason).toMatch(
      /^The difference, 8\.\d+ %, is larger than the margin of 2 %, but among as many questions as this run asks its chance is still 6\.\d %, and at most 5 % would do: more processes/,
    );
    expect(judgeOne({ noise: 0.2 }).reason).toMatch(/^The control is known to ±/);
  });

  it.each([{ effect: 0.1, aaEffect: 0.05 }, { noise: 0.2 }, { noise: 0.02 }, { processes: 2, noise: 0.1 }])(
    "tells nobody to count on a quieter machine, or to count at all, where the figure is a count: %j",
    (truth) => {
      const { reason } = judgeOne({ ...truth, change: { quantity: "count", unit: "instructions" } });
      expect(reason).not.toBeNull();
      expect(reason).not.toMatch(/quieter|exact count|\de\+/);
    },
  );

  it("writes large margins and intervals without exponents", () => {
    const change = { scale: "absolute", unit: "B/round", margin: 256 } as const;
    const { reason } = judgeOne({ processes: 3, noise: 5, change });
    expect(reason).toMatch(/ ±\d+(\.\d+)? B\/round, and the margin is 256 B\/round/);
  });

  it("gives a reason if and only if a verdict is open", () => {
    const truth = fc.record({
      effect: fc.constantFrom(0, 0.01, 0.02, 0.03, -0.1),
      aaEffect: fc.constantFrom(0, 0, 0.01, 0.05),
      noise: fc.constantFrom(0, 0.001, 0.01, 0.1),
      processes: fc.integer({ min: 2, max: 20 }),
      machines: fc.constantFrom<(place: number) => number>(
        () => 0,
        (place) => place % 2,
      ),
      change: fc.constantFrom<Partial<MetricDefinition>>(
        {},
        { decides: false },
        { scale: "absolute", unit: "B" },
      ),
      seed: fc.integer(),
    });
    fc.assert(
      fc.property(fc.array(truth, { minLength: 1, maxLength: 4 }), (truths) => {
        for (const comparison of judge(truths.map(measure))) {
          expect(comparison.reason === null).toBe(isDecided(comparison));
          if (comparison.reason !== null) expect(comparison.reason).toMatch(/^[A-Z0-9].*\.$/);
        }
      }),
      { numRuns: 60 },
    );
  });
});

describe("judging machines", () => {
  const halves = (place: number) => (place < 12 ? 0 : 1);

  /** The same difference on both machines, or 1 % on one and 5 % on the other. */
  function twoMachines(second: number): Measured {
    const one = measure({ name: "one", effect: 0.01, noise: 0.001, processes: 12 });
    const other = measure({ name: "two", effect: second, noise: 0.001, processes: 12 });
    return {
      ...one,
      samples: {
        A: [...one.samples.A, ...other.samples.A],
        B: [...one.samples.B, ...other.samples.B],
        A2: [...one.samples.A2, ...other.samples.A2],
      },
      machines: Array.from({ length: 24 }, (_, place) => halves(place)),
    };
  }

  it("that agree gives the interval of all processes together", () => {
    const both = twoMachines(0.01);
    const [merged] = judge([both]);
    const [unblocked] = judge([{ ...both, machines: both.machines.map(() => 0) }]);
    expect(merged?.machines).toBeNull();
    expect(merged?.ab).toEqual(unblocked?.ab);
    expect(merged?.verdict).toBe("equivalent");
  });

  it("that differ widens the interval to cover them all, and says so", () => {
    const both = twoMachines(0.05);
    const [merged] = judge([both]);
    const [unblocked] = judge([{ ...both, machines: both.machines.map(() => 0) }]);
    expect(merged?.machines).toMatch(
      /^The 2 machines differ: their estimates range from 1\.\d\d to (4\.9|5\.0)\d %/,
    );
    expect(merged?.ab.low).toBeLessThanOrEqual(unblocked?.ab.low ?? Number.NaN);
    expect(merged?.ab.high).toBeGreaterThanOrEqual(unblocked?.ab.high ?? Number.NaN);
    expect(merged?.ab.low).toBeLessThan(1.05);
    expect(merged?.ab.high).toBeGreaterThan(4.9);
    expect(merged?.ab.estimate).toBe(unblocked?.ab.estimate);
    expect(unblocked?.machines).toBeNull();
  });

  it("finds identical machines different at most once in a hundred times, as it says", () => {
    const trials = 400;
    const differing = Array.from({ length: trials }, (_, seed) =>
      judgeOne({ seed, name: `trial ${seed}`, processes: 24, machines: halves }),
    ).filter(({ machines }) => machines !== null).length;
    // Four standard deviations of a binomial; the chi-squared approximation is known to be conservative.
    expect(differing / trials).toBeLessThan(0.01 + 4 * Math.sqrt((0.01 * 0.99) / trials));
  });

  it("tells machines apart by four counts each, which scatter by less than they differ", () => {
    const exact: Look = { ...once, exact: true };
    const counted = (effect: number, name: string) =>
      measure({ name, effect, noise: 0.0002, processes: 4, look: exact, change: { quantity: "count" } });
    const merged = (second: number) => {
      const [one, other] = [counted(0.015, "one"), counted(second, "two")];
      const of = (arm: "A" | "B" | "A2") => [...one.samples[arm], ...other.samples[arm]];
      const samples = { A: of("A"), B: of("B"), A2: of("A2") };
      return judge([{ ...one, samples, machines: [0, 0, 0, 0, 1, 1, 1, 1] }])[0];
    };
    expect(merged(0.015)?.machines).toBeNull();
    expect(merged(0.005)?.machines).toMatch(/^The 2 machines differ: .* from 0\.\d+ to 1\.\d+ %/);
    expect(merged(0.005)?.ab.high).toBeGreaterThan(1.5);
  });

  it("knows how many processes on each machine it takes to tell them apart", () => {
    const places = (...sizes: number[]) =>
      sizes.flatMap((size, machine) => Array<number>(size).fill(machine));
    const exact: Look = { ...once, exact: true };
    expect(canCompareMachines(places(1, 1), exact)).toBe(false);
    expect(canCompareMachines(places(2, 2), exact)).toBe(true);
    // Of 4 and 4 without overlap, the chi-squared approximation says 2.1 %; of 5 and 5, 0.9 %.
    expect(canCompareMachines(places(4, 4), once)).toBe(false);
    expect(canCompareMachines(places(5, 5), once)).toBe(true);
  });

  it("ignores a machine with a single process", () => {
    expect(judgeOne({ processes: 8, machines: (place) => (place === 7 ? 1 : 0) }).machines).toBeNull();
  });
});
