/** What can be counted of a form once and for all: how its devices' lives end, and what an access reads of a region. */
import type { Hardware } from "#machine";
import type { Form } from "#results";
import type { ArmOutcomes } from "./measurement.ts";

export async function armOutcomes(_form: Form, _hardware: Hardware): Promise<ArmOutcomes> {
  return { lifetimes: [], fieldReads: [] };
}
