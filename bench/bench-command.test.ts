import { mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Command } from "commander";
import { describe, expect, it } from "vitest";
import { addBenchCommand, planOf } from "./bench-command.ts";

const given = { regions: "embedded,owned", seed: "1", maxRegression: "5" };

async function bench(...args: string[]): Promise<void> {
  const program = new Command().exitOverride();
  addBenchCommand(program, { output: { write: () => {} }, notes: { write: () => {} } });
  await program.parseAsync(["bench", ...args], { from: "user" });
}

describe("planOf", () => {
  it("measures everything unless told otherwise", () => {
    const plan = planOf([], given);
    expect(plan).toMatchObject({
      suites: ["boot", "dispatch", "retention"],
      quick: false,
      forms: { A: "embedded", B: "owned" },
      repeats: 20,
      seconds: null,
      seed: 1,
      command: "npx regionlab bench --seed 1",
    });
    expect(plan.workloads).toContain("hello");
  });

  it("gives a quick run a time instead of a number of repeats, unless one is asked for", () => {
    expect(planOf([], { ...given, quick: true })).toMatchObject({
      seconds: 100,
      workloads: ["hello", "mmio-storm"],
    });
    expect(planOf([], { ...given, quick: true, repeats: "6" })).toMatchObject({ seconds: null, repeats: 6 });
  });

  it("repeats its own command", () => {
    const options = {
      ...given,
      quick: true,
      regions: "owned,owned",
      workload: ["hello"],
      repeats: "4",
      seed: "9",
    };
    const { command, forms } = planOf(["boot"], options);
    expect(command).toBe(
      "npx regionlab bench boot --quick --regions owned,owned --workload hello --repeats 4 --seed 9",
    );
    expect(forms).toEqual({ A: "owned", B: "owned" });
  });
});

describe("regionlab bench", () => {
  it.each([
    [["speed"], /bench speed: there is no such suite; give any of boot, dispatch, retention/],
    [["--regions", "embedded"], /--regions embedded: give two of embedded, owned with a comma/],
    [["--regions", "embedded,heap"], /--regions embedded,heap: give two/],
    [["--workload", "doom"], /--workload doom: there is no such guest; give any of hello/],
    [["--repeats", "1"], /--repeats 1: is not a number from 2; give one/],
    [["--repeats", "many"], /--repeats many: is not a number/],
    [["--seed", "-3"], /--seed -3: is not a number from 0/],
    [["--max-regression", ""], /--max-regression : is not a number/],
    [["-o", "run.txt"], /-o run\.txt: a run is stored as JSON; end the name in \.json/],
    [["--baseline", "none.json"], /none\.json: does not exist/],
  ])("refuses %j before anything is measured", async (args, message) => {
    await expect(bench(...args)).rejects.toMatchObject({
      exitCode: 2,
      message: expect.stringMatching(message),
    });
  });

  it("reads the baseline first: a damaged one costs no minutes", async () => {
    const file = join(await mkdtemp(join(tmpdir(), "regionlab-bench-")), "baseline.json");
    await writeFile(file, '{"schema": "regionlab.run", "version": 99}');
    await expect(bench("--baseline", file)).rejects.toMatchObject({
      exitCode: 2,
      message: expect.stringMatching(/newer regionlab/),
    });
  });
});
