import { CommandError, systemErrorCode } from "./command-error.ts";

/** As of a program that SIGPIPE ended: 128 and its number. */
export const BROKEN_PIPE = 128 + 13;

/** Told once when standard output takes nothing more. Null: nobody reads it any more, which is no error of anybody. */
type Ending = (error: CommandError | null) => void;

let ending: Ending = (error) => {
  if (error === null) process.exit(BROKEN_PIPE);
  try {
    process.stderr.write(`regionlab: ${error.message}\n`);
  } finally {
    process.exit(error.exitCode);
  }
};
let broken = false;

/** Lets programs end with a word, or quietly, where standard output or standard error cannot be written. */
export function watchStandardOutput(): void {
  process.stdout.on("error", (error) => {
    if (broken) return;
    broken = true;
    ending(systemErrorCode(error) === "EPIPE" ? null : writeError("standard output", error));
  });
  // Whoever does not read the messages does not miss them.
  process.stderr.on("error", () => {});
}

/** Has `end` handle a standard output that breaks. @returns what takes it back */
export function onBrokenOutput(end: Ending): () => void {
  const before = ending;
  ending = end;
  return () => {
    ending = before;
  };
}

/** What the user reads of a failed write. @param place the option and file */
export function writeError(place: string, cause: unknown): CommandError {
  const code = systemErrorCode(cause);
  const reason = WRITE_REASONS[code] ?? `cannot be written (${code || String(cause)}); give another`;
  return new CommandError(`${place}: ${reason}`, { cause });
}

const WRITE_REASONS: Readonly<Record<string, string>> = {
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
  EFBIG: "grows larger than a file may be here; give another path",
  EIO: "the device reports an error; give another path",
  EPIPE: "nobody reads it any more",
  ENXIO: "nobody is at its other end; give another path",
  ETXTBSY: "is a program that runs; give another path",
  ERR_INVALID_ARG_VALUE: "is no path; give one without zero bytes",
};
