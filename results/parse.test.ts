import { describe, expect, it } from "vitest";
import { CommandError } from "#host";
import { digestOf } from "./digest.ts";
import { parseRun } from "./parse.ts";
import { serializeRun } from "./store.ts";
import { type Path, setAt, stringPaths } from "./testing/edit.ts";
import { syntheticRun } from "./testing/synthetic-run.ts";

const run = syntheticRun();
const text = serializeRun(run);

describe("parseRun", () => {
  it.each([{}, { large: true, repeats: 6 }, { merged: true, qemu: true }, { notEquivalent: true }])(
    "reads what is written, unchanged: %o",
    (options) => {
      const written = serializeRun(syntheticRun(options));
      const read = parseRun(written, "run.json");
      expect(read).toEqual(syntheticRun(options));
      expect(parseRun(serializeRun(read), "run.json")).toEqual(read);
    },
  );

  it.each([
    ["", /run\.json: is empty; give a file/],
    ["hello", /run\.json: is not JSON; give a file/],
    [text.slice(0, 2000), /run\.json: ends in the middle .*again/],
    ["[]", /run\.json: is JSON but not a benchmark run/],
    ['{"name":"regionlab"}', /run\.json: is JSON but not a benchmark run/],
    [text.replace('"version": 4', '"version": 5'), /written by a newer regionlab \(format 5, .*update/],
    [text.replace('"version": 4', '"version": 1'), /has format 1, .*reads 4; measure again with `regionlab/],
    [text.replace('"version": 4', '"version": 3'), /has format 3, .*reads 4; measure again with `regionlab/],
    [text.replace('"version": 4', '"version": "one"'), /\$\.version is "one", expected a finite number/],
  ])("refuses input %#", (input, message) => {
    expect(failure(input)).toMatchObject({ exitCode: 2, message: expect.stringMatching(message) });
  });

  it("refuses a text that nests deeper than any run", () => {
    const nested = `${"[".repeat(100_000)}${"]".repeat(100_000)}`;
    const member = `{"schema":"regionlab.run","version":4,"a":${nested}}`;
    for (const input of [nested, member])
      expect(failure(input).message).toMatch(/run\.json: nests deeper than/);
  });

  it.each([
    [{ quick: !run.options.quick }, /options\.quick is/],
    [{ seed: run.options.seed + 1 }, /options\.seed is/],
    [{ shard: "1/2" }, /options\.shard is "1\/2", expected null/],
    [{ suites: ["boot"] as const }, /options\.suites is/],
    [{ suites: ["boot", "boot", "dispatch", "retention"] as const }, /options\.suites is .* each value once/],
  ])("refuses options that are not those of the command: %o", (change, message) => {
    const edited = serializeRun({ ...run, options: { ...run.options, ...change } });
    expect(failure(edited).message).toMatch(message);
  });

  it("refuses a metric of another role than the question has", () => {
    const metrics = run.metrics.map((metric) =>
      metric.quantity === "reads" ? { ...metric, role: "control" as const } : metric,
    );
    expect(failure(serializeRun({ ...run, metrics })).message).toMatch(/run\.json: \$\.metrics\[\d+\]/);
  });

  it("refuses everything that was edited, however consistently", () => {
    const paths = stringPaths(run).filter((_, i) => i % 7 === 0);
    const texts = paths.map((path) => {
      const edited: unknown = JSON.parse(text);
      setAt(edited, path, "edited");
      return JSON.stringify(edited);
    });
    for (const [member, value] of [
      ["lifetimes", []],
      ["equivalence", []],
      ["fieldReads", []],
      ["digest", undefined],
      ["digest", "0".repeat(64)],
    ] as const) {
      texts.push(JSON.stringify({ ...(JSON.parse(text) as object), [member]: value }));
    }
    expect(texts.length).toBeGreaterThan(50);
    for (const edited of texts) {
      expect(failure(edited).message).toMatch(
        /run\.json: (does not match its digest|is JSON but not a benchmark run)/,
      );
    }
  });

  it("names the file, the JSON path, what was found and what was expected", () => {
    expect(refusal(["metrics", 2, "samples", "B", 1], "fast")).toBe(
      'run.json: $.metrics[2].samples.B[1] is "fast", expected a finite number; ' +
        "the file was edited or damaged: restore it, or run `regionlab bench -o` again",
    );
  });

  it("shows no character of the file that acts on a terminal", () => {
    expect(refusal(["options", "suites", 0], "\u009b31m\u202e")).toMatch(/is "\ufffd31m\ufffd", expected/);
  });

  it.each<[Path, unknown, RegExp]>([
    [["question"], undefined, /\$\.question is missing, expected a string/],
    [["options", "suites", 0], "speed", /suites\[0\] is "speed", expected one of: boot, dispatch/],
    [["options", "shard"], "two", /\$\.options\.shard is "two", expected a part of a run/],
    [["options", "sequential", "level"], 1, /level is 1, expected a level between 0\.5 and 1/],
    [["options", "sequential", "looks"], [5, 5], /looks\[1\] is 5, expected .* greater than 5/],
    [["options", "sequential", "looks"], [1], /looks\[0\] is 1, expected at least 2 processes/],
    [["question"], "Who wins?", /\$\.question is "Who wins\?", expected "Does it matter, /],
    [["options", "command"], "npx regionlab bench; rm -rf ~", /command is ".*", expected calls of/],
    [["options", "command"], "npx regionlab bench `id`", /command is ".*", expected calls of/],
    [["options", "forms"], { A: "owned", B: "embedded" }, /command .*expected .*--regions owned,embedded/],
    [["equivalence"], [], /equivalence is an array of 0, expected a proof of "hello"/],
    [["equivalence", 1, "workload"], "hello", /equivalence\[1\] .* an entry other than "hello"/],
    [["equivalence", 1, "workload"], "u-boot", /expected a proof of "firmware"/],
    [["lifetimes", 1, "scenario"], run.lifetimes[0]?.scenario, /lifetimes\[1\] .* an entry other than/],
    [["codeSize", 1, "file"], run.codeSize[0]?.file, /codeSize\[1\] .* an entry other than/],
    [["fieldReads", 1, "access"], run.fieldReads[0]?.access, /fieldReads\[1\] .* an entry other than/],
    [["machines"], [], /\$\.machines is an array of 0, expected at least one machine/],
    [["machines", 0, "date"], "yesterday", /\$\.machines\[0\]\.date .* a date in ISO 8601/],
    [
      ["schedule", "processes", 2, "machine"],
      1,
      /processes\[2\]\.machine is 1, expected the index of one of 1/,
    ],
    [["schedule", "processes", 0, "slots"], ["A", "A"], /slots is an array of 2, expected every arm once/],
    [["equivalence", 0, "records", "A", "consoleSha256"], "ab", /a SHA-256 in 64 hexadecimal digits/],
    [["equivalence", 0, "records", "A", "instructions"], 1.5, /a whole number from 0/],
    [
      ["equivalence", 0, "records", "A", "instructions"],
      7,
      /equal is true, expected false, because the records/,
    ],
    [["equivalence", 0, "equal"], false, /\$\.metrics .* no metrics, because an equivalence proof failed/],
    [["lifetimes", 0, "arms", "A", "observed", "usesAfterFree"], -1, /usesAfterFree is -1, expected a whole/],
    [["requirements", 0, "met"], false, /requirements\[0\]\.met is false, expected true, which follows/],
    [["requirements", 0, "measured", "B"], 3.1, /requirements\[0\]\.measured\.B is 3\.1, expected 2\./],
    [["requirements", 1, "limit"], 63, /requirements\[1\]\.limit is 63, expected 20, which follows/],
    [["requirements"], [], /\$\.requirements is an array of 0, expected an array of 2/],
    [["options", "sequential", "level"], 0.9, /level is 0\.9, expected at least 0\.975, for 2 looks/],
    [["selfTest", "alike", 1, "alike"], true, /alike is true, expected false, which follows from its perc/],
    [
      ["retention", 0, "arms", "B", "slope", "low"],
      -99,
      /slope\.low is -99, expected -\d.*follows from the heaps/,
    ],
    [
      ["retention", 0, "arms", "B", "heap", 1],
      [],
      /heap\[1\] is an array of 0, expected points of at least two/,
    ],
    [["fieldReads", 1, "fields"], [], /fieldReads\[1\]\.fields is an array of 0, expected the names/],
    [["fieldReads", 0, "reads", "B"], 1, /fieldReads\[0\]\.fields is an array of 0, expected the names/],
    [["selfTest", "falseAlarms", "found"], 101, /found is 101, expected at most 100/],
    [["omissions", 0, "source"], "bochs", /source is "bochs", expected one of: regionlab, qemu/],
  ])("checks %j", (path, value, message) => {
    expect(refusal(path, value)).toMatch(message);
  });

  it("accepts a failed run, which has no metrics", () => {
    const failed = syntheticRun({ notEquivalent: true });
    expect(parseRun(serializeRun(failed), "run.json")).toEqual(failed);
  });
});

describe("the figures of a stored run", () => {
  const time = run.metrics.findIndex(
    ({ quantity, comparison }) => quantity === "time" && comparison.verdict === "equivalent",
  );
  const count = run.metrics.findIndex(({ quantity }) => quantity === "count");
  const reads = run.metrics.findIndex(({ quantity }) => quantity === "reads");
  const constructed = reads;
  const beside = run.metrics.findIndex(({ quantity, decides }) => quantity === "time" && !decides);
  const open = run.metrics.findIndex(({ comparison }) => comparison.verdict === "inconclusive");
  const growth = run.metrics.findIndex(({ quantity }) => quantity === "memory");
  const firm = run.metrics.findIndex(({ comparison }) => comparison.verdict === "slower");
  const lost = run.schedule.processes.findIndex((process) => process.lost !== null);
  const other = run.metrics[0];
  if (other === undefined) throw new Error("a synthetic run has metrics");

  it.each<[Path, unknown, RegExp]>([
    [[time, "description"], "x".repeat(1001), /a text of at most 1000 characters/],
    [[time, "comparison", "verdict"], "faster", /verdict is "faster", expected "equivalent", which follows/],
    [[open, "comparison", "verdict"], "equivalent", /verdict is "equivalent", expected "inconclusive"/],
    [[time, "comparison", "aaVerdict"], "slower", /aaVerdict is "slower", expected "equivalent"/],
    [[time, "margin"], 0.000001, /margin is 0\.000001, expected (1|0\.5), the margin of all such figures/],
    [[count, "margin"], 5, /margin is 5, expected 0\.2, the margin of all such figures/],
    [[growth, "margin"], 256, /margin is 256, expected 16, the margin of all such figures/],
    [[count, "unit"], "ns", /unit is "ns", expected one of: instructions/],
    [[count, "quantity"], "memory", /margin is 0\.2, expected 16, the margin/],
    [[time, "scale"], "absolute", /scale is "absolute", expected one of: percent/],
    [[count, "decides"], false, /decides is false, expected true, which follows from the other/],
    [[beside, "decides"], true, /expected "decides": false, because another figure decides/],
    [[time, "byConstruction"], "No field.", /byConstruction is "No field\.", expected null, which follows/],
    [[constructed, "byConstruction"], null, /byConstruction is null, expected "The access reads no/],
    [[constructed, "samples", "B"], Array(10).fill(2), /byConstruction is "The access.*, expected null, whi/],
    [[time, "comparison", "aaSpread"], 0, /aaSpread is 0, expected 0\.\d+, which follows/],
    [[time, "comparison", "ab", "low"], 99, /an interval whose low end is not above its high end/],
    [[time, "comparison", "ab", "low"], -99, /low is -99, expected .*, which follows from the samples/],
    [[time, "comparison", "ab", "estimate"], 99, /estimate is 99, expected a number from/],
    [[time, "comparison", "ab", "figures", "b"], 99, /figures\.b is 99, expected .*, which follows/],
    [[growth, "comparison", "ab", "figures", "b"], 99, /figures\.b is 99, expected .*, which follows/],
    [[time, "comparison", "ab", "level"], 0.9, /level is 0\.9, expected 0\.97\d*, which follows/],
    [[time, "comparison", "ab", "level"], 0.5, /level is 0\.5, expected a level between/],
    [[time, "comparison", "ab", "level"], 1, /level is 1, expected a level between/],
    [[time, "comparison", "ab", "pValue"], 0, /pValue is 0, expected a probability above 0/],
    [[firm, "comparison", "ab", "pValue"], 1, /pValue is 1, expected .*, which follows/],
    [[firm, "comparison", "ab", "adjustedPValue"], 1, /adjustedPValue is 1, expected .*, which follows/],
    [[time, "comparison", "ab", "pairs"], 11, /pairs is 11, expected 10, which follows/],
    [[time, "comparison", "ab", "above"], 11, /above is 11, expected \d+, which follows/],
    [[time, "comparison", "reason"], "why not", /reason is "why not", expected null, which follows/],
    [[open, "comparison", "reason"], null, /reason is null, expected ".*", which follows/],
    [[time, "samples", "B", 0], 17, /metrics\[\d+\]\.comparison.*, which follows from the samples/],
    [[time, "samples", "A", 0], 0, /samples\.A\[0\] is 0, expected a number greater than 0/],
    [[time, "samples", "A", 0], -5, /samples\.A\[0\] is -5, expected a number greater than 0/],
    [[count, "samples", "A2", 0], 0, /samples\.A2\[0\] is 0, expected a number greater than 0/],
    [[reads, "samples", "A2", 0], -1, /samples\.A2\[0\] is -1, expected a number from 0/],
    [
      [growth, "samples", "B", 0],
      1e6,
      /heap\[0\] is an array of 20, expected a heap whose slope, .*heap growth/,
    ],
    [[time, "samples", "A2"], [], /samples\.A2 is an array of 0, expected 10 items/],
    [[time, "outliers", "B"], ["none"], /outliers\.B is an array of 1, expected 10 items/],
    [[time, "outliers", "B", 0], "severe", /outliers\.B\[0\] is "severe", expected "none", which follows/],
    [[time, "distributions", "B"], [], /distributions\.B is an array of 0, expected 10 items.* or none/],
    [[time, "distributions", "B", 2, "min"], 0, /B\[2\]\.min is 0, expected a number greater than 0/],
    [[time, "distributions", "A", 0, "median"], 1e-9, /A\[0\]\.median is 1e-9, expected at least q1, \d/],
    [[time, "distributions", "A", 0, "q1"], 1e9, /A\[0\]\.median is .*, expected at least q1, 1000000000/],
    [[time, "distributions", "A", 0, "p99"], 1e9, /A\[0\]\.max is .*, expected at least p99, 1000000000/],
    [[time, "processes"], [1, 2], /processes is an array of 2, expected 10 items/],
    [[time, "processes", 0], 9999, /processes\[0\] is 9999, expected the index of one of/],
    [
      [time, "processes", 0],
      lost,
      /processes\[0\] is \d+, expected the index of a process that was not lost/,
    ],
    [[time, "processes", 1], run.metrics[time]?.processes[0], /a process that has no other sample/],
  ])("are checked: %j = %j", (path, value, message) => {
    expect(refusal(["metrics", ...path], value)).toMatch(message);
  });

  it("follow from the samples even if comparisons were edited to agree with each other", () => {
    const forged: unknown = JSON.parse(text);
    const target = run.metrics[firm];
    if (target === undefined) throw new Error("a metric is slower");
    const effect = { ...target.comparison.aa, estimate: 0, low: -0.01, high: 0.01, figures: { a: 1, b: 1 } };
    setAt(forged, ["metrics", firm, "comparison"], {
      ...target.comparison,
      ...{
        ab: effect,
        aa: effect,
        aaSpread: 0.01,
        verdict: "equivalent",
        aaVerdict: "equivalent",
        reason: null,
      },
    });
    expect(failure(sealed(forged)).message).toMatch(/comparison\.ab\..*, which follows from the samples/);
  });

  it("come with the wording of this version, whatever the file says", () => {
    const edited: unknown = JSON.parse(text);
    setAt(edited, ["metrics", open, "comparison", "reason"], "All is well.");
    setAt(edited, ["metrics", constructed, "byConstruction"], "Because.");
    expect(parseRun(sealed(edited), "run.json")).toEqual(run);
  });

  it("appear once, and one of them decides", () => {
    const doubled = sealed({ ...run, metrics: [...run.metrics, other] });
    expect(failure(doubled).message).toMatch(
      /expected a figure that appears only once; .*create.* appears earlier/,
    );
    const both = {
      ...{ ...other, quantity: "memory", unit: "B/round", scale: "absolute", margin: 16, name: "create" },
    };
    expect(failure(sealed({ ...run, metrics: [...run.metrics, both] })).message).toMatch(
      /"decides": false, because another figure decides boot\/hello\/create/,
    );
    const { comparison: _, samples: __, ...identity } = other;
    const missing = { ...identity, reason: "Not here." };
    expect(failure(sealed({ ...run, omissions: [missing] })).message).toMatch(
      /\$\.omissions\[0\] is an object, expected a figure that appears only once/,
    );
  });
});

function refusal(path: Path, value: unknown): string {
  const changed: unknown = JSON.parse(text);
  setAt(changed, path, value);
  return failure(sealed(changed)).message;
}

/** Data with a matching digest. */
function sealed(data: unknown): string {
  const record = { ...(data as Readonly<Record<string, unknown>>) };
  return JSON.stringify({ ...record, digest: digestOf(record) });
}

function failure(input: string): CommandError {
  try {
    parseRun(input, "run.json");
  } catch (error) {
    if (error instanceof CommandError) return error;
    throw error;
  }
  throw new Error("was accepted");
}
