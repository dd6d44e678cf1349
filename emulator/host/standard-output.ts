import { setImmediate } from "node:timers/promises";
import { CommandError, systemErrorCode } from "./command-error.ts";
import { tableOf } from "./table.ts";
import { tell } from "./tell.ts";

/** Exit code of a program that SIGPIPE ended: 128 plus the signal's number. */
export const BROKEN_PIPE = 128 + 13;

/** Called once when standard output can no longer be written. Null: its reader has gone, which is not an error. */
type Ending = (error: CommandError | null) => void;

let ending: Ending = (error) => {
  if (error === null) process.exit(BROKEN_PIPE);
  try {
    tell(error.message);
  } finally {
    process.exit(error.exitCode);
  }
};
let broken = false;

/** Ends the program, with a message or quietly, if standard output fails; ignores failures of standard error. */
export function watchStandardOutput(): void {
  process.stdout.on("error", (error) => {
    if (broken) return;
    broken = true;
    ending(systemErrorCode(error) === "EPIPE" ? null : writeError("standard output", error));
  });
  // Messages without a reader are dropped.
  process.stderr.on("error", () => {});
}

/** Whether to print colours: on a terminal only, unless NO_COLOR or FORCE_COLOR is set to a non-empty value. */
export function wantsColours(): boolean {
  const { NO_COLOR, FORCE_COLOR } = process.env;
  if (NO_COLOR) return false;
  return FORCE_COLOR ? FORCE_COLOR !== "0" : process.stdout.isTTY === true;
}

/** Waits for what watches standard output to hear of a failure. @throws CommandError when something has not been written */
export async function flushStandardOutput(): Promise<void> {
  await setImmediate(); // writes are synchronous, but their failures are reported later
  const { errored } = process.stdout;
  if (errored !== null && errored !== undefined) throw writeError("standard output", errored);
}

/** Whether everything written to standard output so far is taken by its reader within so many milliseconds. */
export async function standardOutputTaken(milliseconds: number): Promise<boolean> {
  if (process.stdout.writableLength === 0) return true;
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<boolean>((resolve) => {
    timer = setTimeout(() => resolve(false), milliseconds);
  });
  const taken = new Promise<boolean>((resolve) => {
    process.stdout.write("", () => resolve(true)); // after all that was written before, or failed
  });
  try {
    return await Promise.race([taken, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Lets `end` handle a broken standard output. @returns a function that restores the previous handler */
export function onBrokenOutput(end: Ending): () => void {
  const before = ending;
  ending = end;
  return () => {
    ending = before;
  };
}

/** The error of a failed write, for the user. @param place the option and file */
export function writeError(place: string, cause: unknown): CommandError {
  const code = systemErrorCode(cause);
  const reason = WRITE_REASONS.get(code) ?? `cannot be written (${code || String(cause)}); give another`;
  return new CommandError(`${place}: ${reason}`, { cause });
}

const WRITE_REASONS = tableOf<string>({
  ENOENT: "its folder does not exist; make it, or give another path",
  ENOTDIR: "a part of its path is a file; give another path",
  EACCES: "no permission to write there; give another path, or change its permissions",
  EPERM: "no permission to write there; give another path, or change its permissions",
  EROFS: "its file system is read only; give another path",
  EISDIR: "is a folder; give a file",
  ELOOP: "its links lead in a circle; give another path",
  ENAMETOOLONG: "its name is too long; give a shorter one",
  ENOSPC: "no space left on the device; make room, or give another path",
  EDQUOT: "the quota is used up; make room, or give another path",
  EFBIG: "grows beyond the largest size of a file there; give another path",
  EIO: "the device reports an error; give another path",
  EPIPE: "nobody reads it any more",
  ENXIO: "has nothing at its other end; give another path",
  ETXTBSY: "is a running program; give another path",
  ERR_INVALID_ARG_VALUE: "is not a path; give one without zero bytes",
});
