/** What needs to be counted only once per form: how lifetimes end, and which region fields an access reads. */
import type { Form } from "#results";
import { countFieldReads } from "./field-reads.ts";
import { measureLifetimes } from "./lifetimes.ts";
import type { ArmOutcomes } from "./measurement.ts";

export async function armOutcomes(form: Form): Promise<ArmOutcomes> {
  return { lifetimes: measureLifetimes(form), fieldReads: await countFieldReads(form) };
}
