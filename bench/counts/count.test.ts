import { existsSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ARMS } from "#results";
import { packageRoot } from "#workloads";
import { type CountedProcess, CountFailure, locateValgrind } from "./cachegrind.ts";
import { type CountOptions, countAll, slopePerOperation } from "./count.ts";
import type { CountRequest } from "./request.ts";
import { type CountSubject, countSubjects } from "./subjects.ts";

const forms = { A: "embedded", B: "owned" } as const;
const valgrind = { path: "/usr/bin/valgrind", version: "3.99.1" };
const [create, objects] = countSubjects();
if (create === undefined || objects === undefined) throw new Error("there are subjects");

/** A process whose instructions are told by its request. */
type Pretend = (request: CountRequest, counted: CountedProcess) => number | { count: number; check: string };

function pretend(pretended: Pretend): NonNullable<CountOptions["run"]> {
  return async (counted) => {
    const request: CountRequest = JSON.parse(counted.args.at(-1) ?? "");
    const result = pretended(request, counted);
    const { count, check } = typeof result === "number" ? { count: result, check: "done" } : result;
    return { instructions: count, report: JSON.stringify({ rounds: request.rounds, check }) };
  };
}

const START = 90_000_000;
const perRound = ({ form, rounds }: CountRequest, embedded = 1000, owned = 1010) =>
  START + rounds * (form === "embedded" ? embedded : owned);
const options = { forms, subjects: [create, objects], repeats: 3, seed: 1, width: 2, valgrind } as const;

describe("countAll", () => {
  it("gives the slope of every arm, one sample for each repeat, and the processes they come from", async () => {
    const { counted, omissions, processes, ...rest } = await countAll({
      ...options,
      run: pretend((request) => perRound(request)),
    });
    expect(rest.valgrind).toBe("3.99.1");
    expect(omissions).toEqual([]);
    expect(processes).toHaveLength(2 * 3 * 3 * 2);
    expect(processes.every(({ lost }) => lost === null)).toBe(true);
    expect(counted.map(({ definition }) => definition.name)).toEqual([
      "machine creation",
      "objects and first flat view",
    ]);
    for (const { samples, aaSpread, processes: indices } of counted) {
      expect(samples).toEqual({ A: [1000, 1000, 1000], B: [1010, 1010, 1010], A2: [1000, 1000, 1000] });
      expect(aaSpread).toBe(0);
      indices.forEach((index, repeat) => {
        expect(processes[index]).toMatchObject({
          repeat,
          task: expect.stringMatching(/arm A, (12|40) rounds$/),
        });
      });
    }
  });

  it("leaves a figure out whose control differs by more than the margin, and says by how much", async () => {
    let calls = 0;
    const run = pretend((request) =>
      perRound(request, request.subject === "create" ? 1000 : 1000 + 3 * calls++),
    );
    const { counted, omissions } = await countAll({ ...options, width: 1, run });
    expect(counted.map(({ definition }) => definition.name)).toEqual(["machine creation"]);
    expect(omissions).toEqual([
      expect.objectContaining({
        name: "objects and first flat view",
        quantity: "count",
        decides: false,
        reason: expect.stringMatching(
          /0\.2 % is the most that A may differ from itself, and it did by \d+\.\d\d %/,
        ),
      }),
    ]);
  });

  it("loses a repeat with a process that fails, tells why, and keeps the others", async () => {
    let failed = 0;
    const run = pretend((request) => {
      if (request.subject === "create" && failed++ === 0) throw new CountFailure("exit code 3");
      return perRound(request);
    });
    const { counted, processes } = await countAll({ ...options, width: 1, run });
    expect(counted.map(({ samples }) => ARMS.map((arm) => samples[arm].length))).toEqual([
      [2, 2, 2],
      [3, 3, 3],
    ]);
    expect(processes.flatMap(({ lost }) => lost ?? [])).toEqual(["exit code 3"]);
  });

  it("loses what says it did other work than the rest", async () => {
    let calls = 0;
    const run = pretend((request) => ({ count: perRound(request), check: calls++ === 7 ? "less" : "done" }));
    const { processes } = await countAll({ ...options, width: 1, run });
    expect(processes.flatMap(({ lost }) => lost ?? [])).toEqual([
      'its work came to "less", that of another process to "done"',
    ]);
  });

  it("loses what reports nothing", async () => {
    const { counted, omissions } = await countAll({
      ...options,
      run: async () => ({ instructions: 5, report: "" }),
    });
    expect(counted).toEqual([]);
    expect(omissions[0]?.reason).toMatch(/^Not counted: its processes failed: it ended without a report/);
  });

  it("begins nothing after its deadline, and names the time as the reason", async () => {
    const { counted, omissions, processes } = await countAll({
      ...options,
      deadline: performance.now() - 1,
      run: pretend(() => 0),
    });
    expect([counted, processes]).toEqual([[], []]);
    expect(omissions.map(({ reason }) => reason)).toEqual(
      Array(2).fill("Not counted: the time was used up; give the run more."),
    );
  });

  it("says how to get valgrind where there is none", async () => {
    const { valgrind: version, omissions } = await countAll({ ...options, valgrind: null });
    expect(version).toBeNull();
    expect(omissions).toHaveLength(2);
    expect(omissions[0]?.reason).toMatch(/not installed: .*`apt-get install valgrind`\.$/);
  });

  it("asks for both forms, and for a control of A's", async () => {
    const asked = new Map<string, string>();
    const run = pretend((request, { args }) => {
      asked.set(args.find((each) => each.startsWith("--random-seed")) ?? "", request.form);
      return perRound(request);
    });
    await countAll({ ...options, subjects: [create], repeats: 1, run });
    expect([...asked.values()].toSorted()).toEqual(["embedded", "embedded", "owned"]);
  });
});

it("finds the slope of any line, whatever start-up costs", () => {
  const counts = fc.nat(1e9);
  const number = fc.integer({ min: 1, max: 500 });
  fc.assert(
    fc.property(counts, counts, fc.nat(100), number, number, (start, slope, fewRounds, more, perRound) => {
      const manyRounds = fewRounds + more;
      const at = (rounds: number) => start + rounds * perRound * slope;
      const found = slopePerOperation(
        { less: at(fewRounds), more: at(manyRounds) },
        { fewRounds, manyRounds, perRound },
      );
      expect(found).toBeCloseTo(slope, 3);
    }),
  );
});

it("counts one per cent more work as one per cent, with the real valgrind", {
  timeout: 600_000,
}, async (context) => {
  const found = await locateValgrind();
  const built = existsSync(join(packageRoot(), "dist", "bench", "counts", "child.js"));
  if (found === null) return context.skip("valgrind is not installed");
  if (!built) return context.skip("the counted process is not built; run `npm run build`");
  const planted: CountSubject = {
    ...objects,
    name: "planted",
    flags: [],
    warmUp: 20,
    fewRounds: 10,
    manyRounds: 40,
  };
  const { counted, omissions, processes } = await countAll({
    forms,
    subjects: [planted],
    repeats: 1,
    seed: 1,
    valgrind: found,
  });
  expect(processes.flatMap(({ lost }) => lost ?? [])).toEqual([]);
  expect(omissions).toEqual([]);
  const [
    {
      samples: {
        A: [a = 0],
        B: [b = 0],
      },
      aaSpread,
    } = { samples: { A: [], B: [] }, aaSpread: 1 },
  ] = counted;
  expect(Math.abs(100 * (b / a - 1) - 1)).toBeLessThan(0.1);
  expect(aaSpread).toBeLessThan(0.2);
});
