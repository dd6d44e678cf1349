/** A kernel with paging, processes and a disk: on our machine in both forms, interpreted and translated, and on QEMU. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Emulation, loadHardware, parseHardwareOptions } from "#machine";
import { packageRoot } from "./package-root.ts";
import { skipWithout } from "./testing/programs.ts";

const QEMU = "qemu-system-riscv64";
const ELF = join(packageRoot(), "workloads", "bare-metal", "bin", "teaching-kernel.elf");
const RAM_BYTES = 256 * 2 ** 20;
const SECTORS = 64;
const SECTOR_WORDS = 128;
/** The sector that the kernel inverts. */
const WRITTEN = 2;

let folder = "";
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "regionlab-teaching-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

const wordOf = (sector: number, index: number): number => (Math.imul(sector, 0x0101_0101) ^ index) >>> 0;

/** The disk's content before the kernel runs, or after. */
function pattern(written: boolean): Buffer {
  const words = Uint32Array.from({ length: SECTORS * SECTOR_WORDS }, (_, at) => {
    const sector = Math.floor(at / SECTOR_WORDS);
    const word = wordOf(sector, at % SECTOR_WORDS);
    return written && sector === WRITTEN ? ~word : word;
  });
  return Buffer.from(words.buffer);
}

function newDisk(name: string): string {
  const file = join(folder, name);
  writeFileSync(file, pattern(false));
  return file;
}

/** The same options for both machines. */
function options(file: string, legacy: boolean) {
  return {
    drive: [`file=${file},if=none,id=hd,format=raw`],
    device: ["virtio-blk-device,drive=hd"],
    global: [`virtio-mmio.force-legacy=${legacy}`],
    fw_cfg: [],
    chardev: [],
    netdev: [],
  };
}

function expectAllWell(printed: string, file: string): void {
  expect(printed).not.toContain("FAIL");
  expect(printed).toMatch(/\nteaching-kernel: 11 checks, 0 failed\n$/);
  expect(readFileSync(file).equals(pattern(true))).toBe(true);
}

describe.each([
  ["the old interface", true],
  ["the new interface", false],
] as const)("a teaching kernel with a virtio disk, %s", (name, legacy) => {
  it("works on QEMU", (context) => {
    skipWithout(context, QEMU, "qemu-system-misc");
    const file = newDisk(`qemu ${name}`);
    const { drive, device, global } = options(file, legacy);
    const board = ["-M", "virt", "-m", "256M", "-bios", "none", "-nographic", "-kernel", ELF];
    const disk = ["-drive", ...drive, "-device", ...device, "-global", ...global];
    const { stdout } = spawnSync(QEMU, [...board, ...disk], { encoding: "latin1", timeout: 50_000 });
    expectAllWell(stdout, file);
  });

  it.each([
    ["embedded", "hot"],
    ["owned", "hot"],
    ["owned", "all"],
  ] as const)("works on ours, regions %s, %s translated", async (form, translate) => {
    const file = newDisk(`${form} ${translate} ${name}`);
    const emulation = new Emulation({
      hardware: await loadHardware(form),
      ramBytes: RAM_BYTES,
      attached: parseHardwareOptions(options(file, legacy)),
      files: { kernel: ELF },
      translate,
    });
    let printed = "";
    emulation.console.onByte = (byte) => {
      printed += String.fromCharCode(byte);
    };
    expect(emulation.run({ maxInstructions: 1e9 })).toBe("poweroff");
    expectAllWell(printed, file);
    emulation.destroy();
    expect(emulation.model.heap.leaks()).toEqual([]);
  });
});
