/**
 * Codemods between embedded and owned memory regions, and the audit. They work on source text only.
 *
 * The TypeScript compiler that they use is loaded when a command runs, not with this module.
 */
import type { Converted, HarnessOptions } from "./harness.ts";
import type { DeviceMixer } from "./mixed/devices.ts";
import type { Direction } from "./regions/facts.ts";

export { addCCommand } from "./c/command.ts";
export { type AuditOptions, addAuditCommand, addCodemodCommand, type CodemodOptions } from "./command.ts";
export { ExitCode } from "./errors.ts";
export { addMixOptions, useTreesToCompare } from "./mixed/options.ts";

export type { Converted, Direction, HarnessOptions };

/** Converts sources given as texts, for tests: see `harness.ts`. @throws CommandError if one does not parse. */
export async function runCodemodOn(
  files: Readonly<Record<string, string>>,
  direction: Direction,
  options: HarnessOptions = {},
): Promise<Converted> {
  const harness = await import("./harness.ts");
  return harness.runCodemodOn(files, direction, options);
}

/** The device tree converted in part; null where there are no sources, as in the npm package. */
export async function mixDevices(): Promise<DeviceMixer | null> {
  const { DeviceMixer } = await import("./mixed/devices.ts");
  return DeviceMixer.isPossible ? new DeviceMixer() : null;
}
