/** Command-line options that describe a machine, the same for every command that creates one. */
import { existsSync } from "node:fs";
import { type Command, Option } from "commander";
import type { Translate } from "#cpu/riscv";
import { CommandError, HelpRequest } from "#host";
import { type ReferencePolicy, referencePolicies } from "#memory";
import { DeviceModel, parseInteger } from "#qdev";
import type { EmulationOptions } from "../emulation.ts";
import { type Hardware, loadHardware, REGION_STORAGES, type RegionStorage } from "../hardware.ts";
import type { BootFiles } from "../images.ts";
import { parseSize } from "../size.ts";
import { CHARDEV_KINDS, NETDEV_KINDS } from "./backend-kinds.ts";
import {
  addHardwareOptions,
  type HardwareArguments,
  type HardwareOptions,
  parseHardwareOptions,
} from "./hardware-options.ts";
import { asksForHelp, helpOn, OptionReader, parseKeyValues } from "./key-values.ts";
import { pluggableDevices } from "./pluggable.ts";
import { OFF_ANYWAY } from "./qemu-words.ts";

const TRANSLATE: readonly Translate[] = ["hot", "all", "nothing"];
/** Where packages install OpenSBI, QEMU's default firmware. */
const DEFAULT_FIRMWARE = [
  "/usr/lib/riscv64-linux-gnu/opensbi/generic/fw_dynamic.bin",
  "/usr/share/qemu/opensbi-riscv64-generic-fw_dynamic.bin",
];

const DEFAULT_MEMORY = "256M";

/** The options as commander collects them. */
export interface MachineArguments extends HardwareArguments {
  readonly regions: string;
  readonly references: string;
  readonly machine: string;
  readonly memory: string;
  readonly smp: string;
  readonly cpu?: string;
  readonly bios?: string;
  readonly kernel?: string;
  readonly initrd?: string;
  readonly append?: string;
  readonly translate: string;
  readonly snapshot?: boolean;
  readonly rtc?: string;
}

/** Adds the options that describe a machine. */
export function addMachineOptions(command: Command): Command {
  command
    .addOption(
      suggesting(
        new Option(
          "--regions <form>",
          "how devices hold their memory regions; heap: allocated by hand and never freed",
        ),
        REGION_STORAGES,
      ).default("embedded"),
    )
    .addOption(
      suggesting(
        new Option("--references <policy>", "what references to memory regions count on"),
        Object.keys(referencePolicies),
      ).default("owner"),
    )
    .addOption(
      suggesting(new Option("-M, --machine <name>", "board; help lists them"), ["virt", "help"]).default(
        "virt",
      ),
    )
    .option("-m, --memory <size>", "RAM size: a number with K, M or G", DEFAULT_MEMORY)
    .option("--smp <count>", "processors", "1")
    .option("--cpu <model>", "rv64, the only model")
    .option(
      "--bios <file>",
      "firmware, loaded at the start of RAM; default: OpenSBI, which starts flash or the kernel; none: start those directly (default: none; with a drive for flash bank 0: default)",
    )
    .option("--kernel <file>", "ELF file, or an image that is loaded after the firmware")
    .option("--initrd <file>", "initial ram disk")
    .option("--append <text>", "kernel command line")
    .option(
      "--rtc <properties>",
      "base=utc, base=localtime or base=2026-01-01T00:00:00: the initial time of the wall clock",
    )
    .addOption(
      suggesting(
        new Option("--translate <what>", "guest code to translate; affects only speed"),
        TRANSLATE,
      ).default("hot"),
    );
  return addHardwareOptions(command).option(
    "--snapshot",
    "do not write to disks: what the guest writes is discarded at the end",
  );
}

/** Values for shells to complete. Unlike `choices`, leaves refusing others, in QEMU's words, to the caller. */
function suggesting(option: Option, values: readonly string[]): Option {
  option.argChoices = [...values];
  return option;
}

/**
 * The emulation that these options describe, before a run's own.
 * @throws CommandError with option, reason and fix; HelpRequest if one of them asks for help
 */
export async function machineOptions(
  options: MachineArguments,
): Promise<EmulationOptions & { readonly files: BootFiles }> {
  const storage = parseRegions(options.regions);
  const references = parsePolicy(options.references);
  const hardware = await loadHardware(storage === "owned" ? "owned" : "embedded");
  answerHelp(options, hardware);
  const attached = parseHardwareOptions(options);
  for (const { text, interface: kind, unit } of attached.drives)
    if (kind === "pflash" && unit >= hardware.flashBanks)
      throw new CommandError(
        `${text}: there is no flash bank ${unit}; give unit=0 to ${hardware.flashBanks - 1}`,
      );
  const drives = options.snapshot
    ? attached.drives.map((drive) => ({ ...drive, snapshot: !drive.readOnly }))
    : attached.drives;
  const wallClock = options.rtc === undefined ? undefined : parseRtc(options.rtc, Date.now());
  return {
    hardware,
    model: { references, heapRegions: storage === "heap" },
    machine: parseMachine(options.machine),
    // As in QEMU, 0 stands for the default.
    ramBytes: parseSize("-m", /^0+$/.test(options.memory) ? DEFAULT_MEMORY : options.memory),
    hartCount: parseHarts(options.smp, hardware.mostHarts),
    files: filesOf(options, attached),
    translate: parseTranslate(options.translate),
    attached: { ...attached, drives },
    ...(wallClock === undefined ? {} : { wallClock }),
  };
}

/** @throws HelpRequest with the list that an option asks for with the value `help`; the others are asked when parsed. */
function answerHelp({ machine, cpu, device, netdev, chardev }: MachineArguments, hardware: Hardware): void {
  if (asksForHelp(machine))
    throw new HelpRequest("Supported machines are:\nvirt                 RISC-V VirtIO board\n");
  if (machine === "virt,help")
    throw helpOn("virt", Object.entries({ ...OFF_ANYWAY, pflash0: ["<node>"], pflash1: ["<node>"] }));
  if (cpu === "help") throw new HelpRequest("Available CPUs:\n  max\n  rv64\n");
  const kinds = (what: string, known: ReadonlyMap<string, unknown>) =>
    new HelpRequest(
      `Available ${what} backend types:\n${[...known.keys()].map((name) => `  ${name}\n`).join("")}`,
    );
  if (netdev.some(asksForHelp)) throw kinds("netdev", NETDEV_KINDS);
  if (chardev.some(asksForHelp)) throw kinds("chardev", CHARDEV_KINDS);
  const asked = device.find((text) => /^(help|\?)$|,(help|\?)(=on)?$/.test(text));
  if (asked === undefined) return;
  throw asksForHelp(asked) ? devicesOf(hardware) : propertiesOf(hardware, asked.split(",")[0] ?? "");
}

function modelOf(hardware: Hardware): DeviceModel {
  const model = new DeviceModel();
  hardware.registerTypes(model.types);
  return model;
}

function devicesOf(hardware: Hardware): HelpRequest {
  const found = pluggableDevices(modelOf(hardware)).sort((a, b) => (a.name < b.name ? -1 : 1));
  return new HelpRequest(found.map(({ name, bus }) => `name "${name}", bus ${bus}\n`).join(""));
}

function propertiesOf(hardware: Hardware, driver: string): HelpRequest {
  const model = modelOf(hardware);
  if (!model.types.names().includes(driver))
    throw new CommandError(`-device ${driver},help: there is no such device; -device help lists them`);
  const properties = model.types.classProperties(model.types.lookup(driver));
  return helpOn(
    driver,
    properties.map(({ name }) => [name, ["<value>"]]),
  );
}

/** The form that `--regions` names. @throws CommandError for any other. */
export function parseRegions(text: string): RegionStorage {
  return oneOf("--regions", text, "form", REGION_STORAGES);
}

/** The rules that `--references` names. @throws CommandError for others */
function parsePolicy(text: string): ReferencePolicy {
  return oneOf("--references", text, "policy", Object.keys(referencePolicies) as ReferencePolicy[]); // its keys
}

function oneOf<T extends string>(option: string, text: string, what: string, known: readonly T[]): T {
  const found = known.find((each) => each === text);
  if (found === undefined)
    throw new CommandError(
      `${option} ${text}: unknown ${what}; give ${known.slice(0, -1).join(", ")} or ${known.at(-1)}`,
    );
  return found;
}

/** The board that `-M` names, as a type name's stem. @throws CommandError for any other. */
export function parseMachine(text: string): string {
  if (text !== "virt") throw new CommandError(`-M ${text}: unknown machine; give virt`);
  return text;
}

/** What `--translate` names. @throws CommandError for anything else. */
function parseTranslate(text: string): Translate {
  const what = TRANSLATE.find((each) => each === text);
  if (what === undefined)
    throw new CommandError(`--translate ${text}: unknown choice; give one of ${TRANSLATE.join(", ")}`);
  return what;
}

function parseHarts(text: string, most: number): number {
  const count = parseInteger(text) ?? 0n;
  if (count < 1n) throw new CommandError(`-smp ${text}: not a whole number from 1 up; give 1 to ${most}`);
  if (count > BigInt(most)) throw new CommandError(`-smp ${text}: too many processors; give at most ${most}`);
  return Number(count);
}

function filesOf({ bios, kernel, initrd, append }: MachineArguments, { drives }: HardwareOptions): BootFiles {
  // As in QEMU since 8.1, firmware in flash runs in S-mode and needs M-mode firmware before it.
  const inFlash = drives.some((drive) => drive.interface === "pflash" && drive.unit === 0);
  const asked = bios ?? (inFlash ? "default" : "none");
  const firmware = asked === "default" ? defaultFirmware() : asked === "none" ? undefined : asked;
  return {
    ...(firmware === undefined ? {} : { bios: firmware }),
    ...(kernel === undefined ? {} : { kernel }),
    ...(initrd === undefined ? {} : { initrd }),
    ...(append === undefined ? {} : { append }),
  };
}

function defaultFirmware(): string {
  const found = DEFAULT_FIRMWARE.find((path) => existsSync(path));
  if (found !== undefined) return found;
  throw new CommandError(
    "-bios default: OpenSBI is not installed; apt-get install opensbi, give the path of a firmware image, or none",
  );
}

const NANOSECONDS_PER_MILLISECOND = 1_000_000n;

/**
 * The wall clock that `-rtc` sets, in nanoseconds since 1970: base=utc, base=localtime, or a date and time in UTC.
 * @param now host time, in milliseconds
 */
export function parseRtc(text: string, now: number): bigint {
  const reader = new OptionReader(`-rtc ${text}`, parseKeyValues("-rtc", text));
  const base = reader.take("base") ?? "utc";
  const clock = reader.take("clock") ?? "vm";
  const driftfix = reader.take("driftfix") ?? "none";
  if (clock !== "vm")
    throw reader.error(`clock=${clock}: guest time follows the instructions; give clock=vm, or leave it out`);
  if (driftfix !== "none") throw reader.error(`driftfix=${driftfix}: no timer drifts; leave it out`);
  reader.end();
  if (base === "utc") return BigInt(now) * NANOSECONDS_PER_MILLISECOND;
  if (base === "localtime")
    return BigInt(now - 60_000 * new Date(now).getTimezoneOffset()) * NANOSECONDS_PER_MILLISECOND;
  const shaped = /^\d{4}-\d\d-\d\d(T\d\d:\d\d:\d\d)?$/.test(base);
  const date = Date.parse(base.includes("T") ? `${base}Z` : `${base}T00:00:00Z`);
  // A day that the month does not have is taken for one of the next.
  if (!shaped || Number.isNaN(date) || !new Date(date).toISOString().startsWith(base))
    throw reader.error(
      `base=${base} is not a date; give base=utc, base=localtime, or base=2026-01-01T00:00:00`,
    );
  return BigInt(date) * NANOSECONDS_PER_MILLISECOND;
}
