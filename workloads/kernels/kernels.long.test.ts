/** Output of each kernel on QEMU and on our machine, translated and interpreted. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { kernels } from "../kernels.ts";
import { packageRoot } from "../package-root.ts";
import { converse } from "../testing/converse.ts";
import { skipWithout } from "../testing/programs.ts";

const QEMU = "qemu-system-riscv64";
const PATIENCE = 15 * 60_000;
const cli = join(packageRoot(), "dist", "bin", "cli.js");

describe.each(kernels())("$name", ({ elf, expectedConsole }) => {
  const expected = readFileSync(expectedConsole, "latin1");
  const conversation = { replies: [], patience: PATIENCE };

  it("prints the recorded output on QEMU", async (context) => {
    skipWithout(context, QEMU, "qemu-system-misc");
    const board = ["-M", "virt", "-m", "256M", "-bios", "none", "-nographic"];
    expect(await converse(QEMU, [...board, "-kernel", elf], conversation)).toBe(expected);
  });

  it("prints the same on ours", async () => {
    expect(await converse(process.execPath, [cli, "run", "--kernel", elf], conversation)).toBe(expected);
  });

  it("prints the same in its first lap on the interpreter alone", async () => {
    const [lap = ""] = expected.split("\n");
    const options = ["run", "--translate", "nothing", "--until", lap, "--kernel", elf];
    const text = await converse(process.execPath, [cli, ...options], { ...conversation, until: lap });
    expect(text.slice(0, lap.length)).toBe(lap);
  });
});
