/** Exit codes of the command line. */
export const ExitCode = {
  Done: 0,
  /** The answer is "no": a file would change under `--check`, the audit found a hazard, or the trees differ. */
  No: 1,
  /** A usage error, or input that cannot be read. */
  Usage: 2,
  /** A region was refused. */
  Refused: 3,
  /** A converted device behaves differently under `--prove`; nothing was written. */
  Different: 4,
} as const;
export type ExitCode = (typeof ExitCode)[keyof typeof ExitCode];
