/** The committed kernels. Their output on QEMU and on our machine is checked by the long tests. */
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import { kernels } from "../kernels.ts";
import { skipWithout } from "../testing/programs.ts";

describe("committed kernels", () => {
  it("match their sources", (test) => {
    skipWithout(test, "riscv64-unknown-elf-gcc", "gcc-riscv64-unknown-elf");
    skipWithout(test, "make", "make");
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

  it("are complete, each with its recorded output on QEMU", () => {
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
