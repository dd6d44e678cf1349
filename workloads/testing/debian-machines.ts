/** Machines to run Debian's kernel on, each a program with QEMU's options: QEMU itself, and ours in both forms. */
import { join } from "node:path";
import type { TestContext } from "vitest";
import { REGION_FORMS } from "#machine";
import { DEBIAN_RAM_BYTES, locateDebian } from "../debian.ts";
import { locateFirmware } from "../firmware.ts";
import { packageRoot } from "../package-root.ts";
import { skipWithout } from "./programs.ts";

const QEMU = "qemu-system-riscv64";

const firmware = locateFirmware();
const debian = locateDebian();

export interface DebianMachine {
  readonly name: string;
  readonly isQemu: boolean;
  readonly program: string;
  /** Arguments before the common options. */
  readonly args: readonly string[];
  /** Prefix of long options. */
  readonly dashes: "-" | "--";
}

export const debianMachines: readonly DebianMachine[] = [
  { name: "QEMU", isQemu: true, program: QEMU, args: ["-M", "virt", "-nographic"], dashes: "-" },
  ...REGION_FORMS.map(
    (form): DebianMachine => ({
      name: `${form} regions`,
      isQemu: false,
      program: process.execPath,
      args: [join(packageRoot(), "dist", "bin", "cli.js"), "run", "--regions", form],
      dashes: "--",
    }),
  ),
];

/** Name, without dashes, and value of an option. */
export type MachineOption = readonly [name: string, value: string];

/** A drive without a device of its own, and a virtio device for it. */
export function virtioDisk(image: string): readonly MachineOption[] {
  return [
    ["drive", `file=${image},if=none,id=disk,format=raw`],
    ["device", "virtio-blk-device,drive=disk"],
  ];
}

export interface DebianBoot {
  /** Kernel command line. */
  readonly append: string;
  /** Default: the installer's. */
  readonly initrd?: string;
  readonly options?: readonly MachineOption[];
}

/** Program and arguments of a machine with OpenSBI and these options. @throws Error if there is no firmware. */
export function machineCommand(
  { program, args, dashes }: DebianMachine,
  options: readonly MachineOption[],
): [string, string[]] {
  if (!firmware.found) throw new Error("the test skips without firmware");
  const all: readonly MachineOption[] = [["bios", firmware.bios], ...options];
  const words = all.flatMap(([name, value]) => [`${dashes}${name}`, value]);
  return [program, [...args, "-m", `${DEBIAN_RAM_BYTES / 2 ** 20}M`, ...words]];
}

/** Program and arguments that boot Debian's kernel. @throws Error if firmware or Debian is missing. */
export function debianCommand(machine: DebianMachine, { initrd, append, options = [] }: DebianBoot) {
  if (!debian.found) throw new Error("the test skips without Debian");
  return machineCommand(machine, [
    ["kernel", debian.kernel],
    ["initrd", initrd ?? debian.initrd],
    ["append", append],
    ...options,
  ]);
}

export function skipWhereMissing(context: TestContext, { program }: DebianMachine): void {
  if (!firmware.found) context.skip(firmware.reason);
  if (!debian.found) context.skip(debian.reason);
  if (program === QEMU) skipWithout(context, QEMU, "qemu-system-misc");
}
