/** Which figure of a question decides it, and in which questions the forms cannot differ at all. */
import { metricKey, questionKey } from "../rows.ts";
import type { MetricDefinition, MetricIdentity, Omission, PerArm, SelfTest, Suite } from "../schema.ts";
import { SLICE_ESTIMATOR } from "./questions.ts";

/** Medians of arms, and of slots, that run the same code and differ by more, in percent, are not alike. */
export const ALIKE_PERCENT = 0.3;

/** Why the forms cannot differ in an access that reads no field of a region: a section hit, above all. */
export const BY_CONSTRUCTION =
  "Reads no field of the region: what the access needs is copied into the section when the map changes, so both forms run the same code on the same data.";

/** A figure, and what was measured. */
export interface Figure {
  readonly definition: MetricIdentity & Pick<MetricDefinition, "decides" | "estimator">;
  readonly samples: Pick<PerArm<readonly number[]>, "A" | "B">;
}

/** What follows for a figure from the others of its run. */
export type Standing = Pick<MetricDefinition, "decides" | "byConstruction">;

/**
 * Whether a count of the suite's work is what the work costs. Dispatch is asked for its latency, of which caches and predictors
 * make the most; a count says little of it.
 */
export function countDecides(suite: Suite): boolean {
  return suite !== "dispatch";
}

/** Whether medians, in percent from those of all arms together, are those of arms that are alike. */
export function areAlike(percents: readonly number[]): boolean {
  return percents.every((percent) => Math.abs(percent) <= ALIKE_PERCENT);
}

/**
 * Which figures of a run decide. Where no form reads a field of the region, the count of
 * these reads does: an equal time is then a consequence, not a finding. Else what was counted does, else a time that
 * would if it stood alone; a time of slices only if the self-test found arms alike that run the same code.
 *
 * Applied to its own result, it gives that result again.
 *
 * @returns in the order of the input
 */
export function standingsOf(figures: readonly Figure[], selfTest: SelfTest | null): Standing[] {
  const keysOf = (is: (figure: Figure) => boolean) =>
    new Set(figures.filter(is).map(({ definition }) => keyOf(definition)));
  const constructed = keysOf(
    ({ definition, samples }) => definition.quantity === "reads" && readsNone(samples),
  );
  const counted = keysOf(
    ({ definition }) => definition.quantity === "count" && countDecides(definition.suite),
  );
  const alike = selfTest && new Set(selfTest.alike.filter((each) => each.alike).map(questionKey));
  const isSound = (definition: Figure["definition"]) =>
    definition.estimator !== SLICE_ESTIMATOR || alike === null || alike.has(questionKey(definition));
  return figures.map(({ definition }) => {
    const key = keyOf(definition);
    if (constructed.has(key)) {
      return { decides: definition.quantity === "reads", byConstruction: BY_CONSTRUCTION };
    }
    return { decides: decidesAmong(definition, key), byConstruction: null };
  });

  function decidesAmong(definition: Figure["definition"], key: string): boolean {
    switch (definition.quantity) {
      case "reads":
        return false;
      case "count":
        return countDecides(definition.suite);
      case "time":
        return definition.decides && isSound(definition) && !counted.has(key);
      case "memory":
        return true;
    }
  }
}

/** Omissions of figures that the run does not have after all. One would have decided only if no other figure does. */
export function stillMissing(
  omissions: readonly Omission[],
  metrics: readonly (MetricIdentity & Pick<MetricDefinition, "decides">)[],
): Omission[] {
  const present = new Set(metrics.map(metricKey));
  const decided = new Set(metrics.filter(({ decides }) => decides).map(keyOf));
  return omissions
    .filter((omission) => !present.has(metricKey(omission)))
    .map((omission) => ({ ...omission, decides: omission.decides && !decided.has(keyOf(omission)) }));
}

function readsNone({ A, B }: Figure["samples"]): boolean {
  return [...A, ...B].every((reads) => reads === 0);
}

/** Figures of one source answer a question; those of another stand beside them. */
function keyOf(definition: MetricIdentity): string {
  return `${questionKey(definition)} (${definition.source})`;
}
