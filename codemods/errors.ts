/** Exit codes of the command line. */
export const ExitCode = {
  Done: 0,
  /** The answer is "no": a file would change under `--check`, the audit found something, the trees differ. */
  No: 1,
  /** Wrong use, or input that cannot be read. */
  Usage: 2,
  /** Something was refused. */
  Refused: 3,
} as const;
export type ExitCode = (typeof ExitCode)[keyof typeof ExitCode];

/** A failure that a user can act on: the message names the file or option, the reason and the mend, in one line. */
export class CommandError extends Error {
  override readonly name = "CommandError";
  readonly exitCode: ExitCode;

  constructor(message: string, exitCode: ExitCode = ExitCode.Usage) {
    super(message);
    this.exitCode = exitCode;
  }
}

/** The system's error code (`ENOENT`, `EACCES`, …) of a failed file operation. */
export function systemErrorCode(error: unknown): string | undefined {
  if (error instanceof Error && "code" in error && typeof error.code === "string") return error.code;
  return undefined;
}
