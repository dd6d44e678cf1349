/** U-Boot reads Debian's kernel and initial file system from a virtio disk and starts it, as on QEMU. */
import {
  closeSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { DEBIAN_APPEND, DEBIAN_PROMPT, locateDebian } from "./debian.ts";
import { locateFirmware } from "./firmware.ts";
import { converse, type Reply } from "./testing/converse.ts";
import { debianMachines, machineCommand, skipWhereMissing, virtioDisk } from "./testing/debian-machines.ts";

const PATIENCE = 15 * 60_000;
const SECTOR = 512;
const MIB = 2 ** 20;
const PROMPT = "=> ";

/** Locations of the files on the disk and in memory, clear of the areas that U-Boot unpacks and relocates to. */
const KERNEL = { sector: 2048, address: 0x8400_0000 };
const INITRD = { sector: 0x2_0000, address: 0x8800_0000 };
const DISK_BYTES = 128 * MIB;

const firmware = locateFirmware();
const debian = locateDebian();
let folder: string;
let image: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "regionlab-booti-"));
  image = join(folder, "disk.img");
  if (!debian.found) return;
  const disk = openSync(image, "w");
  for (const [path, { sector }] of [
    [debian.kernel, KERNEL],
    [debian.initrd, INITRD],
  ] as const) {
    writeSync(disk, readFileSync(path), 0, statSync(path).size, sector * SECTOR);
  }
  closeSync(disk);
  truncateSync(image, DISK_BYTES);
});

afterAll(() => rmSync(folder, { recursive: true }));

const hex = (value: number) => value.toString(16);

/** The command that reads a file from the disk. */
function read(path: string, { sector, address }: { sector: number; address: number }): string {
  return `virtio read ${hex(address)} ${hex(sector)} ${hex(Math.ceil(statSync(path).size / SECTOR))}`;
}

describe.each(debianMachines)("U-Boot and Debian's kernel on $name", (machine) => {
  it("boots from a virtio disk to the installer's prompt", async (context) => {
    skipWhereMissing(context, machine);
    if (!debian.found || !firmware.found) return;
    const { kernel, initrd } = debian;
    const commands = [
      "virtio scan",
      "virtio info",
      read(kernel, KERNEL),
      read(initrd, INITRD),
      `setenv bootargs ${DEBIAN_APPEND}`,
      `booti ${hex(KERNEL.address)} ${hex(INITRD.address)}:${hex(statSync(initrd).size)} $fdtcontroladdr`,
    ];
    const replies: Reply[] = [
      { expect: "stop autoboot", send: "\n" },
      ...commands.map((command) => ({ expect: PROMPT, send: `${command}\n` })),
    ];
    const options = [["kernel", firmware.kernel] as const, ...virtioDisk(image)];
    const text = await converse(...machineCommand(machine, options), {
      replies,
      until: DEBIAN_PROMPT,
      patience: PATIENCE,
    });
    expect(text).toContain("Device 0: QEMU VirtIO Block Device");
    expect(text.match(/blocks read: OK/g)).toHaveLength(2);
    expect(text).toContain(`Linux version ${debian.release}`);
    expect(text).toContain(`Kernel command line: ${DEBIAN_APPEND}`);
    expect(text).toMatch(/Freeing initrd memory: \d+K/);
  });
});
