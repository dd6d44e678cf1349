/** The guests that must not notice the translator, and the configurations in which each of them is run. */

import type { Translate } from "#cpu/riscv";
import type { BootFiles, ConsoleReply, RegionForm } from "#machine";
import { locateDebian } from "../debian.ts";
import { locateFirmware } from "../firmware.ts";
import { kernels, workload, workloads } from "../index.ts";

/** A configuration to run a guest in. None of it may make a difference to the guest. */
export interface Way {
  readonly regions: RegionForm;
  readonly translate: Translate;
  /** Number of jumps to an address that make it hot; default: the machine's own. */
  readonly hotArrivals?: number;
  /** Whether to translate in another thread. */
  readonly translateBeside?: boolean;
}

/** A guest, its console input, and how far it is followed. */
export interface Guest {
  readonly name: string;
  readonly files: BootFiles;
  readonly ramBytes: number;
  readonly hartCount: number;
  readonly replies?: readonly ConsoleReply[];
  /** Console text that ends the run. */
  readonly until?: string;
  readonly maxInstructions: number;
  /** Run and compared with `REFERENCE`. */
  readonly ways: readonly Way[];
}

/** A guest, or the reason why it cannot be run here. */
export type GuestOrReason = Guest | { readonly name: string; readonly reason: string };

/** The configuration that all others are compared with: the interpreter alone. */
export const REFERENCE: Way = { regions: "embedded", translate: "nothing" };

const HOT: Way = { regions: "embedded", translate: "hot" };
/** Translates, and discards, much more code than usual. */
const EAGER: Way = { regions: "embedded", translate: "hot", hotArrivals: 100 };
/** The same beside the processor: when a unit is there depends on how fast the host is. */
const BESIDE: Way = { ...EAGER, translateBeside: true };
const ALL: Way = { regions: "embedded", translate: "all" };
const owned = (way: Way): Way => ({ ...way, regions: "owned" });

/** For messages. */
export function describeWay({ regions, translate, hotArrivals, translateBeside }: Way): string {
  const when = hotArrivals ? ` after ${hotArrivals} jumps` : "";
  return `${translate} translated${when}${translateBeside ? " beside" : ""}, regions ${regions}`;
}

const RAM_BYTES = 64 * 2 ** 20;
/** Limit for guests that run longer; more than a hundred million. */
const MOST_INSTRUCTIONS = 2 ** 27;
const MOST_OF_FIRMWARE = 2 ** 28;
/** Debian reaches its prompt with fewer than this. */
const MOST_OF_DEBIAN = 2 ** 34;

/** Commands that exercise U-Boot and OpenSBI: memory, flash, device tree, a reset through OpenSBI. */
const U_BOOT_REPLIES: readonly ConsoleReply[] = [
  { expect: "autoboot", send: "\n" },
  { expect: "=> ", send: "bdinfo\n" },
  { expect: "=> ", send: "flinfo\n" },
  { expect: "=> ", send: "mw.l 84000000 deadbeef 40000\n" },
  { expect: "=> ", send: "crc32 84000000 100000\n" },
  { expect: "=> ", send: "fdt addr $fdtcontroladdr; fdt print\n" },
  { expect: "=> ", send: "reset\n" },
  { expect: "autoboot", send: "\n" },
  { expect: "=> ", send: "crc32 84000000 400000\n" },
];

export function guests(): readonly GuestOrReason[] {
  return [...bareMetal(), ...computing(), ...firmware(), debian()];
}

function bareMetal(): Guest[] {
  return workloads()
    .filter((each) => each.kind === "bare-metal")
    .map(({ name, kernel, hartCount }) => ({
      name,
      files: { kernel },
      ramBytes: RAM_BYTES,
      hartCount,
      maxInstructions: MOST_INSTRUCTIONS,
      ways: [HOT, EAGER, BESIDE, ALL, owned(HOT), owned(ALL)],
    }));
}

function computing(): Guest[] {
  return kernels().map(({ name, elf }) => ({
    name,
    files: { kernel: elf },
    ramBytes: RAM_BYTES,
    hartCount: 1,
    maxInstructions: MOST_INSTRUCTIONS,
    ways: [HOT, BESIDE, owned(EAGER)],
  }));
}

function firmware(): GuestOrReason[] {
  const { name } = workload("u-boot");
  return [1, 4].map((hartCount) => {
    const guest = hartCount === 1 ? name : `${name} on ${hartCount} harts`;
    const located = locateFirmware();
    if (!located.found) return { name: guest, reason: located.reason };
    const { bios, kernel } = located;
    return {
      name: guest,
      files: { bios, kernel },
      ramBytes: 2 * RAM_BYTES,
      hartCount,
      replies: U_BOOT_REPLIES,
      maxInstructions: MOST_OF_FIRMWARE,
      ways: [HOT, BESIDE, owned(EAGER)],
    };
  });
}

function debian(): GuestOrReason {
  const guest = workload("debian");
  const { name } = guest;
  const located = [locateFirmware(), locateDebian()] as const;
  const [bios, files] = located;
  if (!bios.found) return { name, reason: bios.reason };
  if (!files.found) return { name, reason: files.reason };
  if (guest.kind !== "distribution") throw new Error(`workload ${name} is not a distribution`);
  return {
    name,
    files: { bios: bios.bios, kernel: files.kernel, initrd: files.initrd, append: guest.append },
    ramBytes: guest.ramBytes,
    hartCount: 1,
    until: guest.milestone,
    maxInstructions: MOST_OF_DEBIAN,
    ways: [EAGER, BESIDE, HOT],
  };
}
