/** Accesses that the dispatcher does not know yet: the first to each device after the map has changed. */
import type { AddressSpace } from "#memory";
import type { Form } from "#results";
import { Random } from "../statistics/index.ts";
import type { Case } from "./dispatch-loops.ts";
import { flatMap } from "./dispatch-maps.ts";

/** Devices, each of which is read once between two changes. */
export const FIRST_READS = 1024;

export interface MissCase extends Case {
  /** What is read. */
  readonly space: AddressSpace;
  /** Changes the map, so that the reads to come are the first of a new view. */
  before(): void;
  readonly batch: number;
}

/**
 * Reads each of 1 024 devices once, each with a page of its own, in an order that their addresses do not tell. What the
 * commit itself costs, rendering the view and making its sections, is not in it.
 */
export function missCase(form: Form): MissCase {
  const { space, addresses, probes } = flatMap(form, FIRST_READS + 1);
  const order = shuffled(addresses.slice(0, FIRST_READS));
  const spare = probes[FIRST_READS]?.window; // never read: it is what changes
  if (spare === undefined) throw new RangeError("the map of first reads has no spare device");
  return {
    space,
    name: "first read after a commit",
    role: "detail",
    description: "The map has just changed: the device's section is looked up in the new view, and kept.",
    batch: FIRST_READS,
    before: () => {
      spare.setEnabled(!spare.enabled);
      space.model.rcu.drain(); // the view before goes now, and not when the garbage of many is timed
    },
    loop: (count) => {
      if (count > FIRST_READS)
        throw new RangeError(`${count} first reads of ${FIRST_READS} devices: the others would be hits`);
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
