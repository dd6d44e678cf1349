/**
 * Translates QEMU's command line into ours. QEMU spells its options with one dash or two; many of them ask for what is
 * always the case here, or have another name. Each option either works or is refused by its full name, with what to use
 * instead.
 */
import { CommandError, HelpRequest, tableOf } from "#host";
import { parseInteger } from "#qdev";
import { onlyRaw } from "./hardware-options.ts";
import { takeHostProperties } from "./host-files.ts";
import { asksForHelp, type KeyValues, OptionReader, parseKeyValues } from "./key-values.ts";

/** How an option is translated into words of ours. */
interface Meaning {
  /** Whether a value follows it. */
  readonly takesValue: boolean;
  /** Long name of the option of ours that it becomes; null: it is dropped; undefined: it is refused. */
  readonly option?: string | null;
  /** Property that a value without a name sets, if QEMU reads all occurrences as one list of properties. */
  readonly merges?: string;
  /** @throws CommandError when the option is not supported */
  readonly words: (value: string, all: WordsOfOne) => readonly string[];
}

/** Data for options that refer to others. */
interface WordsOfOne {
  /** `-blockdev` options, by node name. */
  readonly nodes: ReadonlyMap<string, BlockNode>;
  /** Names of the nodes that a device or a flash bank uses. */
  readonly used: Set<string>;
}

/** A file that `-blockdev` names. */
interface BlockNode {
  readonly text: string;
  readonly file: string;
  readonly readOnly: boolean;
}

const same = (name: string): Meaning => ({
  takesValue: true,
  option: name,
  words: (value) => [`--${name}`, value],
});
/** An option whose value is translated, too. */
const valued = (option: string | null, words: Meaning["words"]): Meaning => ({
  takesValue: true,
  option,
  words,
});
/** An option whose occurrences are one list of properties, of which the last of a name counts. */
const merged = (option: string, implied: string, words: Meaning["words"]): Meaning => ({
  ...valued(option, words),
  merges: implied,
});
const flag = (option: string, word = `--${option}`): Meaning => ({
  takesValue: false,
  option,
  words: () => [word],
});
/** An option that asks for what is always the case here: it is dropped. */
const nothing = (takesValue = false): Meaning => ({ takesValue, option: null, words: () => [] });
/** An option of which only some values are always the case here; any other is refused. */
const only = (
  name: string,
  values: readonly string[],
  why: string,
  words: readonly string[] = [],
): Meaning => ({
  takesValue: true,
  option: null,
  words: (value) => {
    if (values.includes(value)) return words;
    if (asksForHelp(value)) throw new HelpRequest(`Supported values of -${name}: ${values.join(" ")}\n`);
    throw new CommandError(
      `-${name} ${value}: ${why}; give -${name} ${values.join(", or ")}, or leave it out`,
    );
  },
});
const refused = (name: string, takesValue: boolean, why: string): Meaning => ({
  takesValue,
  words: () => {
    throw new CommandError(`-${name}: ${why}`);
  },
});

const NO_ACCELERATOR = "guest code is translated to WebAssembly, and in no other way; leave it out";
const NO_DISPLAY = "the board has no display; leave it out";
const NOT_HERE = "regionlab has no equivalent; leave it out";

const MACHINE = merged("machine", "type", machineWords);

const MEANINGS = tableOf<Meaning>({
  // Options that work here.
  ...Object.fromEntries(
    [
      ...["kernel", "initrd", "append", "drive", "global", "fw_cfg", "chardev", "netdev", "serial"],
      ...["trace-mmio", "snapshot-in", "snapshot-out"],
    ].map((name) => [name, same(name)]),
  ),
  M: MACHINE,
  machine: MACHINE,
  m: merged("memory", "size", (value) => ["-m", memorySize(value)]),
  smp: merged("smp", "cpus", (value) => ["--smp", processors(value)]),
  cpu: valued("cpu", cpuWords),
  bios: same("bios"),
  pflash: valued("drive", (file) => ["--drive", `if=pflash,file=${doubled(file)}`]),
  hda: valued("drive", (file) => ["--drive", `if=virtio,index=0,file=${doubled(file)}`]),
  device: valued("device", deviceWords),
  blockdev: valued("drive", () => []), // translated where it is used
  snapshot: flag("snapshot"),
  nic: valued("netdev", nicWords),
  net: only(
    "net",
    ["none"],
    "QEMU's old network options are not supported; use -netdev and -device virtio-net-device",
  ),
  rtc: same("rtc"),
  d: same("log"),
  D: same("log-file"),
  gdb: valued("gdb", gdbWords),
  s: flag("gdb-usual", "-s"),
  S: flag("freeze"),
  "no-reboot": flag("no-reboot"),
  // Options that ask for what is always the case here.
  nographic: nothing(),
  nodefaults: nothing(),
  "no-user-config": nothing(),
  name: nothing(true),
  uuid: valued(null, uuidWords),
  display: only("display", ["none"], "the board has no display"),
  vga: only("vga", ["none"], "the board has no display"),
  parallel: only("parallel", ["none", "null"], "the board has no parallel port"),
  monitor: only("monitor", ["none", "null"], "the monitor shares the terminal, at Ctrl-A C", [
    "--no-monitor",
  ]),
  // Options that have another name or are not supported.
  dtb: refused("dtb", true, "the board generates its device tree from its devices; leave it out"),
  icount: refused("icount", true, "guest time follows the instructions executed in every run; leave it out"),
  trace: refused(
    "trace",
    true,
    "QEMU's trace events are not supported; use --trace-mmio FILE for accesses, --trace FILE for instructions",
  ),
  loadvm: refused("loadvm", true, "snapshots are files; use --snapshot-in FILE"),
  incoming: refused(
    "incoming",
    true,
    "there is no migration; use --snapshot-out FILE and --snapshot-in FILE",
  ),
  qmp: refused("qmp", true, "there is no QMP; use the monitor at Ctrl-A C, or gdb with --gdb PORT"),
  mon: refused("mon", true, "the monitor shares the terminal, at Ctrl-A C; leave it out"),
  accel: valued(null, acceleratorWords),
  "enable-kvm": refused("enable-kvm", false, NO_ACCELERATOR),
  cdrom: refused("cdrom", true, "give it as a disk: -drive file=FILE,if=virtio,readonly=on"),
  hdb: refused("hdb", true, "give it as a disk: -drive file=FILE,if=virtio"),
  hdc: refused("hdc", true, "give it as a disk: -drive file=FILE,if=virtio"),
  hdd: refused("hdd", true, "give it as a disk: -drive file=FILE,if=virtio"),
  sd: refused("sd", true, "give it as a disk: -drive file=FILE,if=virtio"),
  fda: refused("fda", true, "the board has no floppy drive; leave it out"),
  boot: refused("boot", true, "the firmware decides what it boots; leave it out"),
  daemonize: refused(
    "daemonize",
    false,
    "start it in the background from your shell, with -serial file:PATH",
  ),
  pidfile: refused("pidfile", true, "your shell knows the process id; leave it out"),
  singlestep: refused("singlestep", false, "use --trace FILE, which shows every instruction"),
  semihosting: refused("semihosting", false, NOT_HERE),
  "semihosting-config": refused("semihosting-config", true, NOT_HERE),
  "no-acpi": refused("no-acpi", false, "the board has no ACPI tables; leave it out"),
  "no-hpet": refused("no-hpet", false, "the board has no such timer; leave it out"),
  version: refused("version", false, "give `regionlab --version`"),
  "no-shutdown": refused("no-shutdown", false, NOT_HERE),
  action: refused("action", true, "use -no-reboot, or leave it out"),
  watchdog: refused("watchdog", true, NOT_HERE),
  object: refused(
    "object",
    true,
    "backends are made with -drive, -chardev and -netdev, and virtio-rng-device needs none; leave it out",
  ),
  fsdev: refused("fsdev", true, "host folders cannot be shared; give a disk with -drive"),
  virtfs: refused("virtfs", true, "host folders cannot be shared; give a disk with -drive"),
  tpmdev: refused("tpmdev", true, NOT_HERE),
  usb: refused("usb", false, "the board has no USB; leave it out"),
  usbdevice: refused("usbdevice", true, "the board has no USB; leave it out"),
  vnc: refused("vnc", true, NO_DISPLAY),
  spice: refused("spice", true, NO_DISPLAY),
  sdl: refused("sdl", false, NO_DISPLAY),
  gtk: refused("gtk", false, NO_DISPLAY),
  curses: refused("curses", false, NO_DISPLAY),
  "full-screen": refused("full-screen", false, NO_DISPLAY),
  g: refused("g", true, NO_DISPLAY),
  audio: refused("audio", true, "the board makes no sound; leave it out"),
  audiodev: refused("audiodev", true, "the board makes no sound; leave it out"),
  k: refused("k", true, NO_DISPLAY),
  smbios: refused("smbios", true, NOT_HERE),
  acpitable: refused("acpitable", true, NOT_HERE),
  numa: refused("numa", true, "all memory belongs to one node; leave it out"),
  "mem-path": refused("mem-path", true, "guest memory is allocated by the process itself; leave it out"),
  "mem-prealloc": refused(
    "mem-prealloc",
    false,
    "guest memory is allocated by the process itself; leave it out",
  ),
  overcommit: refused("overcommit", true, NOT_HERE),
  plugin: refused("plugin", true, "use --trace FILE or --trace-mmio FILE"),
  readconfig: refused("readconfig", true, "put the options into a shell script instead; leave it out"),
  sandbox: refused("sandbox", true, NOT_HERE),
  "run-with": refused("run-with", true, NOT_HERE),
  runas: refused("runas", true, NOT_HERE),
  chroot: refused("chroot", true, NOT_HERE),
  L: refused("L", true, "give firmware by its path: -bios FILE"),
  perfmap: refused("perfmap", false, NOT_HERE),
  jitdump: refused("jitdump", false, NOT_HERE),
  "add-fd": refused("add-fd", true, NOT_HERE),
  "async-teardown": refused("async-teardown", false, NOT_HERE),
  "audio-help": refused("audio-help", false, "the board makes no sound; leave it out"),
  compat: refused("compat", true, NOT_HERE),
  debugcon: refused("debugcon", true, "the board has no such port; use -serial"),
  dfilter: refused("dfilter", true, "use --trace FILE, and filter its output"),
  "dump-vmstate": refused("dump-vmstate", true, "there is no migration; leave it out"),
  echr: refused("echr", true, "commands always begin with Ctrl-A; leave it out"),
  "enable-sync-profile": refused("enable-sync-profile", false, NOT_HERE),
  iscsi: refused("iscsi", true, "give a raw image with -drive"),
  mtdblock: refused("mtdblock", true, "give it as flash: -drive if=pflash,file=FILE"),
  msg: refused("msg", true, NOT_HERE),
  "option-rom": refused("option-rom", true, "give firmware with -bios FILE, or flash with -pflash FILE"),
  "only-migratable": refused("only-migratable", false, "there is no migration; leave it out"),
  preconfig: refused("preconfig", false, "there is no QMP; leave it out"),
  "qmp-pretty": refused(
    "qmp-pretty",
    true,
    "there is no QMP; use the monitor at Ctrl-A C, or gdb with --gdb PORT",
  ),
  rotate: refused("rotate", true, NO_DISPLAY),
  portrait: refused("portrait", false, NO_DISPLAY),
  seed: refused("seed", true, "runs are deterministic without a seed; leave it out"),
  set: refused("set", true, "set the property in its -device, or with -global"),
  "watchdog-action": refused("watchdog-action", true, NOT_HERE),
  "one-insn-per-tb": refused("one-insn-per-tb", false, "use --trace FILE, which shows every instruction"),
});

/** Words of QEMU, with their dash, that a command with these options accepts: for shells to complete. */
export function acceptedWords(known: ReadonlySet<string>): AcceptedWord[] {
  return [...MEANINGS].flatMap(([name, { takesValue, option }]) =>
    option === undefined || (option !== null && !known.has(option))
      ? []
      : [{ word: `-${name}`, takesValue, option }],
  );
}

export interface AcceptedWord {
  readonly word: string;
  readonly takesValue: boolean;
  /** Long name of the option that it stands for; null: it asks for what is always the case. */
  readonly option: string | null;
}

/** Options of ours whose values may be in QEMU's form. */
const IN_BOTH = new Set(["machine", "smp", "cpu", "device", "gdb"]);
/** An option with two dashes, as ours are spelled. */
const OURS = /^--/;
/** A short option with its value: `-m512M`, `-Mvirt`. */
const ATTACHED = /^-(?:m(?=\d)|M(?=virt))/;
/** What messages call options of ours by another name, without dashes. */
const CALLED = tableOf<string>({
  machine: "M",
  memory: "m",
  "gdb-usual": "gdb 1234",
  s: "gdb 1234",
});

/**
 * Translates QEMU's words into ours.
 * @param words what follows the command's name
 * @param known names of the command's own options, without dashes
 * @throws CommandError that names the option if it is unknown, or one of QEMU's that is not supported
 */
export function fromQemu(words: readonly string[], known: ReadonlySet<string>): Translation {
  const used = new Set<string>();
  const all: WordsOfOne = { nodes: nodesOf(words, used), used };
  const ours: (readonly string[])[] = [];
  const spellings: Spelling[] = [];
  const lists = new Map<Meaning, PropertyList>();
  for (let at = 0; at < words.length; at++) {
    const word = words[at] ?? "";
    if (!word.startsWith("-") || word === "-" || word === "--" || ATTACHED.test(word)) {
      ours.push([word]);
      if (ATTACHED.test(word)) spellings.push({ ours: `${word[1]} ${word.slice(2)}`, theirs: word });
      continue;
    }
    const name = word.replace(/^--?/, "");
    const [bare = ""] = name.split("=");
    const isOurs = !MEANINGS.has(bare) || (known.has(bare) && !IN_BOTH.has(bare));
    if (OURS.test(word) && isOurs) {
      ours.push([word]);
      spellings.push(...ownSpellings(word, bare, words[at + 1]));
      continue;
    }
    const attached = OURS.test(word) && bare !== name ? name.slice(bare.length + 1) : undefined;
    const meaning = MEANINGS.get(attached === undefined ? name : bare);
    if (meaning === undefined) {
      if (known.has(name) || name.length === 1) {
        ours.push([name.length === 1 ? word : `--${name}`]);
        spellings.push(...ownSpellings(word, name, words[at + 1]));
      } else throw new CommandError(`${word}: unknown option; --help lists all of them`);
      continue;
    }
    let value = attached ?? "";
    if (meaning.takesValue && attached === undefined) {
      const next = words[++at];
      if (next === undefined) throw new CommandError(`${word}: its value is missing; give one after it`);
      value = next;
    }
    const spelling = attached === undefined ? `${word} ${value}` : word;
    if (meaning.merges !== undefined && !asksForHelp(value)) {
      const list = lists.get(meaning) ?? { meaning, values: [], spelling, at: ours.length };
      if (list.values.length === 0) ours.push([]); // where the words of all will stand
      lists.set(meaning, { ...list, values: [...list.values, value] });
      continue;
    }
    const option = attached === undefined ? word : `--${bare}`;
    const translated = spelled({ option, value, spelling }, () => meaning.words(value, all));
    ours.push(translated);
    if (!meaning.takesValue) for (const each of translated) spellings.push(...named(undashed(each), word));
    else {
      spellings.push(...spellingsOf(translated, spelling, all.nodes));
      if (translated.length === 2 && translated[1] === value)
        spellings.push(...named(undashed(translated[0] ?? ""), option));
    }
    if (!meaning.takesValue && attached !== undefined)
      throw new CommandError(`${word}: the option takes no value; give --${bare}`);
  }
  for (const list of lists.values()) {
    const value = textOf(list);
    const [option = ""] = list.spelling.split(/[ =]/);
    const spelling = list.values.length === 1 ? list.spelling : `${option} ${value}`;
    const translated = spelled({ option, value, spelling }, () => list.meaning.words(value, all));
    ours[list.at] = translated;
    spellings.push(...spellingsOf(translated, spelling, all.nodes));
  }
  const warnings = [...all.nodes]
    .filter(([name]) => !all.used.has(name))
    .map(([, { text }]) => `warning: ${text}: no device uses it`);
  return { words: ours.flat(), warnings, asWritten: (message) => asWritten(message, spellings) };
}

/** The occurrences of an option that QEMU reads as one list of properties. */
interface PropertyList {
  readonly meaning: Meaning;
  readonly values: readonly string[];
  /** The first one as the user wrote it. */
  readonly spelling: string;
  /** Its position among the translated words. */
  readonly at: number;
}

/** One occurrence as it is; of several, the last value of each property. */
function textOf({ values, spelling, meaning: { merges } }: PropertyList): string {
  const [only = "", ...others] = values;
  if (others.length === 0) return only;
  const [option = ""] = spelling.split(/[ =]/);
  const properties = new Map(values.flatMap((value) => [...parseKeyValues(option, value, merges)]));
  return joined([...properties]).join(",");
}

/** What a command line means in our words. */
export interface Translation {
  readonly words: readonly string[];
  /** What is accepted and has no effect. */
  readonly warnings: readonly string[];
  /** A message about our words, with each option as the user wrote it. */
  asWritten(message: string): string;
}

/** An option with its value in our words, without dashes, and as the user wrote it. */
interface Spelling {
  readonly ours: string;
  readonly theirs: string;
}

/** Spellings of options with values; words with dashes begin an option, unless they follow one. */
function spellingsOf(ours: readonly string[], theirs: string, nodes: WordsOfOne["nodes"]): Spelling[] {
  const spellings: Spelling[] = [];
  for (let at = 0; at + 1 < ours.length; at += 2) {
    const [option = "", value = ""] = ours.slice(at, at + 2);
    const [, node] = [...nodes].find(([name]) => value.includes(`,id=${name},`)) ?? [];
    const isDriveOfNode = option === "--drive" && node !== undefined;
    const name = undashed(option);
    for (const called of [name, CALLED.get(name) ?? name])
      spellings.push({ ours: `${called} ${value}`, theirs: isDriveOfNode ? node.text : theirs });
  }
  return spellings;
}

/** Spellings of an option of ours, which may take the word after it as its value. */
function ownSpellings(word: string, name: string, next: string | undefined): Spelling[] {
  const [, value = next ?? ""] = /=(.*)$/s.exec(word) ?? [];
  const [option = ""] = word.split("=");
  const whole = option === word ? `${word} ${value}` : word;
  return [...spellingsOf([option, value], whole, new Map()), ...named(name, option)];
}

/** Spellings of an option without its value. */
function named(name: string, theirs: string): Spelling[] {
  return [name, CALLED.get(name) ?? name].map((ours) => ({ ours, theirs }));
}

function undashed(option: string): string {
  return option.replace(/^--?/, "");
}

/** Translates an option: what that throws names it as the user wrote it. */
function spelled<T>(
  { option, value, spelling }: { readonly option: string; readonly value: string; readonly spelling: string },
  translate: () => T,
): T {
  try {
    return translate();
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
    const [name = ""] = /^-[\w-]+/.exec(error.message) ?? [];
    const whole = `${name} ${value}:`;
    throw new CommandError(
      error.message.startsWith(whole)
        ? `${spelling}:${error.message.slice(whole.length)}`
        : `${option}${error.message.slice(name.length)}`,
    );
  }
}

/** Messages spell an option with one dash or two; its value may follow. */
function asWritten(message: string, spellings: readonly Spelling[]): string {
  const written = new Map([...spellings].reverse().map(({ ours, theirs }) => [ours, theirs]));
  const longestFirst = [...written.keys()].sort((one, other) => other.length - one.length);
  if (longestFirst.length === 0) return message;
  const any = longestFirst.map((text) => text.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&")).join("|");
  const label = new RegExp(`(?<=^|[\\s(']|: )--?(${any})(?=$|[\\s:,;)'])`, "g");
  return message.replace(label, (text, ours: string) => written.get(ours) ?? text);
}

/** `virt`, with properties. Features that do not exist here may only be off. */
function machineWords(value: string, all: WordsOfOne): string[] {
  if (asksForHelp(value)) return ["--machine", value];
  const entries = parseKeyValues("-machine", value, "type");
  const type = entries.find(([property]) => property === "type")?.[1];
  const properties = entries.filter(([property]) => property !== "type");
  if (properties.some(([property]) => asksForHelp(property))) return ["--machine", `${type ?? "virt"},help`];
  const words = type === undefined ? [] : ["--machine", type];
  for (const [property, setting] of properties) {
    const bank = /^pflash([01])$/.exec(property)?.[1];
    if (bank !== undefined) words.push("--drive", flashDrive(Number(bank), setting, all, value));
    else {
      const supported = OFF_ANYWAY.get(property);
      if (supported === undefined) throw new CommandError(`-machine ${value}: ${unknownProperty(property)}`);
      if (!supported.includes(setting))
        throw new CommandError(
          `-machine ${value}: ${property}=${setting} is not supported; give ${property}=${supported.join(" or ")}, or leave it out`,
        );
    }
  }
  return words;
}

/** What there is instead of a property of QEMU's machines, or that there is none of that name. */
function unknownProperty(name: string): string {
  const advice = INSTEAD.get(name);
  return advice === undefined
    ? `property ${name} is unknown; there are ${[...OFF_ANYWAY.keys(), "pflash0", "pflash1"].sort().join(", ")}`
    : `${name} is not supported; ${advice}`;
}

/** Properties of QEMU's `virt` without an equivalent here, with what to do instead. */
const INSTEAD: ReadonlyMap<string, string> = new Map([
  ["confidential-guest-support", "memory cannot be encrypted; leave it out"],
  ["dtb", "the board generates its device tree from its devices; leave it out"],
  ["dt-compatible", "the board generates its device tree from its devices; leave it out"],
  ["dumpdtb", "read the device tree in a run: the firmware passes its address to the kernel in a1"],
  ["firmware", "give -bios FILE"],
  ["initrd", "give -initrd FILE"],
  ["kernel", "give -kernel FILE"],
  ["append", "give -append TEXT"],
  ["memory", "give -m SIZE"],
  ["memory-backend", "memory has only the size that -m gives; leave it out"],
  ["memory-encryption", "memory cannot be encrypted; leave it out"],
  ["phandle-start", "the board generates its device tree from its devices; leave it out"],
  ["smp", "give -smp COUNT"],
  ["suppress-vmdesc", "there is no migration; leave it out"],
]);

/** Properties of QEMU's `virt`, and of all its machines, with the values that describe what is the case here. */
export const OFF_ANYWAY = tableOf<readonly string[]>({
  accel: ["tcg"],
  aclint: ["off"],
  acpi: ["off", "auto"],
  aia: ["none"],
  "dump-guest-core": ["on", "off"],
  graphics: ["on", "off"],
  "iommu-sys": ["off", "auto"],
  "mem-merge": ["on", "off"],
  usb: ["off"],
});

/** A device whose drive is a node of `-blockdev` adds that drive. */
function deviceWords(value: string, { nodes, used }: WordsOfOne): string[] {
  const drive = parseKeyValues("-device", value, "driver").find(([name]) => name === "drive")?.[1];
  const node = drive === undefined ? undefined : nodes.get(drive);
  const words = ["--device", value];
  if (drive === undefined || node === undefined) return words;
  used.add(drive);
  const readOnly = node.readOnly ? ",readonly=on" : "";
  return ["--drive", `if=none,format=raw,id=${drive},file=${doubled(node.file)}${readOnly}`, ...words];
}

function flashDrive(bank: number, node: string, { nodes, used }: WordsOfOne, value: string): string {
  const found = nodes.get(node);
  if (found === undefined)
    throw new CommandError(
      `-machine ${value}: pflash${bank}=${node}: there is no such node; give -blockdev node-name=${node},driver=file,filename=FILE, or -drive if=pflash,unit=${bank},file=FILE`,
    );
  used.add(node);
  return `if=pflash,format=raw,unit=${bank},id=${node},file=${doubled(found.file)}${found.readOnly ? ",readonly=on" : ""}`;
}

/**
 * Raw files that `-blockdev` makes nodes of. Nodes that devices or flash banks name become drives.
 * @param used gets the names of nodes that others are made of
 */
function nodesOf(words: readonly string[], used: Set<string>): Map<string, BlockNode> {
  const nodes = new Map<string, BlockNode>();
  words.forEach((word, at) => {
    const option = /^--?blockdev(?:=(.*))?$/s.exec(word);
    const value = option?.[1] ?? words[at + 1];
    if (option === null || value === undefined) return;
    const [written = ""] = word.split("=");
    const text = option[1] === undefined ? `${word} ${value}` : word;
    const entries = spelled({ option: written, value, spelling: text }, () =>
      parseKeyValues("-blockdev", value, "driver"),
    );
    const reader = new OptionReader(text, entries);
    const driver = reader.choice("driver", ["file", "raw"], "raw", onlyRaw("driver"));
    const name = reader.require("node-name");
    const below = driver === "raw" ? reader.take("file") : undefined;
    if (driver === "raw" && below === undefined) reader.choice("file.driver", ["file"], "file");
    const lower = below === undefined ? undefined : nodes.get(below);
    if (below !== undefined && lower === undefined)
      throw reader.error(
        `file=${below}: there is no such node; give -blockdev node-name=${below},driver=file,filename=FILE before`,
      );
    if (below !== undefined) used.add(below);
    const file = lower?.file ?? reader.require(driver === "file" ? "filename" : "file.filename");
    const readOnly = reader.switch("read-only") || lower?.readOnly === true;
    takeHostProperties(reader);
    reader.end();
    if (nodes.has(name)) throw new CommandError(`${text}: another node has that name; give each its own`);
    nodes.set(name, { text, file, readOnly });
  });
  return nodes;
}

/** `512M`, or `size=512M`; no slots. */
function memorySize(value: string): string {
  if (!/[=,]/.test(value) && !asksForHelp(value)) return value;
  const reader = new OptionReader(`-m ${value}`, parseKeyValues("-m", value, "size"));
  const size = reader.require("size");
  for (const [name, none] of [
    ["slots", "0"],
    ["maxmem", size],
  ] as const) {
    if ((reader.take(name) ?? none) !== none)
      throw reader.error(`${name}: memory cannot be hot-plugged; give all of it as size=`);
  }
  reader.end();
  return size;
}

const MOST_OF_A_LEVEL = 9999n;
/** What the processors of `virt` are grouped by. */
const VIRT_LEVELS: readonly string[] = ["sockets", "cores", "threads"];

/** `4`, or `cpus=4` with a topology of as many. */
function processors(value: string): string {
  if (!/[=,]/.test(value) && !asksForHelp(value)) return value;
  const reader = new OptionReader(`-smp ${value}`, parseKeyValues("-smp", value, "cpus"));
  const count = (name: string): number | undefined => {
    const text = reader.take(name);
    if (text === undefined) return undefined;
    const number = parseInteger(text);
    if (number === undefined || number < 1n || number > MOST_OF_A_LEVEL)
      throw reader.error(`${name}=${text} is not a whole number from 1 up; give ${name}=1, or more`);
    return Number(number);
  };
  const cpus = count("cpus");
  const levels = new Map<string, number>();
  for (const name of ["sockets", "dies", "clusters", "modules", "cores", "threads"]) {
    const number = count(name);
    if (number !== undefined && number > 1 && !VIRT_LEVELS.includes(name))
      throw reader.error(`${name}=${number}: the machine has ${VIRT_LEVELS.join(", ")} only; leave it out`);
    if (number !== undefined) levels.set(name, number);
  }
  const most = count("maxcpus");
  reader.end();
  const product = [...levels.values()].reduce((all, level) => all * level, 1);
  const isComplete = VIRT_LEVELS.every((name) => levels.has(name));
  const found = cpus ?? most ?? product;
  if (most !== undefined && most !== found)
    throw reader.error(`maxcpus=${most}: processors cannot be hot-plugged; leave it out, or give ${found}`);
  // A level that is missing has as many as it takes.
  if (isComplete ? product !== found : found % product !== 0)
    throw reader.error(
      `the topology has ${product} processors${isComplete ? "" : ", or a multiple of that"}, not ${found}`,
    );
  return `${found}`;
}

const CPUS = ["rv64", "max", "virt"];

function cpuWords(value: string): string[] {
  if (asksForHelp(value)) return ["--cpu", "help"];
  const [model, ...properties] = parseKeyValues("-cpu", value, "model");
  const name = model?.[1] ?? "";
  if (!CPUS.includes(name))
    throw new CommandError(
      `-cpu ${value}: there is only one kind of processor; give -cpu rv64, or leave it out`,
    );
  const [property] = properties[0] ?? [];
  if (property !== undefined)
    throw new CommandError(
      `-cpu ${value}: property ${property}: the processor's extensions are fixed; leave it out`,
    );
  return [];
}

/** `user,…` stands for a network and its card. */
function nicWords(value: string): string[] {
  if (value === "none") return [];
  if (asksForHelp(value)) throw new HelpRequest("Supported values of -nic: user none\n");
  const entries = parseKeyValues("-nic", value, "type");
  const own = (name: string): string | undefined => entries.find(([each]) => each === name)?.[1];
  if (own("type") !== "user")
    throw new CommandError(
      `-nic ${value}: the only network is QEMU's user mode; give -nic user, or -nic none`,
    );
  const model = own("model") ?? "virtio-net-device";
  if (!["virtio", "virtio-net", "virtio-net-device"].includes(model))
    throw new CommandError(
      `-nic ${value}: the only network card is virtio's; give model=virtio-net-device, or leave it out`,
    );
  const id = own("id") ?? "nic0";
  const mac = own("mac");
  const network = entries.filter(([name]) => !["type", "model", "id", "mac"].includes(name));
  return [
    ...["--netdev", ["user", `id=${id}`, ...joined(network)].join(",")],
    ...["--device", `virtio-net-device,netdev=${id}${mac === undefined ? "" : `,mac=${mac}`}`],
  ];
}

function joined(entries: KeyValues): string[] {
  return entries.map(([name, value]) => `${name}=${doubled(value)}`);
}

/** The board shows its UUID nowhere, but one is to be one. */
const TCG = only("accel", ["tcg"], "guest code is translated to WebAssembly, and in no other way");

/** `tcg`; how QEMU's translator goes about it changes nothing that a guest sees. */
function acceleratorWords(value: string, all: WordsOfOne): readonly string[] {
  if (!value.startsWith("tcg,")) return TCG.words(value, all);
  const reader = new OptionReader(`-accel ${value}`, parseKeyValues("-accel", value, "accel"));
  for (const name of ["accel", "thread", "tb-size", "split-wx", "one-insn-per-tb"]) reader.take(name);
  reader.end();
  return [];
}

function uuidWords(value: string): string[] {
  if (/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(value)) return [];
  throw new CommandError(
    `-uuid ${value}: is not a UUID; give one, as 01234567-89ab-cdef-0123-456789abcdef, or leave it out`,
  );
}

function gdbWords(value: string): string[] {
  return ["--gdb", value === "none" ? value : gdbPort(value)];
}

/** A port number, or `tcp::PORT` on this computer. */
function gdbPort(value: string): string {
  if (/^\d+$/.test(value)) return value;
  const [, host, port, rest = ""] = /^tcp:([^:]*):(\d+)(,.*)?$/.exec(value) ?? [];
  if (port === undefined)
    throw new CommandError(`-gdb ${value}: gdb connects to a TCP port; give -gdb tcp::1234, or --gdb 1234`);
  if (host !== "" && host !== "localhost" && host !== "127.0.0.1")
    throw new CommandError(`-gdb ${value}: only programs on this computer may debug; give tcp::${port}`);
  if (rest !== "" && !/^(,(server|server=on|nowait|wait=off))*$/.test(rest))
    throw new CommandError(`-gdb ${value}: property ${rest.slice(1)} is unknown; give tcp::${port}`);
  return port;
}

/** Escapes a value in a list of properties, where a single comma would end it. */
function doubled(text: string): string {
  return text.replaceAll(",", ",,");
}
