/** Accesses that miss: the first access to each device after the map has changed. */
import type { AddressSpace } from "#memory";
import type { Form } from "#results";
import { FIRST_READ } from "#results";
import { Random } from "#results/statistics";
import type { Case } from "./dispatch-loops.ts";
import { flatMap } from "./dispatch-maps.ts";

/** Number of devices, each read once between two changes of the map. */
export const FIRST_READS = 1024;

export interface MissCase extends Case {
  /** The address space that is read. */
  readonly space: AddressSpace;
  /** Changes the map, so that the next reads are the first ones through a new view. Call it before every batch. */
  before(): void;
  readonly batch: number;
}

/**
 * Reads each of 1 024 devices once. Each has its own page, and their order is unrelated to their addresses. The cost of
 * the commit itself, which renders the view and creates its sections, is not included.
 */
export function missCase(form: Form): MissCase {
  const { space, addresses, probes } = flatMap(form, FIRST_READS + 1);
  const order = shuffled(addresses.slice(0, FIRST_READS));
  const spare = probes[FIRST_READS]?.window; // never read, only enabled and disabled
  if (spare === undefined) throw new RangeError("the map of first reads has no spare device");
  return {
    space,
    name: FIRST_READ,
    role: "headline",
    description:
      "The map has just changed: the device's section is searched for in the new view, and remembered.",
    batch: FIRST_READS,
    before: () => {
      spare.setEnabled(!spare.enabled);
      space.model.rcu.drain(); // destroys the old view now, so that this is not timed
    },
    loop: (count) => {
      if (count > FIRST_READS)
        throw new RangeError(
          `${count} first reads of ${FIRST_READS} devices: the rest would be hits; ask for fewer`,
        );
      let sum = 0;
      for (let i = 0; i < count; i++) sum = (sum + space.read(order[i] as number, 4)) | 0;
      return sum;
    },
  };
}

/** The same order every time. */
function shuffled(addresses: readonly number[]): Int32Array {
  return Int32Array.from(Random.seeded(1, "first reads").shuffled(addresses));
}
