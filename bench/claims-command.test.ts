import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Command } from "commander";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { ClaimRow } from "#results";
import { addClaimsCommand } from "./claims-command.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "regionlab-claims-"));
});
afterAll(() => rm(folder, { recursive: true }));

async function run(
  args: readonly string[],
  change: (row: ClaimRow) => ClaimRow = (row) => row,
): Promise<string> {
  const { answerClaims } = await import("./claims.ts");
  let printed = "";
  const program = new Command().exitOverride();
  const noSources = () => Promise.resolve(null);
  addClaimsCommand(program, noSources, { write: (text) => (printed += text) }, async (mix, ids) =>
    (await answerClaims(mix, ids)).map(change),
  );
  await program.parseAsync(["claims", ...args], { from: "user" });
  return printed;
}

describe("regionlab claims", () => {
  it("prints the claims asked for, with their scenarios", async () => {
    const text = await run(["c15", "C7"]);
    expect(text).toMatch(/^C7 /m);
    expect(text).toMatch(/^C15 {2}/m);
    expect(text).toContain("+unparent");
    expect(text).not.toMatch(/^C16/m);
  });

  it("writes a file in the format of its ending, and prints nothing", async () => {
    const file = join(folder, "page.html");
    expect(await run(["C1", "-o", file])).toBe("");
    expect(await readFile(file, "utf8")).toMatch(/^<!doctype html>/);
  });

  it("says what cannot be answered without sources of devices", async () => {
    expect(await run(["C12", "--format", "markdown"])).toContain("Needs the sources of the devices");
  });

  it("fails after printing when something is not as predicted", async () => {
    const surprising = (row: ClaimRow): ClaimRow => ({
      ...row,
      scenarios: row.scenarios.map((scenario) => ({
        ...scenario,
        cells: scenario.cells.map((cell) => ({ ...cell, predicted: "abort" })),
      })),
    });
    const file = join(folder, "failed.md");
    await expect(run(["C1", "-o", file], surprising)).rejects.toMatchObject({
      exitCode: 1,
      message: expect.stringMatching(
        /^not as predicted:\nC1, owners end, embedded with owner: predicted abort/,
      ),
    });
    expect(await readFile(file, "utf8")).toContain("PREDICTED: abort");
  });

  it.each([
    ["an unknown claim", ["C99"], /there is no claim C99; give one of C1 to C27/],
    ["a folder that is a file", ["C1", "-o", "/dev/null/x"], /\/dev\/null/],
    ["an unknown format", ["C1", "--format", "pdf"], /Allowed choices are table, markdown, json, html/],
  ])("refuses %s, and writes nothing", async (_, args, message) => {
    const before = await readdir(folder);
    await expect(run(args)).rejects.toThrow(message);
    expect(await readdir(folder)).toEqual(before);
  });
});
