import { cleanText } from "./clean-text.ts";

/** Exit codes that a failure may have: 1 the answer is "no", 2 wrong use or unreadable input, 3 something was refused. */
export type FailureCode = 1 | 2 | 3;

/** A failure that the user can act on. The command line prints it as one line, without a stack, and ends with its exit code. */
export class CommandError extends Error {
  override readonly name = "CommandError";
  readonly exitCode: FailureCode;

  /**
   * @param message the file or option, the reason and the remedy, in one line. Names of files and options come from outside:
   * characters that would act on a terminal are shown as U+FFFD.
   */
  constructor(message: string, { exitCode = 2, cause }: { exitCode?: FailureCode; cause?: unknown } = {}) {
    super(cleanText(message), cause === undefined ? undefined : { cause });
    this.exitCode = exitCode;
  }
}

/** The system's error code (`ENOENT`, `EACCES`, …) of a failed operation; empty where it has none. */
export function systemErrorCode(error: unknown): string {
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : "";
}
