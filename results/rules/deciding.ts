/** Which figure of a question decides it, and where the forms cannot differ by construction. */
import { metricKey, questionKey } from "../rows.ts";
import type {
  MetricDefinition,
  MetricIdentity,
  Omission,
  PerArm,
  SelfTest,
  Source,
  Suite,
} from "../schema.ts";
import { SLICE_ESTIMATOR } from "./questions.ts";

/** Arms (or slots) that run the same code count as alike if their medians differ by at most this many percent. */
export const ALIKE_PERCENT = 0.3;

/** Why the place of a region cannot matter to an access that reads no field of it, in particular a section hit. */
export const BY_CONSTRUCTION =
  "The access reads no field of the region; what it needs is copied into the section when the map changes, so it cannot matter where the region lies.";

/** A figure and its samples. */
export interface Figure {
  readonly definition: MetricIdentity & Pick<MetricDefinition, "decides" | "estimator">;
  readonly samples: Pick<PerArm<readonly number[]>, "A" | "B">;
}

/** Whether a figure decides, and whether it is equal by construction, given the other figures of its run. */
export interface Standing extends Pick<MetricDefinition, "decides" | "byConstruction"> {
  /** Why it is only shown, as the end of a sentence; null if it decides. */
  readonly onlyShown: string | null;
}

const UNSTABLE = "a time depends on the state of compiled code and memory that each process falls into";

/**
 * Whether instruction counts decide the questions of a suite. In this emulator they say little about the latency of
 * dispatch, which is dominated by caches and branch predictors. In QEMU, an access takes hundreds of instructions, and
 * its time on a shared machine varies by far more than the forms could differ.
 */
export function countDecides(suite: Suite, source: Source = "regionlab"): boolean {
  return suite !== "dispatch" || source === "qemu";
}

/** Whether arms are alike, given the distance of each median from that of all arms together, in percent. */
export function areAlike(percents: readonly number[]): boolean {
  return percents.every((percent) => Math.abs(percent) <= ALIKE_PERCENT);
}

/**
 * Which figures of a run decide. If neither form reads a field of the region, the count of these reads decides: whatever
 * then makes times differ is not the place of the region. Otherwise an instruction count decides, and without one, a time that
 * would decide on its own. A time of slices decides only if the self-test found identical arms to be alike, or was not
 * run.
 *
 * Idempotent: applied to its own result, it gives the same result.
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
    ({ definition }) => definition.quantity === "count" && countDecides(definition.suite, definition.source),
  );
  const alike = selfTest && new Set(selfTest.alike.filter((each) => each.alike).map(questionKey));
  const isSound = (definition: Figure["definition"]) =>
    definition.estimator !== SLICE_ESTIMATOR || alike === null || alike.has(questionKey(definition));
  return figures.map(({ definition }) => {
    const key = keyOf(definition);
    const byConstruction = constructed.has(key) ? BY_CONSTRUCTION : null;
    const decides = byConstruction === null ? decidesAmong(definition, key) : definition.quantity === "reads";
    return { decides, byConstruction, onlyShown: decides ? null : whyOnlyShown(definition, key) };
  });

  function whyOnlyShown(definition: Figure["definition"], key: string): string {
    if (constructed.has(key)) return "the reads of region fields decide, of which there are none";
    if (definition.quantity === "reads") return "reads of region fields decide only where there are none";
    if (definition.quantity === "count")
      return "instructions say little about latency, which caches and branch predictors dominate";
    if (counted.has(key)) return `the count of instructions decides: ${UNSTABLE}`;
    if (!isSound(definition)) {
      return alike !== null && selfTest?.alike.some((each) => questionKey(each) === questionKey(definition))
        ? "in the instrument's self-test, identical forms differed by too much at this work"
        : "the instrument's self-test does not cover this work, so a difference may be the instrument's";
    }
    return `nothing exact decides this question: ${UNSTABLE}`;
  }

  function decidesAmong(definition: Figure["definition"], key: string): boolean {
    switch (definition.quantity) {
      case "reads":
        return false;
      case "count":
        return countDecides(definition.suite, definition.source);
      case "time":
        return definition.decides && isSound(definition) && !counted.has(key);
      case "memory":
        return true;
    }
  }
}

/**
 * The omissions whose figures are still missing. Each counts as deciding only if no other figure decides its question.
 */
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

/** Each source is judged by its own figures. */
function keyOf(definition: MetricIdentity): string {
  return `${questionKey(definition)} (${definition.source})`;
}
