import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { beforeAll, describe, expect, it } from "vitest";
import { QUICK_LOOKS } from "./options.ts";

const command = fileURLToPath(new URL("../dist/bench/simulate.js", import.meta.url));

beforeAll(() => {
  if (!existsSync(command)) throw new Error(`${command} is missing; run npm run build first`);
});

function simulate(...args: string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [command, ...args], { encoding: "utf8" });
  return { status, stdout, stderr };
}

describe("bench:simulate", () => {
  it("prints a row for each shape of noise and effect, for both kinds of run, the same for the same seed", () => {
    const { status, stdout, stderr } = simulate("--trials", "20", "--seed", "3");
    expect([status, stderr]).toEqual([0, ""]);
    expect(stdout.match(/^(normal|wild|bimodal).*( +\d+\.\d %){6} +\d+\.\d$/gm)).toHaveLength(2 * 3 * 4);
    expect(stdout).toMatch(new RegExp(`after ${QUICK_LOOKS.join(", ")} processes, each at 98\\.33 %`));
    expect(simulate("--trials", "20", "--seed", "3").stdout).toBe(stdout);
    expect(simulate("--trials", "20", "--seed", "4").stdout).not.toBe(stdout);
  });

  it.each([
    ["--trials", "0"],
    ["--trials", "2.5"],
    ["--trials", "many"],
    ["--seed", "-1"],
    ["--seed", "1e9"],
  ])("refuses %s %s in a line that names the option", (option, value) => {
    const { status, stdout, stderr } = simulate(`${option}=${value}`);
    expect([status, stdout]).toEqual([2, ""]);
    expect(stderr).toMatch(
      new RegExp(`^bench:simulate: ${option} ${value}: is not a whole number from .*; give one\n$`),
    );
  });

  it("refuses unknown options", () => {
    expect(simulate("--repeats", "3")).toMatchObject({
      status: 2,
      stderr: expect.stringMatching(/--repeats/),
    });
  });
});
