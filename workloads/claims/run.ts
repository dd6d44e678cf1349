/** Runs claims, and draws their verdicts by rule. */
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
const USES: Readonly<Record<string, Outcome>> = {
  UseAfterFree: "use after free",
  UseAfterFinalize: "use after finalize",
};

/** Lives a scenario in a new machine. After an abort nothing counts any more: QEMU's process would have ended. */
export function observe(scenario: Scenario, combination: Combination): Observation {
  const stage = new Stage(combination);
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
    const outcome = USES[name];
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
  const text = decidedElsewhere ?? "";
  if (against.length === 0) return { kind: "holds", text };
  if (against.length === votes.length) return { kind: "does not hold", text };
  return { kind: "depends", text: dependsOn(votes) };
}

interface Vote {
  readonly name: string;
  readonly agrees: boolean | null;
  readonly cell: Cell | null;
}

/** The axis that separates agreement from disagreement, with its values; the scenario if no axis does. */
function dependsOn(votes: readonly Vote[]): string {
  const axes: readonly (readonly [string, (vote: Vote) => string | undefined])[] = [
    ["the storage", ({ cell }) => cell?.storage],
    ["the reference policy", ({ cell }) => cell?.policy],
    ["the scenario", ({ name }) => name],
    [
      "storage and reference policy",
      ({ cell }) => (cell === null ? undefined : `${cell.storage} with ${cell.policy}`),
    ],
    [
      "scenario and reference policy",
      ({ name, cell }) => (cell === null ? name : `${name} with ${cell.policy}`),
    ],
    [
      "scenario and storage",
      ({ name, cell }) => (cell === null ? name : `${name} with ${cell.storage} regions`),
    ],
  ];
  for (const [axis, sideOf] of axes) {
    const sides = new Map<string, Set<boolean>>();
    if (votes.some((vote) => sideOf(vote) === undefined)) continue;
    for (const vote of votes) {
      const value = sideOf(vote) ?? "";
      sides.set(value, (sides.get(value) ?? new Set()).add(vote.agrees === true));
    }
    if ([...sides.values()].some(({ size }) => size > 1)) continue;
    const on = (side: boolean) => [...sides].filter(([, has]) => has.has(side)).map(([value]) => value);
    return `${axis}: holds for ${on(true).join(", ")}; not for ${on(false).join(", ")}`;
  }
  const against = votes
    .filter(({ agrees }) => agrees === false)
    .map(({ name, cell }) => (cell === null ? name : `${name} (${cell.storage}, ${cell.policy})`));
  return `storage, reference policy and scenario together: not for ${against.join("; ")}`;
}
