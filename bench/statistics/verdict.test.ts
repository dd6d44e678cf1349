import { describe, expect, it } from "vitest";
import type { MetricDefinition, Verdict } from "#results";
import { Random } from "./random.ts";
import { decide, judge, type Measured, repeatsNeeded } from "./verdict.ts";

const definition: MetricDefinition = {
  suite: "boot",
  workload: "hello",
  name: "reset to milestone",
  description: "",
  unit: "ms",
  quantity: "time",
  scale: "percent",
  margin: 2,
  role: "headline",
};

describe("decide", () => {
  const rows: [string, number, number, number, number, number, Verdict][] = [
    // what                                     estimate low  high   p     A/A
    ["inside the margin", 0.2, -0.5, 0.9, 0.8, 0.5, "equivalent"],
    ["small but certain: still inside", 0.5, 0.3, 0.7, 0.001, 0.1, "equivalent"],
    ["clearly above", 8, 6, 10, 0.001, 1, "slower"],
    ["clearly below", -8, -10, -6, 0.001, 1, "faster"],
    ["above, but A differs as much from itself", 3, 2.5, 4, 0.001, 3.5, "no difference"],
    ["interval over zero and over the margin", 1, -2, 4, 0.3, 1, "inconclusive"],
    ["interval says yes, ranks say no", 3, 0.5, 5, 0.2, 1, "inconclusive"],
    ["touching the margin is not inside it", 0, -2, 2, 1, 1, "inconclusive"],
  ];
  it.each(rows)("%s", (_, estimate, low, high, p, spread, verdict) => {
    expect(decide({ estimate, low, high }, p, 2, spread)).toBe(verdict);
  });
});

describe("repeatsNeeded", () => {
  it("follows the square root law to the nearer goal", () => {
    // Half width 4 at 10 repeats, no difference: it must shrink to the margin of 2, half: four times as many.
    expect(repeatsNeeded({ estimate: 0, low: -4, high: 4 }, 2, 10)).toBe(40);
    // Difference 3 with half width 6: it must shrink to 3.
    expect(repeatsNeeded({ estimate: 3, low: -3, high: 9 }, 2, 10)).toBe(40);
  });

  it("knows that the interval of few values shrinks faster", () => {
    // Four values, standard deviation 1: Student's half width is 3.182 / 2, a median's of N is 2.456 / sqrt(N).
    const half = 3.182 / 2;
    expect(repeatsNeeded({ estimate: 0, low: -half, high: half }, 0.5, 4)).toBe(
      Math.ceil((2.456 / 0.5) ** 2),
    );
  });

  it("gives up where no sensible number helps", () => {
    expect(repeatsNeeded({ estimate: 1, low: -99, high: 101 }, 1.5, 10)).toBeNull();
  });
});

describe("judge", () => {
  const measure = (name: string, effect: number, noise: number, seed: number): Measured => {
    const random = Random.seeded(seed, name);
    const arm = (centre: number) => Array.from({ length: 10 }, () => centre * (1 + noise * random.normal()));
    return {
      definition: { ...definition, name },
      samples: { A: arm(50), B: arm(50 * (1 + effect)), A2: arm(50) },
    };
  };

  it("tells a real difference, an equivalence and a noisy nothing apart", () => {
    const comparisons = judge([
      measure("slow", 0.1, 0.005, 1),
      measure("same", 0, 0.005, 2),
      measure("noisy", 0, 0.2, 3),
    ]);
    expect(comparisons.map(({ verdict }) => verdict)).toEqual(["slower", "equivalent", "inconclusive"]);
    expect(comparisons[2]?.repeatsNeeded).toBeGreaterThan(10);
    for (const { ab } of comparisons) expect(ab.adjustedPValue).toBeGreaterThanOrEqual(ab.pValue);
  });

  it("claims no difference of a form against itself: 300 metrics, one after the other", () => {
    const metrics = Array.from({ length: 300 }, (_, i) => measure(`m${i}`, 0, 0.02, 100 + i));
    const verdicts = judge(metrics).flatMap(({ verdict, aaVerdict }) => [verdict, aaVerdict]);
    expect(verdicts.filter((verdict) => verdict === "faster" || verdict === "slower")).toEqual([]);
  });

  it("gives one metric the same interval whatever others are judged beside it", () => {
    const one = measure("one", 0.03, 0.01, 4);
    const [alone] = judge([one]);
    const [, second] = judge([measure("other", 0, 0.01, 5), one]);
    expect([second?.ab.low, second?.ab.high]).toEqual([alone?.ab.low, alone?.ab.high]);
  });
});
