/** The claims of the debate, each with the scenarios that test it; `docs/claims.md` says how they are answered. */
import { CommandError } from "#host";
import { c01 } from "./c01.ts";
import { c02 } from "./c02.ts";
import { c03 } from "./c03.ts";
import { c04 } from "./c04.ts";
import { c05 } from "./c05.ts";
import { c06 } from "./c06.ts";
import { c07 } from "./c07.ts";
import { c08 } from "./c08.ts";
import { c09 } from "./c09.ts";
import { c10 } from "./c10.ts";
import { c11 } from "./c11.ts";
import { c12 } from "./c12.ts";
import { c13 } from "./c13.ts";
import { c14 } from "./c14.ts";
import { c15 } from "./c15.ts";
import { c16 } from "./c16.ts";
import { c17 } from "./c17.ts";
import { c18 } from "./c18.ts";
import { c19 } from "./c19.ts";
import { c20 } from "./c20.ts";
import { c21 } from "./c21.ts";
import { c22 } from "./c22.ts";
import { c23 } from "./c23.ts";
import { c24 } from "./c24.ts";
import { c25 } from "./c25.ts";
import { c26 } from "./c26.ts";
import { c27 } from "./c27.ts";
import type { Claim } from "./claim.ts";
import type { Evidence } from "./evidence.ts";
import { readQemuFigures } from "./qemu-figures.ts";

export {
  ALL_POLICIES,
  type Claim,
  type Combination,
  OUTCOMES,
  type Outcome,
  POLICIES,
  type Scenario,
  STORAGES,
  type Storage,
} from "./claim.ts";
export type { Evidence, MixedDevices } from "./evidence.ts";
export { type QemuFigure, type QemuFigures, readQemuFigures } from "./qemu-figures.ts";
export {
  type Cell,
  type ClaimResult,
  type FactResult,
  runClaim,
  type ScenarioResult,
  VERDICTS,
} from "./run.ts";

/** Nothing to count: for those who only want to know which claims there are. */
export const NO_EVIDENCE: Evidence = { codeSize: () => [], fieldReads: async () => [], mixed: null };

/** All claims in order, or those with the given numbers. @throws CommandError when there is no such claim */
export function claims(evidence: Evidence, ids: readonly string[] = []): Claim[] {
  const qemu = readQemuFigures();
  const all = [
    ...[
      c01,
      c02,
      c03(evidence),
      c04(evidence),
      c05,
      c06,
      c07,
      c08,
      c09,
      c10(evidence, qemu),
      c11(qemu),
      c12(evidence),
    ],
    ...[c13, c14, c15, c16, c17, c18, c19, c20, c21, c22, c23, c24, c25(evidence), c26, c27],
  ];
  const wanted = ids.map((id) => id.toUpperCase());
  const unknown = ids.find((_, i) => !all.some((each) => each.id === wanted[i]));
  if (unknown !== undefined)
    throw new CommandError(`there is no claim ${unknown === "" ? '""' : unknown}; give one of C1 to C27`);
  return ids.length === 0 ? all : all.filter(({ id }) => wanted.includes(id));
}
