/** What is measured of QEMU, and which question of the common schema each work answers. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { CommandError } from "#host";
import {
  BOOT,
  GUEST_READ,
  MACHINE_CREATION,
  MACHINE_SUBJECT,
  type MetricDefinition,
  PLUG_AND_UNPLUG,
  PROBES,
  type Quantity,
  SECTION_HIT,
  SECTION_HIT_WRITE,
} from "#results";
import {
  DEBIAN_APPEND,
  DEBIAN_PROMPT,
  DEBIAN_RAM_BYTES,
  locateDebian,
  locateFirmware,
  workload,
} from "#workloads";
import { loadingGuest, nextStage, RAM_BYTE, UART_LINE_STATUS } from "./guests.ts";
import { Qtest } from "./qtest.ts";
import { Retired } from "./retired.ts";
import { hasDevice, type Session } from "./session.ts";
import { OPENSBI } from "./set-ups.ts";

/** What a work answers. */
export type Subject = Pick<MetricDefinition, "suite" | "workload" | "name" | "role" | "description">;

/** A started machine that can do a work again and again. */
export interface Player {
  /** Does it so many times. */
  play(session: Session, rounds: number): Promise<void>;
}

export interface Work extends Subject {
  /** Arguments of the emulator. @param folder for files that it needs */
  args(folder: string): string[];
  /** Makes what repeats the work in one process, given the same folder and the build. Null: the work is a process, start and end. */
  readonly player: ((folder: string, build: string) => Player) | null;
  /** A type of device that a build may lack, and cannot do the work then. */
  readonly device?: string;
  /** What is to be told of all processes together. */
  readonly remark?: () => string | undefined;
  /**
   * Each round takes a process that has run no guest before. By the time a guest that has switched its machine off is stopped, it
   * has retired some more instructions, which a reset does not take back: with a clock that counts them, the next
   * boot differs, and now and then never ends (seen in 10.2.2, in either form).
   */
  readonly isFresh: boolean;
  /** Rounds that are counted or timed at once. */
  readonly rounds: number;
  /** Accesses or objects per round: figures are per unit. */
  readonly units: number;
  /** What can be measured of it. */
  readonly quantities: readonly Quantity[];
}

const VIRT = ["-M", "virt"];
/** Guests run in one thread that does nothing else, so that counts repeat. */
const ONE_THREAD = ["-accel", "tcg,thread=single"];
/** The guest's clock advances with its instructions: the same instructions whatever the host's load. */
const BY_INSTRUCTIONS = ["-icount", "shift=0,sleep=off"];
/** Milliseconds that QEMU's RCU thread needs to free what was left to it: it waits for up to 50 ms for more. */
const RCU_MS = 250;

/** Types whose objects are created and destroyed. */
const TYPES = ["riscv.sifive.uart", "sifive_soc.gpio", "edu", "e1000e", "virtio-net-pci"];
/** Devices that are plugged into a root port. The first one answers the question that the emulator has, too. */
const PLUGGED = ["edu", "e1000e", "virtio-net-pci"];
/** One that allocates its regions by hand, unless it is converted. Usual builds lack it, those of `npm run qemu:build` do not. */
const BY_HAND = "sii3112";
const MACHINES = ["virt", "sifive_u", "microchip-icicle-kit"];
/** Guests whose console does not depend on the time of day. Those that take minutes under callgrind are timed only. */
const GUESTS = ["hello", "bus-errors"];
const LONG_GUESTS = ["mmio-storm"];

/** Everything that is measured, the fast ones first. Boots of firmware and of Debian only if their files are here. */
export function worksOf(): Work[] {
  return [
    ...MACHINES.map(startOf),
    ...TYPES.map(createAndDestroy),
    ...PLUGGED.map(plugAndUnplug),
    { ...plugAndUnplug(BY_HAND, PLUGGED.length), device: BY_HAND },
    ...hostAccesses(),
    ...guestLoads(),
    ...GUESTS.map((guest) => bootOf(guest, ["count", "time"])),
    ...LONG_GUESTS.map((guest) => bootOf(guest, ["time"])),
    openSbi(),
    ...consoleGuests().map(consoleBoot),
  ];
}

/** Why a work cannot be done with one of the builds; undefined if it can. */
export function whyImpossible(
  { device }: Work,
  builds: readonly string[],
  has: typeof hasDevice = hasDevice,
): string | undefined {
  const lacking = device === undefined ? undefined : builds.find((build) => !has(build, device));
  return lacking === undefined ? undefined : `${lacking} has no device ${device}`;
}

/** Start until the monitor answers, and the end. */
function startOf(name: string): Work {
  return {
    suite: "boot",
    workload: name === "virt" ? MACHINE_SUBJECT : `${name} board`,
    name: MACHINE_CREATION,
    role: "headline",
    description: "QEMU from its start, with the machine and its flat views made, to its end.",
    args: () => [
      ...["-M", name, "-S"],
      ...(name === "microchip-icicle-kit" ? ["-m", "2G", "-bios", OPENSBI] : []),
    ],
    player: null,
    ...{ isFresh: false, rounds: 1, units: 1, quantities: ["count", "time"] },
  };
}

/** `device-list-properties` creates an object of the type, and destroys it. */
function createAndDestroy(typename: string): Work {
  return {
    suite: "retention",
    workload: `create-destroy, ${typename}`,
    name: "create and destroy",
    role: "headline",
    description: "An object of the type is created and destroyed, by device-list-properties.",
    args: () => [...VIRT, "-S"],
    player: () => ({
      play: async (session, rounds) => {
        for (let round = 0; round < rounds; round++)
          await session.command("device-list-properties", { typename });
      },
    }),
    ...{ isFresh: false, rounds: 20, units: 1, quantities: ["count", "memory"] },
  };
}

/**
 * Plug and unplug at a root port. The slot is without power, as no guest runs that would switch it on: QEMU then
 * unplugs at once, without asking the guest. The device dies after a grace period, and tells.
 */
function plugAndUnplug(driver: string, place: number): Work {
  return {
    suite: "retention",
    workload: place === 0 ? "plug-unplug" : `plug-unplug, ${driver}`,
    name: PLUG_AND_UNPLUG,
    role: "headline",
    description: `${driver} is plugged into a root port of virt and unplugged, until it is destroyed.`,
    args: () => [...VIRT, "-S", "-device", "pcie-root-port,id=root-port,chassis=1,slot=1"],
    player: () => ({
      play: async (session, rounds) => {
        for (let round = 0; round < rounds; round++) {
          const died = session.count("DEVICE_DELETED", "it");
          await session.command("device_add", { driver, id: "it", bus: "root-port", ...withoutRom(driver) });
          await session.command("device_del", { id: "it" });
          await session.until("DEVICE_DELETED", died + 1, "it");
        }
      },
    }),
    ...{ isFresh: false, rounds: 5, units: 1, quantities: ["count", "memory"] },
  };
}

/** A minimal build has no boot ROMs. */
function withoutRom(driver: string): { romfile?: string } {
  return driver === "edu" || driver === BY_HAND ? {} : { romfile: "" };
}

/** The interrupt controller's page of priorities: reading and writing zeros has no side effects. */
const PLIC = 0x0c00_0000;
const PLIC_BYTES = 0x1000;

/** Accesses that the host makes for qtest, without a guest: a thousand by one command, which itself is then negligible. */
function hostAccesses(): Work[] {
  const accessing = (name: string, verb: string, command: string): Work => ({
    ...{ suite: "dispatch", workload: PROBES, name, role: "headline" },
    description: `The host ${verb} a page of the interrupt controller's registers, by one command of qtest.`,
    args: (folder) => [
      ...[...VIRT, "-S", ...ONE_THREAD, "-qtest", `unix:${join(folder, "qtest")},server=on,wait=off`],
    ],
    player: (folder) => {
      const qtest = new Qtest(join(folder, "qtest"));
      return {
        play: async (_, rounds) => {
          for (let round = 0; round < rounds; round++) await qtest.command(command);
        },
      };
    },
    ...{ isFresh: false, rounds: 16, units: PLIC_BYTES / 4, quantities: ["count", "time"] },
  });
  return [
    accessing(SECTION_HIT, "reads", `b64read ${PLIC} ${PLIC_BYTES}`),
    accessing(SECTION_HIT_WRITE, "writes", `memset ${PLIC} ${PLIC_BYTES} 0`),
  ];
}

const LOADS = 64 * 1024;

/** A guest that does nothing but load a byte, translated by TCG. A round resets the machine, and runs it to its end. */
function guestLoads(): Work[] {
  const loading = (name: string, role: Subject["role"], address: number, description: string): Work => ({
    ...{ suite: "dispatch", workload: MACHINE_SUBJECT, name, role, description },
    args: (folder) => {
      const file = join(folder, "guest.bin");
      writeFileSync(file, loadingGuest(address, LOADS));
      return [...VIRT, "-S", "-no-shutdown", ...ONE_THREAD, "-bios", file];
    },
    player: () => untilPowerOff,
    ...{ isFresh: false, rounds: 1, units: LOADS, quantities: ["count", "time"] },
  });
  return [
    loading(GUEST_READ, "headline", UART_LINE_STATUS, "A guest's load from the UART, under TCG."),
    loading(
      "read of RAM, from the guest",
      "control",
      RAM_BYTE,
      "The same load from RAM, which reaches no device.",
    ),
  ];
}

/** Runs the guest from reset until it switches the machine off. */
const untilPowerOff: Player = {
  play: async (session, rounds) => {
    for (let round = 0; round < rounds; round++) {
      const [resets, ends] = [session.count("RESET"), session.count("SHUTDOWN")];
      await session.command("system_reset");
      await session.until("RESET", resets + 1);
      await session.command("cont");
      await session.until("SHUTDOWN", ends + 1);
    }
  },
};

/** A program of our own, from reset until it switches the machine off. */
function bootOf(guest: string, quantities: readonly Quantity[]): Work {
  const program = workload(guest);
  if (program.kind !== "bare-metal") throw new Error(`${guest} is a program of our own`);
  let shown: string | undefined;
  return {
    ...{ suite: "boot", workload: guest, name: BOOT, role: "headline" },
    description:
      "From reset until the guest has switched the machine off, with a clock that counts its instructions.",
    args: (folder) => [
      ...[...VIRT, "-S", "-no-shutdown", ...ONE_THREAD, ...BY_INSTRUCTIONS, "-bios", "none"],
      ...["-kernel", program.kernel, "-serial", `file:${join(folder, "serial")}`],
    ],
    player: (folder) => ({
      play: async (session, rounds) => {
        await untilPowerOff.play(session, rounds);
        const text = readFileSync(join(folder, "serial"), "latin1");
        shown ??= text;
        if (text === shown) return;
        throw new CommandError(
          `${guest} printed ${JSON.stringify(text)}, but in an earlier process ${JSON.stringify(shown)}`,
          { exitCode: 1 },
        );
      },
    }),
    ...{ isFresh: true, rounds: 1, units: 1, quantities },
  };
}

/** OpenSBI, and a next stage that asks it to switch the machine off. */
function openSbi(): Work {
  const retired = new Retired("OpenSBI");
  return {
    ...{ suite: "boot", workload: "opensbi", name: BOOT, role: "headline" },
    description:
      "OpenSBI from reset to the next stage, which has the machine switched off; with a clock that counts instructions.",
    args: (folder) => {
      const file = join(folder, "next-stage.bin");
      writeFileSync(file, nextStage());
      return [...VIRT, "-S", "-no-shutdown", ...ONE_THREAD, ...BY_INSTRUCTIONS, "-kernel", file];
    },
    player: (_, build) => ({
      play: async (session, rounds) => {
        await untilPowerOff.play(session, rounds);
        const answer = await session.monitor(`xp /1gx ${RAM_BYTE}`);
        const [, value] = /: (0x[0-9a-f]+)/.exec(answer) ?? [];
        if (value === undefined || BigInt(value) === 0n)
          throw new CommandError(`OpenSBI did not start the next stage: ${answer}`, { exitCode: 1 });
        retired.add(build, Number(BigInt(value)));
      },
    }),
    remark: () => retired.spread(),
    ...{ isFresh: true, rounds: 1, units: 1, quantities: ["count", "time"] },
  };
}

/** A guest that waits for its user at a text on its console. */
export interface ConsoleGuest {
  readonly name: string;
  /** The text. */
  readonly until: string;
  /** Arguments of the emulator. @param serial file for the console */
  readonly args: (serial: string) => string[];
}

/** U-Boot, and Debian's installer, as far as their files are here. */
export function consoleGuests(): ConsoleGuest[] {
  const guest = (name: string, until: string, files: readonly string[]): ConsoleGuest => ({
    ...{ name, until },
    args: (serial) => [...VIRT, "-S", ...ONE_THREAD, ...files, "-serial", `file:${serial}`],
  });
  const firmware = locateFirmware();
  if (!firmware.found) return [];
  const uBoot = guest("u-boot", "Hit any key", ["-m", "128M", "-kernel", firmware.kernel]);
  const debian = locateDebian();
  if (!debian.found) return [uBoot];
  return [
    uBoot,
    guest("debian", DEBIAN_PROMPT, [
      ...["-m", `${DEBIAN_RAM_BYTES / 2 ** 20}M`],
      ...["-kernel", debian.kernel, "-initrd", debian.initrd, "-append", DEBIAN_APPEND],
    ]),
  ];
}

/** Waits until a console shows a text, behind so many bytes that were there before. */
export async function shown(serial: string, text: string, from = 0): Promise<void> {
  while (!readFileSync(serial, "latin1").slice(from).includes(text)) await sleep(5);
}

/** Boots that end with a text on the console. A guest that waits for its user never ends, so they are timed only. */
function consoleBoot({ name, until, args }: ConsoleGuest): Work {
  const serialIn = (folder: string): string => join(folder, "serial");
  return {
    ...{ suite: "boot", workload: name, name: BOOT, role: "headline" },
    description: `From reset until the guest has printed ${JSON.stringify(until)}.`,
    args: (folder) => args(serialIn(folder)),
    player: (folder) => ({
      play: async (session, rounds) => {
        const serial = serialIn(folder);
        for (let round = 0; round < rounds; round++) {
          await session.command("system_reset");
          const before = readFileSync(serial, "latin1").length;
          await session.command("cont");
          await shown(serial, until, before);
          await session.command("stop");
        }
      },
    }),
    ...{ isFresh: false, rounds: 1, units: 1, quantities: ["time"] },
  };
}

/** Waits until the RCU thread has freed what was left to it. */
export async function settle(): Promise<void> {
  await sleep(RCU_MS);
}

/** Calls `use` with a folder that is gone afterwards. */
export async function inFolder<T>(use: (folder: string) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), "regionlab-qemu-"));
  try {
    return await use(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
