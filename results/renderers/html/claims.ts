/** A page of claims: each with its verdict and a matrix of outcomes, readable on paper. */
import {
  type ClaimCell,
  type ClaimOutcome,
  type ClaimRow,
  type ClaimScenario,
  figureText,
  isAsPredicted,
  isCellAsPredicted,
  isFactAsPredicted,
  outcomesIn,
  REFERENCE_POLICIES,
  STORAGES,
} from "../../claims.ts";
import { claimCounts } from "../claim-tables.ts";
import { html, type Markup, slug } from "./markup.ts";
import { renderArticle, renderPage } from "./page.ts";

/** What a cell says, short enough for a phone, and what it means. */
const OUTCOME_WORDS: Readonly<Record<ClaimOutcome | "clean", readonly [short: string, meaning: string]>> = {
  clean: ["clean", "everything ends, and nothing is used after its end"],
  "harmless read": [
    "reads late",
    "the owner of a finalized container or alias is read, from storage that still stands: defined in C",
  ],
  leak: ["leak", "storage is never freed"],
  "use after finalize": ["after end", "something is used after it was finalized; its storage still stands"],
  "use after free": ["after free", "freed storage is used"],
  abort: ["abort", "an assertion fails: QEMU ends"],
};

const POLICY_WORDS: Readonly<Record<(typeof REFERENCE_POLICIES)[number], string>> = {
  owner:
    "counted on the owner; a container takes no reference on a region of its own owner (QEMU since 10.2)",
  "owner-7.2": "counted on the owner, without that exemption (QEMU 7.2 to 10.1)",
  self: "counted on the region itself",
  "owner+unparent":
    "counted on the owner, without the exemption; a device unparents its regions when it is unrealized",
  "self+unparent":
    "counted on the region, which holds its owner; a device unparents its regions when it is unrealized. Only where it matters",
};

const STORAGE_WORDS: Readonly<Record<(typeof STORAGES)[number], string>> = {
  embedded: "in the state of the device",
  owned: "allocated by the object model, as a child of the device",
  heap: "allocated by hand and initialised in place, with a pointer in the state: today's leak",
};

/** The page of `regionlab claims --format html`. */
export function renderClaimsPage(rows: readonly ClaimRow[]): string {
  const title = "Who should own a memory region? Claims put to the test";
  const failed = rows.filter((row) => !isAsPredicted(row));
  return renderPage({
    title,
    main: renderArticle({
      prefix: "",
      eyebrow: "regionlab claims",
      title,
      lead: html`<p class="lead">${claimCounts(rows)}</p>
${failed.length === 0 ? "" : html`<aside class="warning loud"><p>Not as predicted: ${failed.map(({ id }) => id).join(", ")}. Until that is explained, do not rely on these rows.</p></aside>`}
<p>QEMU’s developers argue whether a device should hold its memory regions in its own state (<code>memory_region_init</code>), or
have the object model allocate, own and free them (<code>memory_region_new</code>). Each side makes claims. Every scenario below was run
with each combination of storage and references, in a model of QEMU’s object model and memory core; its outcome was predicted from the
rules before it was run.</p>`,
      sections: [
        { title: "Verdicts", body: overview(rows) },
        { title: "How to read the tables", body: legend() },
        { title: "At a glance", body: glance(rows) },
        ...rows.map((row) => ({ title: `${row.id}: ${row.by.join(", ")}`, body: claimBody(row) })),
      ],
    }),
  });
}

function legend(): Markup {
  const entries = Object.entries(OUTCOME_WORDS) as [ClaimOutcome | "clean", readonly [string, string]][];
  return html`<dl class="words">${entries.map(([outcome, [, meaning]]) => html`<dt>${chip(outcome)}</dt><dd>${meaning}</dd>`)}</dl>
<h3>Storage of regions</h3>
<dl class="words">${STORAGES.map((storage) => html`<dt>${storage}</dt><dd>${STORAGE_WORDS[storage]}</dd>`)}</dl>
<h3>References to regions</h3>
<dl class="words">${REFERENCE_POLICIES.map((policy) => html`<dt>${policy}</dt><dd>${POLICY_WORDS[policy]}</dd>`)}</dl>
<p class="note">A cell with a dot agrees with the claim; one with a cross contradicts it; the claim says nothing about others. Numbers in
brackets are sections of QEMU’s rules as regionlab’s design paper <i>region-lifecycle</i> numbers them.</p>`;
}

function overview(rows: readonly ClaimRow[]): Markup {
  return html`<div class="scroll" role="group" tabindex="0" aria-label="Verdicts"><table class="verdicts">
<caption>Each claim in one sentence, and what became of it</caption>
<thead><tr><th scope="col">Claim</th><th scope="col">In our words</th><th scope="col">Verdict</th></tr></thead>
<tbody>${rows.map(
    (row) => html`<tr><th scope="row"><a href="#${anchorOf(row)}">${row.id}</a></th><td>${row.claim}</td>
<td><span class="chip ${verdictClass(row)}">${row.verdict.kind}</span>${row.verdict.text === "" ? "" : html` <span class="why">${verdictText(row)}</span>`}</td></tr>`,
  )}</tbody></table></div>`;
}

/** One row for each scenario, one column for each combination, one sign for its outcomes. */
function glance(rows: readonly ClaimRow[]): Markup {
  const policies = REFERENCE_POLICIES.filter((policy) => policy !== "self+unparent");
  const scenarios = rows.flatMap((row) => row.scenarios.map((scenario) => ({ row, scenario })));
  if (scenarios.length === 0) return html`<p>No scenario was run.</p>`;
  const signs = Object.entries(SIGNS) as [ClaimOutcome | "clean", string][];
  return html`<p class="note">${signs.map(([outcome, sign]) => html`${sign} ${OUTCOME_WORDS[outcome][0]}${outcome === "harmless read" ? "." : "; "}`)}
Within a storage, the columns are ${policies.join(", ")}.</p>
<div class="scroll" role="group" tabindex="0" aria-label="Outcomes at a glance"><table class="glance">
<thead><tr><td></td>${STORAGES.map((storage) => html`<th scope="colgroup" colspan="${policies.length}">${storage}</th>`)}</tr></thead>
<tbody>${scenarios.map(
    ({
      row,
      scenario,
    }) => html`<tr><th scope="row"><a href="#${anchorOf(row)}">${row.id}</a> ${scenario.name}</th>
${STORAGES.map((storage) => policies.map((policy) => signOf(scenario.cells.find((cell) => cell.storage === storage && cell.policy === policy))))}</tr>`,
  )}</tbody></table></div>`;
}

const SIGNS: Readonly<Record<ClaimOutcome | "clean", string>> = {
  clean: "·",
  leak: "L",
  "use after finalize": "E",
  "use after free": "F",
  abort: "A",
  "harmless read": "r",
};

function signOf(cell: ClaimCell | undefined): Markup {
  if (cell === undefined) return html`<td></td>`;
  const outcomes = outcomesIn(cell.observed);
  const worst = outcomes[0] ?? "clean";
  const sign = outcomes.length === 0 ? SIGNS.clean : outcomes.map((outcome) => SIGNS[outcome]).join("");
  return html`<td class="o-${slug(worst)}" title="${cell.storage}, ${cell.policy}: ${cell.observed}">${sign}</td>`;
}

/** What there is to say besides the kind of the verdict. */
function verdictText({ verdict: { kind, text } }: ClaimRow): string {
  return kind === "depends" ? `on ${text}` : text;
}

function anchorOf({ id, by }: ClaimRow): string {
  return slug(`${id}: ${by.join(", ")}`);
}

function verdictClass({ verdict: { kind } }: ClaimRow): string {
  if (kind === "holds") return "v-equivalent";
  if (kind === "does not hold") return "v-slower";
  return kind === "depends" ? "v-inconclusive" : "v-not-judged";
}

function claimBody(row: ClaimRow): Markup {
  const { claim, context, scenarios, facts, inC, notes, command } = row;
  return html`<p class="claim">${claim}</p>
<p><span class="chip ${verdictClass(row)}">${row.verdict.kind}</span> ${verdictText(row)}</p>
<p class="note">${context}</p>
${scenarios.map((scenario) => scenarioFigure(row, scenario))}
${
  facts.length === 0
    ? ""
    : html`<div class="scroll" role="group" tabindex="0" aria-label="${row.id}: what was counted"><table>
<caption>What was counted</caption><thead><tr><th scope="col">What</th><th scope="col">Predicted</th><th scope="col">Observed</th></tr></thead>
<tbody>${facts.map(
        (
          fact,
        ) => html`<tr${isFactAsPredicted(fact) ? "" : html` class="failed"`}><th scope="row">${fact.name}</th><td>${fact.predicted}</td><td>${fact.observed}</td></tr>
<tr class="notes"><td colspan="3">${fact.rule}</td></tr>`,
      )}</tbody></table></div>`
}
${
  inC.length === 0
    ? ""
    : html`<dl class="words in-c">${inC.map(({ name, value }) => html`<dt>In C: ${name}</dt><dd>${value}</dd>`)}</dl>`
}
${notes.map((note) => html`<p>${note}</p>`)}
<p class="note">To repeat: <code>npx ${command}</code></p>`;
}

/** Figures that are the same in every cell are said once. */
function scenarioFigure({ id }: ClaimRow, { name, description, rule, cells }: ClaimScenario): Markup {
  const [first, ...others] = new Set(cells.map(({ figures }) => figureText(figures)));
  const shared = others.length === 0 ? (first ?? "") : "";
  const policies = REFERENCE_POLICIES.filter((policy) => cells.some((cell) => cell.policy === policy));
  const storages = STORAGES.filter((storage) => cells.some((cell) => cell.storage === storage));
  const caption = `${id}, ${name}`;
  return html`<figure class="scenario">
<figcaption><strong>${name}.</strong> ${description}${shared === "" ? "" : ` Everywhere, ${shared}.`}</figcaption>
<div class="scroll" role="group" tabindex="0" aria-label="${caption}"><table class="matrix">
<thead><tr><td></td>${policies.map((policy) => html`<th scope="col">${breakable(policy)}</th>`)}</tr></thead>
<tbody>${storages.map(
    (storage) => html`<tr><th scope="row">${storage}</th>
${policies.map((policy) =>
  cellMarkup(
    cells.find((cell) => cell.storage === storage && cell.policy === policy),
    shared === "",
  ),
)}</tr>`,
  )}</tbody></table></div>
<p class="note">Why: ${rule}</p>
</figure>`;
}

/** A policy's name, which may go on in the next line after its plus sign. */
function breakable(policy: string): Markup {
  const [first = "", ...others] = policy.split("+");
  return html`${first}${others.map((part) => html`+<wbr>${part}`)}`;
}

function cellMarkup(cell: ClaimCell | undefined, withFigures: boolean): Markup {
  if (cell === undefined) return html`<td></td>`;
  const { predicted, observed, figures, predictedFigures, agrees } = cell;
  const outcomes = outcomesIn(observed);
  const chips = outcomes.length === 0 ? [chip("clean")] : outcomes.map(chip);
  const mark =
    agrees === null
      ? html``
      : agrees
        ? html` <span class="mark" role="img" aria-label="agrees with the claim">●</span>`
        : html` <span class="mark" role="img" aria-label="contradicts the claim">✕</span>`;
  const failed = isCellAsPredicted(cell)
    ? html``
    : html`<br><strong class="failed">predicted: ${predicted} ${figureText(predictedFigures)}</strong>`;
  const shown =
    withFigures && Object.keys(figures).length > 0 ? html`<br><small>${figureText(figures)}</small>` : "";
  return html`<td>${chips}${mark}${shown}${failed}</td>`;
}

function chip(outcome: ClaimOutcome | "clean"): Markup {
  return html`<span class="outcome o-${slug(outcome)}">${OUTCOME_WORDS[outcome][0]}</span>`;
}
