/** The kernels as they are committed. What they print on QEMU and on our machine takes a while: the long tests see to it. */
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import { kernels } from "../kernels.ts";

describe("committed kernels", () => {
  it("are what their sources build", (test) => {
    for (const program of ["riscv64-unknown-elf-gcc", "make"]) {
      const found = spawnSync(program, ["--version"], { stdio: "ignore" }).error === undefined;
      test.skip(!found, `${program} is not installed (Debian packages gcc-riscv64-unknown-elf, make)`);
    }
    const check = spawnSync("make", ["--silent", "-C", import.meta.dirname, "check"], {
      encoding: "utf8",
      timeout: 50_000,
    });
    expect(check.stderr).toBe("");
    expect(check.status).toBe(0);
  });

  it.each(kernels())("$name has the hash of SHA256SUMS", ({ elf }) => {
    const sums = readFileSync(join(dirname(elf), "SHA256SUMS"), "utf8");
    const hash = createHash("sha256").update(readFileSync(elf)).digest("hex");
    expect(sums.split("\n")).toContain(`${hash}  ${basename(elf)}`);
  });

  it("are all that the folder holds, each with what it printed on QEMU", () => {
    const sources = readFileSync(join(import.meta.dirname, "Makefile"), "utf8");
    const names = /^PROGRAMS = (.*)$/m.exec(sources)?.[1]?.split(" ");
    expect(names).toEqual(
      kernels()
        .map(({ name }) => name)
        .sort(),
    );
    for (const { name, expectedConsole } of kernels()) {
      expect(existsSync(expectedConsole)).toBe(true);
      expect(readFileSync(expectedConsole, "utf8")).toMatch(
        new RegExp(
          `^${name}, lap 1(: \\d+ iterations, checksum 0x(?!0{16})[0-9a-f]{16}\n)(${name}, lap \\d\\1)+$`,
        ),
      );
    }
  });
});
