import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { warnings } from "./environment-words.ts";
import { controlSentence, selfTestSentence } from "./instrument-words.ts";
import { verdictTable } from "./renderers/verdict-table.ts";
import { NO_FAULTS, type Run, type Verdict } from "./schema.ts";
import { syntheticRun } from "./testing/synthetic-run.ts";
import {
  clause,
  formatBytes,
  formatCounts,
  formatFigures,
  formatNumber,
  formatSigned,
  listOf,
  outcomeWords,
  verdictChip,
  verdictClaim,
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
    [0.0004, "0"],
    [0.012, "+0.012"],
    [0.4, "+0.40"],
    [-12.34, "\u221212.3"],
    [-4, "\u22124"],
    [1234.5, "+1\u202f235"],
  ])("signs %d as %s", (value, text) => {
    expect(formatSigned(value)).toBe(text);
  });

  it("gives bytes in powers of 1024, and counts as one figure if the processes agree", () => {
    expect(formatBytes(8 * 2 ** 30)).toBe("8\u00a0GiB");
    expect(formatBytes(1536)).toBe("1.50\u00a0KiB");
    expect(formatCounts([3, 3, 3])).toBe("3");
    expect(formatCounts([3, 0, 5])).toBe("0 to 5");
  });

  it("shows two figures with enough digits to see their difference", () => {
    expect(formatFigures({ a: 5.7, b: 5.7 })).toEqual(["5.70", "5.70"]);
    expect(formatFigures({ a: 5.7, b: 5.706 })).toEqual(["5.7000", "5.7060"]);
    expect(formatFigures({ a: 105_412_331, b: 105_200_000 })).toEqual([
      "105\u202f412\u202f331",
      "105\u202f200\u202f000",
    ]);
    fc.assert(
      fc.property(
        fc.double({ min: 0.5, max: 450, noNaN: true }),
        fc.double({ min: 1.001, max: 2, noNaN: true }),
        (a, factor) => {
          const [one = Number.NaN, other = Number.NaN] = formatFigures({ a, b: a * factor }).map(Number);
          const difference = a * (factor - 1);
          expect(Math.abs(other - one - difference)).toBeLessThanOrEqual(0.1001 * difference);
        },
      ),
    );
  });
});

describe("words", () => {
  const run = syntheticRun();
  const names = { A: "embedded", B: "owned" };
  const [slower] = run.metrics.filter(({ comparison }) => comparison.verdict === "slower");
  if (!slower) throw new Error("the synthetic run shows every verdict");

  it("are less and more for memory and counts, faster and slower for time", () => {
    expect(verdictClaim({ ...slower, quantity: "time" }, names)).toBe("owned is slower than embedded");
    expect(verdictClaim({ ...slower, quantity: "count" }, names)).toBe(
      "owned takes more instructions than embedded",
    );
    expect(verdictClaim({ ...slower, quantity: "memory" }, names)).toBe(
      "owned retains more memory than embedded",
    );
    expect(verdictChip("faster", { ...slower, quantity: "count" })).toBe("\u25bc\u00a0less");
  });

  it("are more and fewer for reads, and equal for equal numbers, whatever the margin", () => {
    const reads = { ...slower, quantity: "reads", margin: 0.5, scale: "absolute", unit: "fields" } as const;
    const as = (verdict: Verdict, byConstruction: string | null = null) => ({
      ...reads,
      byConstruction,
      comparison: { ...slower.comparison, verdict },
    });
    expect(verdictClaim(as("slower"), names)).toBe("owned reads more region fields than embedded");
    expect(verdictClaim(as("faster"), names)).toBe("owned reads fewer region fields than embedded");
    expect(verdictClaim(as("equivalent"), names)).toBe("owned and embedded are equal in region fields read");
    expect(verdictClaim(as("equivalent", "It reads none."), names)).toBe(
      "owned and embedded are equal in region fields read, by construction",
    );
    expect(verdictChip("equivalent", as("equivalent"))).toBe("=\u00a0equal");
    expect(verdictChip("equivalent", as("equivalent", "It reads none."))).toBe(
      "=\u00a0equal by construction",
    );
  });

  it("name the faults of a lifetime scenario, worst first", () => {
    const clean = NO_FAULTS;
    expect(outcomeWords({ ...clean, aborts: 2, blocksHeld: 1, bytesHeld: 512 })).toBe(
      "abort (2) and 1 block piled up until the device ends (512\u00a0B)",
    );
    expect(outcomeWords(clean)).toBe("clean");
    expect(
      outcomeWords({ ...clean, usesAfterFree: 2, usesAfterFinalize: 1, blocksUnfreed: 1, bytesUnfreed: 512 }),
    ).toBe("use after free (2), use after finalize (1) and 1 block never freed (512\u00a0B)");
  });

  it("join into sentences, and keep the capitals of names", () => {
    expect(listOf(["a", "b", "c"])).toBe("a, b and c");
    expect(clause("The interval is wide.")).toBe("the interval is wide");
    expect(clause("Debian is not here.")).toBe("Debian is not here");
    expect(clause("A/A differs.")).toBe("A/A differs");
  });

  it("count where a difference could have been claimed, given the number of figures", () => {
    const [first] = run.metrics;
    if (first === undefined) throw new RangeError("a run has metrics");
    // Student's t of the margin is 6.4 with 3 degrees of freedom: 0.8 % for one figure, 5.5 % for seven (Bonferroni).
    const aa = { ...first.comparison.aa, estimate: 0, low: -0.1, high: 0.1, level: 0.95, pairs: 4 };
    const counted = {
      ...first,
      quantity: "count",
      margin: 0.2,
      comparison: { ...first.comparison, aa },
    } as const;
    const able = (figures: number) =>
      controlSentence({ ...run, metrics: Array.from({ length: figures }, () => counted) });
    expect(able(1)).toContain("in 1 of them it could have claimed");
    expect(able(6)).toContain("in 6 of them it could have claimed");
    expect(able(7)).toContain("in 0 of them it could have claimed");
  });

  it("say how reliable the instrument is, or that it was not tested", () => {
    expect(controlSentence(run)).toMatch(
      /applied to embedded against itself, claims a difference in 1 of 23 figures; in \d+ of them it could have claimed one as large as the margin \(an interval narrow enough, and processes enough\)\.$/,
    );
    expect(selfTestSentence(null)).toBe(
      "The instrument's self-test has not been run here; run npm run bench:selftest.",
    );
    expect(selfTestSentence(run.selfTest).replaceAll("\u00a0", " ")).toMatch(
      /false alarms 2 of 100; extra work planted in dispatch latency: 0\.5 % found in 41 of 100, 1 % found in 93 of 100, .*planted leaks found in 100 of 100 \(20 processes per comparison of times; 2026-01-01 00:00 UTC, Synthetic Processor, Node 20/,
    );
  });

  it("warn of everything that limits a run, each with its remedy", () => {
    const [machine] = run.machines;
    if (machine === undefined) throw new Error("a run has a machine");
    const machines = [{ ...machine, resumed: 7, dirty: true, loadBefore: [3, 1, 1], cpuModel: "Another" }];
    const requirements = run.requirements.map((item) => ({ ...item, met: false }));
    const [lost] = run.schedule.processes.filter((process) => process.lost !== null);
    if (lost === undefined) throw new Error("the run has a lost process");
    const processes = [...run.schedule.processes, { ...lost, task: "board", lost: "it was killed" }];
    const text = warnings({
      ...run,
      machines,
      requirements,
      schedule: { ...run.schedule, processes },
      options: { ...run.options, quick: true, shard: "2/4" },
    })
      .map(({ text }) => text)
      .join("\n");
    for (const part of [
      /^SYNTHETIC/,
      /busy .*idle machine/,
      /changes.*Commit first/,
      /interrupted and resumed after 7 processes: date, duration and load are those of its last part/,
      /quick run.*--quick/,
      /PREDICTION FAILED in claims C3 and C4: something was observed otherwise/,
      /PREDICTION FAILED in re-realize, owned: expected 100 blocks never freed .*, observed clean\./,
      /2 of 74 processes gave no sample: 1 \(boot hello, counted\): the process took longer.*; 1 \(board\): it was killed\./,
      /Part 2\/4 .*merge all parts/,
      /LIMIT EXCEEDED: Access with the last section hit/,
      /^Machine creation took longer than its limit of 20.ms, which holds for an idle machine; this one was busy/m,
      /self-test ran elsewhere \(Synthetic Processor, Node .*npm run bench:selftest/,
    ]) {
      expect(text).toMatch(part);
    }
    const contradicted = run.metrics.map((metric) => ({
      ...metric,
      comparison: { ...metric.comparison, aaVerdict: "faster" as const },
    }));
    const falseAlarms = { found: 100, of: 190 };
    const leaks = { found: 39, of: 40 };
    const planted = (run.selfTest?.planted ?? []).map((item) => ({ ...item, found: 0 }));
    const selfTest = run.selfTest && { ...run.selfTest, falseAlarms, leaks, planted };
    const command = "npx regionlab bench boot --convert 'rtc/*' --seed 1";
    const mixed = warnings({ ...run, options: { ...run.options, command } }).map(({ text }) => text);
    expect(mixed).toContainEqual(
      expect.stringMatching(/^Owned stands for the embedded devices .* match rtc\/\* are converted/),
    );
    const broken = warnings({ ...run, metrics: contradicted, selfTest });
    for (const part of [
      /^CONTROL FAILED: embedded differs from itself/,
      /^SELF-TEST FAILED: 100 false alarms in 190/,
      /^SELF-TEST FAILED: too little .* found \(1.% in dispatch latency, found in 0 of 100;? ?.*leaks, found in 39 of 40\): do not/,
    ])
      expect(broken.filter(({ grave, text }) => grave && part.test(text))).toHaveLength(1);
    const [one] = run.machines;
    const [first] = run.metrics;
    if (one === undefined || first === undefined) throw new RangeError("a run has a machine and metrics");
    const merged = (each: number) => {
      const processes = Array.from({ length: 2 * each }, (_, i) => ({
        ...run.schedule.processes[0],
        machine: i % 2,
        lost: null,
      })) as Run["schedule"]["processes"];
      const metric = { ...first, quantity: "count", processes: processes.map((_, i) => i) } as const;
      const machines = [one, { ...one, id: "two" }];
      const schedule = { ...run.schedule, processes };
      const told = { ...run, machines, schedule, metrics: [metric] };
      return [
        ...warnings(told).map(({ text }) => text),
        ...verdictTable(told, "", [first.role]).rows.flatMap(({ notes }) => notes ?? []),
      ];
    };
    const row =
      /^Of 2 machines \(instructions\), with 1 and 1 processes, nobody can tell whether they differ\.$/;
    expect(merged(1)).toContainEqual(expect.stringMatching(row));
    expect(merged(2)).not.toContainEqual(expect.stringMatching(row));
    const few = /^In 1 of 1 figure, too few processes ran on one machine or another to tell whether/;
    expect(merged(1)).toContainEqual(expect.stringMatching(few));
    expect(merged(2)).not.toContainEqual(expect.stringMatching(few));
    const metrics = run.metrics.map((metric) => ({ ...metric, outliers: { A: [], B: [], A2: [] } }));
    const schedule = { seed: 1, processes: [] };
    expect(warnings({ ...run, synthetic: false, lifetimes: [], claims: [], schedule, metrics })).toEqual([]);
  });
});
