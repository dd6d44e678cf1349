import { describe, expect, it } from "vitest";
import type { Planted, SelfTest } from "#results";
import { syntheticRun } from "#results/testing";
import { chanceOfAtLeast, describeEstimate, judgeRates, judgeShort } from "./judge-rates.ts";
import type { PlantedEstimate } from "./self-test.ts";

describe("chanceOfAtLeast", () => {
  it.each([
    // Cumulative binomial probabilities, as printed in tables to four decimals: one minus P(X <= k - 1). For n = 20,
    // p = 0.05: P(X <= 0) 0.3585, 1: 0.7358, 2: 0.9245, 3: 0.9841, 4: 0.9974.
    [1, 20, 0.05, 1 - 0.3585],
    [2, 20, 0.05, 1 - 0.7358],
    [3, 20, 0.05, 1 - 0.9245],
    [4, 20, 0.05, 1 - 0.9841],
    [5, 20, 0.05, 1 - 0.9974],
    // n = 10, p = 0.5: P(X <= 4) 0.377, P(X <= 7) 0.9453. n = 15, p = 0.2: P(X <= 5) 0.9389.
    [5, 10, 0.5, 1 - 0.377],
    [8, 10, 0.5, 1 - 0.9453],
    [6, 15, 0.2, 1 - 0.9389],
    // n = 20, p = 0.2: P(X <= 7) 0.9679.
    [8, 20, 0.2, 1 - 0.9679],
  ])("of %i of %i at %d agrees with the table", (found, of, probability, expected) => {
    expect(Math.abs(chanceOfAtLeast({ found, of }, probability) - expected)).toBeLessThan(0.00006);
  });

  it("is 1 for zero or more, and a power of the probability for all", () => {
    expect(chanceOfAtLeast({ found: 0, of: 40 }, 0.05)).toBeCloseTo(1, 12);
    expect(chanceOfAtLeast({ found: 12, of: 12 }, 0.3)).toBeCloseTo(0.3 ** 12, 18);
    expect(chanceOfAtLeast({ found: 0, of: 0 }, 0.05)).toBe(1);
  });
});

const base = syntheticRun().selfTest;
if (base === null) throw new TypeError("a synthetic run has a self-test");
const planted = (suite: Planted["suite"], percent: number, found: number, of = 100): Planted => ({
  suite,
  quantity: "time",
  percent,
  found,
  of,
});
const rates = (change: Partial<SelfTest>): SelfTest => ({
  ...base,
  falseAlarms: { found: 0, of: 100 },
  planted: [],
  leaks: { found: 10, of: 10 },
  ...change,
});

describe("judgeRates", () => {
  it("does not complain if every requirement is just met", () => {
    const kept = rates({
      falseAlarms: { found: 5, of: 100 },
      planted: [
        planted("dispatch", 0.5, 80),
        planted("dispatch", 1, 0),
        planted("boot", 0.5, 0),
        planted("boot", 1, 80),
        planted("retention", 1, 80),
        planted("boot", 2, 95),
        planted("dispatch", 5, 0),
      ],
    });
    expect(judgeRates(kept)).toEqual([]);
  });

  it.each<[Partial<SelfTest>, RegExp]>([
    [
      { falseAlarms: { found: 6, of: 100 } },
      /^6 of 100 comparisons of a form with itself claim a difference; at most 5 %/,
    ],
    [
      { planted: [planted("dispatch", 0.5, 79)] },
      /^dispatch, time: 0\.5 % extra work was found in 79 of 100; 80 %/,
    ],
    [{ planted: [planted("boot", 1, 79)] }, /^boot, time: 1 % extra work was found in 79 of 100; 80 %/],
    [
      { planted: [planted("retention", 2, 94)] },
      /^retention, time: 2 % extra work was found in 94 of 100; 95 %/,
    ],
    [{ leaks: { found: 9, of: 10 } }, /^a planted leak was found in 9 of 10; all must be/],
  ])("complains of %j", (change, message) => {
    const complaints = judgeRates(rates(change));
    expect(complaints).toHaveLength(1);
    expect(complaints[0]).toMatch(message);
  });
});

describe("judgeShort", () => {
  it("complains only of rates that chance does not explain", () => {
    // At 5 %, 3 or more of 20 happen in 7.6 % of cases, 6 or more in 0.033 %.
    expect(judgeShort(rates({ falseAlarms: { found: 3, of: 20 } }), [])).toEqual([]);
    expect(judgeRates(rates({ falseAlarms: { found: 3, of: 20 } }))).toHaveLength(1);
    expect(judgeShort(rates({ falseAlarms: { found: 6, of: 20 } }), [])).toHaveLength(1);
    // At 20 % missed, 8 or more of 20 are missed in 3.2 % of cases, 11 or more in 0.056 %.
    const counted = (found: number) => ({ ...planted("boot", 1, found, 20), quantity: "count" as const });
    expect(judgeShort(rates({ planted: [counted(12)] }), [])).toEqual([]);
    expect(judgeShort(rates({ planted: [counted(9)] }), [])).toHaveLength(1);
    expect(judgeShort(rates({ leaks: { found: 4, of: 5 } }), [])).toHaveLength(1);
  });

  it("does not expect a noisy machine to find extra time", () => {
    expect(judgeShort(rates({ planted: [planted("boot", 2, 0, 14)] }), [])).toEqual([]);
  });

  const estimate = (suite: Planted["suite"], low: number, high: number): PlantedEstimate => ({
    suite,
    workload: "board",
    name: "Machine creation",
    percent: 2,
    measured: { estimate: (low + high) / 2, low, high },
  });

  it.each<[number, number, boolean]>([
    [1.9, 2.1, true],
    [-4, 9, true],
    [1.2, 1.75, true],
    [1.2, 1.65, false],
    [2.25, 2.4, true],
    [2.35, 2.4, false],
    [-0.1, 0.1, false],
  ])("expects what was planted, 2 %%, within 0.3 %% of the interval from %d to %d: %s", (low, high, kept) => {
    const complaints = judgeShort(rates({}), [estimate("boot", low, high)]);
    expect(complaints).toEqual(
      kept
        ? []
        : [`${describeEstimate(estimate("boot", low, high))}, which does not include what was planted`],
    );
    expect(judgeShort(rates({}), [estimate("dispatch", low, high)])).toEqual([]);
  });

  it("describes what was planted and what was measured", () => {
    expect(describeEstimate(estimate("boot", 1.5, 2.25))).toBe(
      "boot, board, Machine creation: planted 2 %, measured 1.88 % (1.50 to 2.25)",
    );
  });
});
