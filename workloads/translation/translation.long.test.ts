/**
 * The translator's gate: a guest runs translated exactly as it is interpreted. At every point of the run registers, control
 * registers, devices, memory, console, and each access to a device with its time, are the same.
 */
import { afterAll, expect, it } from "vitest";
import { explainDifference, runAllWays } from "./compare.ts";
import { describeWay, guests } from "./guests.ts";
import { Runners } from "./runners.ts";

/** Of a guest that does not end before: the least that is compared. */
const LEAST_INSTRUCTIONS = 100_000_000;

const runners = new Runners();
afterAll(() => runners.close());

it.for(guests())("$name", async (guest, test) => {
  if ("reason" in guest) return test.skip(guest.reason);
  const comparison = await runAllWays(guest, runners);
  const { reference, others } = comparison;
  const last = reference.at(-1);
  if (last?.end === "instructions") expect(last.instructions).toBeGreaterThan(LEAST_INSTRUCTIONS);
  for (const { way, sights } of others) {
    expect(await explainDifference(comparison, way, sights, runners)).toBeNull();
    // An interpreter compared with an interpreter would agree. Short guests have nothing that is hot.
    if (way.translate === "all" || (last?.instructions ?? 0) > LEAST_INSTRUCTIONS)
      expect(sights.at(-1)?.translated, describeWay(way)).toBeGreaterThan(0);
  }
});
