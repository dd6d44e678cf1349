import { existsSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ARMS } from "#results";
import { packageRoot } from "#workloads";
import { type CountedProcess, CountFailure, locateValgrind } from "./callgrind.ts";
import { type CountOptions, type CountOutcome, countAll, sampleOf } from "./count.ts";
import { type CountRequest, EMPTY_INTERVALS } from "./request.ts";
import { type CountGroup, type CountWork, countGroups } from "./subjects.ts";

const forms = { A: "embedded", B: "owned" } as const;
const valgrind = { path: "/usr/bin/valgrind", version: "3.99.1" };
const find = (name: string): CountGroup => {
  const group = countGroups().find((each) => each.name === name);
  if (group === undefined) throw new Error(`there is no group ${name}`);
  return group;
};
const [board, machine] = [find("board"), find("machine")];
const BOARD = ["objects and first flat view", "tear-down", "plug and unplug"];

/** Gives the instructions of each step of a process, and optionally its check. */
type Pretend = (request: CountRequest, counted: CountedProcess) => number | { count: number; check: string };

const MARK = 900;

/** The intervals of a process whose operations take `count` instructions each, with other work between rounds. */
function intervalsOf(works: readonly Pick<CountWork, "rounds" | "subjects">[], count: number): number[] {
  const between = 77_000;
  const rounds = works.flatMap(({ rounds, subjects }) =>
    Array.from({ length: rounds }, () => [
      ...subjects.map(({ perStep }) => count * perStep + MARK),
      between,
    ]).flat(),
  );
  return [...rounds, ...Array<number>(EMPTY_INTERVALS).fill(MARK)];
}

function pretend(pretended: Pretend): NonNullable<CountOptions["run"]> {
  return async (counted) => {
    const request: CountRequest = JSON.parse(counted.args.at(-1) ?? "");
    const group = countGroups().find(({ works }) => works[0]?.name === request.works[0]?.name);
    const result = pretended(request, counted);
    const { count, check } = typeof result === "number" ? { count: result, check: "done" } : result;
    const works = request.works.map(({ name, rounds }) => ({ name, rounds, check }));
    return { intervals: intervalsOf(group?.works ?? [], count), report: JSON.stringify({ works }) };
  };
}

const byForm = ({ form }: CountRequest, embedded = 1000, owned = 1010) =>
  form === "embedded" ? embedded : owned;
const options = { forms, groups: [board, machine], repeats: 3, seed: 1, width: 2, valgrind } as const;

describe("countAll", () => {
  it("gives samples of every arm, one per repeat, and the processes that they come from", async () => {
    const { counted, omissions, processes, ...rest } = await countAll({
      ...options,
      run: pretend((request) => byForm(request)),
    });
    expect(rest.valgrind).toBe("3.99.1");
    expect(omissions).toEqual([]);
    expect(processes).toHaveLength(2 * 3 * 3);
    expect(processes.every(({ lost }) => lost === null)).toBe(true);
    expect(counted.map(({ definition }) => definition.name)).toEqual([...BOARD, "machine creation"]);
    for (const { samples, aaSpread, processes: indices } of counted) {
      expect(samples).toEqual({ A: [1000, 1000, 1000], B: [1010, 1010, 1010], A2: [1000, 1000, 1000] });
      expect(aaSpread).toBe(0);
      indices.forEach((index, repeat) => {
        expect(processes[index]).toMatchObject({
          repeat,
          task: expect.stringMatching(/^count (board|machine), arm A$/),
        });
      });
    }
  });

  it("leaves out a figure whose control differs by more than the margin, and says by how much", async () => {
    let calls = 0;
    const run = pretend((request) =>
      byForm(request, request.works.length === 1 ? 1000 : 1000 + 50 * calls++),
    );
    const { counted, omissions } = await countAll({ ...options, repeats: 1, width: 1, run });
    expect(counted.map(({ definition }) => definition.name)).toEqual(["machine creation"]);
    expect(omissions.map(({ name }) => name)).toEqual(BOARD);
    expect(omissions[0]).toMatchObject({
      quantity: "count",
      reason: expect.stringMatching(/A may differ from itself by at most 0\.2 %, and it did by \d+\.\d\d %/),
    });
  });

  it("loses the repeat of a process that fails, says why, and keeps the others", async () => {
    let failed = 0;
    const run = pretend((request) => {
      if (request.works.length > 1 && failed++ === 0) throw new CountFailure("exit code 3");
      return byForm(request);
    });
    const { counted, processes } = await countAll({ ...options, width: 1, run });
    expect(counted.map(({ samples }) => ARMS.map((arm) => samples[arm].length))).toEqual([
      [2, 2, 2],
      [2, 2, 2],
      [2, 2, 2],
      [3, 3, 3],
    ]);
    expect(processes.flatMap(({ lost }) => lost ?? [])).toEqual(["exit code 3"]);
  });

  it("loses a process whose work had another result than that of the rest", async () => {
    let calls = 0;
    const run = pretend((request) => ({ count: byForm(request), check: calls++ === 7 ? "less" : "done" }));
    const { processes } = await countAll({ ...options, groups: [machine], width: 1, run });
    expect(processes.flatMap(({ lost }) => lost ?? [])).toEqual([
      'the result of its work was "create: less", that of another process "create: done"',
    ]);
  });

  it("loses processes that report nothing", async () => {
    const { counted, omissions } = await countAll({
      ...options,
      run: async () => ({ intervals: [], report: "" }),
    });
    expect(counted).toEqual([]);
    expect(omissions[0]?.reason).toMatch(
      /^Not counted: its processes failed: it gave no report of its work, but ""/,
    );
  });

  it("starts nothing after its deadline, and gives the time as the reason", async () => {
    const { counted, omissions, processes } = await countAll({
      ...options,
      deadline: performance.now() - 1,
      run: pretend(() => 0),
    });
    expect([counted, processes]).toEqual([[], []]);
    expect(omissions.map(({ reason }) => reason)).toEqual(
      Array(4).fill("Not counted: the time was up; give the run more with --seconds."),
    );
  });

  it("says how to get valgrind if there is none", async () => {
    const { valgrind: version, omissions } = await countAll({ ...options, valgrind: null });
    expect(version).toBeNull();
    expect(omissions).toHaveLength(4);
    expect(omissions[0]?.reason).toMatch(/not installed: .*`apt-get install valgrind`\.$/);
  });

  it("counts both forms, and A again as a control", async () => {
    const asked = new Map<string, string>();
    const run = pretend((request, { args }) => {
      asked.set(args.find((each) => each.startsWith("--random-seed")) ?? "", request.form);
      return byForm(request);
    });
    await countAll({ ...options, groups: [board], repeats: 1, run });
    expect([...asked.values()].toSorted()).toEqual(["embedded", "embedded", "owned"]);
  });

  it("resumes an interrupted run", async () => {
    const kept: CountOutcome[] = [];
    const run = pretend((request) => byForm(request));
    const whole = await countAll({ ...options, run, onOutcome: (outcome) => kept.push(outcome) });
    expect(kept).toHaveLength(18);
    let begun = 0;
    const rest = await countAll({
      ...options,
      earlier: kept.filter((_, i) => i % 3 !== 0),
      run: pretend((request) => {
        begun++;
        return byForm(request);
      }),
    });
    expect(begun).toBe(6);
    expect(rest.counted).toEqual(whole.counted);
  });
});

describe("sampleOf", () => {
  const report = JSON.stringify({
    works: board.works.map(({ name, rounds }) => ({ name, rounds, check: "done" })),
  });

  it("finds the cost of a step, whatever a mark costs and whatever is between the rounds", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1e9 }), (count) => {
        const { perOperation } = sampleOf({ intervals: intervalsOf(board.works, count), report }, board);
        for (const each of perOperation) expect(each).toBeCloseTo(count, 3);
      }),
    );
  });

  it("is not affected by a single round", () => {
    fc.assert(
      fc.property(fc.nat({ max: 4 }), fc.integer({ min: 1, max: 1e9 }), (round, more) => {
        const intervals = intervalsOf(board.works, 1000);
        intervals[3 * round] = (intervals[3 * round] ?? 0) + more;
        expect(sampleOf({ intervals, report }, board).perOperation).toEqual([1000, 1000, 1000]);
      }),
    );
  });

  it("refuses counts whose number does not match the marks of the work", () => {
    const intervals = intervalsOf(board.works, 1000);
    for (const wrong of [[], intervals.slice(1), [...intervals, 5]])
      expect(() => sampleOf({ intervals: wrong, report }, board)).toThrow(/valgrind does not see the calls/);
  });

  it("refuses other work than was requested", () => {
    const other = JSON.stringify({ works: [{ name: "board", rounds: 1, check: "" }] });
    expect(() => sampleOf({ intervals: [], report: other }, board)).toThrow(
      /^it counted 1 of board instead of \d+ of board, \d+ of lifecycle/,
    );
  });
});

it("counts one per cent more work as one per cent, with the real valgrind", {
  timeout: 600_000,
}, async (context) => {
  const found = await locateValgrind();
  const built = existsSync(join(packageRoot(), "dist", "bench", "counts", "child.js"));
  if (found === null) return context.skip("valgrind is not installed");
  if (!built) return context.skip("the counted process is not built; run `npm run build`");
  const [definition] = machine.works.flatMap(({ subjects }) => subjects).map((subject) => subject.definition);
  if (definition === undefined) throw new Error("machines are counted");
  const planted: CountGroup = {
    ...machine,
    name: "planted",
    flags: [],
    works: [{ name: "planted", subjects: [{ definition, perStep: 1 }], warmUp: 20, rounds: 5 }],
  };
  const { counted, omissions, processes } = await countAll({
    forms,
    groups: [planted],
    repeats: 1,
    seed: 1,
    valgrind: found,
  });
  expect(processes.flatMap(({ lost }) => lost ?? [])).toEqual([]);
  expect(omissions).toEqual([]);
  const [first] = counted;
  const [a = 0, b = 0] = [first?.samples.A[0], first?.samples.B[0]];
  expect(Math.abs(100 * (b / a - 1) - 1)).toBeLessThan(0.1);
  expect(first?.aaSpread).toBeLessThan(0.2);
});
