/** The claims as tables, worded once for all renderers. */
import {
  CLAIM_VERDICTS,
  type ClaimCell,
  type ClaimRow,
  type ClaimScenario,
  type ClaimVerdict,
  isAsPredicted,
  isCellAsPredicted,
  isFactAsPredicted,
  REFERENCE_POLICIES,
  STORAGES,
  withFigures,
} from "../claims.ts";
import { plainTable, type Table } from "./table-model.ts";

/** How many claims have which verdict, as a sentence. */
export function claimCounts(rows: readonly ClaimRow[]): string {
  const count = (kind: ClaimVerdict) => rows.filter(({ verdict }) => verdict.kind === kind).length;
  const words: Readonly<Record<ClaimVerdict, readonly [one: string, several: string]>> = {
    holds: ["holds as it stands", "hold as they stand"],
    "does not hold": ["does not hold", "do not hold"],
    depends: ["depends on something the debate leaves open", "depend on something the debate leaves open"],
    "not decidable here": ["cannot be decided here", "cannot be decided here"],
  };
  const parts = CLAIM_VERDICTS.filter((kind) => count(kind) > 0).map(
    (kind) => `${count(kind)} ${words[kind][count(kind) === 1 ? 0 : 1]}`,
  );
  return `Of ${rows.length} claims, ${parts.join(", ")}.`;
}

/** How a verdict is told: with what it depends on. */
export function verdictWords({ verdict: { kind, text } }: ClaimRow): string {
  if (kind === "depends") return `depends on ${text}`;
  return text === "" ? kind : `${kind}. ${text}`;
}

/** Whether what was observed had been predicted. */
function predictionWords(row: ClaimRow): string {
  if (row.scenarios.length === 0 && row.facts.length === 0) return "not tested";
  return isAsPredicted(row) ? "yes" : "NO: PREDICTION FAILED";
}

/** A line for each claim. */
export function claimTable(rows: readonly ClaimRow[]): Table {
  return plainTable(
    "Claims and their verdicts",
    ["Number", "Claim", "By", "Verdict", "As predicted"],
    [],
    rows.map((row) => [row.id, row.claim, row.by.join(", "), verdictWords(row), predictionWords(row)]),
    rows.flatMap((row, i) => (isAsPredicted(row) ? [] : [i])),
  );
}

/** Observed outcomes: a line for each scenario and storage, a column for each reference policy. */
export function claimMatrix(rows: readonly ClaimRow[]): Table {
  const lines = rows.flatMap((row) => row.scenarios.flatMap((scenario) => matrixLines(row, scenario)));
  return {
    caption: "Outcomes of every scenario, by storage and reference policy",
    head: ["Scenario", "Storage", ...REFERENCE_POLICIES.map((policy) => policy.replace("+", " +"))],
    numeric: [false, false, ...REFERENCE_POLICIES.map(() => false)],
    rows: lines,
  };
}

function matrixLines({ id }: ClaimRow, scenario: ClaimScenario): Table["rows"] {
  const storages = STORAGES.filter((storage) => scenario.cells.some((cell) => cell.storage === storage));
  return storages.map((storage, i) => {
    const cells = REFERENCE_POLICIES.map((policy) =>
      scenario.cells.find((cell) => cell.storage === storage && cell.policy === policy),
    );
    return {
      cells: [i === 0 ? `${id} ${scenario.name}` : "", storage, ...cells.map(cellText)],
      ...(i === 0 ? {} : { continues: true }),
      ...(i === storages.length - 1 ? { notes: [`${scenario.description} ${scenario.rule}`] } : {}),
      alarm: cells.some((cell) => cell !== undefined && !isCellAsPredicted(cell)),
    };
  });
}

/** What was observed, and what was predicted if it is something else. */
export function cellText(cell: ClaimCell | undefined): string {
  if (cell === undefined) return "";
  const observed = withFigures(cell.observed, cell.figures);
  if (isCellAsPredicted(cell)) return observed;
  return `${observed} (PREDICTED: ${withFigures(cell.predicted, cell.predictedFigures)})`;
}

/** What was looked up or counted, here and in QEMU's own tree. */
export function factTable(rows: readonly ClaimRow[]): Table {
  const facts = rows.flatMap(({ id, facts: found }) => found.map((fact) => ({ id, fact })));
  return {
    caption: "What was counted rather than lived",
    head: ["Claim", "What", "Predicted", "Observed"],
    numeric: [false, false, false, false],
    rows: facts.map(({ id, fact }) => ({
      cells: [id, fact.name, String(fact.predicted), String(fact.observed)],
      notes: [fact.rule],
      alarm: !isFactAsPredicted(fact),
    })),
  };
}

export function inCTable(rows: readonly ClaimRow[]): Table {
  return plainTable(
    "Figures of QEMU’s own tree, in C",
    ["Claim", "What", "Figure"],
    [],
    rows.flatMap(({ id, inC }) => inC.map(({ name, value }) => [id, name, value])),
  );
}

/** Notes and commands, by claim. */
export function claimNotes(rows: readonly ClaimRow[]): string {
  return rows.flatMap(({ id, notes }) => notes.map((note) => `${id}: ${note}`)).join("\n");
}
