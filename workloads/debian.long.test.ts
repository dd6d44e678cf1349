/** Debian 13 on our machine and on QEMU: the installer to its prompt, its shell, and a root file system on a disk. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { DEBIAN_APPEND, locateDebian } from "./debian.ts";
import { converse } from "./testing/converse.ts";
import { debianCommand, debianMachines, skipWhereMissing, virtioDisk } from "./testing/debian-machines.ts";
import { SHELL_PROMPT, TO_THE_SHELL } from "./testing/installer.ts";
import { skipWithout } from "./testing/programs.ts";
import { DISK_INIT, DISK_PROMPT, makeRootDisk, writeInitialFiles } from "./testing/root-disk.ts";

const PATIENCE = 15 * 60_000;

const debian = locateDebian();
let scratch: string;

beforeAll(() => {
  scratch = mkdtempSync(join(tmpdir(), "regionlab-debian-"));
});

afterAll(() => rmSync(scratch, { recursive: true }));

describe.each(debianMachines)("Debian 13 on $name", (machine) => {
  it("reaches the installer's prompt, and a shell that runs commands", async (context) => {
    skipWhereMissing(context, machine);
    if (!debian.found) return;
    const replies = [...TO_THE_SHELL, { expect: SHELL_PROMPT, send: "uname -r; echo answer $((6*7))\n" }];
    const conversation = { replies, until: "answer 42", patience: PATIENCE };
    const text = await converse(...debianCommand(machine, { append: DEBIAN_APPEND }), conversation);
    // The screen is redrawn in between, so the answer is at no fixed position after the command.
    expect(text.slice(text.lastIndexOf("uname -r"))).toContain(debian.release);
  });

  it("keeps data on its disk across a power-off", async (context) => {
    skipWhereMissing(context, machine);
    skipWithout(context, "mke2fs", "e2fsprogs");
    if (!debian.found) return;
    const folder = mkdtempSync(join(scratch, "disk-"));
    const [initrd, disk] = [join(folder, "initrd"), join(folder, "disk.img")];
    writeInitialFiles(debian, initrd);
    makeRootDisk(debian, folder, disk);
    const append = `console=ttyS0 rdinit=${DISK_INIT}`;
    const command = debianCommand(machine, { initrd, append, options: virtioDisk(disk) });
    const type = (send: string) =>
      converse(...command, { replies: [{ expect: DISK_PROMPT, send }], patience: PATIENCE });

    const first = await type("echo kept-$((6*7)) > /witness; sync; poweroff -f\n");
    expect(first).toMatch(/^\/dev\/vda \/ ext4 rw/m);
    expect(first).not.toContain("kept-42");
    const second = await type("cat /witness; mount -o remount,ro /; poweroff -f\n");
    expect(second).toMatch(/^kept-42\r$/m);
    const check = spawnSync("e2fsck", ["-f", "-n", disk], { encoding: "utf8" });
    expect([check.status, check.stderr]).toEqual([0, expect.not.stringContaining("recovery")]);
  });
});
