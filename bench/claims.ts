/** Runs claims, with what only benchmarks and codemods can count, for the command and for reports. */
import { join } from "node:path";
import { loadHardwareFrom } from "#machine";
import { type ClaimRow, FORMS } from "#results";
import { packageRoot } from "#workloads";
import {
  type ClaimResult,
  claims,
  type Evidence,
  type MixedDevices,
  NO_EVIDENCE,
  readQemuFigures,
  runClaim,
} from "#workloads/claims";
import { measureCodeSize } from "./code-size.ts";
import { countFieldReads } from "./suites/field-reads.ts";
import { guestOf, recordGuest } from "./suites/guest.ts";

/** Converts the first so many percent of the device files, and counts the lifetime bugs that the audit finds then. */
export interface DeviceMixer {
  tree(share: number): { readonly folder: string; readonly texts: ReadonlyMap<string, string> };
  bugs(share: number): number;
}

/** Makes one; null where there are no sources to convert. */
export type MixDevices = () => Promise<DeviceMixer | null>;

const GUEST = "hello";

/**
 * Runs all claims, or those with the given numbers; exact, so once is enough.
 * @throws QomError when there is no such claim
 */
export async function answerClaims(mixDevices: MixDevices, ids: readonly string[] = []): Promise<ClaimRow[]> {
  const wanted = claims(NO_EVIDENCE, ids).map(({ id }) => id);
  const mixer = wanted.some((id) => id === "C10" || id === "C12") ? await mixDevices() : null;
  const evidence: Evidence = {
    codeSize: () => measureCodeSize(join(packageRoot(), "emulator", "hw")),
    fieldReads: countBothForms,
    mixed: mixer === null ? null : mixedWith(mixer),
  };
  const rows: ClaimRow[] = [];
  for (const claim of claims(evidence, wanted)) rows.push(rowOf(await runClaim(claim)));
  return rows;
}

function mixedWith(mixer: DeviceMixer): MixedDevices {
  const hardware = (share: number) => loadHardwareFrom(mixer.tree(share).folder, "embedded");
  return {
    hardware,
    boot: async (share) => JSON.stringify(recordGuest(guestOf(GUEST, await hardware(share)))),
    bugs: async (share) => mixer.bugs(share),
    texts: async (share) => mixer.tree(share).texts,
  };
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
