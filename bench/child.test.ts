/** A measured process as a run starts it, from the built code: conductor, three arms, report. */
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { beforeAll, describe, expect, it } from "vitest";
import { ARMS, BOARD_CREATION, BOOT, SLICE_ESTIMATOR, TEAR_DOWN } from "#results";
import { RUNTIME_OPTIONS } from "./plan.ts";
import { runChild } from "./runner/child-process.ts";
import { emptyReport, type ProcessReport, type ProcessRequest, type Task } from "./suites/measurement.ts";

const entry = fileURLToPath(new URL("../dist/bench/child.js", import.meta.url));

beforeAll(() => {
  if (!existsSync(entry)) throw new Error(`${entry} is missing; run npm run build first`);
});

async function measure(
  task: Task,
  execArgv: readonly string[] = RUNTIME_OPTIONS.untimed,
  change: Partial<ProcessRequest> = {},
): Promise<ProcessReport> {
  const request: ProcessRequest = {
    forms: { A: "embedded", B: "owned" },
    quick: true,
    seed: 1,
    task,
    ...change,
  };
  const report = (await runChild(request, "test", { entry, execArgv, timeout: 180_000 })) as ProcessReport; // of child.ts
  expect(Object.keys(report).toSorted()).toEqual(Object.keys(emptyReport).toSorted());
  expect(report.slots.toSorted()).toEqual(ARMS.toSorted());
  return report;
}

describe("a measured process", () => {
  it("measures a work in slices, one list for each planted variant", async () => {
    const { measurements, slots, checks, curves, outcomes, remains, proofs } = await measure(
      { kind: "slices", works: ["board"] },
      RUNTIME_OPTIONS.rounds,
      { plant: [0, 0.05], seed: 2 },
    );
    expect({ checks, curves, outcomes, remains, proofs }).toEqual({
      checks: [],
      curves: null,
      outcomes: null,
      remains: null,
      proofs: [],
    });
    expect(slots).toHaveLength(3);
    expect(measurements.map((each) => each.map(({ definition }) => definition.name))).toEqual([
      [BOARD_CREATION, TEAR_DOWN],
      [BOARD_CREATION, TEAR_DOWN],
    ]);
    for (const { definition, estimates, distributions } of measurements.flat()) {
      expect(definition.estimator).toBe(SLICE_ESTIMATOR);
      const { A } = distributions;
      expect(estimates.A).toBeGreaterThanOrEqual(A.min);
      expect(estimates.A).toBeLessThanOrEqual(A.q1);
      for (const arm of ARMS) {
        const { count, min, max } = distributions[arm];
        expect(count).toBe(200); // each variant has as many as a run
        expect(min).toBeGreaterThan(0);
        // No quotient exceeds that of the longest slice of one arm and the shortest of the other.
        const quotient = estimates[arm] / estimates.A;
        expect(quotient).toBeGreaterThanOrEqual(min / A.max);
        expect(quotient).toBeLessThanOrEqual(max / A.min);
      }
    }
  });

  it("boots in lockstep: every boot of every arm matches the guest of the proof", async () => {
    const [{ proofs }, { checks, measurements }] = await Promise.all([
      measure({ kind: "proof", guest: "hello" }),
      measure({ kind: "lockstep", guest: "hello" }, RUNTIME_OPTIONS.lockstep),
    ]);
    const [proof] = proofs;
    expect(proof?.workload).toBe("hello");
    expect(proof?.records.B).toEqual(proof?.records.A);
    expect(proof?.records.A2).toEqual(proof?.records.A);
    const [[boot, ...parts] = []] = measurements;
    expect([boot?.definition.name, parts]).toEqual([BOOT, []]);
    const boots = boot?.distributions.A.count ?? 0;
    expect(boots).toBeGreaterThan(0);
    const { instructions, consoleSha256 } = proof?.records.A ?? {};
    expect(checks).toEqual(new Array(3 * boots).fill({ workload: "hello", instructions, consoleSha256 }));
  });

  it("counts lifetimes and the reads of accesses for the form of each arm", async () => {
    const { outcomes } = await measure({ kind: "outcomes" });
    expect(outcomes?.A2).toEqual(outcomes?.A);
    expect(outcomes?.A.lifetimes.length).toBeGreaterThan(2);
    expect(outcomes?.B.lifetimes).not.toEqual(outcomes?.A.lifetimes);
    expect(outcomes?.B.lifetimes.map(({ scenario }) => scenario)).toEqual(
      outcomes?.A.lifetimes.map(({ scenario }) => scenario),
    );
    expect(outcomes?.B.fieldReads.map(({ access }) => access)).toEqual(
      outcomes?.A.fieldReads.map(({ access }) => access),
    );
  });

  it("finds the leak of the control scenario and none in the others, alike in all arms", async () => {
    const { remains } = await measure({ kind: "remains" });
    if (remains === null) throw new TypeError("the process counted nothing");
    expect(remains.A2).toEqual(remains.A);
    expect(remains.A.map(({ scenario }) => scenario)).toContain("by-hand");
    for (const arm of ARMS) {
      for (const { scenario, rounds, objects, blocksUnfreed, modelledLeakedBytes } of remains[arm]) {
        const leaks = scenario === "by-hand" ? rounds : 0;
        const regions = objects.find(({ className }) => className === "MemoryRegion");
        // As a C structure, `sizeof(MemoryRegion)` is 272.
        expect([arm, scenario, blocksUnfreed, modelledLeakedBytes, regions?.alive]).toEqual([
          arm,
          scenario,
          leaks,
          272 * leaks,
          leaks,
        ]);
      }
    }
  }, 180_000);

  it("says what is wrong if an arm cannot do what it is asked to", async () => {
    await expect(measure({ kind: "slices", works: ["dispatch/warp"] })).rejects.toThrow(
      /no dispatch case is called warp/,
    );
  });
});
