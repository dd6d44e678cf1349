import type { Command } from "commander";
import { attachTerminal, type Terminal } from "#backends";
import {
  BROKEN_PIPE,
  CommandError,
  type NamedFile,
  OutputFile,
  onBrokenOutput,
  onEndSignal,
  requireApart,
  requireDistinct,
  standardOutputTaken,
  tell,
} from "#host";
import type { DeviceModel, GuestErrorKind } from "#qdev";
import { Emulation, type EmulationOptions, type RunEnd } from "./emulation.ts";
import { InstructionTrace } from "./instruction-trace.ts";
import {
  addMachineOptions,
  type MachineArguments,
  machineOptions,
  parseRegions,
} from "./options/machine-options.ts";
import { addRunOptions, parseRunOptions, type RunArguments } from "./options/run-options.ts";
import { RunControl } from "./run-control.ts";
import { checkSavable, restoreSnapshotFile, saveSnapshot } from "./snapshot/index.ts";
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

type RunOptions = MachineArguments & RunArguments;

/** Adds `regionlab run`, with extensions from modules above this one. */
export function addRunCommand(program: Command, extensions: readonly RunExtension[] = []): void {
  const command = program.command("run").description("run a guest; Ctrl-A X ends it, Ctrl-A H shows help");
  addRunOptions(addMachineOptions(command)).action(async (options: RunOptions) => {
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
  const { maxInstructions, timeout, log } = parseRunOptions(options);
  const machine = await machineOptions(options);
  const hasFlash = machine.attached?.drives.some((drive) => drive.interface === "pflash") === true;
  if (machine.files.bios === undefined && machine.files.kernel === undefined && !hasFlash) {
    throw new CommandError("nothing to run; give --kernel FILE, --bios FILE, or both");
  }
  const outputs: OutputFile[] = [];
  const output = (option: string, path: string | undefined, label?: string): OutputFile | null => {
    if (path === undefined) return null;
    const file = new OutputFile(option, path, label === undefined ? {} : { label });
    outputs.push(file);
    return file;
  };
  let emulation: Emulation | null = null;
  try {
    const trace = output("--trace-mmio", options.traceMmio);
    const instructions = output("--trace", options.trace);
    const stats = output("--stats", options.stats);
    const snapshot = output("--snapshot-out", options.snapshotOut);
    // Unless it has a file, the log is one more output, whose failure ends the run.
    const logFile =
      output("--log-file", options.logFile) ??
      (log.size === 0 ? null : output("--log", "/dev/stderr", `--log ${options.log}: standard error`));
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
    if (options.snapshotIn !== undefined) restoreSnapshotFile(emulation, options.snapshotIn);
    if (snapshot !== null) checkSavable(emulation);
    for (const warning of [...emulation.warnings, ...attached.warnings(model)]) tell(warning);
    logErrors(model, log, logFile);
    if (instructions !== null)
      emulation.processors.tracer = new InstructionTrace(emulation, (line) =>
        note(instructions, `${line}\n`),
      );
    if (options.until !== undefined) emulation.console.watchFor(options.until);
    const control = new RunControl(emulation, maxInstructions, [attached, ...outputs]);
    const began = performance.now();
    let started = began;
    const { end, exitCode, failure } = await runUntilAsked(control, timeout, async () => {
      const opened = await opening(control, outputs);
      started = performance.now();
      return opened ?? runWithTerminal(control, extensions, options);
    });
    const ran = performance.now() - started;
    // An output that fails takes no other with it.
    if (snapshot !== null) saveSnapshot(emulation, { write: (content) => note(snapshot, content) });
    const statistics = finishRun(emulation, parseRegions(options.regions), end, ran);
    if (stats !== null) note(stats, `${JSON.stringify(statistics, null, 2)}\n`);
    const left = timeout === null ? null : Math.max(0, timeout * 1000 - (performance.now() - began));
    // The process would wait for readers that have stalled: not if it is asked to end.
    const patience = exitCode !== null || end === "timeout" ? LAST_WORDS_MS : left;
    const files = outputs.map((file) => ({ label: file.place.label, ended: file.commit() }));
    const [isTaken, isPrinted] = await Promise.all([
      areDelivered([...files, ...attached.ended()], patience),
      patience === null || standardOutputTaken(patience),
    ]);
    if (end === "idle") {
      tell("the guest waits for an interrupt that no device will raise; ended");
    }
    if (statistics.heap.blocksLeaked > 0) {
      tell(`the machine leaked:\n${formatLeaks(emulation.model.heap.leaks())}`);
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

/**
 * Opens everything that the run writes. If the run is asked to end while a named pipe has no reader, or a socket no client, only that is lost: all
 * else is as after a run of no instruction.
 * @returns why the run has been asked to end; null: it has not
 */
async function opening(control: RunControl, outputs: readonly OutputFile[]): Promise<RunEnd | null> {
  const { attached } = control.emulation;
  const end = await control.waitFor(Promise.all([...outputs.map((file) => file.ready()), attached.open()]));
  if (end === null) return null;
  const waiting = [
    ...outputs.filter(({ waits }) => waits).map(({ place }) => place.label),
    ...attached.waiting,
  ];
  const until = end === "timeout" ? "the timeout" : "the run was ended";
  for (const label of waiting)
    tell(`${label}: no program has opened its other end before ${until}, so nothing has run`);
  attached.start();
  return end;
}

/** Logs the kinds of errors that are asked for. */
function logErrors(model: DeviceModel, kinds: ReadonlySet<GuestErrorKind>, file: OutputFile | null): void {
  if (kinds.size === 0 || file === null) return;
  model.onGuestError = (device, message, kind) => {
    if (kinds.has(kind)) note(file, `${device.describe()}: ${message}\n`);
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
    ...(attached?.firmwareFiles ?? []).map(({ text, content }): [string, string | undefined] => [
      `${text}:`,
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
  for (const label of late) tell(`${label}: its reader has stalled; the rest is lost`);
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

/** How long the reader of the console may take for what is left when a signal or the timeout ends the run. */
const LAST_WORDS_MS = 1000;

function exitCodeOf({ end, exit }: RunStatistics, { until, guestExitCode }: RunOptions): number {
  if (end === "timeout") return ExitCode.TimedOut;
  if (end === "fail") {
    const own = guestExitCode ? Math.min(exit, LARGEST_EXIT_CODE) : 0;
    return own === 0 ? ExitCode.GuestFailed : own; // a failure without a code is still a failure
  }
  if (until === undefined || end === "milestone") return 0;
  tell(`--until ${until}: the console has not printed it; ended by: ${end}`);
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
    emulation.attached.terminalKeys(options.monitor),
  );
  if (line !== null) line.onByte = (byte) => terminal.write(byte);
  let end: RunEnd = "stopped";
  try {
    for (const extension of extensions) connections.push(await extension.connect(control, terminal, options));
    if (line === null && terminal.interactive && options.monitor) terminal.focusMonitor();
    emulation.attached.start(); // nothing can be refused any more
    end = await control.run(terminal);
    return end;
  } finally {
    for (const connection of connections) connection.close(end);
    terminal.close();
  }
}
