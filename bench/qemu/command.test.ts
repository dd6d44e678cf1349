/** What `bench qemu` refuses before it starts anything. The emulator stands in by its name. */
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Command } from "commander";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { addQemuCommand } from "./command.ts";
import { emulatorOf } from "./session.ts";

let build = "";
beforeAll(() => {
  build = mkdtempSync(join(tmpdir(), "regionlab-build-"));
  writeFileSync(emulatorOf(build), "#!/bin/sh\necho no emulator >&2\nexit 7\n");
  chmodSync(emulatorOf(build), 0o755);
});
afterAll(() => rmSync(build, { recursive: true }));

async function qemu(...args: string[]): Promise<void> {
  const bench = new Command("bench").exitOverride();
  addQemuCommand(bench);
  await bench.parseAsync(["qemu", ...args], { from: "user" });
}

describe("bench qemu refuses", () => {
  it.each<[string, string[], RegExp]>([
    ["an unknown part", ["speed"], /^bench qemu speed: there is no such part; give any of machines, counts/],
    ["one process", ["--repeats", "1"], /^--repeats 1: is not a whole number from 2 /],
    ["a seed that is none", ["--seed", "x"], /^--seed x: is not a whole number from 0 /],
    [
      "works that there are not",
      ["--only", "plugg"],
      /^--only plugg: no work has that in its title; they are .*plug/,
    ],
    ["figures of machines", ["machines", "-o", "x.json"], /^-o x\.json: comparing machines gives no figures/],
    ["a run that is no JSON", ["counts", "-o", "x.txt"], /^-o x\.txt: a run is stored as JSON/],
  ])("%s", async (_, args, message) => {
    const both = ["--a", build, "--b", build];
    await expect(qemu(...args, ...both)).rejects.toMatchObject({
      exitCode: 2,
      message: expect.stringMatching(message),
    });
  });

  it("a folder without an emulator, by the option that names it", async () => {
    await expect(qemu("--a", build, "--b", "/nowhere")).rejects.toMatchObject({
      exitCode: 2,
      message: expect.stringMatching(/^--b \/nowhere: has no qemu-system-riscv64; give the folder in which/),
    });
  });

  it("a program that is no emulator, with what it said", async () => {
    await expect(qemu("memory", "--a", build, "--b", build)).rejects.toMatchObject({
      message: expect.stringMatching(/qemu-system-riscv64 --version: ended with 7; it said: no emulator/),
    });
  });
});
