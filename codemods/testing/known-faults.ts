/**
 * Faults that are known and not fixed yet, for prove/foreign.test.ts, which fails as soon as one of them is fixed and still
 * listed here.
 */
import type { Direction } from "../regions/facts.ts";
import type { Fault } from "./foreign-cases.ts";

export const KNOWN_FAULTS: Readonly<Record<Fault, readonly string[]>> = {
  wrong: [],
  "not driven": [],
  "too strict": [],
  "untrue reason": [],
  "not seen": [],
};

/** Faults of the way back from a result. */
export const KNOWN_FAULTS_BACK: Readonly<Record<Fault, readonly string[]>> = {
  wrong: [],
  "not driven": [],
  "too strict": ["a19-helper-free-fn"],
  "untrue reason": [],
  "not seen": [],
};

/** How many of the foreign devices with a safe conversion are converted, at least. */
export const LEAST_CONVERTED = 79;

/** Kinds of generated classes, alone, that are converted wrong. */
export const KNOWN_WRONG_KINDS: Readonly<Record<Direction, readonly string[]>> = {
  "to-owned": [],
  "to-embedded": [],
};
