/** An invalid backend option; the message gives the option, the reason and the fix. */
export class BackendOptionError extends Error {
  override readonly name = "BackendOptionError";
}

/** An option's properties in the given order, without the backend's type and id; some may occur more than once. */
export type OptionEntries = readonly (readonly [name: string, value: string])[];

/** Parses the value of a switch. @throws BackendOptionError unless it is on or off. */
export function parseSwitch(name: string, value: string): boolean {
  if (value === "on") return true;
  if (value === "off") return false;
  throw new BackendOptionError(`${name}=${value}: not a switch; give on or off`);
}
