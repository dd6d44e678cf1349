/**
 * Acceptance test of the translator: a guest runs exactly the same translated and interpreted. At every point,
 * registers, control registers, devices, memory, console, and each device access with its time are the same.
 */
import { afterAll, expect, it } from "vitest";
import { explainDifference, runAllWays } from "./compare.ts";
import { describeWay, guests } from "./guests.ts";
import { Runners } from "./runners.ts";

/** Minimum number of instructions to compare, for a guest that does not end earlier. */
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
    // Make sure that code was translated, or the interpreter was compared with itself. Short guests have no hot code.
    if (way.translate === "all" || (last?.instructions ?? 0) > LEAST_INSTRUCTIONS)
      expect(sights.at(-1)?.translated, describeWay(way)).toBeGreaterThan(0);
  }
});
