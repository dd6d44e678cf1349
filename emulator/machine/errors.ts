/** Wrong use, or input that cannot be read: the message names what, why, and the mend. */
export class InputError extends Error {
  override readonly name = "InputError";
  /** Exit code of the command. */
  readonly exitCode = 2;
}
