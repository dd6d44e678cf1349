import type { Command } from "commander";
import { CommandError } from "#host";
import { type GlobalProperty, parseInteger } from "#qdev";
import { takeHostProperties } from "./host-files.ts";
import { asksForHelp, type KeyValues, OptionReader, parseKeyValues } from "./key-values.ts";
import { parseSerial, type SerialOption } from "./serial-option.ts";

/** `-drive`: the backing file of a block device or a flash bank. */
export interface DriveOption {
  /** The option as given, for messages. */
  readonly text: string;
  readonly id: string;
  /** `none`: for a device that names it; `virtio`: with a device of its own; `pflash`: a flash bank. */
  readonly interface: "none" | "virtio" | "pflash";
  readonly file: string;
  /** Whether the bytes are the disk's even if they look like an image in another format. */
  readonly isRaw: boolean;
  readonly readOnly: boolean;
  /** Writes are discarded at the end. */
  readonly snapshot: boolean;
  /** Number of the flash bank. */
  readonly unit: number;
}

/** `-device`: one more device. */
export interface DeviceOption {
  readonly text: string;
  readonly driver: string;
  readonly id: string | null;
  /** Name of the bus; null: the first that has room, in QEMU's order. */
  readonly bus: string | null;
  readonly properties: ReadonlyMap<string, string>;
}

/** `-fw_cfg`: a file for firmware and guest. */
export interface FirmwareFileOption {
  readonly text: string;
  readonly name: string;
  readonly content: { readonly file: string } | { readonly string: string };
}

/** `-chardev` and `-netdev`: the host's end of a serial line or a network. */
export interface BackendOption {
  readonly text: string;
  /** The kind of backend, the first word of the option. */
  readonly kind: string;
  readonly id: string;
  /** All other properties. */
  readonly properties: KeyValues;
}

/** What a command line adds to a board. */
export interface HardwareOptions {
  readonly drives: readonly DriveOption[];
  readonly devices: readonly DeviceOption[];
  readonly globals: readonly (GlobalProperty & { readonly text: string })[];
  readonly firmwareFiles: readonly FirmwareFileOption[];
  readonly chardevs: readonly BackendOption[];
  readonly netdevs: readonly BackendOption[];
  /** Where the serial port leads; null or absent: to the caller that runs the machine. */
  readonly serial?: SerialOption | null;
}

/** The options as commander collects them. */
export interface HardwareArguments {
  readonly drive: readonly string[];
  readonly device: readonly string[];
  readonly global: readonly string[];
  readonly fw_cfg: readonly string[];
  readonly chardev: readonly string[];
  readonly netdev: readonly string[];
  readonly serial?: readonly string[];
}

/** Adds the options for hardware beyond the board's own devices; each may be repeated. */
export function addHardwareOptions(command: Command): Command {
  const collect = (value: string, earlier: readonly string[]): string[] => [...earlier, value];
  return command
    .option("--drive <properties>", "file=F,if=none|virtio|pflash,id=ID,readonly=on,snapshot=on", collect, [])
    .option("--device <properties>", "driver,id=ID,bus=BUS,property=value", collect, [])
    .option("--global <property>", "driver.property=value, for all devices of that type", collect, [])
    .option("--fw_cfg <properties>", "name=NAME,file=F or string=S: a file for firmware", collect, [])
    .option("--chardev <properties>", "kind,id=ID,…: the host's end of a serial line", collect, [])
    .option("--netdev <properties>", "kind,id=ID,…: the host's end of a network", collect, [])
    .option(
      "--serial <where>",
      "mon:stdio (default), stdio, null, file:PATH, pipe:PATH, chardev:ID: where the serial port leads",
      collect,
      [],
    );
}

/** @throws CommandError that names the option, the reason and the fix. */
export function parseHardwareOptions(options: HardwareArguments): HardwareOptions {
  const units = new Map<string, Set<number>>();
  return {
    drives: unique(
      "-drive",
      options.drive.map((text) => parseDrive(text, units)),
    ),
    devices: options.device.map(parseDevice),
    globals: options.global.map(parseGlobal),
    firmwareFiles: options.fw_cfg.map(parseFirmwareFile),
    chardevs: unique(
      "-chardev",
      options.chardev.map((text) => parseBackend("-chardev", text)),
    ),
    netdevs: unique(
      "-netdev",
      options.netdev.map((text) => parseBackend("-netdev", text)),
    ),
    serial: parseSerial(options.serial ?? []),
  };
}

const LARGEST_UNIT = 999_999_999n;

/** @param units numbers of the drives so far, by interface: a drive without one gets the first that is free */
function parseDrive(text: string, units: Map<string, Set<number>>): DriveOption {
  const option = `-drive ${text}`;
  const reader = new OptionReader(option, parseKeyValues("-drive", text));
  const kind = reader.choice("if", ["none", "virtio", "pflash"], "virtio");
  const unit = unitOf(reader, kind, units);
  const isRaw = reader.has("format") || reader.has("driver");
  reader.choice("format", ["raw"], "raw", onlyRaw("format"));
  reader.choice("driver", ["raw"], "raw", onlyRaw("driver"));
  const isDisc = reader.choice("media", ["disk", "cdrom"], "disk") === "cdrom";
  reader.choice("bus", ["0"], "0");
  takeHostProperties(reader);
  takeErrorActions(reader);
  const drive = {
    text: option,
    id: checkedId(option, reader.take("id") ?? `${kind}${unit}`),
    interface: kind,
    file: fileOf(reader),
    isRaw,
    readOnly: readOnlyOf(reader) || isDisc,
    snapshot: reader.switch("snapshot"),
    unit,
  };
  reader.end();
  return drive;
}

/** What to do with an image in another format: as raw, the guest would see and overwrite the container. */
export function onlyRaw(name: string): string {
  return `cannot be used, only raw images can; convert it with qemu-img convert -O raw, and give the result with ${name}=raw`;
}

/** As in QEMU: `file.filename` is another name for `file`, and its value may name the protocol. */
function fileOf(reader: OptionReader): string {
  if (!reader.has("file.filename")) return reader.require("file").replace(/^file:/, "");
  if (reader.has("file")) throw reader.error("file and file.filename are the same; give only one of them");
  reader.choice("file.driver", ["file"], "file");
  return reader.require("file.filename");
}

/** As in QEMU: `readonly` is another name for `read-only`. */
function readOnlyOf(reader: OptionReader): boolean {
  const names = ["readonly", "read-only"].filter((name) => reader.has(name));
  if (names.length > 1) throw reader.error("readonly and read-only are the same; give only one of them");
  const [isReadOnly, isAlso] = [reader.switch("readonly"), reader.switch("read-only")];
  return isReadOnly || isAlso;
}

/** Errors of files are reported to the guest, which QEMU's defaults do for most; nothing stops the machine. */
function takeErrorActions(reader: OptionReader): void {
  for (const name of ["werror", "rerror"]) {
    const wanted = reader.take(name) ?? "report";
    if (wanted !== "report")
      throw reader.error(
        `${name}=${wanted}: errors of files are reported to the guest; give ${name}=report, or leave it out`,
      );
  }
}

/** As in QEMU: `unit` and `index` are the same number, each belongs to one drive of an interface. */
function unitOf(reader: OptionReader, kind: string, units: Map<string, Set<number>>): number {
  const taken = units.get(kind) ?? new Set();
  units.set(kind, taken);
  const asUnit = reader.take("unit");
  const asIndex = reader.take("index");
  if (asUnit !== undefined && asIndex !== undefined)
    throw reader.error("unit and index are the same number; give only one of them");
  const name = asUnit === undefined ? "index" : "unit";
  const given = asUnit ?? asIndex;
  const number = given === undefined ? 0n : parseInteger(given);
  if (number === undefined || number < 0n || number > LARGEST_UNIT)
    throw reader.error(`${name}=${given} is not a number; give ${name}=0, or another`);
  let unit = Number(number);
  if (given === undefined) while (taken.has(unit)) unit++;
  if (taken.has(unit))
    throw reader.error(`another drive with if=${kind} has the ${name} ${unit}; give each its own`);
  taken.add(unit);
  return unit;
}

function parseDevice(text: string): DeviceOption {
  const reader = new OptionReader(`-device ${text}`, parseKeyValues("-device", text, "driver"));
  return {
    text: `-device ${text}`,
    driver: reader.require("driver"),
    id: checkedId(`-device ${text}`, reader.take("id") ?? null),
    bus: reader.take("bus") ?? null,
    properties: reader.rest(),
  };
}

/** `driver.property=value`, or the three as properties. A driver's name may contain dots: the last one separates. */
function parseGlobal(text: string): GlobalProperty & { readonly text: string } {
  const option = `-global ${text}`;
  const [, driver, property, value] = /^([^=]+)\.([^.=]+)=(.*)$/s.exec(text) ?? [];
  if (driver !== undefined && property !== undefined && value !== undefined)
    return { text: option, driver, property, value };
  if (!text.startsWith("driver=") && !asksForHelp(text))
    throw new CommandError(`${option}: not a property of a driver; give driver.property=value`);
  const reader = new OptionReader(option, parseKeyValues("-global", text));
  const global = {
    text: option,
    driver: reader.require("driver"),
    property: reader.require("property"),
    value: reader.require("value"),
  };
  reader.end();
  return global;
}

function parseFirmwareFile(text: string): FirmwareFileOption {
  const option = `-fw_cfg ${text}`;
  const reader = new OptionReader(option, parseKeyValues("-fw_cfg", text, "name"));
  const name = reader.require("name");
  const file = reader.take("file");
  const string = reader.take("string");
  reader.end();
  if (file !== undefined && string === undefined) return { text: option, name, content: { file } };
  if (string !== undefined && file === undefined) return { text: option, name, content: { string } };
  throw reader.error("it has no content, or two; give file= or string=");
}

function parseBackend(option: string, text: string): BackendOption {
  const entries = parseKeyValues(option, text, "type");
  const isHelp = entries.some(([name, value]) => asksForHelp(name) && value === "on");
  const one = (name: string): string => {
    const [value, second] = entries.filter(([each]) => each === name).map(([, each]) => each);
    if (value === undefined && isHelp) return "help"; // answered by the kind of backend, which knows its properties
    if (value === undefined || value === "" || second !== undefined)
      throw new CommandError(`${option} ${text}: give ${name}= once`);
    return value;
  };
  const properties = entries.filter(([name]) => name !== "type" && name !== "id");
  return {
    text: `${option} ${text}`,
    kind: one("type"),
    id: checkedId(`${option} ${text}`, one("id")),
    properties,
  };
}

/** As in QEMU: ids become parts of object paths. */
const WELL_FORMED_ID = /^[a-z][a-z0-9._-]*$/i;

/** @throws CommandError unless it begins with a letter and contains only letters, digits, `-`, `.` and `_` */
function checkedId<T extends string | null>(option: string, id: T): T {
  if (id === null || WELL_FORMED_ID.test(id)) return id;
  throw new CommandError(
    `${option}: id=${id} is not a valid id; begin with a letter, and use only letters, digits, -, . and _`,
  );
}

function unique<T extends { readonly id: string; readonly text: string }>(option: string, parsed: T[]): T[] {
  const ids = new Set<string>();
  for (const { id, text } of parsed) {
    if (ids.has(id)) throw new CommandError(`${text}: another ${option} has the id ${id}; give each its own`);
    ids.add(id);
  }
  return parsed;
}

/** A board with its own devices only. */
export const NO_HARDWARE_OPTIONS: HardwareOptions = {
  drives: [],
  devices: [],
  globals: [],
  firmwareFiles: [],
  chardevs: [],
  netdevs: [],
};
