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
