/** OpenSBI and U-Boot on our machine, in both forms, compared with the same files and the same input on QEMU. */
import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  type ConsoleReply,
  Emulation,
  loadHardware,
  parseHardwareOptions,
  type REGION_FORMS,
} from "#machine";
import { locateFirmware } from "./firmware.ts";
import { type Difference, unexplained } from "./testing/differences.ts";

const QEMU = "qemu-system-riscv64";
/** Disables the features of QEMU's processor that ours does not have. */
const PROCESSOR = ["h=false"];
const PROMPT = "=> ";
const PATIENCE_MS = 60_000;

const COMMANDS = [
  "bdinfo",
  "version",
  "md 1000 10",
  "mw.l 84000000 deadbeef 4; md 84000000 4",
  "md.b 10000005 1",
  "fdt addr $fdtcontroladdr; fdt print /soc/serial@10000000",
  "fdt print /flash@20000000",
  "fdt print /soc/plic@c000000",
  "fdt print /cpus/cpu-map",
  "fdt list /",
  "flinfo",
  "protect off 0x22000000 0x2203ffff",
  "erase 0x22000000 0x2203ffff",
  "cp.b 84000000 22000000 20; md 22000000 8",
  "sf probe",
  "date",
  "sbi",
  "fdt print /fw-cfg@10100000; fdt print /soc/virtio_mmio@10008000",
  "virtio scan",
  "virtio info",
  "virtio device 0",
  "virtio read 84000000 3 2; md 84000000 4; md 84000200 4",
  "mw.l 84000000 cafebabe 100; virtio write 84000000 5 1; virtio read 85000000 5 1; md 85000000 4",
  "virtio read 84000000 fff 2",
  "part list virtio 0",
  "crc32 80200000 1000", // the last, since its answer contains a prompt
];

/** Every word of a sector holds the sector's number. */
const SECTORS = 4096;
const SECTOR_WORDS = 128;

let folder = "";
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "regionlab-console-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

/** A new disk, and the options that attach it to a virtio device. */
function disk(name: string): { file: string; drive: string; device: string } {
  const file = join(folder, name);
  const words = Uint32Array.from({ length: SECTORS * SECTOR_WORDS }, (_, index) =>
    Math.floor(index / SECTOR_WORDS),
  );
  writeFileSync(file, new Uint8Array(words.buffer));
  return { file, drive: `file=${file},if=none,id=hd,format=raw`, device: "virtio-blk-device,drive=hd" };
}

/** Checks the sector that the guest wrote, and its neighbours. */
function expectWritten(file: string): void {
  const words = new Uint32Array(new Uint8Array(readFileSync(file)).buffer);
  expect(words.length).toBe(SECTORS * SECTOR_WORDS);
  for (const [sector, word] of [
    [4, 4],
    [5, 0xcafe_babe],
    [6, 6],
  ] as const) {
    const start = sector * SECTOR_WORDS;
    expect([...words.subarray(start, start + SECTOR_WORDS)].every((each) => each === word)).toBe(true);
  }
}

const TYPING: readonly ConsoleReply[] = [
  { expect: "stop autoboot", send: "\n" },
  ...COMMANDS.map((command) => ({ expect: PROMPT, send: `${command}\n` })),
  { expect: PROMPT, send: "poweroff\n" },
];

const DIFFERENCES: readonly Difference[] = [
  [/^Hit any key to stop autoboot/, "how far the count gets depends on when the key comes"],
  [/^Boot HART MHPM Count/, "QEMU has 16 performance counters, ours none yet"],
  [/^CPU: {3}rv64imafdc/, "ours announces zicbom, zicboz, svadu and svinval, which QEMU 7.2 does not"],
  [/^(Boot HART ID|Domain0 Boot HART) /, "which of several harts boots depends on which is first"],
  [/^Core: .*devices/, "QEMU also has PCI and a platform bus"],
  [/^Working FDT set to|^fdt_blob|^new_fdt|^fdt_size/, "those devices make QEMU's device tree longer"],
  [/^ reserved\[[12]\]/, "U-Boot's heap ends where the device tree begins"],
  [/^ {2}(Architecture|Implementation) ID/, "marchid and mimpid name the emulator"],
  [/^\t(pmu|platform-bus@4000000) \{$|^\t\};$/, "devices that ours does not have yet"],
];

async function onOurs(
  form: (typeof REGION_FORMS)[number],
  files: { bios: string; kernel: string },
  hartCount: number,
) {
  const { file, drive, device } = disk(form);
  const none = { global: [], fw_cfg: [], chardev: [], netdev: [] };
  const emulation = new Emulation({
    hardware: await loadHardware(form),
    ramBytes: 256 * 2 ** 20,
    hartCount,
    files,
    attached: parseHardwareOptions({ ...none, drive: [drive], device: [device] }),
    trace: true,
  });
  const printed: number[] = [];
  emulation.console.onByte = (byte) => printed.push(byte);
  emulation.console.reply(...TYPING);
  const end = emulation.run({ maxInstructions: 2_000_000_000 });
  const { instructions, trace } = emulation;
  const accesses = `${trace?.accesses} ${trace?.sha256()}`;
  emulation.destroy();
  expectWritten(file);
  return {
    end,
    instructions,
    accesses,
    text: Buffer.from(printed).toString("latin1"),
    leaks: emulation.model.heap.leaks(),
  };
}

function onQemu({ bios, kernel }: { bios: string; kernel: string }, hartCount: number): Promise<string> {
  const processor = ["-cpu", ["rv64", ...PROCESSOR].join(","), "-smp", `${hartCount}`];
  const machine = ["-M", "virt", "-m", "256M", ...processor];
  const { drive, device } = disk("qemu");
  const added = ["-drive", drive, "-device", device, "-net", "none"];
  const qemu = spawn(QEMU, [...machine, "-bios", bios, "-kernel", kernel, ...added, "-nographic"]);
  const typing = [...TYPING];
  let text = "";
  let read = 0;
  qemu.stdout.on("data", (chunk: Buffer) => {
    text += chunk.toString("latin1");
    for (let next = typing[0]; next !== undefined; next = typing[0]) {
      const found = text.indexOf(next.expect, read);
      if (found < 0) break;
      read = found + next.expect.length;
      typing.shift();
      qemu.stdin.write(next.send);
    }
  });
  const patience = setTimeout(() => qemu.kill(), PATIENCE_MS);
  return new Promise((resolve) => {
    qemu.on("close", () => {
      clearTimeout(patience);
      resolve(text);
    });
  });
}

const firmware = locateFirmware();

describe("U-Boot under OpenSBI", () => {
  it.for([1, 4])(
    "answers every command as it does on QEMU, and powers off, with %i harts",
    async (hartCount, context) => {
      if (!firmware.found) return context.skip(firmware.reason);
      if (spawnSync(QEMU, ["--version"]).status !== 0) return context.skip(`${QEMU} is not installed`);
      const ours = await onOurs("embedded", firmware, hartCount);
      const qemu = await onQemu(firmware, hartCount);
      expect(ours.end).toBe("poweroff");
      expect(unexplained(ours.text, qemu, DIFFERENCES)).toEqual([]);
      expect(qemu).toContain("poweroff ...");
    },
  );

  it.for([1, 4])(
    "is the same guest in both forms with %i harts: instructions, accesses, console",
    async (hartCount, context) => {
      if (!firmware.found) return context.skip(firmware.reason);
      const embedded = await onOurs("embedded", firmware, hartCount);
      const owned = await onOurs("owned", firmware, hartCount);
      expect(owned).toEqual(embedded);
      expect(owned.leaks).toEqual([]);
    },
  );

  it("reports an unexplained difference", () => {
    expect(unexplained("same\nours\n", "same\nQEMU's\n", DIFFERENCES)).toEqual([
      "QEMU: QEMU's",
      "ours: ours",
    ]);
  });
});
