import { describe, expect, it } from "vitest";
import { type AnswerPart, answer } from "./answer.ts";
import type { Metric, Run, Suite } from "./schema.ts";
import { base, figure, runOf, time } from "./testing/figures.ts";
import { syntheticRun } from "./testing/synthetic-run.ts";

const equal = (suite: Suite, name: string) => figure({ suite, workload: "w", name }, 0.05, 0.1);
const growth = {
  suite: "retention",
  quantity: "memory",
  scale: "absolute",
  unit: "B/round",
  margin: 16,
} as const;

function partOf(run: Run, topic: AnswerPart["topic"]): { finding: string; text: string } {
  const part = answer(run).parts.find((each) => each.topic === topic);
  if (part === undefined) throw new Error(`no part on ${topic}`);
  return { finding: part.finding, text: part.sentences.join(" ").replaceAll("\u00a0", " ") };
}

describe("the answer", () => {
  it("says what is equal, within which margin, in how many questions, and that it is about this emulator", () => {
    const run = runOf([
      equal("boot", "create"),
      equal("dispatch", "hit"),
      equal("dispatch", "miss"),
      figure({ ...growth, name: "growth" }, 1, 2),
    ]);
    expect(partOf(run, "Time")).toEqual({
      finding: "equal",
      text:
        "Boot time: equal within ±0.5 % in the only question. Dispatch latency: equal within ±0.5 % in all 2 questions. " +
        "All of this applies to this emulator under V8, not to QEMU in C.",
    });
    expect(partOf(run, "Memory")).toEqual({
      finding: "equal",
      text: "Heap growth: equal within ±16 B/round in the only question.",
    });
    expect(answer(run).lead).toBe("Owned and embedded are equal in time and heap growth.");
  });

  it("says what differs, by how much, and in which quantity", () => {
    const count = figure({ workload: "w", name: "count", quantity: "count", margin: 0.2 }, -3, 0.1);
    const slower = figure({ workload: "w", name: "slow" }, 4.2, 0.3);
    const more = figure({ ...growth, workload: "w", name: "growth" }, 272, 3);
    const run = runOf([equal("dispatch", "hit"), slower, count, more]);
    expect(partOf(run, "Time")).toMatchObject({
      finding: "differs",
      text: expect.stringContaining(
        "Dispatch latency: equal within ±0.5 % in 1 of 3 questions; in “w: slow” owned is slower than embedded, " +
          "+4.20 % (+3.90 to +4.50); in “w: count” owned takes fewer instructions than embedded, −3 % (−3.10 to −2.90).",
      ),
    });
    expect(partOf(run, "Memory").text).toContain(
      "in “w: growth” owned retains more memory than embedded, +272 B/round (+269 to +275)",
    );
    expect(answer(run).lead).toBe(
      "Owned and embedded differ in time, instructions and memory retained. To choose: embedded costs more in 1 question of instructions, by " +
        "at most 3.20\u00a0%; owned costs more in 1 question of time, by at most 4.50\u00a0%; owned retains more memory in 1 question.",
    );
  });

  it("gives an upper bound for several differences, but not for a single one", () => {
    const count = (name: string, estimate: number) =>
      figure({ workload: "w", name, quantity: "count", margin: 0.2 }, estimate, 0.1);
    const two = partOf(runOf([count("made", 0.6), count("ended", -1)]), "Time").text;
    expect(two).toContain("None of these differences is larger than 1.10 %.");
    expect(partOf(runOf([count("made", 0.6)]), "Time").text).not.toContain("None of these");
    expect(partOf(runOf([equal("dispatch", "hit")]), "Time").text).not.toContain("None of these");
  });

  it("lists the largest of many differences, and counts the rest", () => {
    const metrics = Array.from({ length: 9 }, (_, i) => figure({ workload: "w", name: `q${i}` }, i + 1, 0.1));
    const { text } = partOf(runOf(metrics), "Time");
    expect(text).toContain("in “w: q8”");
    expect(text).not.toContain("in “w: q2”");
    expect(text).toContain("3 more differ by less (see the table)");
  });

  it("names every open question with its reason, grouped by reason", () => {
    const open = (name: string) => figure({ workload: "w", name }, 0.4, 2);
    const missing = {
      ...time,
      workload: "w",
      name: "counted",
      quantity: "count",
      reason: "Not counted: valgrind is not installed; apt-get install valgrind.",
    } as const;
    const run = runOf([open("one"), open("two")], { omissions: [missing] });
    expect(partOf(run, "Time")).toMatchObject({
      finding: "open",
      text: expect.stringContaining(
        "none of 3 questions is decided. Not decided: “w: one” and “w: two” (the interval is wider than the margin: measure on " +
          "an idle machine); “w: counted” (not counted: valgrind is not installed; apt-get install valgrind).",
      ),
    });
    expect(answer(run).lead).toBe("Not settled by this run: time.");
  });

  it("does not call a topic equal while some of its rows are undecided", () => {
    const run = runOf([equal("dispatch", "hit"), figure({ workload: "w", name: "open" }, 0.4, 2)]);
    expect(partOf(run, "Time").finding).toBe("open");
    expect(answer(run).lead).not.toContain("equal");
  });

  it("gives the reason of another figure, a time first, for a question without a deciding figure", () => {
    const beside = (changes: Partial<Metric>, reason: string) => {
      const metric = figure({ workload: "w", name: "beside", decides: false, ...changes }, 0.1, 0.1);
      return { ...metric, comparison: { ...metric.comparison, reason } };
    };
    const reads = { quantity: "reads", scale: "absolute" } as const;
    const run = runOf([
      beside(reads, "Not the figure that decides."),
      beside({}, "A time of this work decides nothing."),
      beside({ ...reads, name: "read" }, "Not the figure that decides."),
    ]);
    expect(partOf(run, "Time")).toMatchObject({
      finding: "open",
      text: expect.stringContaining(
        "none of 2 questions is decided. Not decided: “w: beside” (a time of this work decides nothing); “w: read” (not the figure that decides).",
      ),
    });
  });

  it("calls accesses that read no region field equal by construction, without a margin", () => {
    const reads = (name: string, byConstruction: string | null) =>
      figure(
        {
          workload: "w",
          name,
          quantity: "reads",
          scale: "absolute",
          unit: "fields",
          margin: 0.5,
          byConstruction,
        },
        0,
        0,
      );
    const hits = [reads("hit", "It reads none."), reads("write", "It reads none.")];
    const { finding, text } = partOf(runOf(hits), "Time");
    expect(finding).toBe("equal");
    expect(text).toMatch(
      /^Dispatch latency: equal in region fields read, by construction, in all 2 questions\. By construction means accesses that read no region field\. Others read some, .*: “read, section miss” \(5\)\. All of this/,
    );
    expect(partOf(runOf(hits, { fieldReads: [] }), "Time").text).toMatch(/in all 2 questions\. All of this/);
    expect(partOf(runOf([...hits, equal("dispatch", "miss"), reads("some", null)]), "Time").text).toContain(
      "equal in region fields read, by construction, in 2 of 4 questions; equal in region fields read in 1 of 4 questions; " +
        "equal within ±0.5 % in 1 of 4 questions",
    );
    expect(partOf(runOf(hits.slice(0, 1)), "Time").text).toContain(
      "equal in region fields read, by construction, in the only question",
    );
    const more = {
      ...reads("more", null),
      ...figure(
        { workload: "w", name: "more", quantity: "reads", scale: "absolute", unit: "fields", margin: 0.5 },
        2,
        0,
      ),
    };
    expect(partOf(runOf([more]), "Time").text).toContain(
      "in “w: more” owned reads more region fields than embedded, +2 fields",
    );
  });

  it("says that nothing was measured, and which suite was left out", () => {
    expect(answer(runOf([])).lead).toBe("Nothing was measured that could tell the patterns apart.");
    expect(partOf(runOf([]), "Lifetime hazards").text).toBe("No lifetime scenario was run.");
    const only = runOf([equal("dispatch", "hit")], { options: { ...base.options, suites: ["dispatch"] } });
    expect(partOf(only, "Memory")).toEqual({
      finding: "not measured",
      text: "No memory was measured, because this run was asked for dispatch only.",
    });
    expect(answer(only).lead).toBe("Owned and embedded are equal in time.");
  });

  it("reports nothing but the failure if the forms ran different guests", () => {
    const failed = answer(syntheticRun({ notEquivalent: true }));
    expect(failed.parts).toEqual([]);
    expect(failed.lead).toMatch(
      /^The two forms are not equivalent: hello behaved differently\. No times are reported/,
    );
  });

  it("calls every difference an error if both arms have the same form", () => {
    const options = { ...base.options, forms: { A: "owned", B: "owned" } } as const;
    const alike = runOf([equal("dispatch", "hit")], { options, codeSize: base.codeSize });
    expect(answer(alike).lead).toMatch(
      /^Both arms are the owned form, .*measurement error\. No difference was found/,
    );
    expect(partOf(alike, "Code size").finding).toBe("not measured");
    const wrong = runOf([figure({ workload: "w", name: "hit" }, 3, 0.1)], { options });
    expect(partOf(wrong, "Time").text).toContain("owned (B) is slower than owned (A)");
    expect(answer(wrong).lead).toContain("differ in time");
  });

  it("adds up code sizes", () => {
    const size = (regionFields: number, lines: number) => ({ regionFields, lines });
    const codeSize = [
      { device: "a", file: "a.ts", embedded: size(2, 100), owned: size(1, 110) },
      { device: "b", file: "b.ts", embedded: size(1, 100), owned: size(1, 100) },
    ];
    expect(partOf(runOf([], { codeSize }), "Code size")).toEqual({
      finding: "differs",
      text: "Over 2 devices, owned against embedded: region fields, 2 against 3; lines, 210 against 200 (+5.00 %).",
    });
  });

  it("says what cost and lifetime bugs mean for a choice", () => {
    const { lifetimes } = base;
    const dear = figure({ suite: "boot", workload: "w", name: "dear" }, 3, 0.1);
    const lead = (metrics: readonly Metric[]) => answer(runOf(metrics, { lifetimes })).lead;
    expect(lead([equal("boot", "same"), dear])).toMatch(
      /To choose: owned costs more in 1 question of time, by at most 3\.\d+.%; of the lifetime scenarios that end in different faults, the worse come with embedded in 2 cases \(listed below\)\.$/,
    );
    expect(lead([equal("boot", "same")])).toContain("To choose: no cost that this run decides differs; ");
    const wide = figure({ suite: "boot", workload: "w", name: "wide" }, 0.1, 25);
    expect(lead([wide])).toContain("To choose: this run decides no cost; of the lifetime");
    const alike = lifetimes.map((life) => ({ ...life, arms: { A: life.arms.A, B: life.arms.A } }));
    expect(answer(runOf([equal("boot", "same")], { lifetimes: alike })).lead).toMatch(
      /; no lifetime scenario ends in worse faults in one form than in the other\.$/,
    );
  });

  it("keeps margins of times and of instructions apart", () => {
    const counted = figure(
      { suite: "boot", workload: "w", name: "counted", quantity: "count", margin: 0.2 },
      0.01,
      0.05,
    );
    expect(partOf(runOf([equal("boot", "timed"), counted]), "Time").text).toMatch(
      /^Boot time: equal within ±0\.5 % in 1 of 2 questions; equal within ±0\.2 % of instructions in 1 of 2 questions\./,
    );
  });

  it("gives every reason for which a deciding figure is missing", () => {
    const missing = {
      suite: "boot",
      workload: "w",
      name: "start",
      source: "regionlab",
      role: "headline",
      decides: true,
    } as const;
    const omissions = [
      { ...missing, quantity: "count", reason: "Not counted, as --no-count asked for." },
      { ...missing, quantity: "time", reason: "Not measured: the time of the run was up." },
    ] as const;
    expect(partOf(runOf([equal("boot", "same")], { omissions }), "Time").text).toContain(
      "(not counted, as --no-count asked for. Not measured: the time of the run was up)",
    );
  });

  it("does not call an open question of a form against itself an expected result", () => {
    const forms = { A: "owned", B: "owned" } as const;
    const options = { ...base.options, forms };
    const open = figure({ suite: "boot", workload: "w", name: "wide" }, 0.1, 25);
    expect(answer(runOf([open], { options })).lead).toMatch(
      /No difference was found, but time is not settled: this run could have missed one there\.$/,
    );
  });

  it("says which form fails where the other does not, by what was observed and not by what was expected", () => {
    const { finding, text } = partOf(base, "Lifetime hazards");
    expect(finding).toBe("differs");
    expect(text).toBe(
      "The two forms end with different faults in 2 of 3 lifetime scenarios. " +
        "Embedded fails where owned is safe: unparent under a reader (use after free). " +
        "Both fail, embedded worse (use after finalize instead of blocks never freed): forgotten unmap. " +
        "Both are safe: re-realize. " +
        "Not as predicted, so that no choice should rest on it: re-realize.",
    );
  });

  it("says equal by construction, without mention of time, if only reads are judged", () => {
    const reads = {
      workload: "w",
      name: "hit",
      quantity: "reads",
      scale: "absolute",
      unit: "fields",
      margin: 0.5,
      byConstruction: "It reads none.",
    } as const;
    const hit = figure(reads, 0, 0);
    const beside = (estimate: number, half: number) =>
      figure({ workload: "w", name: "hit", decides: false }, estimate, half);
    expect(answer(runOf([hit, beside(0.4, 0.5)])).lead).toBe(
      "In 1 access of dispatch, neither form reads a region field: by construction, where regions lie cannot matter there.",
    );
    expect(partOf(runOf([hit, beside(0.4, 0.5)]), "Time").text).not.toContain("although");
    expect(partOf(runOf([hit, beside(0.8, 0.2)]), "Time").text).toContain(
      "The time of owned differs from that of embedded in “w: hit” by +0.80 % (+0.60 to +1), although neither form reads a " +
        "region field; the cause lies elsewhere (memory layout, compiled code).",
    );
    expect(answer(runOf([hit, beside(0.8, 0.2)])).lead).toBe(
      "In 1 access of dispatch, neither form reads a region field: by construction, where regions lie cannot matter there, though 1 time differs.",
    );
    expect(partOf(runOf([hit, beside(0.008, 0.002)]), "Time").text).toContain(
      "(+0.006 to +0.010), where embedded may differ from itself by up to 0.0100 %, although neither form reads a region field",
    );
    const mixed = runOf([hit, equal("boot", "create"), figure({ ...growth, name: "growth" }, 1, 2)]);
    expect(answer(mixed).lead).toBe(
      "Owned and embedded are equal in time and heap growth. " +
        "In 1 access of dispatch, neither form reads a region field: by construction, where regions lie cannot matter there.",
    );
    expect(answer(runOf([figure({ ...reads, byConstruction: null }, 0, 0)])).lead).toBe(
      "Owned and embedded are equal in region fields read.",
    );
    expect(answer(runOf([figure({ ...reads, byConstruction: null }, 2, 0), hit])).lead).toBe(
      "Owned and embedded differ in region fields read. To choose: owned costs more in 1 question of region fields read.",
    );
  });

  it("says how many questions are open, even if others of their kind are decided", () => {
    const slower = figure({ suite: "boot", workload: "w", name: "slow" }, 4.2, 0.3);
    const open = figure({ suite: "boot", workload: "w", name: "open" }, 1, 3);
    expect(answer(runOf([slower, open])).lead).toBe(
      "Owned and embedded differ in time. Not settled by this run: 1 question (see below). " +
        "To choose: owned costs more in 1 question of time, by at most 4.50\u00a0%.",
    );
    expect(answer(runOf([open])).lead).toBe("Not settled by this run: time.");
    const grown = figure({ ...growth, name: "growth" }, 1, 100);
    expect(answer(runOf([slower, open, grown])).lead).toContain(
      "Not settled by this run: heap growth and 1 question (see below).",
    );
  });

  it("says so if what was counted stands for what was not timed", () => {
    const count = figure({ workload: "w", name: "count", quantity: "count", margin: 0.2 }, -3, 0.1);
    const untimed = "No time was measured: instructions stand in its place.";
    expect(partOf(runOf([count]), "Time").text).toContain(untimed);
    expect(partOf(runOf([count, equal("boot", "timed")]), "Time").text).not.toContain(untimed);
  });

  it("treats what the rounds leave as memory", () => {
    const [scenario] = base.retention;
    if (scenario === undefined) throw new Error("a synthetic run has scenarios");
    const leaking = {
      ...scenario,
      arms: { ...scenario.arms, B: { ...scenario.arms.B, blocksUnfreed: [1, 1] } },
    };
    // Without heap growth, the objects and blocks left do not settle the question of memory.
    expect(partOf(runOf([], { retention: [scenario] }), "Memory").finding).toBe("open");
    expect(partOf(runOf([], { retention: [leaking] }), "Memory")).toEqual({
      finding: "differs",
      text: "Heap growth was not measured. Objects or blocks left after the rounds, or uses of what has ended, differ in plug and unplug.",
    });
  });
});
