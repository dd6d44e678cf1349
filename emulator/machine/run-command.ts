import { setImmediate } from "node:timers/promises";
import type { Command } from "commander";
import { attachTerminal, type Terminal } from "#backends";
import type { Translate } from "#cpu/riscv";
import { Emulation, type RunEnd } from "./emulation.ts";
import { InputError } from "./errors.ts";
import { loadHardware, REGION_FORMS, type RegionForm } from "./hardware.ts";
import type { BootFiles } from "./images.ts";
import { OutputFile } from "./output-file.ts";
import { parseCount, parseSize } from "./size.ts";
import { finishRun, formatLeaks } from "./statistics.ts";

const TRANSLATE: readonly Translate[] = ["hot", "all", "nothing"];

interface RunOptions {
  readonly regions: string;
  readonly machine: string;
  readonly memory: string;
  readonly smp: string;
  readonly bios?: string;
  readonly kernel?: string;
  readonly initrd?: string;
  readonly append?: string;
  readonly translate: string;
  readonly until?: string;
  readonly maxInstructions?: string;
  readonly stats?: string;
  readonly traceMmio?: string;
}

/** Adds `regionlab run`. */
export function addRunCommand(program: Command): void {
  program
    .command("run")
    .description("run a guest; Ctrl-A X ends it")
    .option("--regions <form>", "device tree: embedded or owned", "embedded")
    .option("-M, --machine <name>", "board", "virt")
    .option("-m, --memory <size>", "RAM: a number with K, M or G", "256M")
    .option("--smp <count>", "processors", "1")
    .option("--bios <file>", "firmware, loaded at the start of RAM; none: start the kernel at once", "none")
    .option("--kernel <file>", "ELF, or an image that is loaded behind the firmware")
    .option("--initrd <file>", "initial ram disk")
    .option("--append <text>", "kernel command line")
    .option("--translate <what>", "guest code to translate: hot, all or nothing; only speed differs", "hot")
    .option("--until <text>", "end when the console has printed this")
    .option("--max-instructions <count>", "end after so many instructions")
    .option("--stats <file>", "write what the run was, as JSON")
    .option("--trace-mmio <file>", "write every access to a device, one a line")
    .action(async (options: RunOptions) => {
      process.exitCode = await run(options, program.opts<{ verbose?: boolean }>().verbose === true);
    });
}

/** The form that `--regions` names. @throws InputError for any other. */
export function parseRegions(text: string): RegionForm {
  const form = REGION_FORMS.find((each) => each === text);
  if (form === undefined)
    throw new InputError(`--regions ${text}: unknown form; give ${REGION_FORMS.join(" or ")}`);
  return form;
}

/** What `--translate` names. @throws InputError for anything else. */
function parseTranslate(text: string): Translate {
  const what = TRANSLATE.find((each) => each === text);
  if (what === undefined)
    throw new InputError(`--translate ${text}: unknown choice; give one of ${TRANSLATE.join(", ")}`);
  return what;
}

/** The board that `-M` names, as a type name's stem. @throws InputError for any other. */
export function parseMachine(text: string): string {
  if (text !== "virt") throw new InputError(`-M ${text}: unknown machine; give virt`);
  return text;
}

/** @param verbose record where blocks are allocated, for the report of those never freed. */
async function run(options: RunOptions, verbose: boolean): Promise<number> {
  const regions = parseRegions(options.regions);
  const maxInstructions =
    options.maxInstructions === undefined
      ? Number.POSITIVE_INFINITY
      : parseCount("--max-instructions", options.maxInstructions, 1);
  const files: { -readonly [Key in keyof BootFiles]: BootFiles[Key] } = {};
  if (options.bios !== undefined && options.bios !== "none") files.bios = options.bios;
  if (options.kernel !== undefined) files.kernel = options.kernel;
  if (options.initrd !== undefined) files.initrd = options.initrd;
  if (options.append !== undefined) files.append = options.append;
  if (files.bios === undefined && files.kernel === undefined) {
    throw new InputError("nothing to run; give --kernel FILE, --bios FILE, or both");
  }
  const outputs: OutputFile[] = [];
  const output = (option: string, path: string): OutputFile => {
    const file = new OutputFile(option, path);
    outputs.push(file);
    return file;
  };
  let whole = false;
  try {
    const trace = options.traceMmio === undefined ? null : output("--trace-mmio", options.traceMmio);
    const stats = options.stats === undefined ? null : output("--stats", options.stats);
    const emulation = new Emulation({
      hardware: await loadHardware(regions),
      machine: parseMachine(options.machine),
      ramBytes: parseSize("-m", options.memory),
      hartCount: parseCount("-smp", options.smp, 1),
      files,
      translate: parseTranslate(options.translate),
      trace: stats !== null,
      model: { recordStacks: verbose },
      ...(trace === null ? {} : { traceLine: (line: string) => trace.write(`${line}\n`) }),
    });
    if (options.until !== undefined) emulation.console.watchFor(options.until);
    const started = performance.now();
    const end = await runWithTerminal(emulation, maxInstructions);
    const statistics = finishRun(emulation, regions, end, performance.now() - started);
    stats?.write(`${JSON.stringify(statistics, null, 2)}\n`);
    whole = true;
    if (end === "idle") {
      process.stderr.write("regionlab: the guest waits for an interrupt that no device will raise; ended\n");
    }
    if (statistics.heap.blocksLeaked > 0) {
      process.stderr.write(`regionlab: the machine leaked:\n${formatLeaks(emulation.model.heap.leaks())}\n`);
    }
    return statistics.exit === 0 ? 0 : 1;
  } finally {
    for (const file of outputs) file.close(whole);
  }
}

/** Runs with standard input and output as the console; guest time waits for host time only if a person watches. */
async function runWithTerminal(emulation: Emulation, maxInstructions: number): Promise<RunEnd> {
  const terminal = attachTerminal({
    input: (bytes) => emulation.console.type(bytes),
    quit: () => emulation.stop(),
  });
  emulation.console.onByte = (byte) => terminal.write(byte);
  try {
    for (;;) {
      const end = emulation.step(maxInstructions);
      terminal.flush();
      if (end !== null) return end;
      if (emulation.waiting && !(await waitForEvent(emulation, terminal))) return "idle";
      await setImmediate(); // lets input arrive
    }
  } finally {
    terminal.close();
  }
}

/** Lets the guest wait for its next deadline, or for input. False if neither will come. */
async function waitForEvent(emulation: Emulation, terminal: Terminal): Promise<boolean> {
  const { untilDeadline } = emulation;
  if (!terminal.interactive && emulation.skipIdle()) return true;
  if (untilDeadline === Number.POSITIVE_INFINITY && !terminal.open) return false;
  const started = performance.now();
  await terminal.inputOr(untilDeadline / 1e6);
  emulation.skipIdle(Math.min((performance.now() - started) * 1e6, untilDeadline));
  return true;
}
