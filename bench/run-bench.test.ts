import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, afterEach, describe, expect, it, vi } from "vitest";
import { CommandError } from "#host";
import { parseRun, type Run, SLICE_ESTIMATOR, serializeRun, type Verdict } from "#results";
import { packageRoot } from "#workloads";
import { captureEnvironment } from "./environment.ts";
import { Journal, type JournalKey } from "./journal.ts";
import { type BenchCommandOptions, planOf, QUICK_LOOKS } from "./options.ts";
import { type BenchPlan, describeRuntimeOptions } from "./plan.ts";
import { runBench } from "./run-bench.ts";

const folder = mkdtempSync(join(tmpdir(), "regionlab-run-"));
const childEntry = fileURLToPath(new URL("fixtures/measured.mjs", import.meta.url));

afterEach(() => vi.unstubAllEnvs());
afterAll(() => rmSync(folder, { recursive: true }));

const options = {
  quick: true,
  regions: "embedded,owned",
  workload: ["hello"],
  seed: "1",
  count: false,
  seconds: "600",
};

/**
 * A quick run of boots and dispatch with invented figures, one metric per task. Only boards are looked at; all other
 * tasks have a fixed number of processes.
 */
async function run(
  behave: string,
  {
    output = behave,
    fresh = true,
    change = {},
    planned = {},
  }: {
    output?: string;
    fresh?: boolean;
    change?: Partial<BenchCommandOptions>;
    planned?: Partial<BenchPlan>;
  } = {},
): Promise<Run> {
  vi.stubEnv("BENCH_FIXTURE", behave);
  const plan = { ...planOf(["boot", "dispatch"], { ...options, ...change }), ...planned };
  const { command: _, ...same } = plan;
  const key: JournalKey = { plan: same, code: "", node: "", cpuModel: "" };
  const made = await runBench(plan, {
    childEntry,
    codeSize: [],
    claims: [],
    progress: { write: () => {} },
    environment: captureEnvironment(packageRoot(), describeRuntimeOptions()),
    journal: Journal.open(join(folder, `${output}.json`), key, fresh),
    selfTest: null,
  });
  expect(parseRun(serializeRun(made), "run.json")).toEqual(made);
  return made;
}

function processesOf({ schedule }: Run): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { task } of schedule.processes) counts[task] = (counts[task] ?? 0) + 1;
  return counts;
}

/** Verdicts of the deciding metrics, by name. */
function verdictsOf({ metrics }: Run): Record<string, Verdict> {
  const deciding = metrics.filter(({ decides }) => decides);
  return Object.fromEntries(deciding.map(({ name, comparison }) => [name, comparison.verdict]));
}

const proofs = { "proof/hello": 1, "proof/outcomes": 2 };
/** Tasks with a fixed number of processes. */
const set = { "dispatch/paths": 3, "dispatch/board": 3, "boot/machine": 2, "boot/hello": 2 };
const [pathsName, boardName] = ["dispatch/floor", "dispatch/uart-guest"];
const [firstLook = 0, secondLook = 0] = QUICK_LOOKS;
const lastLook = Math.max(...QUICK_LOOKS);

describe("runBench", () => {
  it("gives boots that are never counted enough processes before it times anything else", async () => {
    const made = await run("equal", {
      output: "order",
      planned: {
        workloads: ["hello", "debian"],
        command: "npx regionlab bench boot dispatch --quick --workload hello debian --no-count --seed 1",
      },
    });
    const timed = made.schedule.processes.map(({ task }) => task).filter((task) => !task.startsWith("proof"));
    expect(timed.slice(0, 3)).toEqual(["boot/debian", "boot/debian", "boot/debian"]);
    expect(timed.slice(3)).toContain("boot/debian");
    expect(timed[3]).not.toBe("boot/debian");
  });

  it("proves first, then stops at the first look at which every headline metric is decided", async () => {
    const made = await run("equal");
    expect(processesOf(made)).toEqual({
      ...proofs,
      ...set,
      "boot/board": firstLook,
    });
    expect(made.schedule.processes.slice(0, 3).map(({ task, repeat }) => [task, repeat])).toEqual([
      ["proof/hello", 0],
      ["proof/outcomes", 0],
      ["proof/outcomes", 1],
    ]);
    expect(verdictsOf(made)).toMatchObject({
      board: "equivalent",
      [pathsName]: "equivalent",
      [boardName]: "equivalent",
    });
    const board = made.metrics.find(({ name }) => name === "board");
    expect(board?.estimator).toBe(SLICE_ESTIMATOR); // the fixture has a copy
    expect(board?.comparison.ab.level).toBeGreaterThanOrEqual(1 - 0.05 / QUICK_LOOKS.length);
    expect(made.options.sequential.looks).toEqual(QUICK_LOOKS);
  });

  it("looks again if a difference is not certain at first, and measures to the end if nothing is", async () => {
    const slower = await run("slower");
    expect(verdictsOf(slower)).toMatchObject({ board: "slower" });
    expect(processesOf(slower)["boot/board"]).toBe(secondLook);
    const noisy = await run("noisy");
    expect(processesOf(noisy)).toMatchObject({ ...set, "boot/board": lastLook });
    expect(new Set(Object.values(verdictsOf(noisy)))).toEqual(new Set(["inconclusive"]));
  });

  it("measures nothing if the forms do not run the same guest", async () => {
    const made = await run("stray");
    expect(processesOf(made)).toEqual(proofs);
    expect(made.equivalence).toMatchObject([{ workload: "hello", equal: false }]);
    expect(made.metrics).toEqual([]);
  });

  it("ends if there is no proof", async () => {
    const failure = await run("no proof").catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(CommandError);
    expect(failure).toMatchObject({
      exitCode: 1,
      message: expect.stringMatching(/^no proof, because 2 processes failed: .*the guest is missing/s),
    });
  });

  it("gives up a task that only crashes, says so, and reports the others", async () => {
    const made = await run("crash");
    expect(processesOf(made)).toEqual({ ...proofs, ...set, "boot/board": 3 });
    expect(made.metrics.map(({ name }) => name).toSorted()).toEqual(
      [pathsName, boardName, "machine", "hello"].toSorted(),
    );
    const missing = made.omissions.filter(({ quantity }) => quantity === "time");
    expect(missing.map(({ workload, name }) => `${workload}: ${name}`)).toEqual([
      "virt board: objects and first flat view",
      "virt board: tear-down",
    ]);
    for (const { reason } of missing) expect(reason).toMatch(/^Each of 3 processes failed, the first with: /);
    for (const { quantity, reason } of made.omissions.filter((each) => !missing.includes(each)))
      expect([quantity, reason]).toEqual(["count", "Not counted, as --no-count asked for."]);
  });

  it("resumes an interrupted run, with the result of an uninterrupted one", async () => {
    const whole = await run("equal", { output: "again" });
    const again = await run("equal", { output: "again", fresh: false });
    expect(again.schedule).toEqual(whole.schedule);
    expect(again.metrics).toEqual(whole.metrics);
  });

  it("measures as many processes as requested, without an earlier look", async () => {
    const made = await run("equal", { change: { repeats: "3" } });
    expect(processesOf(made)["boot/board"]).toBe(3);
    expect(made.options.sequential).toEqual({ looks: [3], level: 0.95 });
  });
});
