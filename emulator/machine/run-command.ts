import type { Command } from "commander";
import { attachTerminal, type Terminal } from "#backends";
import {
  BROKEN_PIPE,
  CommandError,
  HelpRequest,
  type NamedFile,
  OutputFile,
  onBrokenOutput,
  onEndSignal,
  requireApart,
  requireDistinct,
  standardOutputTaken,
} from "#host";
import type { DeviceModel, GuestErrorKind } from "#qdev";
import { Emulation, type EmulationOptions, type RunEnd } from "./emulation.ts";
import { readInput } from "./images.ts";
import { InstructionTrace } from "./instruction-trace.ts";
import { asksForHelp } from "./options/key-values.ts";
import {
  addMachineOptions,
  type MachineArguments,
  machineOptions,
  parseRegions,
} from "./options/machine-options.ts";
import { RunControl } from "./run-control.ts";
import { parseCount } from "./size.ts";
import { checkSavable, restoreSnapshot, saveSnapshot } from "./snapshot/index.ts";
import { finishRun, formatLeaks, type RunStatistics } from "./statistics.ts";

/** Exit codes of a run, in addition to those of every command. */
const ExitCode = {
  /** The guest reported a failure. */
  GuestFailed: 1,
  /** The console did not print the text of `--until`. */
  NotReached: 4,
  /** `--timeout` expired. The same code as that of timeout(1). */
  TimedOut: 124,
} as const;
/** Largest exit code that a shell sees. */
const LARGEST_EXIT_CODE = 255;
/** Longest delay of a host timer. */
const LONGEST_TIMEOUT_SECONDS = 2_000_000;

/** Something besides the console that controls a run: the monitor, a debugger. */
export interface RunExtension {
  /** Adds its own options to the command. */
  addOptions(command: Command): void;
  /** Connects to a machine before its first step; `options` are the command's. @throws CommandError for wrong ones. */
  connect(control: RunControl, terminal: Terminal, options: object): Promise<RunConnection>;
}

export interface RunConnection {
  /** The run is over. */
  close(end: RunEnd): void;
}

interface RunOptions extends MachineArguments {
  readonly until?: string;
  readonly maxInstructions?: string;
  readonly timeout?: string;
  readonly guestExitCode?: boolean;
  /** False: a reset ends the run. */
  readonly reboot: boolean;
  readonly log?: string;
  readonly logFile?: string;
  readonly stats?: string;
  readonly trace?: string;
  readonly traceMmio?: string;
  readonly snapshotIn?: string;
  readonly snapshotOut?: string;
}

/** Adds `regionlab run`, with extensions from modules above this one. */
export function addRunCommand(program: Command, extensions: readonly RunExtension[] = []): void {
  const command = program.command("run").description("run a guest; Ctrl-A X ends it, Ctrl-A H shows help");
  addMachineOptions(command)
    .option("--until <text>", "end once the console has printed this; exit code 4 if the run ends without it")
    .option("--max-instructions <count>", "end after this many instructions")
    .option("--timeout <seconds>", "end after this many seconds of host time; exit code 124")
    .option("--guest-exit-code", "exit with the guest's own code if it reports a failure, instead of 1")
    .option("--no-reboot", "end when the guest resets the machine")
    .option(
      "--log <items>",
      "log what the guest does wrong: guest_errors, unimp, or both, separated by a comma",
    )
    .option("--log-file <file>", "write the log to a file instead of standard error")
    .option("--stats <file>", "write statistics of the run, as JSON")
    .option("--trace <file>", "write every instruction executed, one per line; slow")
    .option("--trace-mmio <file>", "write every access to a device, one per line")
    .option(
      "--snapshot-in <file>",
      "resume from a snapshot; give the other options as in the run that made it",
    )
    .option("--snapshot-out <file>", "write a snapshot of the machine when the run ends")
    .action(async (options: RunOptions) => {
      const verbose = program.opts<{ verbose?: boolean }>().verbose === true;
      process.exitCode = await run(options, extensions, verbose);
    });
  for (const extension of extensions) extension.addOptions(command);
}

/** @param verbose record where blocks are allocated, for the leak report. */
async function run(
  options: RunOptions,
  extensions: readonly RunExtension[],
  verbose: boolean,
): Promise<number> {
  const maxInstructions =
    options.maxInstructions === undefined
      ? Number.POSITIVE_INFINITY
      : parseCount("--max-instructions", options.maxInstructions, 1);
  const log = parseLog(options);
  const machine = await machineOptions(options);
  if (options.until === "")
    throw new CommandError("--until: the text is empty; give what the console is to print");
  const hasFlash = machine.attached?.drives.some((drive) => drive.interface === "pflash") === true;
  if (machine.files.bios === undefined && machine.files.kernel === undefined && !hasFlash) {
    throw new CommandError("nothing to run; give --kernel FILE, --bios FILE, or both");
  }
  const timeout = options.timeout === undefined ? null : parseTimeout(options.timeout);
  const outputs: OutputFile[] = [];
  const output = (option: string, path: string | undefined): OutputFile | null => {
    if (path === undefined) return null;
    const file = new OutputFile(option, path);
    outputs.push(file);
    return file;
  };
  let emulation: Emulation | null = null;
  try {
    const trace = output("--trace-mmio", options.traceMmio);
    const instructions = output("--trace", options.trace);
    const stats = output("--stats", options.stats);
    const snapshot = output("--snapshot-out", options.snapshotOut);
    const logFile = output("--log-file", options.logFile);
    emulation = new Emulation({
      ...machine,
      translateBeside: true,
      endsAtReset: !options.reboot,
      trace: stats !== null || snapshot !== null,
      model: { ...machine.model, recordStacks: verbose },
      ...(trace === null ? {} : { traceLine: (line: string) => note(trace, `${line}\n`) }),
    });
    const { attached, model } = emulation;
    const places = [...attached.outputs, ...outputs.map(({ place }) => place)];
    requireDistinct(places);
    requireApart(places, inputsOf(machine, options));
    if (options.snapshotIn !== undefined) {
      const content = readInput("--snapshot-in", options.snapshotIn);
      restoreSnapshot(emulation, content, `--snapshot-in ${options.snapshotIn}`);
    }
    if (snapshot !== null) checkSavable(emulation);
    const opening = Promise.all([...outputs.map((file) => file.ready()), attached.open()]);
    if (!(await isSettled(opening, timeout === null ? null : timeout * 1000))) {
      const waited = places.filter(({ kind }) => kind === "pipe");
      const labels = waited.map(({ label }) => label).join(", ");
      process.stderr.write(
        `regionlab: ${labels}: no program has read from it before the timeout, so nothing has run\n`,
      );
      return ExitCode.TimedOut;
    }
    for (const warning of [...emulation.warnings, ...attached.warnings(model)])
      process.stderr.write(`regionlab: ${warning}\n`);
    logErrors(model, log, logFile);
    if (instructions !== null)
      emulation.processors.tracer = new InstructionTrace(emulation, (line) =>
        note(instructions, `${line}\n`),
      );
    if (options.until !== undefined) emulation.console.watchFor(options.until);
    const started = performance.now();
    const control = new RunControl(emulation, maxInstructions, [attached, ...outputs]);
    const { end, exitCode, failure } = await runUntilAsked(control, timeout, () =>
      runWithTerminal(control, extensions, options),
    );
    const ran = performance.now() - started;
    // An output that fails takes no other with it.
    if (snapshot !== null) saveSnapshot(emulation, { write: (content) => note(snapshot, content) });
    const statistics = finishRun(emulation, parseRegions(options.regions), end, ran);
    if (stats !== null) note(stats, `${JSON.stringify(statistics, null, 2)}\n`);
    const left = timeout === null ? null : Math.max(0, timeout * 1000 - (performance.now() - started));
    // The process would wait for readers that have stalled: not if it is asked to end.
    const patience = exitCode !== null || end === "timeout" ? LAST_WORDS_MS : left;
    const files = outputs.map((file) => ({ label: file.place.label, ended: file.commit() }));
    const [isTaken, isPrinted] = await Promise.all([
      areDelivered([...files, ...attached.ended()], patience),
      patience === null || standardOutputTaken(patience),
    ]);
    if (end === "idle") {
      process.stderr.write("regionlab: the guest waits for an interrupt that no device will raise; ended\n");
    }
    if (statistics.heap.blocksLeaked > 0) {
      process.stderr.write(`regionlab: the machine leaked:\n${formatLeaks(emulation.model.heap.leaks())}\n`);
    }
    if (failure !== null) throw failure;
    if (!isTaken || !isPrinted) process.exit(exitCode ?? ExitCode.TimedOut);
    return exitCode ?? exitCodeOf(statistics, options);
  } finally {
    for (const file of outputs) file.discard();
    emulation?.attached.close();
  }
}

/** Writes to an output. What fails is remembered there: it ends the run, once the machine is between two steps. */
function note(output: OutputFile, content: string | Uint8Array): void {
  try {
    output.write(content);
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
  }
}

/** Logs the kinds of errors that are asked for, in a file or on standard error. */
function logErrors(model: DeviceModel, kinds: ReadonlySet<GuestErrorKind>, file: OutputFile | null): void {
  if (kinds.size === 0) return;
  model.onGuestError = (device, message, kind) => {
    if (!kinds.has(kind)) return;
    const line = `${device.describe()}: ${message}\n`;
    if (file === null) process.stderr.write(line);
    else note(file, line);
  };
}

/** Files that the run reads. The guest may write drives. */
function inputsOf({ files, attached }: EmulationOptions, { snapshotIn }: RunOptions): NamedFile[] {
  const named: [option: string, path: string | undefined][] = [
    ["--bios", files?.bios],
    ["--kernel", files?.kernel],
    ["--initrd", files?.initrd],
    ["--snapshot-in", snapshotIn],
    ...(attached?.drives ?? []).map(({ file }): [string, string] => ["-drive", file]),
    ...(attached?.firmwareFiles ?? []).map(({ content }): [string, string | undefined] => [
      "-fw_cfg",
      "file" in content ? content.file : undefined,
    ]),
  ];
  return named.flatMap(([option, path]) => (path === undefined ? [] : [{ option, path }]));
}

/**
 * Waits for so many milliseconds, or without limit, until readers have taken everything.
 * @returns false if one has not, and is not waited for any longer
 * @throws the first error, after all others had their time
 */
async function areDelivered(
  outputs: readonly { readonly label: string; readonly ended: Promise<void> }[],
  milliseconds: number | null,
): Promise<boolean> {
  const late = new Set(outputs.map(({ label }) => label));
  const waits = outputs.map(async ({ label, ended }) => {
    await ended;
    late.delete(label);
  });
  if (await isSettled(Promise.allSettled(waits), milliseconds)) {
    await Promise.all(waits);
    return true;
  }
  for (const label of late)
    process.stderr.write(`regionlab: ${label}: its reader has stalled; the rest is lost\n`);
  return false;
}

/** Waits for so many milliseconds; null: without limit. False: they have passed. @throws what `wait` throws */
async function isSettled(wait: Promise<unknown>, milliseconds: number | null): Promise<boolean> {
  const settled = wait.then(() => true);
  if (milliseconds === null) return settled;
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<boolean>((resolve) => {
    timer = setTimeout(() => resolve(false), milliseconds);
  });
  try {
    return await Promise.race([settled, late]);
  } finally {
    clearTimeout(timer);
    settled.catch(() => {});
  }
}

/** @throws CommandError unless it is a number of seconds */
function parseTimeout(text: string): number {
  const seconds = /^\d+(\.\d+)?$/.test(text) ? Number(text) : 0;
  if (seconds > 0 && seconds <= LONGEST_TIMEOUT_SECONDS) return seconds;
  throw new CommandError(
    `--timeout ${text}: give a number of seconds above 0, as 60 or 0.5, and at most ${LONGEST_TIMEOUT_SECONDS}`,
  );
}

/** How long the reader of the console may take for what is left when a signal or the timeout ends the run. */
const LAST_WORDS_MS = 1000;

const LOG_ITEMS: readonly GuestErrorKind[] = ["guest_errors", "unimp"];

const LOG_HELP = `Log items (comma separated):
guest_errors    log when the guest does something invalid
unimp           log when the guest uses what a device does not implement
`;

/** @throws CommandError for an unknown item; HelpRequest if the items are asked for */
function parseLog({ log, logFile }: RunOptions): ReadonlySet<GuestErrorKind> {
  if (log === undefined && logFile !== undefined)
    throw new CommandError(`--log-file ${logFile}: nothing is logged; give --log guest_errors, or another`);
  if (log !== undefined && asksForHelp(log)) throw new HelpRequest(LOG_HELP);
  const items = (log ?? "").split(",").filter((item) => item !== "");
  if (log !== undefined && items.length === 0)
    throw new CommandError(`--log ${log}: names nothing; give ${LOG_ITEMS.join(" or ")}, or both`);
  return new Set(
    items.map((item) => {
      const known = LOG_ITEMS.find((each) => each === item);
      if (known === undefined)
        throw new CommandError(`--log ${log}: ${item} is unknown; give ${LOG_ITEMS.join(" or ")}`);
      return known;
    }),
  );
}

function exitCodeOf({ end, exit }: RunStatistics, { until, guestExitCode }: RunOptions): number {
  if (end === "timeout") return ExitCode.TimedOut;
  if (end === "fail") {
    const own = guestExitCode ? Math.min(exit, LARGEST_EXIT_CODE) : 0;
    return own === 0 ? ExitCode.GuestFailed : own; // a failure without a code is still a failure
  }
  if (until === undefined || end === "milestone") return 0;
  process.stderr.write(`regionlab: --until ${until}: the console has not printed it; ended by: ${end}\n`);
  return ExitCode.NotReached;
}

/**
 * Runs until the machine ends by itself, or is ended by a signal, the timeout, or a console whose reader has gone. All
 * outputs are written in any case.
 *
 * @returns the end; the exit code if a signal or the console ended the run; the first output that failed, if one has
 */
async function runUntilAsked(
  control: RunControl,
  timeout: number | null,
  run: () => Promise<RunEnd>,
): Promise<{
  readonly end: RunEnd;
  readonly exitCode: number | null;
  readonly failure: CommandError | null;
}> {
  let exitCode: number | null = null;
  let failure: CommandError | null = null;
  const endWith = (code: number): void => {
    exitCode = code;
    control.quit();
  };
  const takeBack = [
    onEndSignal(endWith),
    onBrokenOutput((error) => {
      failure = error;
      endWith(BROKEN_PIPE);
    }),
  ];
  const timer = timeout === null ? undefined : setTimeout(() => control.endWith("timeout"), timeout * 1000);
  try {
    const end = await run();
    return { end, exitCode, failure: failure ?? control.failure };
  } finally {
    clearTimeout(timer);
    for (const each of takeBack) each();
  }
}

/** A guest line whose host end may be the terminal. */
interface TerminalLine {
  onByte: (byte: number) => void;
  type(bytes: Uint8Array): void;
}

/** The guest line that is connected to the terminal; null: none, since `--serial` leads elsewhere. */
function terminalLine({ attached, console }: Emulation): TerminalLine | null {
  return attached.stdio ?? (attached.serial === null ? console : null);
}

/**
 * Runs with the terminal connected as the options say, by default to the console. Guest time waits for host time only
 * if the terminal is interactive or devices reach the host.
 */
async function runWithTerminal(
  control: RunControl,
  extensions: readonly RunExtension[],
  options: RunOptions,
): Promise<RunEnd> {
  const { emulation } = control;
  const line = terminalLine(emulation);
  const connections: RunConnection[] = [];
  const terminal = attachTerminal(
    {
      input: (bytes) => line?.type(bytes),
      quit: () => control.quit(),
      sendBreak: () => emulation.board.serialLine.receiveBreak(),
    },
    emulation.attached.terminalEscapes,
  );
  if (line !== null) line.onByte = (byte) => terminal.write(byte);
  let end: RunEnd = "stopped";
  try {
    for (const extension of extensions) connections.push(await extension.connect(control, terminal, options));
    if (line === null && terminal.interactive) terminal.focusMonitor();
    emulation.attached.start(); // nothing can be refused any more
    end = await control.run(terminal);
    return end;
  } finally {
    for (const connection of connections) connection.close(end);
    terminal.close();
  }
}
