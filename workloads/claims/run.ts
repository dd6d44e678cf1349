/** Runs claims, and draws their verdicts by rule. */
import { tableOf } from "#host";
import { QomAbort } from "#qom";
import {
  type Claim,
  type Combination,
  combinationsOf,
  type Fact,
  type Figures,
  type Observation,
  OUTCOMES,
  type Outcome,
  outcomesText,
  predictionOf,
  type Scenario,
} from "./claim.ts";
import { Stage } from "./stage.ts";

/** One scenario in one combination. */
export interface Cell extends Combination {
  readonly predicted: string;
  readonly observed: string;
  readonly predictedFigures: Figures;
  readonly figures: Figures;
  /** Whether the claim agrees with it; null if it says nothing about it. */
  readonly agrees: boolean | null;
}

export interface ScenarioResult extends Pick<Scenario, "name" | "description" | "rule"> {
  readonly cells: readonly Cell[];
}

export interface FactResult extends Pick<Fact, "name" | "rule" | "predicted"> {
  readonly observed: string | number;
  readonly agrees: boolean | null;
}

/** `depends`: the text says on what. */
export const VERDICTS = ["holds", "does not hold", "depends", "not decidable here"] as const;

export interface ClaimVerdict {
  readonly kind: (typeof VERDICTS)[number];
  /** On what it depends, or what decides it; empty if there is nothing to say. */
  readonly text: string;
}

export interface ClaimResult extends Pick<Claim, "id" | "claim" | "by" | "context"> {
  readonly scenarios: readonly ScenarioResult[];
  readonly facts: readonly FactResult[];
  readonly verdict: ClaimVerdict;
  readonly notes: readonly string[];
  /** The command that repeats the row. */
  readonly command: string;
}

export async function runClaim(claim: Claim): Promise<ClaimResult> {
  const { id, by, context, notes = [] } = claim;
  const scenarios = claim.scenarios.map(runScenario);
  const facts: FactResult[] = [];
  for (const fact of claim.facts ?? []) facts.push(await runFact(fact));
  return {
    id,
    claim: claim.claim,
    by,
    context,
    scenarios,
    facts,
    verdict: verdictOf(claim, scenarios, facts),
    notes,
    command: `regionlab claims ${id}`,
  };
}

function runScenario(scenario: Scenario): ScenarioResult {
  const { name, description, rule } = scenario;
  return { name, description, rule, cells: combinationsOf(scenario).map((each) => runCell(scenario, each)) };
}

function runCell(scenario: Scenario, combination: Combination): Cell {
  const predicted = predictionOf(scenario, combination);
  const observation = observe(scenario, combination);
  const predictedFigures = predicted.includes("abort") ? {} : (scenario.figures?.(combination) ?? {});
  const observed = outcomesText(observation.outcomes);
  return {
    ...combination,
    predicted,
    observed,
    predictedFigures,
    figures: observation.figures,
    agrees: scenario.agrees(combination, observation),
  };
}

/** What the detector reports besides is a diagnosis, of which C knows nothing. */
const USES = tableOf<Outcome>({
  UseAfterFree: "use after free",
  UseAfterFinalize: "use after finalize",
});

/** Lives a scenario in a new machine. After an abort nothing counts any more: QEMU's process would have ended. */
export function observe(scenario: Scenario, combination: Combination, releaseOrder?: number): Observation {
  const stage = new Stage(combination, releaseOrder);
  const outcomes = new Set<Outcome>();
  let figures: Figures = {};
  try {
    figures = scenario.run(stage) ?? {};
    stage.settle();
  } catch (failure) {
    if (!(failure instanceof QomAbort)) throw failure;
    outcomes.add("abort");
  }
  for (const { name } of stage.model.detector?.found ?? []) {
    const outcome = USES.get(name);
    if (outcome !== undefined) outcomes.add(outcome);
  }
  const isUsed = outcomes.has("use after free") || outcomes.has("use after finalize");
  if (!isUsed && (stage.model.detector?.harmless.length ?? 0) > 0) outcomes.add("harmless read");
  if (outcomes.has("abort")) figures = {};
  else if (stage.leaked().length > 0) outcomes.add("leak");
  return { outcomes: OUTCOMES.filter((each) => outcomes.has(each)), figures };
}

async function runFact({ name, rule, predicted, observe: look, agrees }: Fact): Promise<FactResult> {
  const observed = await look();
  return { name, rule, predicted, observed, agrees: agrees(observed) };
}

/** By rule: what the claim says about every scenario and fact, held against what was observed. */
export function verdictOf(
  { decidedElsewhere }: Pick<Claim, "decidedElsewhere">,
  scenarios: readonly ScenarioResult[],
  facts: readonly FactResult[],
): ClaimVerdict {
  const votes = [
    ...scenarios.flatMap(({ name, cells }) => cells.map((cell) => ({ name, agrees: cell.agrees, cell }))),
    ...facts.map(({ name, agrees }) => ({ name, agrees, cell: null })),
  ].filter(({ agrees }) => agrees !== null);
  if (votes.length === 0) return { kind: "not decidable here", text: decidedElsewhere ?? "" };
  const against = votes.filter(({ agrees }) => agrees === false);
  const said = decidedElsewhere === undefined ? [] : [decidedElsewhere];
  const scope = scopeOf(scenarios);
  const text = [...said, ...scope].join(" ");
  if (against.length === 0) return { kind: "holds", text };
  if (against.length === votes.length) return { kind: "does not hold", text };
  return {
    kind: "depends",
    text: [`${dependsOn(votes)}${scope.length === 0 ? "" : "."}`, ...scope].join(" "),
  };
}

/** The combinations that a claim speaks of, where it says nothing about others that were run. */
function scopeOf(scenarios: readonly ScenarioResult[]): string[] {
  const scopes = new Map<string, string[]>();
  for (const { name, cells } of scenarios) {
    const asked = cells.filter(({ agrees }) => agrees !== null);
    const scope = asked.length === cells.length ? "" : askedOf(asked, cells);
    scopes.set(scope, [...(scopes.get(scope) ?? []), name]);
  }
  const narrow = [...scopes].filter(([scope]) => scope !== "");
  if (narrow.length === 0) return [];
  const told = narrow.map(([scope, names]) => {
    const where = scopes.size === 1 ? "" : `${names.map((name) => `“${name}”`).join(", ")}: `;
    return `${where}${scope}`;
  });
  return [`Asked of ${told.join("; ")}. What else was observed is in its row.`];
}

/** Which of a scenario's combinations, as values of storage and references if these tell them all. */
function askedOf(asked: readonly Cell[], cells: readonly Cell[]): string {
  if (asked.length === 0) return "nothing, for information";
  const part = <T>(pick: (cell: Cell) => T) => {
    const values = [...new Set(asked.map(pick))];
    return { values, isAll: values.length === new Set(cells.map(pick)).size };
  };
  const storages = part(({ storage }) => storage);
  const policies = part(({ policy }) => policy);
  if (asked.length !== storages.values.length * policies.values.length)
    return asked.map(({ storage, policy }) => `${storage} with ${policy}`).join(", ");
  return [
    ...(storages.isAll ? [] : [storages.values.join(" and ")]),
    ...(policies.isAll ? [] : [`references ${policies.values.join(", ")}`]),
  ].join(", ");
}

interface Vote {
  readonly name: string;
  readonly agrees: boolean | null;
  readonly cell: Cell | null;
}

/** The axis that separates agreement from disagreement, with its values; else for each scenario where it does not hold. */
function dependsOn(votes: readonly Vote[]): string {
  for (const [axis, sideOf] of AXES) {
    const sides = sidesOf(votes, sideOf);
    if (sides.size < 2 || [...sides.values()].includes("both")) continue;
    const on = (side: Side) => [...sides].filter(([, each]) => each === side).map(([value]) => value);
    return `${axis}: holds for ${on("for").join(", ")}; not for ${on("against").join(", ")}`;
  }
  const scenarios = sidesOf(votes, ({ name }) => name);
  const told = [...scenarios].map(([name, side]) => {
    if (side !== "both") return `“${name}” ${side === "for" ? "holds" : "does not hold"}`;
    const within = votes.filter((vote) => vote.name === name);
    for (const [, sideOf] of AXES) {
      const sides = sidesOf(within, sideOf);
      if ([...sides.values()].includes("both")) continue;
      const against = [...sides].filter(([, each]) => each === "against").map(([value]) => value);
      return `“${name}” not for ${against.join(", ")}`;
    }
    const against = within.filter(({ agrees }) => agrees === false);
    return `“${name}” not for ${against.map(({ cell }) => `${cell?.storage} with ${cell?.policy}`).join(", ")}`;
  });
  return `the scenario: ${told.join("; ")}`;
}

type Side = "for" | "against" | "both";

const AXES: readonly (readonly [string, (vote: Vote) => string])[] = [
  ["the storage", ({ cell }) => cell?.storage ?? ""],
  ["the references", ({ cell }) => cell?.policy ?? ""],
  ["the scenario", ({ name }) => name],
];

/** For each value of an axis, what all votes with it say. */
function sidesOf(votes: readonly Vote[], sideOf: (vote: Vote) => string): Map<string, Side> {
  const sides = new Map<string, Side>();
  for (const vote of votes) {
    const value = sideOf(vote);
    const side = vote.agrees === true ? "for" : "against";
    const known = sides.get(value) ?? side;
    sides.set(value, known === side ? side : "both");
  }
  return sides;
}
