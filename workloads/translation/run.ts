/** Runs a guest in one way, and tells at several points of the run what the machine is then. */
import { Emulation, type Fingerprint, fingerprintOf, loadHardware, type RunEnd } from "#machine";
import type { Guest, Way } from "./guests.ts";

/** A machine after so many instructions. */
export interface Sight {
  readonly instructions: number;
  /** Why the run did not go on; "instructions" if it did. */
  readonly end: RunEnd;
  /** Pieces of the guest's code that had been translated. */
  readonly translated: number;
  readonly fingerprint: Fingerprint;
}

/** One run of a guest. */
export interface RunRequest {
  readonly guest: Guest;
  readonly way: Way;
  /** Counts of instructions, ascending. */
  readonly points: readonly number[];
}

/** Follows a guest to its end or to the last point: what it is at each point, and at the end. */
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
