/** The human monitor: QEMU's commands, as far as they apply to this machine, with QEMU's output. */
import { csrNames, floatRegisterNames, type RiscvHart, registerNames } from "#cpu/riscv";
import type { RunControl } from "#machine";
import { formatFlatViews, formatMtree } from "#memory";
import { examine, type Space } from "./examine.ts";
import { formatQomTree } from "./qom-tree.ts";
import { formatQtree } from "./qtree.ts";

interface Command {
  readonly names: readonly string[];
  readonly parameters: string;
  readonly help: string;
  run(monitor: Hmp, words: readonly string[]): string;
}

const COMMANDS: readonly Command[] = [
  {
    names: ["cont", "c"],
    parameters: "",
    help: "resume the machine",
    run: ({ control }) => act(() => control.continue()),
  },
  {
    names: ["help", "?"],
    parameters: "[cmd]",
    help: "show the commands, or one of them",
    run: (_monitor, words) => helpFor(words),
  },
  {
    names: ["info"],
    parameters: "subject",
    help: "show information about the machine",
    run: (monitor, words) => monitor.info(words),
  },
  {
    names: ["quit", "q"],
    parameters: "",
    help: "end the emulator",
    run: ({ control }) => act(() => control.quit()),
  },
  {
    names: ["stop", "s"],
    parameters: "",
    help: "pause the machine",
    run: ({ control }) => act(() => control.stop()),
  },
  {
    names: ["system_reset"],
    parameters: "",
    help: "reset the machine",
    run: ({ control }) => act(() => control.emulation.requestReset()),
  },
  {
    names: ["x"],
    parameters: "/fmt addr",
    help: "show virtual memory starting at addr",
    run: (monitor, words) => monitor.examine(words, "virtual"),
  },
  {
    names: ["xp"],
    parameters: "/fmt addr",
    help: "show physical memory starting at addr",
    run: (monitor, words) => monitor.examine(words, "physical"),
  },
];

const SUBJECTS: readonly Command[] = [
  {
    names: ["jit"],
    parameters: "",
    help: "translated code",
    run: ({ control }) => control.emulation.harts.map(formatTranslation).join(""),
  },
  {
    names: ["mtree"],
    parameters: "[-f][-d]",
    help: "memory regions, or with -f the flat views, and with -d their sections",
    run: ({ model }, words) => {
      const flags = words.filter((word) => /^-[fd]+$/.test(word)).join("");
      return flags.includes("f") ? formatFlatViews(model, flags.includes("d")) : formatMtree(model);
    },
  },
  {
    names: ["qom-tree"],
    parameters: "",
    help: "objects",
    run: ({ model }) => formatQomTree(model.resolvePath("/machine")),
  },
  { names: ["qtree"], parameters: "", help: "buses and devices", run: ({ model }) => formatQtree(model) },
  {
    names: ["registers"],
    parameters: "[-a]",
    help: "registers of the first processor, or with -a of all",
    run: (monitor, words) => monitor.registers(words.includes("-a")),
  },
  {
    names: ["status"],
    parameters: "",
    help: "whether the machine is running",
    run: ({ control }) => `VM status: ${control.paused ? "paused" : "running"}\n`,
  },
];

/** Control registers, in the order in which QEMU lists them. */
const CONTROL_REGISTERS =
  "mhartid mstatus mip mie mideleg medeleg mtvec stvec mepc sepc mcause scause mtval stval mscratch sscratch satp".split(
    " ",
  );
const numbers = new Map([...csrNames].map(([number, name]) => [name, number]));

export class Hmp {
  readonly control: RunControl;

  constructor(control: RunControl) {
    this.control = control;
  }

  get model() {
    return this.control.emulation.model;
  }

  private get hart(): RiscvHart {
    return this.control.emulation.hart;
  }

  /** Runs one command line and returns its output: lines that end in a newline, or nothing. */
  execute(line: string): string {
    const words = line.trim().split(/\s+/);
    // The format may follow the command without a space: x/4xw.
    const [, name = "", format] = /^([^/]*)(\/.*)?$/.exec(words[0] ?? "") ?? [];
    if (name === "" && format === undefined) return "";
    const command = COMMANDS.find((each) => each.names.includes(name));
    if (command === undefined) return unknown(line);
    return runWith(command, "", this, format === undefined ? words.slice(1) : [format, ...words.slice(1)]);
  }

  info(words: readonly string[]): string {
    const [subject] = words;
    if (subject === undefined) return helpOn(SUBJECTS, "info ");
    const command = SUBJECTS.find((each) => each.names.includes(subject));
    return command === undefined
      ? unknown(`info ${words.join(" ")}`)
      : runWith(command, "info ", this, words.slice(1));
  }

  registers(all: boolean): string {
    const harts = all ? this.control.emulation.harts : [this.hart];
    return harts.map((hart) => `\nCPU#${hart.hartId}\n${formatRegisters(hart)}`).join("");
  }

  examine(words: readonly string[], space: Space): string {
    return examine(this.control.emulation, this.hart, words, space);
  }
}

function formatTranslation({ hartId, translation }: RiscvHart): string {
  if (translation === undefined) return `CPU#${hartId} translates nothing\n`;
  const { translated, dropped, instructions, bytes } = translation;
  return `CPU#${hartId} ${translated} units, ${dropped} of them dropped; ${instructions} instructions, ${bytes} bytes\n`;
}

function formatRegisters(hart: RiscvHart): string {
  const lines = [` pc       ${hex64(hart.pc)}`];
  for (const name of CONTROL_REGISTERS) {
    const value = hart.readCsr(numbers.get(name) ?? -1);
    if (value !== undefined) lines.push(` ${name.padEnd(8)} ${hex64(value)}`);
  }
  lines.push(...rows("x", registerNames, (index) => hart.readRegister(index)));
  lines.push(...rows("f", floatRegisterNames, (index) => hart.readFloatRegister(index)));
  return `${lines.join("\n")}\n`;
}

/** Four registers per line. */
function rows(letter: string, names: readonly string[], read: (index: number) => bigint): string[] {
  return Array.from({ length: 8 }, (_, row) =>
    [0, 1, 2, 3]
      .map((column) => 4 * row + column)
      .map((index) => ` ${`${letter}${index}/${names[index]}`.padEnd(8)} ${hex64(read(index))}`)
      .join(""),
  );
}

function hex64(value: bigint): string {
  return value.toString(16).padStart(16, "0");
}

/** For commands without output. */
function act(command: () => void): string {
  command();
  return "";
}

/** Runs a command; as in QEMU, one without parameters refuses words after it. */
function runWith(command: Command, prefix: string, monitor: Hmp, words: readonly string[]): string {
  if (command.parameters !== "" || words.length === 0) return command.run(monitor, words);
  const [name = ""] = command.names;
  return `${command.names.join("|")}: extraneous characters at the end of line\nTry "help ${prefix}${name}" for more information\n`;
}

/** Help on all commands, on one, or on one subject of `info`. */
function helpFor([name, subject]: readonly string[]): string {
  if (name === undefined) return helpOn(COMMANDS, "");
  const isInfo = name === "info" && subject !== undefined;
  const wanted = isInfo ? subject : name;
  const found = (isInfo ? SUBJECTS : COMMANDS).filter(({ names }) => names.includes(wanted));
  return found.length === 0 ? unknown(wanted) : helpOn(found, isInfo ? "info " : "");
}

function helpOn(commands: readonly Command[], prefix: string): string {
  return commands
    .map(
      ({ names, parameters, help }) =>
        `${prefix}${[names.join("|"), parameters].join(" ").trimEnd()} -- ${help}\n`,
    )
    .join("");
}

function unknown(line: string): string {
  return `unknown command: '${line.trim()}'\n`;
}
