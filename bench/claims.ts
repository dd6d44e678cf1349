/** Runs claims, with what only the benchmarks can count, for the command and for reports. */
import { join } from "node:path";
import { type ClaimRow, FORMS } from "#results";
import { packageRoot } from "#workloads";
import { type ClaimResult, claims, readQemuFigures, runClaim } from "#workloads/claims";
import { measureCodeSize } from "./code-size.ts";
import { countFieldReads } from "./suites/field-reads.ts";

/**
 * Runs all claims, or those with the given numbers; exact, so once is enough.
 * @throws QomError when there is no such claim
 */
export async function answerClaims(ids: readonly string[] = []): Promise<ClaimRow[]> {
  const wanted = claims({ codeSize: () => [], fieldReads: async () => [] }, ids).map(({ id }) => id);
  const rows: ClaimRow[] = [];
  const evidence = {
    codeSize: () => measureCodeSize(join(packageRoot(), "emulator", "hw")),
    fieldReads: countBothForms,
  };
  for (const claim of claims(evidence, wanted)) rows.push(rowOf(await runClaim(claim)));
  return rows;
}

async function countBothForms(): Promise<{ embedded: number; owned: number }[]> {
  const [embedded = [], owned = []] = await Promise.all(FORMS.map((form) => countFieldReads(form)));
  return embedded.map(({ access, reads }) => ({
    embedded: reads,
    owned: owned.find((each) => each.access === access)?.reads ?? Number.NaN,
  }));
}

function rowOf(result: ClaimResult): ClaimRow {
  const { figures } = readQemuFigures();
  return {
    ...result,
    inC: figures.filter(({ claim }) => claim === result.id).map(({ name, value }) => ({ name, value })),
  };
}
