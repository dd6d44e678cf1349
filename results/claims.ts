/** The claims of the debate as a run stores them: what was predicted, what was observed, and the verdict of each. */
import type { JsonReader } from "./reader.ts";

export const STORAGES = ["embedded", "owned", "heap"] as const;
export const REFERENCE_POLICIES = ["owner", "owner-7.2", "self", "owner+unparent", "self+unparent"] as const;
/** `depends`: the text says on what. */
export const CLAIM_VERDICTS = ["holds", "does not hold", "depends", "not decidable here"] as const;
export type ClaimVerdict = (typeof CLAIM_VERDICTS)[number];

/** What can be observed, worst first; `clean` if there is nothing. */
export const CLAIM_OUTCOMES = [
  "abort",
  "use after free",
  "use after finalize",
  "leak",
  "harmless read",
] as const;
export type ClaimOutcome = (typeof CLAIM_OUTCOMES)[number];

export interface ClaimRow {
  /** Number in the debate, `C1` to `C27`. */
  readonly id: string;
  readonly claim: string;
  readonly by: readonly string[];
  /** What the debate said, in other words. */
  readonly context: string;
  readonly verdict: { readonly kind: ClaimVerdict; readonly text: string };
  readonly scenarios: readonly ClaimScenario[];
  readonly facts: readonly ClaimFact[];
  /** Figures of QEMU's own tree that bear on the claim. */
  readonly inC: readonly { readonly name: string; readonly value: string }[];
  readonly notes: readonly string[];
  /** The command that repeats the row. */
  readonly command: string;
}

export interface ClaimScenario {
  readonly name: string;
  readonly description: string;
  /** Why it was predicted to end as it does. */
  readonly rule: string;
  readonly cells: readonly ClaimCell[];
}

/** A scenario in one combination. */
export interface ClaimCell {
  readonly storage: (typeof STORAGES)[number];
  readonly policy: (typeof REFERENCE_POLICIES)[number];
  /** Outcomes joined by ` + `, worst first; `clean` if there is none. */
  readonly predicted: string;
  readonly observed: string;
  readonly predictedFigures: ClaimFigures;
  readonly figures: ClaimFigures;
  /** Whether the claim agrees with what was observed; null if it says nothing about it. */
  readonly agrees: boolean | null;
}

export type ClaimFigures = Readonly<Record<string, string | number>>;

export interface ClaimFact {
  readonly name: string;
  readonly rule: string;
  readonly predicted: string | number;
  readonly observed: string | number;
  readonly agrees: boolean | null;
}

/** Whether everything in a row was observed as predicted. */
export function isAsPredicted({ scenarios, facts }: Pick<ClaimRow, "scenarios" | "facts">): boolean {
  return scenarios.every(({ cells }) => cells.every(isCellAsPredicted)) && facts.every(isFactAsPredicted);
}

export function isCellAsPredicted({ predicted, observed, predictedFigures, figures }: ClaimCell): boolean {
  return predicted === observed && figureText(predictedFigures) === figureText(figures);
}

export function isFactAsPredicted({ predicted, observed }: ClaimFact): boolean {
  return predicted === observed;
}

/** One line for everything that was observed otherwise than predicted. */
export function failures({ id, scenarios, facts }: ClaimRow): string[] {
  return [
    ...scenarios.flatMap(({ name, cells }) =>
      cells
        .filter((cell) => !isCellAsPredicted(cell))
        .map(
          (cell) =>
            `${id}, ${name}, ${cell.storage} with ${cell.policy}: predicted ${withFigures(cell.predicted, cell.predictedFigures)}, ` +
            `observed ${withFigures(cell.observed, cell.figures)}`,
        ),
    ),
    ...facts
      .filter((fact) => !isFactAsPredicted(fact))
      .map(({ name, predicted, observed }) => `${id}, ${name}: predicted ${predicted}, observed ${observed}`),
  ];
}

/** An outcome and what was counted with it. */
export function withFigures(outcome: string, figures: ClaimFigures): string {
  return [outcome, figureText(figures)].filter((text) => text !== "").join("; ");
}

/** The figures of a cell as a text; empty if there are none. */
export function figureText(figures: ClaimFigures): string {
  return Object.entries(figures)
    .map(([name, value]) => `${name}: ${value}`)
    .join("; ");
}

/** The outcomes in a cell's text, worst first; empty if it is clean. */
export function outcomesIn(text: string): ClaimOutcome[] {
  return CLAIM_OUTCOMES.filter((outcome) => text.split(" + ").includes(outcome));
}

/** Runs that were stored before there were claims have none. */
export function readClaims(r: JsonReader): ClaimRow[] {
  return r.value === undefined ? [] : r.array(readClaim);
}

function readClaim(r: JsonReader): ClaimRow {
  const verdict = r.at("verdict");
  const row: ClaimRow = {
    id: readId(r.at("id")),
    claim: r.at("claim").string(),
    by: r.at("by").array((name) => name.string()),
    context: r.at("context").string(),
    verdict: { kind: verdict.at("kind").oneOf(CLAIM_VERDICTS), text: verdict.at("text").string() },
    scenarios: r.at("scenarios").array(readScenario),
    facts: r.at("facts").array(readFact),
    inC: r
      .at("inC")
      .array((figure) => ({ name: figure.at("name").string(), value: figure.at("value").string() })),
    notes: r.at("notes").array((note) => note.string()),
    command: r.at("command").string(),
  };
  const expected = kindOf(row);
  if (row.verdict.kind !== expected)
    verdict.at("kind").fail(`"${expected}", which follows from what was observed`);
  return row;
}

/** What the cells and facts of a row make of its claim. */
export function kindOf({ scenarios, facts }: Pick<ClaimRow, "scenarios" | "facts">): ClaimVerdict {
  const votes = [...scenarios.flatMap(({ cells }) => cells), ...facts].map(({ agrees }) => agrees);
  const [agree, disagree] = [votes.includes(true), votes.includes(false)];
  if (agree && disagree) return "depends";
  if (agree) return "holds";
  return disagree ? "does not hold" : "not decidable here";
}

function readId(r: JsonReader): string {
  const id = r.string();
  return /^C([1-9]|1\d|2[0-7])$/.test(id) ? id : r.fail("C1 to C27");
}

function readScenario(r: JsonReader): ClaimScenario {
  return {
    name: r.at("name").string(),
    description: r.at("description").string(),
    rule: r.at("rule").string(),
    cells: r.at("cells").array(readCell),
  };
}

function readCell(r: JsonReader): ClaimCell {
  return {
    storage: r.at("storage").oneOf(STORAGES),
    policy: r.at("policy").oneOf(REFERENCE_POLICIES),
    predicted: readOutcome(r.at("predicted")),
    observed: readOutcome(r.at("observed")),
    predictedFigures: readFigures(r.at("predictedFigures")),
    figures: readFigures(r.at("figures")),
    agrees: r.at("agrees").nullable((agrees) => agrees.boolean()),
  };
}

function readOutcome(r: JsonReader): string {
  const text = r.string();
  const outcomes = outcomesIn(text);
  const canonical = outcomes.length === 0 ? "clean" : outcomes.join(" + ");
  return text === canonical ? text : r.fail(`"clean", or outcomes joined by " + "`);
}

function readFigures(r: JsonReader): ClaimFigures {
  return Object.fromEntries(r.keys().map((name) => [name, readValue(r.at(name))]));
}

function readFact(r: JsonReader): ClaimFact {
  return {
    name: r.at("name").string(),
    rule: r.at("rule").string(),
    predicted: readValue(r.at("predicted")),
    observed: readValue(r.at("observed")),
    agrees: r.at("agrees").nullable((agrees) => agrees.boolean()),
  };
}

function readValue(r: JsonReader): string | number {
  return typeof r.value === "number" ? r.number() : r.string();
}
