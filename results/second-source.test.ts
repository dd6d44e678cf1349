import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseRun } from "./parse.ts";
import { renderMarkdown } from "./renderers/markdown.ts";
import { sourcesTable } from "./renderers/sources-table.ts";
import { SECTION_HIT } from "./rules/questions.ts";
import { VERDICTS } from "./schema.ts";
import { agreementsOf, rankingOf, withQemu } from "./second-source.ts";
import { serializeRun } from "./store.ts";
import { syntheticQemuRun, syntheticRun } from "./testing/synthetic-run.ts";

const OPTION = "--qemu q.json";
const run = syntheticRun();
const qemu = syntheticQemuRun({ seed: 2, repeats: 4 });
const both = withQemu(run, qemu, OPTION);

describe("a run with figures of QEMU", () => {
  it("is read back as it was stored, alone and beside a run", () => {
    expect(parseRun(serializeRun(qemu), "q.json")).toEqual(qemu);
    expect(parseRun(serializeRun(both), "both.json")).toEqual(both);
  });

  it("changes no figure and no verdict of either", () => {
    expect(both.metrics.slice(0, run.metrics.length)).toEqual(run.metrics);
    const added = both.metrics.slice(run.metrics.length);
    expect(added.map(({ comparison, samples }) => ({ comparison, samples }))).toEqual(
      qemu.metrics.map(({ comparison, samples }) => ({ comparison, samples })),
    );
    for (const [i, { processes }] of added.entries()) {
      expect(processes.map((index) => both.schedule.processes[index]?.task)).toEqual(
        qemu.metrics[i]?.processes.map((index) => qemu.schedule.processes[index]?.task),
      );
    }
  });

  it("keeps the machine apart, even if it is the same one", () => {
    expect(both.machines.map(({ id }) => id)).toEqual(["one", "one-qemu"]);
    const machines = new Set(both.schedule.processes.map(({ machine }) => machine));
    expect([...machines]).toEqual([0, 1]);
  });

  it.each([
    ["a run of this emulator", run, run, /has figures of this emulator; give a file/],
    ["a run without figures", run, { ...qemu, metrics: [] }, /has no figures; give a file/],
    ["figures that are there already", both, qemu, /has figures of QEMU already; leave out --qemu/],
    [
      "other forms",
      run,
      { ...qemu, options: { ...qemu.options, forms: { A: "owned", B: "embedded" } as const } },
      /compares owned with embedded, and the run embedded with owned/,
    ],
    [
      "a run that failed its proof",
      syntheticRun({ notEquivalent: true }),
      qemu,
      /no figures to put them beside/,
    ],
  ])("refuses %s", (_, first, second, message) => {
    expect(() => withQemu(first, second, OPTION)).toThrow(message);
    expect(() => withQemu(first, second, OPTION)).toThrow(/^--qemu q\.json: /);
  });

  it("refuses a stored verdict that does not follow from its samples", () => {
    const [first, ...rest] = qemu.metrics;
    if (first === undefined) throw new Error("no figure");
    for (const verdict of VERDICTS.filter((each) => each !== first.comparison.verdict)) {
      const edited = {
        ...qemu,
        metrics: [{ ...first, comparison: { ...first.comparison, verdict } }, ...rest],
      };
      expect(() => parseRun(serializeRun(edited), "q.json")).toThrow(/follows from the samples/);
    }
  });

  it("refuses options that its command does not give", () => {
    const edited = { ...qemu, options: { ...qemu.options, repeats: 5 } };
    expect(() => parseRun(serializeRun(edited), "q.json")).toThrow(/repeats is 5, expected 4/);
  });
});

describe("agreement of the sources", () => {
  it("compares the rankings of questions that both answer", () => {
    const found = agreementsOf(both).map(({ ours, agree }) => [ours.workload, ours.name, agree]);
    expect(found).toEqual([
      ["hello", "reset to milestone", true],
      ["synthetic map", SECTION_HIT, false],
    ]);
  });

  it("is open where a verdict is", () => {
    for (const verdict of ["inconclusive", "no difference", "not judged"] as const)
      expect(rankingOf(verdict)).toBeNull();
    const open = both.metrics.map((metric) =>
      metric.source === "qemu"
        ? { ...metric, comparison: { ...metric.comparison, verdict: "inconclusive" as const } }
        : metric,
    );
    expect(agreementsOf({ ...both, metrics: open }).map(({ agree }) => agree)).toEqual([null, null]);
  });

  it("has each suite once, in the order of all tables, whatever the order of the run", () => {
    fc.assert(
      fc.property(fc.shuffledSubarray([...both.metrics], { minLength: both.metrics.length }), (metrics) => {
        const groups = sourcesTable({ ...both, metrics }).rows.flatMap(({ group }) => group ?? []);
        expect(groups).toEqual(["Boot time", "Dispatch latency"]);
      }),
    );
  });

  it("is a section of the report, and not without figures of QEMU", () => {
    const text = renderMarkdown(both);
    expect(text).toContain("## This emulator and QEMU in C");
    expect(text).toContain("Of 2 questions that both were asked, they rank the forms alike in 1.");
    expect(text).toMatch(/hello: reset to milestone .* agree: equal/);
    expect(text).toMatch(/DISAGREE/);
    expect(text).toContain("QEMU in C: verdict");
    expect(renderMarkdown(run)).not.toContain("This emulator and QEMU in C");
    expect(renderMarkdown(qemu)).toContain("This run has figures of QEMU alone");
  });
});
