import { cleanText } from "./clean-text.ts";

/** Exit codes of a failure: 1 the answer is "no", 2 wrong usage or unreadable input, 3 something was refused. */
export type FailureCode = 1 | 2 | 3;

/** What a message begins with if the file is, or the value of the option, the empty string: `: reason`, `-o : reason`. */
const EMPTY_NAME = /^((?:[^:]* )?): /;

/**
 * A failure that the user can act on. The command line prints it in one line, with no stack, and exits with its code.
 */
export class CommandError extends Error {
  override readonly name = "CommandError";
  readonly exitCode: FailureCode;

  /**
   * @param message the file or option, the reason and the fix, in one line. Names of files and options are untrusted:
   * characters that would act on a terminal are replaced with U+FFFD, and an empty name is shown as quotes.
   */
  constructor(message: string, { exitCode = 2, cause }: { exitCode?: FailureCode; cause?: unknown } = {}) {
    super(cleanText(message.replace(EMPTY_NAME, "$1'': ")), cause === undefined ? undefined : { cause });
    this.exitCode = exitCode;
  }
}

/** Thrown when the value of an option asks for help: the command prints it, does nothing else, and succeeds. */
export class HelpRequest extends Error {
  override readonly name = "HelpRequest";
  readonly text: string;

  /** @param text ends with a line feed */
  constructor(text: string) {
    super("help is asked for");
    this.text = text;
  }
}

/** The system's error code (`ENOENT`, `EACCES`, …) of a failed operation; empty if it has none. */
export function systemErrorCode(error: unknown): string {
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : "";
}
