import type { Argument } from "commander";

/**
 * An argument with the values that help and completion show. Unlike `choices`, it leaves checking them to the command, whose
 * error says what to give.
 */
export function offering(argument: Argument, values: readonly string[]): Argument {
  return Object.assign(argument, { argChoices: [...values] });
}
