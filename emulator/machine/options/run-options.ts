/** Options of a run, beyond those that describe its machine. */
import { type Command, Option } from "commander";
import { CommandError, HelpRequest } from "#host";
import type { GuestErrorKind } from "#qdev";
import { parseCount } from "../size.ts";
import { asksForHelp } from "./key-values.ts";

/** Longest delay of a host timer. */
const LONGEST_TIMEOUT_SECONDS = 2_000_000;

/** Files that a run writes, by the option that names each. */
const OUTPUTS = {
  stats: "write statistics of the run, as JSON",
  trace: "write every instruction executed, one per line; slow",
  "trace-mmio": "write every access to a device, one per line",
  "snapshot-out": "write a snapshot of the machine when the run ends",
} as const;

/** The options as commander collects them. */
export interface RunArguments {
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

/** Adds the options of a run. @param runs false: to a command that runs nothing, see {@link requireNoOutputs} */
export function addRunOptions(command: Command, runs = true): Command {
  command
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
    .option(
      "--snapshot-in <file>",
      "resume from a snapshot; give the other options as in the run that made it",
    );
  for (const [name, description] of Object.entries(OUTPUTS))
    command.addOption(new Option(`--${name} <file>`, description).hideHelp(!runs));
  return command;
}

/** What the values of a run's options mean, beside those that are used as they are. */
export interface RunLimits {
  readonly maxInstructions: number;
  /** In seconds; null: none. */
  readonly timeout: number | null;
  /** What to log. */
  readonly log: ReadonlySet<GuestErrorKind>;
}

/** @throws CommandError for a value that means nothing; HelpRequest if one asks for help */
export function parseRunOptions({ until, maxInstructions, timeout, log }: RunArguments): RunLimits {
  if (until === "") throw new CommandError("--until: the text is empty; give what the console is to print");
  return {
    maxInstructions:
      maxInstructions === undefined
        ? Number.POSITIVE_INFINITY
        : parseCount("--max-instructions", maxInstructions, 1),
    timeout: timeout === undefined ? null : parseTimeout(timeout),
    log: parseLog(log),
  };
}

/** @throws CommandError for an output of a run: what `command` would write is of no run */
export function requireNoOutputs(command: string, options: RunArguments): void {
  const { stats, trace, traceMmio, snapshotOut } = options;
  const given = { stats, trace, "trace-mmio": traceMmio, "snapshot-out": snapshotOut };
  for (const [name, path] of Object.entries(given))
    if (path !== undefined)
      throw new CommandError(
        `--${name} ${path}: ${command} runs nothing, so there is nothing to write; leave it out, or give it to run`,
      );
}

/** @throws CommandError unless it is a number of seconds */
function parseTimeout(text: string): number {
  const seconds = /^\d+(\.\d+)?$/.test(text) ? Number(text) : 0;
  if (seconds > 0 && seconds <= LONGEST_TIMEOUT_SECONDS) return seconds;
  throw new CommandError(
    `--timeout ${text}: give a number of seconds above 0, as 60 or 0.5, and at most ${LONGEST_TIMEOUT_SECONDS}`,
  );
}

const LOG_ITEMS: readonly GuestErrorKind[] = ["guest_errors", "unimp"];

const LOG_HELP = `Log items (comma separated):
guest_errors    log when the guest does something invalid
unimp           log when the guest uses what a device does not implement
`;

/** @throws CommandError for an unknown item; HelpRequest if the items are asked for */
function parseLog(log: string | undefined): ReadonlySet<GuestErrorKind> {
  if (log === undefined) return new Set();
  if (asksForHelp(log)) throw new HelpRequest(LOG_HELP);
  const items = log.split(",").filter((item) => item !== "");
  if (items.length === 0)
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
