/** What each kernel prints on QEMU and on our machine, translated and interpreted. */
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { kernels } from "../kernels.ts";
import { packageRoot } from "../package-root.ts";
import { converse } from "../testing/converse.ts";

const QEMU = "qemu-system-riscv64";
const PATIENCE = 15 * 60_000;
const cli = join(packageRoot(), "dist", "bin", "cli.js");

describe.each(kernels())("$name", ({ elf, expectedConsole }) => {
  const expected = readFileSync(expectedConsole, "latin1");
  const conversation = { replies: [], patience: PATIENCE };

  it("prints on QEMU what is recorded", async (context) => {
    const found = spawnSync(QEMU, ["--version"], { stdio: "ignore" }).error === undefined;
    context.skip(!found, `${QEMU} is not installed (Debian package qemu-system-misc)`);
    const board = ["-M", "virt", "-m", "256M", "-bios", "none", "-nographic"];
    expect(await converse(QEMU, [...board, "-kernel", elf], conversation)).toBe(expected);
  });

  it.each(["hot", "nothing"])("prints the same on ours, with %s translated", async (translate) => {
    const options = ["run", "--translate", translate, "--kernel", elf];
    expect(await converse(process.execPath, [cli, ...options], conversation)).toBe(expected);
  });
});
