/** The machines that run the same guests, and how to start them. */
import { spawnSync } from "node:child_process";
import type { Guest } from "./works.ts";

export const CONTESTANTS = ["regionlab", "interpreter", "qemu"] as const;
export type ContestantName = (typeof CONTESTANTS)[number];

export interface Command {
  readonly program: string;
  readonly args: readonly string[];
}

export interface Contestant {
  readonly name: ContestantName;
  readonly title: string;
  /** Its version; null if it is not installed. */
  readonly version: string | null;
  /** How to install it. */
  readonly mend: string;
  command(guest: Guest): Command;
}

const QEMU = "qemu-system-riscv64";

/**
 * All contestants, installed or not.
 * @param cli JavaScript file of the command `regionlab`
 */
export function contestants(cli: string, version: string): readonly Contestant[] {
  const regionlab = (name: ContestantName, title: string, translate: string): Contestant => ({
    name,
    title,
    version: `${version}, Node ${process.versions.node}`,
    mend: "run `npm ci`",
    command: (guest) => ({
      program: process.execPath,
      args: [cli, "run", "--translate", translate, ...machineArgs(guest, "--")],
    }),
  });
  return [
    regionlab("regionlab", "regionlab", "hot"),
    regionlab("interpreter", "regionlab, interpreter alone", "nothing"),
    {
      name: "qemu",
      title: "QEMU (TCG)",
      version: qemuVersion(),
      mend: "install Debian's package qemu-system-misc",
      command: (guest) => ({ program: QEMU, args: ["-M", "virt", "-nographic", ...machineArgs(guest, "-")] }),
    },
  ];
}

/** Options common to both command lines, with the given dashes. */
function machineArgs(guest: Guest, dashes: string): string[] {
  const { ramBytes, bios = "none", kernel, initrd, append } = guest;
  const option = (name: string, value: string | undefined) =>
    value === undefined ? [] : [`${dashes}${name}`, value];
  return [
    ...["-m", `${ramBytes / 2 ** 20}M`],
    ...option("bios", bios),
    ...option("kernel", kernel),
    ...option("initrd", initrd),
    ...option("append", append),
  ];
}

function qemuVersion(): string | null {
  const { status, stdout } = spawnSync(QEMU, ["--version"], { encoding: "utf8" });
  return status === 0 ? (/version (\S+)/.exec(stdout)?.[1] ?? "unknown") : null;
}
