/** Compares what a device did in its two forms. */
import type { JobResult, LifeTrace, Step } from "./worker/trace.ts";

/** One thing that differs: where in which life, what, and both sides. */
export interface Difference {
  readonly life: string;
  readonly step: string;
  readonly what:
    | "loading"
    | "course"
    | "outcome"
    | "events"
    | "windows"
    | "region tree"
    | "flat view"
    | "objects"
    | "uses after the end"
    | "leaks";
  readonly before: string;
  readonly after: string;
}

export interface Comparison {
  readonly differences: readonly Difference[];
  /** What was not compared or not driven, and what both forms do wrong. */
  readonly notes: readonly string[];
  /** Number of steps that are equal. */
  readonly steps: number;
  /** Whether at least one life got as far as the use of the device. */
  readonly driven: boolean;
}

/** The life in which the same object is realized twice, and the one in which it is not realized at all. */
const AGAIN = "realized again";
const NEVER = "created, never plugged";

const ASPECTS = [
  ["events", "events"],
  ["windows", "windows"],
  ["regions", "region tree"],
  ["view", "flat view"],
  ["objects", "objects"],
  ["uses", "uses after the end"],
] as const;

export function compareResults(before: JobResult, after: JobResult): Comparison {
  if (before.impossible !== null)
    return { differences: [], notes: [before.impossible], steps: 0, driven: false };
  if (after.impossible !== null) {
    const difference = { life: "any", step: "load", what: "loading", before: "loads" } as const;
    return { differences: [{ ...difference, after: after.impossible }], notes: [], steps: 0, driven: true };
  }
  const lives = before.traces.map((trace, index) => compareLives(trace, after.traces[index]));
  const driven = lives.some((life) => life.driven);
  // Some lives are meant to fail; the first one is not, and says why the class cannot be driven.
  const failures = before.traces.slice(0, 1).flatMap(failureNotes);
  const notes = [...(lives[0]?.driven === true ? [] : failures), ...lives.flatMap((life) => life.notes)];
  return {
    differences: lives.flatMap(({ differences }) => differences),
    notes: [...new Set(notes)],
    steps: lives.reduce((sum, { steps }) => sum + steps, 0),
    driven,
  };
}

function compareLives(before: LifeTrace, after: LifeTrace | undefined): Comparison {
  const { life } = before;
  const notes = [...before.undriven];
  const driven = wasDriven(before);
  const result = (differences: readonly Difference[], steps: number): Comparison => ({
    differences,
    notes,
    steps,
    driven,
  });
  for (const [index, step] of before.steps.entries()) {
    const other = after?.steps[index];
    if ((step.startedOver || other?.startedOver === true) && isRepetition(life, step)) {
      notes.push(
        `${life}, ${step.name}: the embedded form initialises storage that is in use; not compared from there on`,
      );
      return result([], index);
    }
    if (step.uses.length > 0 && other !== undefined && same(step.uses, other.uses))
      notes.push(`${life}, ${step.name}: in both forms, ${step.uses[0]}`);
    const differences = compareSteps(life, step, other);
    if (differences.length > 0) return result(differences, index);
  }
  const more = after?.steps[before.steps.length];
  if (more !== undefined) {
    const difference = { life, step: more.name, what: "course", before: "ends", after: "goes on" } as const;
    return result([difference], before.steps.length);
  }
  const leaks = compareLeaks(before, after?.leaks ?? [], notes);
  return result(leaks, before.steps.length);
}

/**
 * Whether the prover did something a second time that the sources may do only once. If that creates a region again, the
 * two forms must differ.
 */
function isRepetition(life: string, { name }: Step): boolean {
  return life === AGAIN || (name.startsWith("call ") && name.endsWith(" again"));
}

/** A device that was created, and plugged if it can be; any other object that was created. */
function wasDriven({ life, steps, undriven }: LifeTrace): boolean {
  if (life === NEVER) return false;
  if (undriven.some((each) => each.startsWith("cannot be plugged"))) return false;
  const start = steps.filter(({ name }) => name === "plug" || name.startsWith("create"));
  return start.length > 0 && start.every(({ outcome }) => outcome === "done");
}

function failureNotes({ life, steps }: LifeTrace): string[] {
  const failed = steps.find(({ outcome }) => outcome !== "done");
  return failed === undefined ? [] : [`${life}: ${failed.name} ${failed.outcome}`];
}

function compareSteps(life: string, before: Step, after: Step | undefined): Difference[] {
  const step = before.name;
  if (after?.name !== step)
    return [{ life, step, what: "course", before: step, after: after?.name ?? "the life has ended" }];
  const found: Difference[] = [];
  if (before.outcome !== after.outcome)
    found.push({ life, step, what: "outcome", before: before.outcome, after: after.outcome });
  for (const [aspect, what] of ASPECTS) {
    const sides = firstDifference(before[aspect], after[aspect]);
    if (sides !== null) found.push({ life, step, what, ...sides });
  }
  return found;
}

/** Storage that only the form before the conversion leaks is a bug that the conversion removes. */
function compareLeaks(before: LifeTrace, after: readonly string[], notes: string[]): Difference[] {
  const { life } = before;
  const gone = without(before.leaks, after);
  const added = without(after, before.leaks);
  if (added.length > 0) {
    const sides = { before: gone.join("; ") || "nothing more", after: added.join("; ") };
    return [{ life, step: "the ledger at the end", what: "leaks", ...sides }];
  }
  if (gone.length > 0) notes.push(`${life}: only the form before the conversion leaks ${gone.join("; ")}`);
  return [];
}

function same(one: readonly string[], other: readonly string[]): boolean {
  return one.length === other.length && one.every((line, index) => line === other[index]);
}

/** Lines of one list that the other lacks, or else the first that is elsewhere. */
function firstDifference(
  before: readonly string[],
  after: readonly string[],
): { before: string; after: string } | null {
  if (same(before, after)) return null;
  const [gone, added] = [without(before, after), without(after, before)];
  if (gone.length > 0 || added.length > 0)
    return { before: gone.join("; ") || "no such line", after: added.join("; ") || "no such line" };
  const index = before.findIndex((line, place) => line !== after[place]);
  return { before: `${before[index]} as number ${index}`, after: `${after[index]} as number ${index}` };
}

function without(lines: readonly string[], others: readonly string[]): string[] {
  const left = [...others];
  return lines.filter((line) => {
    const place = left.indexOf(line);
    if (place === -1) return true;
    left.splice(place, 1);
    return false;
  });
}
