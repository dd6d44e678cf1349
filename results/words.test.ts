import { describe, expect, it } from "vitest";
import { syntheticRun } from "./testing/synthetic-run.ts";
import {
  answer,
  formatBytes,
  formatCounts,
  formatNumber,
  formatSigned,
  verdictSentence,
  warnings,
} from "./words.ts";

describe("figures", () => {
  it.each([
    [0, "0"],
    [7, "7"],
    [2.0456, "2.05"],
    [41.26, "41.3"],
    [912.4, "912"],
    [0.001234, "0.00123"],
    [1_204_331, "1\u202f204\u202f331"],
    [-3.5, "\u22123.50"],
  ])("writes %d as %s", (value, text) => {
    expect(formatNumber(value)).toBe(text);
  });

  it.each([
    [0.001, "0"],
    [0.4, "+0.40"],
    [-12.34, "\u221212.3"],
    [-4, "\u22124"],
    [1234.5, "+1\u202f235"],
  ])("signs %d as %s", (value, text) => {
    expect(formatSigned(value)).toBe(text);
  });

  it("gives bytes in powers of 1024 and counts as one figure where processes agree", () => {
    expect(formatBytes(8 * 2 ** 30)).toBe("8\u00a0GiB");
    expect(formatBytes(1536)).toBe("1.50\u00a0KiB");
    expect(formatCounts([3, 3, 3])).toBe("3");
    expect(formatCounts([3, 0, 5])).toBe("0 to 5");
  });
});

describe("sentences", () => {
  const run = syntheticRun();
  const names = { A: "embedded", B: "owned" };

  it("say verdict, difference, interval and control", () => {
    const sentences = run.metrics.map((metric) => verdictSentence(metric, names).replaceAll("\u00a0", " "));
    expect(sentences[0]).toMatch(
      /^Owned and embedded are equivalent within ±2 %: \S+ % \(\S+ to \S+\); A against itself \S+ % \(\S+ to \S+\)\.$/,
    );
    expect(sentences.join("\n")).toMatch(/^Owned is slower than embedded: \+4/m);
    expect(sentences.join("\n")).toMatch(/^Inconclusive, about 40 repeats would settle it/m);
  });

  it("speak of memory as less and more", () => {
    const [metric] = run.metrics.filter(({ comparison }) => comparison.verdict === "slower");
    if (!metric) throw new Error("the synthetic run shows every verdict");
    expect(verdictSentence({ ...metric, quantity: "memory" }, names)).toMatch(
      /^Owned retains more than embedded/,
    );
  });

  it("answer with the count of each verdict and with the control", () => {
    expect(answer(run)[0]).toMatch(/^Owned against embedded, 7 headline metrics: .*equivalent/);
    expect(answer(run)[1]).toMatch(/embedded against itself, claims a difference in \d of 10 metrics/);
  });

  it("report no time when the forms ran different guests", () => {
    const failed = answer(syntheticRun({ notEquivalent: true }));
    expect(failed).toHaveLength(1);
    expect(failed[0]).toMatch(/not equivalent: hello behaved differently. No time is reported/);
  });

  it("warn of a busy machine, changes, a quick run and synthetic data, each with its remedy", () => {
    const environment = { ...run.environment, dirty: true, loadBefore: [3, 1, 1] };
    const text = warnings({ ...run, environment, options: { ...run.options, quick: true } }).join("\n");
    for (const part of [/SYNTHETIC/, /busy .*idle machine/, /changes.*Commit first/, /quick run.*--quick/]) {
      expect(text).toMatch(part);
    }
  });
});
