import { describe, expect, it } from "vitest";
import { CommandError } from "#host";
import { type BenchCommandOptions, FULL_LOOKS, planOf, QUICK_LOOKS, readMaxRegression } from "./options.ts";
import { tasksOf } from "./plan.ts";

/** The defaults, as commander fills them in. */
const given: BenchCommandOptions = {
  regions: "embedded,owned",
  seed: "1",
  count: true,
};
const plan = (change: Partial<BenchCommandOptions> = {}, ...words: string[]) =>
  planOf(words, { ...given, ...change });

describe("planOf", () => {
  it("measures everything unless told otherwise", () => {
    const whole = plan();
    expect(whole).toMatchObject({
      suites: ["boot", "dispatch", "retention"],
      quick: false,
      forms: { A: "embedded", B: "owned" },
      looks: FULL_LOOKS,
      repeats: Math.max(...FULL_LOOKS),
      seconds: 35 * 60,
      seed: 1,
      count: true,
      shard: null,
      command: "npx regionlab bench --seed 1",
    });
    expect(whole.workloads).toContain("hello");
  });

  it("ends a quick run within its time, unless the number of processes or the time is given", () => {
    expect(plan({ quick: true })).toMatchObject({
      seconds: 110,
      looks: QUICK_LOOKS,
      repeats: Math.max(...QUICK_LOOKS),
      workloads: ["hello", "mmio-storm"],
    });
    expect(plan({ quick: true, repeats: "6" })).toMatchObject({ seconds: null, repeats: 6, looks: [6] });
    expect(plan({ quick: true, repeats: "6", seconds: "30" })).toMatchObject({ seconds: 30, repeats: 6 });
    expect(plan({ seconds: "30" })).toMatchObject({ seconds: 30, looks: FULL_LOOKS });
  });

  it("counts instructions alone, with some suites, or not at all", () => {
    expect(plan({}, "count")).toMatchObject({ suites: [], count: true });
    expect(plan({}, "count", "boot")).toMatchObject({ suites: ["boot"], count: true });
    expect(plan({}, "boot")).toMatchObject({ suites: ["boot"], count: true });
    expect(plan({ count: false }, "boot").count).toBe(false);
    expect(plan({ count: false })).toMatchObject({ suites: ["boot", "dispatch", "retention"], count: false });
    expect(tasksOf(plan({}, "count"))).toEqual([]);
  });

  it("counts in a quick run as in a long one", () => {
    expect(plan({ quick: true })).toMatchObject({ count: true, suites: ["boot", "dispatch", "retention"] });
    expect(plan({ quick: true }, "boot")).toMatchObject({ count: true, suites: ["boot"] });
    expect(plan({ quick: true }, "count")).toMatchObject({ count: true, suites: [] });
    expect(plan({ quick: true }, "count", "boot")).toMatchObject({ count: true, suites: ["boot"] });
    expect(plan({ quick: false }).count).toBe(true);
  });

  it("ignores the repetition of a suite or guest", () => {
    expect(plan({ workload: ["hello", "hello"] }, "boot", "boot")).toMatchObject({
      suites: ["boot"],
      workloads: ["hello"],
    });
  });

  it("does not stop early in a part divided by processes: verdicts are drawn when the parts are merged", () => {
    expect(plan({ shard: "2/4" })).toMatchObject({
      shard: { index: 2, count: 4, by: "processes" },
      looks: [Math.max(...FULL_LOOKS) / 4],
      repeats: Math.max(...FULL_LOOKS) / 4,
    });
    expect(plan({ shard: "1/3", repeats: "10" })).toMatchObject({ looks: [4], repeats: 4 });
    expect(plan({ shard: "9/1000", repeats: "2" })).toMatchObject({ looks: [2] });
    expect(plan({ shard: "2/4", shardBy: "metrics" })).toMatchObject({ looks: FULL_LOOKS });
  });

  it("divides metrics so that every task is in exactly one part", () => {
    const names = (...shard: [string] | []) =>
      tasksOf(plan(shard.length === 0 ? {} : { shard: shard[0], shardBy: "metrics" })).map(
        ({ name }) => name,
      );
    const parts = ["1/3", "2/3", "3/3"].map((shard) => names(shard));
    expect(parts.flat().toSorted()).toEqual(names().toSorted());
    expect(new Set(parts.flat()).size).toBe(parts.flat().length);
  });

  it("names every task once, after its suite", () => {
    for (const { name } of tasksOf(plan())) expect(name).toMatch(/^(boot|dispatch|retention)\/[a-z-]+/);
    const names = tasksOf(plan()).map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
  });

  it("records the command that repeats it", () => {
    const { command, forms } = plan(
      {
        quick: true,
        regions: "owned,owned",
        workload: ["hello"],
        repeats: "4",
        seconds: "60",
        count: false,
        shard: "1/2",
        shardBy: "metrics",
        seed: "9",
      },
      "boot",
    );
    expect(command).toBe(
      "npx regionlab bench boot --quick --regions owned,owned --workload hello --repeats 4 --seconds 60 --no-count " +
        "--shard 1/2 --shard-by metrics --seed 9",
    );
    expect(forms).toEqual({ A: "owned", B: "owned" });
  });

  const whole: [option: "--repeats" | "--seconds" | "--seed", name: "repeats" | "seconds" | "seed"][] = [
    ["--repeats", "repeats"],
    ["--seconds", "seconds"],
    ["--seed", "seed"],
  ];
  const notWhole = ["2.5", "1e9", "-1", "", "  ", "many", "0x10", "NaN", "Infinity", "99999999999999999999"];
  it.each(whole.flatMap(([option, name]) => notWhole.map((value) => [option, value, name] as const)))(
    "refuses %s %j",
    (option, value, name) => {
      expect(refusal(() => plan({ [name]: value }))).toMatch(
        new RegExp(`^${option} .*is not a whole number from \\d+ to \\d+; give one$`, "s"),
      );
    },
  );

  it.each<[Partial<BenchCommandOptions>, string[], RegExp]>([
    [{ repeats: "1" }, [], /^--repeats 1: .* from 2 to/],
    [{ repeats: "0" }, [], /^--repeats 0: /],
    [{ seconds: "0" }, [], /^--seconds 0: .* from 1 to/],
    [{ seed: "4294967296" }, [], /^--seed 4294967296: /],
    [{ shard: "0/2" }, [], /^--shard 0\/2: the 2 parts are 1 to 2; give the part and the number of parts/],
    [{ shard: "3/2" }, [], /^--shard 3\/2: /],
    [{ shard: "a/b" }, [], /^--shard a\/b: /],
    [{ shard: "1" }, [], /^--shard 1: /],
    [{ shard: "" }, [], /^--shard '': /],
    [{ shard: "1/1001" }, [], /^--shard 1\/1001: /],
    [{ shard: "-1/2" }, [], /^--shard -1\/2: /],
    [{ shard: "1.5/2" }, [], /^--shard 1\.5\/2: /],
    [{ shard: "1/2", shardBy: "suites" }, [], /^--shard-by suites: shards divide processes or metrics/],
    [{ shardBy: "suites" }, [], /^--shard-by suites: shards divide processes or metrics/],
    [{ shardBy: "metrics" }, [], /^--shard-by metrics: there is no part to measure; add --shard/],
    [{ shardBy: "processes" }, [], /^--shard-by processes: there is no part to measure; add --shard/],
    [{ shard: "1/0" }, [], /^--shard 1\/0: there is at least one part; give the part and/],
    [{ regions: "embedded" }, [], /^--regions embedded: give two of embedded, owned with a comma/],
    [{ regions: "embedded,heap" }, [], /^--regions embedded,heap: give two/],
    [{ regions: "embedded,owned,owned" }, [], /^--regions embedded,owned,owned: give two/],
    [{ regions: "" }, [], /^--regions '': give two/],
    [{ workload: ["doom"] }, [], /^--workload doom: there is no such guest; give any of hello/],
    [{ workload: ["hello", ""] }, [], /^--workload '': there is no such guest/],
    [{}, ["speed"], /^bench speed: there is no such suite; give any of boot, dispatch, retention, count/],
    [{ count: false }, ["retention", "count"], /^bench retention count --no-count: asks to count and not to/],
    [{ count: false }, ["count"], /^bench count --no-count: asks to count and not to/],
  ])("refuses %j %j and names the option", (change, words, message) => {
    expect(refusal(() => plan(change, ...words))).toMatch(message);
  });
});

describe("readMaxRegression", () => {
  const read = (maxRegression?: string, baseline: string | null = "old.json") =>
    readMaxRegression({
      ...given,
      ...(maxRegression === undefined ? {} : { maxRegression }),
      ...(baseline === null ? {} : { baseline }),
    });

  it("is 5 % unless it is given", () => {
    expect(read()).toBe(5);
    expect(read(undefined, null)).toBe(5);
    expect(read("0")).toBe(0);
    expect(read("2.5")).toBe(2.5);
  });

  it.each(["", "-1", "5%", "much", "Infinity", "NaN"])("refuses %j", (value) => {
    expect(refusal(() => read(value))).toMatch(
      /^--max-regression .*is not a number of percent from 0; give one$/,
    );
  });

  it("refuses a limit without a baseline", () => {
    expect(refusal(() => read("5", null))).toMatch(/^--max-regression 5: .*add --baseline F\.json$/);
  });
});

/** The message of a refusal, with exit code 2 for a wrong command line. */
function refusal(act: () => unknown): string {
  try {
    act();
  } catch (error) {
    expect(error).toBeInstanceOf(CommandError);
    if (!(error instanceof CommandError)) throw error;
    expect(error.exitCode).toBe(2);
    return error.message;
  }
  throw new Error("it was not refused");
}
