/** What the processor benchmark runs, and its goals. */
import { readFileSync } from "node:fs";
import {
  DEBIAN_APPEND,
  DEBIAN_PROMPT,
  DEBIAN_RAM_BYTES,
  type Kernel,
  kernels,
  locateDebian,
  locateFirmware,
  workload,
} from "#workloads";

/** Memory and files of a guest, the same for every machine that runs it. */
export interface Guest {
  readonly ramBytes: number;
  /** Absolute path; absent: no firmware. */
  readonly bios?: string;
  readonly kernel: string;
  readonly initrd?: string;
  readonly append?: string;
  /** Console texts, in order, to which the time is measured; the last ends the run. */
  readonly milestones: readonly string[];
}

/** The goal of a work: a speed, as a multiple of QEMU's. */
export interface Goal {
  /** Smallest quotient of QEMU's time and ours that meets the goal. */
  readonly speed: number;
  /** The goal in words. */
  readonly words: string;
}

export const WORK_KINDS = ["start", "integer", "double", "system", "device", "boot"] as const;
export type WorkKind = (typeof WORK_KINDS)[number];

/** One row of the benchmark. */
export interface Work {
  readonly name: string;
  readonly kind: WorkKind;
  /** What it does, in a line. */
  readonly description: string;
  /** The guest, or why it cannot run. */
  readonly guest: Guest | { readonly missing: string };
}

/** Goals by kind of work, set before anything was measured. */
export const GOALS: Readonly<Record<WorkKind, Goal | null>> = {
  start: null,
  integer: { speed: 1, words: "at least 1.0 times QEMU's speed" },
  double: { speed: 0.7, words: "at least 0.7 times QEMU's speed" },
  system: { speed: 1, words: "at least 1.0 times QEMU's speed" },
  device: { speed: 1, words: "at least 1.0 times QEMU's speed" },
  boot: { speed: 1 / 1.5, words: "at most 1.5 times QEMU's time" },
};

const KERNEL_RAM_BYTES = 256 * 2 ** 20;

/**
 * All works, the longest last.
 * @param laps largest number of laps per kernel; default: all
 */
export function works(laps?: number): readonly Work[] {
  return [start(), ...kernels().map((kernel) => kernelWork(kernel, laps)), debian()];
}

/** The part that all rows share: starting a process, creating a machine, and a guest that prints a line. */
function start(): Work {
  const hello = workload("hello");
  if (hello.kind !== "bare-metal") throw new Error("hello is a program of our own");
  return {
    name: "start",
    kind: "start",
    description: "a process, a machine, a guest that prints a line; part of every row",
    guest: { ramBytes: KERNEL_RAM_BYTES, kernel: hello.kernel, milestones: [hello.milestone] },
  };
}

function kernelWork({ name, kind, work, elf, expectedConsole }: Kernel, laps: number | undefined): Work {
  const milestones = readFileSync(expectedConsole, "latin1").trimEnd().split("\n").slice(0, laps);
  return { name, kind, description: work, guest: { ramBytes: KERNEL_RAM_BYTES, kernel: elf, milestones } };
}

function debian(): Work {
  return {
    name: "debian",
    kind: "boot",
    description: "Debian 13 from reset to the installer's first prompt",
    guest: debianGuest(),
  };
}

function debianGuest(): Work["guest"] {
  const [firmware, installer] = [locateFirmware(), locateDebian()];
  if (!firmware.found) return { missing: firmware.reason };
  if (!installer.found) return { missing: installer.reason };
  return {
    ramBytes: DEBIAN_RAM_BYTES,
    bios: firmware.bios,
    kernel: installer.kernel,
    initrd: installer.initrd,
    append: DEBIAN_APPEND,
    milestones: [DEBIAN_PROMPT],
  };
}
