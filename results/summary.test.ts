import { describe, expect, it } from "vitest";
import { isDecided } from "./rules/verdict.ts";
import { serializeSummary, summarizeRun } from "./summary.ts";
import { syntheticRun } from "./testing/synthetic-run.ts";

const run = syntheticRun();

describe("summarizeRun", () => {
  const summary = summarizeRun(run);

  it("has every headline question with its verdict, or why it is open", () => {
    const deciding = run.metrics.filter(({ role, decides }) => role === "headline" && decides);
    const missing = run.omissions.filter(({ role, decides }) => role === "headline" && decides);
    expect(summary.warnings).toEqual(expect.arrayContaining([expect.stringMatching(/^SYNTHETIC DATA/)]));
    expect(summary.headline).toHaveLength(deciding.length + missing.length);
    expect(summary.decided).toEqual({
      found: deciding.filter(({ comparison }) => isDecided(comparison)).length,
      of: deciding.length + missing.length,
    });
    for (const { verdict, reason } of summary.headline) expect(reason === null).toBe(isDecided({ verdict }));
    expect(summary.headline.find(({ decidedBy }) => decidedBy === null)).toMatchObject({
      question: "u-boot: reset to countdown",
      difference: null,
      interval: null,
      verdict: "inconclusive",
    });
  });

  it("has the difference to four digits", () => {
    const [metric] = run.metrics;
    const estimate = metric?.comparison.ab.estimate ?? Number.NaN;
    expect(summary.headline[0]?.difference).toBeCloseTo(estimate, 4);
    expect(summary.headline[0]).toMatchObject({
      suite: "boot",
      question: "hello: create",
      decidedBy: "count",
      unit: "%",
    });
  });

  it("has the outcomes of lifetimes, the environment in a line, and is small", () => {
    expect(summary.lifetimes.map(({ asPredicted }) => asPredicted)).toEqual([true, true, false]);
    expect(summary.environment).toBe("Synthetic Processor, 2 logical, Node 20.20.0, 2026-01-02 03:04 UTC");
    expect(JSON.parse(serializeSummary(run))).toEqual(summary);
    expect(serializeSummary(syntheticRun({ large: true })).length).toBeLessThan(40_000);
  });

  it("says that a failed run proves nothing", () => {
    const failed = summarizeRun(syntheticRun({ notEquivalent: true }));
    expect(failed).toMatchObject({ proven: false, headline: [], decided: { found: 0, of: 0 } });
  });
});
