/** The sources of prove/fixtures/foreign, and what is right or wrong about their conversion. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Proof } from "../prove/prover.ts";
import type { Judgement } from "./foreign-judgements.ts";
import type { Conversion, Sources } from "./trial.ts";

const FOREIGN = join(import.meta.dirname, "../prove/fixtures/foreign");

export function foreignNames(): string[] {
  return readdirSync(FOREIGN).sort();
}

export function foreignSources(name: string): Sources {
  return Object.fromEntries(
    readdirSync(join(FOREIGN, name)).map((file) => [file, readFileSync(join(FOREIGN, name, file), "utf8")]),
  );
}

/** What is wrong with an outcome. `wrong` breaks a device; all others only annoy. */
export type Fault = "wrong" | "not driven" | "too strict" | "untrue reason" | "not seen";

export interface Finding {
  readonly name: string;
  readonly fault: Fault;
  readonly what: string;
}

/** Everything that is wrong with one outcome; nothing if it is right. */
export function findings(
  { name, right, reasons, why }: Judgement,
  conversion: Conversion,
  messages: readonly string[],
  proofs: readonly Proof[],
): Finding[] {
  const found: Finding[] = [];
  const add = (fault: Fault, what: string) => found.push({ name, fault, what });
  if (conversion.crash !== null) add("wrong", `the codemod fails: ${conversion.crash}`);
  if (conversion.changed) {
    for (const message of messages.slice(0, 1)) add("wrong", `does not compile: ${message}`);
    for (const what of proofs.flatMap(differenceText).slice(0, 1)) add("wrong", what);
    if (!proofs.some(({ verdict }) => verdict === "equal") && found.length === 0)
      add("not driven", proofs.flatMap(({ notes }) => notes)[0] ?? "no class was found");
    if (right === "refused" && conversion.reasons.length === 0) add("wrong", `converted, although ${why}`);
  }
  const refused = conversion.reasons.length > 0;
  if (refused && right === "converts") add("too strict", conversion.reasons.join(", "));
  const untrue = conversion.reasons.filter((reason) => !reasons.includes(reason));
  if (refused && right !== "converts" && untrue.length > 0) add("untrue reason", untrue.join(", "));
  if (!refused && !conversion.changed && conversion.crash === null) add("not seen", "nothing is reported");
  return found;
}

function differenceText({ className, verdict, differences }: Proof): string[] {
  const [first] = differences;
  if (verdict !== "different" || first === undefined) return [];
  const { life, step, what, before, after } = first;
  return [`${className} behaves differently: ${life}, ${step}, ${what}: ${before} → ${after}`];
}
