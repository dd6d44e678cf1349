/** The guest programs that regionlab runs: its own, and the firmware of Debian's packages. */
import { join } from "node:path";
import { DEBIAN_APPEND, DEBIAN_PROMPT, DEBIAN_RAM_BYTES } from "./debian.ts";
import { packageRoot } from "./package-root.ts";

export { cacheFolder } from "./cache-folder.ts";
export {
  DEBIAN_APPEND,
  DEBIAN_PROMPT,
  DEBIAN_RAM_BYTES,
  type Debian,
  debianFolders,
  locateDebian,
} from "./debian.ts";
export { type Firmware, firmwareFolders, locateFirmware } from "./firmware.ts";
export { type Kernel, kernels } from "./kernels.ts";
export { packageRoot };

interface GuestProgram {
  /** As given to `--workload`. */
  readonly name: string;
  /** The parts of the machine that it exercises, in one line. */
  readonly exercises: string;
  /** Console text that marks the end of the boot. */
  readonly milestone: string;
  /** Exit code of the whole run, through the test finisher; undefined if the guest waits for commands forever. */
  readonly exitCode: number | undefined;
  /** Number of harts that it requires, no more and no fewer. */
  readonly hartCount: number;
}

/** A program of our own that runs in M-mode without firmware. */
export interface BareMetalWorkload extends GuestProgram {
  readonly kind: "bare-metal";
  readonly exitCode: number;
  /** Absolute path of the ELF file, linked at the start of RAM. */
  readonly kernel: string;
  /** Absolute path of the whole console output as QEMU printed it. */
  readonly expectedConsole: string;
}

/** A part of a boot, which ends with a text on the console. */
export interface BootPhase {
  readonly name: string;
  readonly until: string;
}

interface PhasedProgram extends GuestProgram {
  /** Consecutive phases from reset; the last ends with the milestone. */
  readonly phases: readonly BootPhase[];
}

/** OpenSBI and its payload; `locateFirmware` returns the files, or why there are none. */
export interface FirmwareWorkload extends PhasedProgram {
  readonly kind: "firmware";
}

/** A whole distribution under OpenSBI; `locateDebian` returns its files, or why there are none. */
export interface DistributionWorkload extends PhasedProgram {
  readonly kind: "distribution";
  readonly append: string;
  readonly ramBytes: number;
}

export type Workload = BareMetalWorkload | FirmwareWorkload | DistributionWorkload;

/** All guest programs, quickest first. */
export function workloads(): readonly Workload[] {
  return [
    bareMetal("hello", "reset vector, device tree, UART output, power off"),
    bareMetal("interrupts", "ACLINT, PLIC, UART and RTC interrupts, in M-mode and delegated to S-mode"),
    bareMetal(
      "smp",
      "four harts: locks, atomics, messages, inter-processor interrupts, code written by another hart",
      4,
    ),
    bareMetal("flash", "CFI flash: query, erase, program, status, execution in place"),
    bareMetal("bus-errors", "accesses that devices refuse: sizes, alignment, unmapped addresses"),
    bareMetal("mmio-storm", "200 000 rounds of reads and writes over RTC, PLIC, UART, ACLINT and flash"),
    {
      kind: "firmware",
      name: "u-boot",
      exercises: "OpenSBI and U-Boot to the prompt: M-, S-mode, traps, timer, console, flash, device tree",
      milestone: "\n=> ",
      exitCode: undefined,
      hartCount: 1,
      phases: [
        { name: "OpenSBI to its banner", until: "OpenSBI v" },
        { name: "OpenSBI to U-Boot's banner", until: "U-Boot 20" },
        { name: "U-Boot to the prompt", until: "\n=> " },
      ],
    },
    {
      kind: "distribution",
      name: "debian",
      exercises:
        "Debian 13's kernel and installer to the first prompt: paging, floating point, interrupts, user land",
      milestone: DEBIAN_PROMPT,
      exitCode: undefined,
      hartCount: 1,
      append: DEBIAN_APPEND,
      ramBytes: DEBIAN_RAM_BYTES,
      phases: [
        { name: "firmware", until: "Linux version " },
        { name: "kernel", until: "Run /init as init process" },
        { name: "init", until: "Starting system log daemon" },
        { name: "prompt", until: DEBIAN_PROMPT },
      ],
    },
  ];
}

/** The workload of that name. Throws an error that lists all names if there is none. */
export function workload(name: string): Workload {
  const all = workloads();
  const found = all.find((candidate) => candidate.name === name);
  if (found) return found;
  throw new Error(`unknown workload "${name}": it must be one of ${all.map((each) => each.name).join(", ")}`);
}

function bareMetal(name: string, exercises: string, hartCount = 1): BareMetalWorkload {
  const folder = join(packageRoot(), "workloads", "bare-metal");
  return {
    kind: "bare-metal",
    name,
    exercises,
    milestone: " checks, 0 failed",
    exitCode: 0,
    hartCount,
    kernel: join(folder, "bin", `${name}.elf`),
    expectedConsole: join(folder, "expected", `${name}.txt`),
  };
}
