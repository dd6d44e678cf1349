/** Debian 13 on our machine and on QEMU: the installer to its prompt, its shell, and a root file system on a disk. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, type TestContext } from "vitest";
import { REGION_FORMS } from "#machine";
import { DEBIAN_APPEND, DEBIAN_PROMPT, DEBIAN_RAM_BYTES, locateDebian } from "./debian.ts";
import { locateFirmware } from "./firmware.ts";
import { packageRoot } from "./package-root.ts";
import { converse, type Reply } from "./testing/converse.ts";
import { DISK_INIT, DISK_PROMPT, makeRootDisk, writeInitialFiles } from "./testing/root-disk.ts";

const PATIENCE = 15 * 60_000;
const QEMU = "qemu-system-riscv64";

const firmware = locateFirmware();
const debian = locateDebian();
let scratch: string;

beforeAll(() => {
  scratch = mkdtempSync(join(tmpdir(), "regionlab-debian-"));
});

afterAll(() => rmSync(scratch, { recursive: true }));

/** A machine to run Debian on: QEMU, or ours in one of its forms. */
interface Machine {
  readonly name: string;
  readonly program: string;
  /** Before the options that all have. */
  readonly args: readonly string[];
  /** Of options that are words. */
  readonly dashes: "-" | "--";
}

const machines: readonly Machine[] = [
  { name: "QEMU", program: QEMU, args: ["-M", "virt", "-nographic"], dashes: "-" },
  ...REGION_FORMS.map(
    (form): Machine => ({
      name: `${form} regions`,
      program: process.execPath,
      args: [join(packageRoot(), "dist", "bin", "cli.js"), "run", "--regions", form],
      dashes: "--",
    }),
  ),
];

interface Boot {
  readonly initrd?: string;
  readonly append: string;
  /** Image of a virtio disk. */
  readonly disk?: string;
}

/** Program and arguments that boot Debian's kernel. */
function command({ program, args, dashes }: Machine, { initrd, append, disk }: Boot): [string, string[]] {
  if (!firmware.found || !debian.found) throw new Error("the test skips without firmware and Debian");
  const option = (name: string, value: string) => [`${dashes}${name}`, value];
  const drive =
    disk === undefined
      ? []
      : [
          ...option("drive", `file=${disk},if=none,id=root,format=raw`),
          ...option("device", "virtio-blk-device,drive=root"),
        ];
  const options = [
    ...["-m", `${DEBIAN_RAM_BYTES / 2 ** 20}M`],
    ...option("bios", firmware.bios),
    ...option("kernel", debian.kernel),
    ...option("initrd", initrd ?? debian.initrd),
    ...option("append", append),
    ...drive,
  ];
  return [program, [...args, ...options]];
}

function skipWhereMissing(context: TestContext, { program }: Machine): void {
  if (!firmware.found) context.skip(firmware.reason);
  if (!debian.found) context.skip(debian.reason);
  if (program === QEMU) skipWithout(context, QEMU, "qemu-system-misc");
}

function skipWithout(context: TestContext, program: string, debianPackage: string): void {
  const found = spawnSync(program, ["-V"], { stdio: "ignore" }).error === undefined;
  context.skip(!found, `${program} is not installed (Debian package ${debianPackage})`);
}

/** From the first prompt back to the menu, and from there to a shell. */
const TO_THE_SHELL: readonly Reply[] = [
  { expect: DEBIAN_PROMPT, send: "" },
  { expect: "help, default=2> ", send: "<\n" },
  { expect: "9: Execute a shell", send: "" },
  { expect: "help, default=1> ", send: "9\n" },
  { expect: "continue", send: "\n" },
];

describe.each(machines)("Debian 13 on $name", (machine) => {
  it("comes to the installer's prompt, and to a shell that answers commands", async (context) => {
    skipWhereMissing(context, machine);
    if (!debian.found) return;
    const replies = [...TO_THE_SHELL, { expect: "~ # ", send: "uname -r; echo answer $((6*7))\n" }];
    const conversation = { replies, until: "answer 42", patience: PATIENCE };
    const text = await converse(...command(machine, { append: DEBIAN_APPEND }), conversation);
    // The screen is redrawn in between, so the answer stands at no fixed place after the command.
    expect(text.slice(text.lastIndexOf("uname -r"))).toContain(debian.release);
  });

  it("keeps on its disk what it wrote there, over a power off", async (context) => {
    skipWhereMissing(context, machine);
    skipWithout(context, "mke2fs", "e2fsprogs");
    if (!debian.found) return;
    const folder = mkdtempSync(join(scratch, "disk-"));
    const [initrd, disk] = [join(folder, "initrd"), join(folder, "disk.img")];
    writeInitialFiles(debian, initrd);
    makeRootDisk(debian, folder, disk);
    const boot = { initrd, disk, append: `console=ttyS0 rdinit=${DISK_INIT}` };
    const type = (send: string) =>
      converse(...command(machine, boot), { replies: [{ expect: DISK_PROMPT, send }], patience: PATIENCE });

    const first = await type("echo kept-$((6*7)) > /witness; sync; poweroff -f\n");
    expect(first).toMatch(/^\/dev\/vda \/ ext4 rw/m);
    expect(first).not.toContain("kept-42");
    const second = await type("cat /witness; mount -o remount,ro /; poweroff -f\n");
    expect(second).toMatch(/^kept-42\r$/m);
    const check = spawnSync("e2fsck", ["-f", "-n", disk], { encoding: "utf8" });
    expect([check.status, check.stderr]).toEqual([0, expect.not.stringContaining("recovery")]);
  });
});
