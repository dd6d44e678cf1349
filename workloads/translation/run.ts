/** Runs a guest in one configuration, and records the machine's state at several points. */
import { Emulation, type Fingerprint, fingerprintOf, loadHardware, type RunEnd } from "#machine";
import type { Guest, Way } from "./guests.ts";

/** The state of a machine after a number of instructions. */
export interface Sight {
  readonly instructions: number;
  /** Why the run ended; "instructions" if it continued. */
  readonly end: RunEnd;
  /** Number of units translated so far. */
  readonly translated: number;
  readonly fingerprint: Fingerprint;
}

/** One run of a guest. */
export interface RunRequest {
  readonly guest: Guest;
  readonly way: Way;
  /** Instruction counts, ascending. */
  readonly points: readonly number[];
}

/** Runs a guest to its end or to the last point; returns its state at each point, and at the end. */
export async function follow({ guest, way, points }: RunRequest): Promise<Sight[]> {
  const { regions, ...translation } = way;
  const { files, ramBytes, hartCount, replies = [], until } = guest;
  const hardware = await loadHardware(regions);
  const emulation = new Emulation({ hardware, files, ramBytes, hartCount, ...translation, trace: true });
  emulation.console.reply(...replies);
  if (until !== undefined) emulation.console.watchFor(until);
  const sights: Sight[] = [];
  for (const maxInstructions of points) {
    const end = emulation.run({ maxInstructions });
    const translated = emulation.harts.reduce((sum, hart) => sum + (hart.translation?.translated ?? 0), 0);
    const { instructions } = emulation;
    sights.push({ instructions, end, translated, fingerprint: fingerprintOf(emulation) });
    if (end !== "instructions") break;
  }
  emulation.destroy();
  return sights;
}
