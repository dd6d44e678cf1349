/** An option of a backend that cannot be met: the message names the option, why, and the mend. */
export class BackendOptionError extends Error {
  override readonly name = "BackendOptionError";
}

/** An option's properties in the order given, less what names the backend; some may come more than once. */
export type OptionEntries = readonly (readonly [name: string, value: string])[];

/** The value of a switch. @throws BackendOptionError unless it is on or off. */
export function parseSwitch(name: string, value: string): boolean {
  if (value === "on") return true;
  if (value === "off") return false;
  throw new BackendOptionError(`${name}=${value}: not a switch; give on or off`);
}
