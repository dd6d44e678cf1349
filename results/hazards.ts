/** How lifetime scenarios end in either form, for readers who have to choose. Derived from the data by rule. */

import { asPredicted } from "./environment-words.ts";
import { LIFETIME_FIGURES, type LifetimeFigures, type Run } from "./schema.ts";
import { capital, FAULTS, type Fault, faultsOf, formatNumber, formNames, listOf } from "./words.ts";

export interface Hazards {
  /** Whether the forms differ in any scenario, in the faults or in their counts. */
  readonly differ: boolean;
  /** Scenarios grouped by outcome; the counts are in the table. */
  readonly sentences: readonly string[];
  /** In how many scenarios each form ends with the more severe faults. */
  readonly worse: { readonly A: number; readonly B: number };
}

interface Life {
  readonly scenario: string;
  /** Faults in each form, worst first; empty if it is safe. */
  readonly A: readonly Fault[];
  readonly B: readonly Fault[];
  /** The form with the more severe faults; null if both have the same. */
  readonly worse: "A" | "B" | null;
  /** Whether the counts are the same, too. */
  readonly same: boolean;
}

/** How much of a fault there is: bytes in more blocks are as many. */
const EXTENT = LIFETIME_FIGURES.filter((figure) => figure !== "blocksUnfreed" && figure !== "blocksHeld");

/** Uses what was observed, not what was expected. */
export function hazardsOf(run: Run): Hazards {
  const names = formNames(run);
  const lives = run.lifetimes.map(({ scenario, arms }) => lifeOf(scenario, arms.A.observed, arms.B.observed));
  const unpredicted = run.lifetimes.filter(({ arms }) => !asPredicted(arms.A) || !asPredicted(arms.B));
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
      `The two forms end with different faults in ${found} of ${formatNumber(lives.length)} lifetime scenarios${toAnExtent(lives)}.`,
      ...oneSided,
      ...(["A", "B"] as const).flatMap((arm) => bothFail(unlike, arm, names)),
      ...sentence("Both fail in the same way, but to a different extent", items(false)),
      ...sentence("Both fail in the same way, to the same extent", items(true)),
      ...sentence(
        "Both are safe",
        alike.filter(({ A }) => A.length === 0).map(({ scenario }) => scenario),
      ),
      ...sentence(
        "Not as predicted, so that no choice should rest on it",
        unpredicted.map(({ scenario }) => scenario),
      ),
    ],
    worse: {
      A: unlike.filter(({ worse }) => worse === "A").length,
      B: unlike.filter(({ worse }) => worse === "B").length,
    },
  };
}

/** Scenarios with the same faults that happen more often in one form. */
function toAnExtent(lives: readonly Life[]): string {
  const { length } = lives.filter(({ worse, same }) => worse === null && !same);
  return length === 0 ? "" : `, and with the same faults to a different extent in ${formatNumber(length)}`;
}

/** Scenarios in which both forms fail and one fails worse, grouped by their faults. */
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
  return { scenario, A, B, worse: worseOf(A, B), same: EXTENT.every((figure) => a[figure] === b[figure]) };
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

/** Worst first; scenarios with the same worst fault keep the order of the run. */
function bySeverity(lives: readonly Life[], arm: "A" | "B"): Life[] {
  return [...lives].sort((a, b) => severityOf(b[arm][0]) - severityOf(a[arm][0]));
}

/** No sentence if there is nothing to list. */
function sentence(opening: string, items: readonly string[]): string[] {
  return items.length === 0 ? [] : [`${opening}: ${items.join(", ")}.`];
}
