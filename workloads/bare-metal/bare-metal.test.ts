import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import { type BareMetalWorkload, workloads } from "../index.ts";
import { skipWithout } from "../testing/programs.ts";

const programs = workloads().filter((each): each is BareMetalWorkload => each.kind === "bare-metal");
const folder = import.meta.dirname;

describe("committed programs", () => {
  it.for(programs)(
    "$name prints its recorded output on QEMU",
    ({ kernel, expectedConsole, exitCode, hartCount }, test) => {
      skipWithout(test, "qemu-system-riscv64", "qemu-system-misc");
      const board = ["-M", "virt", "-m", "256M", "-smp", `${hartCount}`, "-bios", "none", "-nographic"];
      const run = spawnSync("qemu-system-riscv64", [...board, "-kernel", kernel], {
        encoding: "utf8",
        stdio: ["ignore", "pipe", "pipe"],
        timeout: 50_000,
      });
      expect(run.stdout).toBe(readFileSync(expectedConsole, "utf8"));
      expect(run.status).toBe(exitCode);
    },
  );

  it("match their sources", (test) => {
    skipWithout(test, "riscv64-unknown-elf-gcc", "gcc-riscv64-unknown-elf");
    skipWithout(test, "make", "make");
    const check = spawnSync("make", ["--silent", "-C", folder, "check"], {
      encoding: "utf8",
      timeout: 50_000,
    });
    expect(check.stderr).toBe("");
    expect(check.status).toBe(0);
  });

  it.each(programs)("$name has the hash of SHA256SUMS", ({ kernel }) => {
    const sums = readFileSync(join(dirname(kernel), "SHA256SUMS"), "utf8");
    const hash = createHash("sha256").update(readFileSync(kernel)).digest("hex");
    expect(sums.split("\n")).toContain(`${hash}  ${basename(kernel)}`);
  });

  it.each(programs)("$name prints its milestone on success", ({ expectedConsole, milestone }) => {
    const console = readFileSync(expectedConsole, "utf8");
    expect(console.trimEnd().endsWith(milestone.trimEnd())).toBe(true);
    expect(console).not.toContain("FAIL");
  });
});
