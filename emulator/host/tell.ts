/** How a message of ours is shown: with each option as the user wrote it. */
let shown = (message: string): string => message;

/** Sets how messages name options, for all of the program. */
export function nameOptions(asWritten: (message: string) => string): void {
  shown = asWritten;
}

/** A message with each option as the user wrote it. */
export function asWritten(message: string): string {
  return shown(message);
}

/** Tells the user something on standard error, in a line that begins with the program's name. */
export function tell(message: string): void {
  process.stderr.write(`regionlab: ${shown(message)}\n`);
}
