import { cleanText } from "./clean-text.ts";

/** Exit codes of the command line: 1 the answer is "no", 2 wrong use or unreadable input. */
export type FailureCode = 1 | 2;

/** A failure that the command line prints as one line, without a stack, and ends with its exit code. */
export class CommandError extends Error {
  override readonly name = "CommandError";
  readonly exitCode: FailureCode;

  /**
   * @param exitCode see {@link FailureCode}
   * @param message the file or option, the reason and the remedy, in one line. Names of files and options come from outside:
   * characters that would act on a terminal are shown as U+FFFD.
   */
  constructor(exitCode: FailureCode, message: string, options?: ErrorOptions) {
    super(cleanText(message), options);
    this.exitCode = exitCode;
  }
}
