/** How a claim of the debate is put to the test: what is run, what was predicted, and what the claim says. */
import type { ReferencePolicy } from "#memory";
import type { Stage } from "./stage.ts";

/**
 * How a device stores its regions: in its own state, allocated by the object model as its children, or allocated by
 * hand and initialised in place, with a pointer in its state.
 */
export const STORAGES = ["embedded", "owned", "heap"] as const;
export type Storage = (typeof STORAGES)[number];

/** The policies that every scenario runs with, unless it says otherwise. */
export const POLICIES = ["owner", "owner-7.2", "self", "owner+unparent"] as const satisfies ReferencePolicy[];

/** With the policy that one contributor sketches: counts on the region, which holds its owner. */
export const ALL_POLICIES = [...POLICIES, "self+unparent"] as const satisfies ReferencePolicy[];

export interface Combination {
  readonly storage: Storage;
  readonly policy: ReferencePolicy;
}

/**
 * What can go wrong, worst first. `abort`: QEMU's process ends. `harmless read`: after finalization only
 * the owner of a container or an alias was read, in storage that still stands, which C defines and QEMU's documentation
 * allows. None of them: clean.
 */
export const OUTCOMES = ["abort", "use after free", "use after finalize", "leak", "harmless read"] as const;
export type Outcome = (typeof OUTCOMES)[number];

/** Countable things that a scenario shows, by name. */
export type Figures = Readonly<Record<string, string | number>>;

export interface Observation {
  /** Worst first; empty if clean. */
  readonly outcomes: readonly Outcome[];
  /** Empty after an abort. */
  readonly figures: Figures;
}

/** Predicted outcomes as text: `clean`, `leak`, `use after free + leak`, …, worst first. */
export type Predicted = string;

/**
 * Predictions by storage: one text for all policies, or one for each, in the order of the scenario's policies.
 */
export type PredictedOutcomes = Readonly<Record<Storage, Predicted | readonly Predicted[]>>;

/** Something that happens in a machine, with a prediction for every combination. */
export interface Scenario {
  readonly name: string;
  /** The events, in one sentence. */
  readonly description: string;
  /** Why the predictions are what they are, and the sections of `region-lifecycle` that say so, in brackets. */
  readonly rule: string;
  /** Default: all. */
  readonly storages?: readonly Storage[];
  /** Default: {@link POLICIES}. */
  readonly policies?: readonly ReferencePolicy[];
  readonly predicted: PredictedOutcomes;
  /** Predicted figures; none after an abort. Default: none. */
  readonly figures?: (combination: Combination) => Figures;
  /** Whether the claim agrees with what was observed; null if it says nothing about the combination. */
  readonly agrees: (combination: Combination, observation: Observation) => boolean | null;
  readonly run: (stage: Stage) => Figures | undefined;
}

/** Something that is looked up or counted rather than lived. */
export interface Fact {
  readonly name: string;
  /** Why this is predicted. */
  readonly rule: string;
  readonly predicted: string | number;
  readonly observe: () => Promise<string | number>;
  /** Whether the claim agrees with what was observed; null if the fact only informs. */
  readonly agrees: (observed: string | number) => boolean | null;
}

export interface Claim {
  readonly id: string;
  /** The claim in one sentence, in our words. */
  readonly claim: string;
  /** Who made it. */
  readonly by: readonly string[];
  /** What the debate said, in our words. */
  readonly context: string;
  readonly scenarios: readonly Scenario[];
  readonly facts?: readonly Fact[];
  /** Why the emulator cannot decide it, and what can; absent if it can. */
  readonly decidedElsewhere?: string;
  /** What a reader of the row should know: limits, and predictions that proved wrong, with the reason. */
  readonly notes?: readonly string[];
}

export function outcomesText(outcomes: readonly Outcome[]): string {
  return outcomes.length === 0 ? "clean" : outcomes.join(" + ");
}

export function combinationsOf({ storages = STORAGES, policies = POLICIES }: Scenario): Combination[] {
  return storages.flatMap((storage) => policies.map((policy) => ({ storage, policy })));
}

/** @throws RangeError when a scenario has too few predictions */
export function predictionOf(scenario: Scenario, { storage, policy }: Combination): Predicted {
  const given = scenario.predicted[storage];
  if (typeof given === "string") return given;
  const predicted = given[(scenario.policies ?? POLICIES).indexOf(policy)];
  if (predicted === undefined)
    throw new RangeError(`${scenario.name}: no prediction for ${storage} and ${policy}`);
  return predicted;
}

/** Nothing happened that C does not define, and nothing leaked. */
export const isFine = ({ outcomes }: Observation) => outcomes.every((each) => each === "harmless read");
export const has = ({ outcomes }: Observation, outcome: Outcome) => outcomes.includes(outcome);
/** Whether something was used after its end, storage still there or not. */
export const isUsedLate = (observation: Observation) =>
  has(observation, "use after free") ||
  has(observation, "use after finalize") ||
  has(observation, "harmless read");

/** A prediction of every storage for devices that end as they should: regions allocated by hand are leaked. */
export const ENDS_WELL = { embedded: "clean", owned: "clean", heap: "leak" } as const;
