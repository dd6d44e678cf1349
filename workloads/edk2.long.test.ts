/** EDK2 of Debian 13 by Debian's documented command line for a serial console, with devices on virtio-mmio instead of PCI. */
import { copyFileSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { locateEdk2 } from "./edk2.ts";
import { locateFirmware } from "./firmware.ts";
import { packageRoot } from "./package-root.ts";
import { converse } from "./testing/converse.ts";

const PATIENCE = 10 * 60_000;
const cli = join(packageRoot(), "dist", "bin", "cli.js");
const edk2 = locateEdk2();
let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "regionlab-edk2-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

it(
  "boots to its shell behind OpenSBI, with code that no store changes and variables that it keeps",
  async (context) => {
    context.skip(!edk2.found, edk2.found ? "" : edk2.reason);
    const firmware = locateFirmware();
    context.skip(!firmware.found, firmware.found ? "" : firmware.reason);
    if (!edk2.found) return;
    const variables = join(folder, "vars.fd");
    copyFileSync(edk2.variables, variables);
    const disk = join(folder, "disk.img");
    writeFileSync(disk, "");
    truncateSync(disk, 16 * 2 ** 20);
    const flash = (unit: number, file: string) => [
      "-drive",
      `if=pflash,format=raw,unit=${unit},file=${file}`,
    ];
    const machine = ["run", "-M", "virt,acpi=off", "-m", "2048", "-smp", "4", "-nographic"];
    const [code = "", codeDrive = ""] = flash(0, edk2.code);
    const drives = [code, `${codeDrive},readonly=on`, ...flash(1, variables)];
    // Without the network, from which it would try to boot for minutes.
    const devices = ["-drive", `file=${disk},format=raw,if=virtio`, "-device", "virtio-rng-device"];
    const replies = [
      { expect: "Shell>", send: "set greeting hello\r" },
      { expect: "Shell>", send: "set greeting\r" },
    ];
    // The shell colours the name, the sign and the value.
    const answer = "= \u001b[1m\u001b[37m\u001b[40mhello";
    const conversation = { replies, until: answer, patience: PATIENCE };
    const text = await converse(process.execPath, [cli, ...machine, ...drives, ...devices], conversation);
    expect(text).toContain("OpenSBI");
    expect(text).toContain("UEFI Interactive Shell");
    expect(text).toContain("BLK0:");
  },
  PATIENCE,
);
