import { cleanText } from "./clean-text.ts";

/** Exit codes of a failure: 1 the answer is "no", 2 wrong usage or unreadable input, 3 something was refused. */
export type FailureCode = 1 | 2 | 3;

/**
 * A failure that the user can act on. The command line prints it in one line, with no stack, and exits with its code.
 */
export class CommandError extends Error {
  override readonly name = "CommandError";
  readonly exitCode: FailureCode;

  /**
   * @param message the file or option, the reason and the fix, in one line. Names of files and options are untrusted:
   * characters that would act on a terminal are replaced with U+FFFD.
   */
  constructor(message: string, { exitCode = 2, cause }: { exitCode?: FailureCode; cause?: unknown } = {}) {
    super(cleanText(message), cause === undefined ? undefined : { cause });
    this.exitCode = exitCode;
  }
}

/** The system's error code (`ENOENT`, `EACCES`, …) of a failed operation; empty if it has none. */
export function systemErrorCode(error: unknown): string {
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : "";
}
