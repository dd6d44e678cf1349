/** What lives of devices that are hard on their regions end in, in either form, for somebody who has to choose. Drawn from the data by rule. */
import type { LifetimeFigures, Run } from "./schema.ts";
import {
  capital,
  FAULTS,
  type Fault,
  faultsOf,
  formatNumber,
  formNames,
  listOf,
  outcomeWords,
} from "./words.ts";

export interface Hazards {
  /** Whether the forms differ in any life, in what goes wrong or in how much of it. */
  readonly differ: boolean;
  /** Groups by outcome; without counts, which the table has. */
  readonly sentences: readonly string[];
}

interface Life {
  readonly scenario: string;
  /** What went wrong in each form, worst first; none where it is safe. */
  readonly A: readonly Fault[];
  readonly B: readonly Fault[];
  /** The form with the worst fault that the other has not; null where both have the same. */
  readonly worse: "A" | "B" | null;
  /** Whether there is as much of each. */
  readonly same: boolean;
}

/** By what was observed, not by what was expected. */
export function hazardsOf(run: Run): Hazards {
  const names = formNames(run);
  const lives = run.lifetimes.map(({ scenario, arms }) => lifeOf(scenario, arms.A.observed, arms.B.observed));
  const unlike = lives.filter(({ worse }) => worse !== null);
  const found = unlike.length === 0 ? "none" : formatNumber(unlike.length);
  const oneSided = (["A", "B"] as const).flatMap((arm) => {
    const other = arm === "A" ? "B" : "A";
    const only = bySeverity(
      unlike.filter((life) => life.worse === arm && life[other].length === 0),
      arm,
    );
    const items = only.map((life) => `${life.scenario} (${listOf(life[arm])})`);
    return sentence(`${capital(names[arm])} fails where ${names[other]} is safe`, items);
  });
  const alike = lives.filter(({ worse }) => worse === null);
  const failing = bySeverity(
    alike.filter(({ A }) => A.length > 0),
    "A",
  );
  const items = (same: boolean) =>
    failing.filter((life) => life.same === same).map(({ scenario, A }) => `${scenario} (${listOf(A)})`);
  return {
    differ: lives.some(({ same }) => !same),
    sentences: [
      `In ${found} of ${formatNumber(lives.length)} lives of devices, the two forms end differently.`,
      ...oneSided,
      ...(["A", "B"] as const).flatMap((arm) => bothFail(unlike, arm, names)),
      ...sentence("Both fail in the same way, though not to the same extent", items(false)),
      ...sentence("Both fail alike", items(true)),
      ...sentence(
        "Both are safe",
        alike.filter(({ A }) => A.length === 0).map(({ scenario }) => scenario),
      ),
    ],
  };
}

/** Lives that go wrong in both forms, and worse in one: together where the faults are the same. */
function bothFail(lives: readonly Life[], arm: "A" | "B", names: { A: string; B: string }): string[] {
  const other = arm === "A" ? "B" : "A";
  const groups = new Map<string, string[]>();
  const failing = lives.filter((life) => life.worse === arm && life[other].length > 0);
  for (const life of bySeverity(failing, arm)) {
    const faults = `${listOf(life[arm])} instead of ${listOf(life[other])}`;
    groups.set(faults, [...(groups.get(faults) ?? []), life.scenario]);
  }
  return [...groups].flatMap(([faults, scenarios]) =>
    sentence(`Both fail, ${names[arm]} worse (${faults})`, scenarios),
  );
}

function lifeOf(scenario: string, a: LifetimeFigures, b: LifetimeFigures): Life {
  const [A, B] = [faultsOf(a), faultsOf(b)];
  return { scenario, A, B, worse: worseOf(A, B), same: outcomeWords(a) === outcomeWords(b) };
}

function worseOf(a: readonly Fault[], b: readonly Fault[]): "A" | "B" | null {
  for (let i = 0; i < Math.max(a.length, b.length); i++) {
    const difference = severityOf(a[i]) - severityOf(b[i]);
    if (difference !== 0) return difference > 0 ? "A" : "B";
  }
  return null;
}

/** Larger is worse; 0 is no fault. */
function severityOf(fault: Fault | undefined): number {
  return fault === undefined ? 0 : FAULTS.length - FAULTS.indexOf(fault);
}

/** Worst first; those of the same fault in the order of the run. */
function bySeverity(lives: readonly Life[], arm: "A" | "B"): Life[] {
  return [...lives].sort((a, b) => severityOf(b[arm][0]) - severityOf(a[arm][0]));
}

/** Nothing where there is nothing to list. */
function sentence(opening: string, items: readonly string[]): string[] {
  return items.length === 0 ? [] : [`${opening}: ${items.join(", ")}.`];
}
