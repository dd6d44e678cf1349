/** What can be counted of a form once and for all: how its devices' lives end, and what an access reads of a region. */
import type { Form } from "#results";
import { countFieldReads } from "./field-reads.ts";
import { measureLifetimes } from "./lifetimes.ts";
import type { ArmOutcomes } from "./measurement.ts";

export async function armOutcomes(form: Form): Promise<ArmOutcomes> {
  return { lifetimes: measureLifetimes(form), fieldReads: await countFieldReads(form) };
}
