import type { Warning } from "../../environment-words.ts";
import { ASYMPTOTIC, formatSize, type GrowthRecord, lawText } from "../../growth.ts";
import { rowsOf } from "../../rows.ts";
import type { Metric, Run } from "../../schema.ts";
import { armNames, formatDate, formatPairs, questionTitle, sentence } from "../../words.ts";
import type { Block, PictureKind, Report, Section } from "../outline.ts";
import { growthDecades, growthPlot } from "./growth-plot.ts";
import { html, type Markup } from "./markup.ts";
import { examples, wordList } from "./method.ts";
import { stripPlot } from "./mini.ts";
import { factList, renderArticle } from "./page.ts";
import { heapReach, linesPlot, slopePlot } from "./plots.ts";
import { armLegend, differenceLegend, disclosure, tableBox } from "./tables.ts";

/**
 * One run: the question, the answer, then everything that supports it.
 * @param prefix distinguishes the ids of several runs on one page
 */
export function runArticle({ run, growth, warnings, answer, sections }: Report, prefix: string): Markup {
  return renderArticle({
    prefix,
    eyebrow: "regionlab benchmark report",
    title: run.question,
    lead: html`${warnings.filter(({ grave }) => grave).map(warningBox)}
<p class="lead">${answer.lead}</p>
<dl class="answer">
${answer.parts.map(
  ({ topic, finding, sentences }) =>
    html`<div><dt>${topic} <span class="finding f-${finding.replace(" ", "-")}">${finding}</span></dt><dd>${sentences.map((text) => html`<p>${text}</p>`)}</dd></div>`,
)}
</dl>
${factList(facts(run))}
${warnings.filter(({ grave }) => !grave).map(warningBox)}`,
    sections: sections.map((section) => ({ title: section.title, body: sectionBody(section, run, growth) })),
  });
}

function warningBox({ text, grave }: Warning): Markup {
  return html`<aside class="warning${grave ? " loud" : ""}"><p>${text}</p></aside>`;
}

function facts(run: Run): (readonly [string, string])[] {
  const [first, ...others] = run.machines;
  if (first === undefined) return [];
  const where: (readonly [string, string])[] =
    others.length === 0
      ? [
          ["Processor", first.cpuModel],
          ["Runtime", `Node ${first.node}`],
        ]
      : [["Machines", run.machines.map(({ id }) => id).join(", ")]];
  return [
    ["Measured", formatDate(first.date)],
    ["Processes", String(run.schedule.processes.length)],
    ["Commit", first.commit?.slice(0, 12) ?? "none"],
    ...where,
  ];
}

function sectionBody(
  { paragraphs, blocks, picture }: Section,
  run: Run,
  growth: GrowthRecord | null,
): Markup {
  return html`${paragraphs.map((text) => html`<p>${text}</p>`)}
${picture === undefined ? "" : above(picture, run, growth)}
${blocks.map(blockMarkup)}
${picture === undefined ? "" : below(picture, run)}`;
}

function blockMarkup(block: Block): Markup {
  if (block.kind === "table") {
    const box = tableBox(block.table);
    return block.folded ? disclosure(`${block.table.caption} (${block.table.rows.length} rows)`, box) : box;
  }
  const text = html`<pre tabindex="0" role="group" aria-label="${block.title}">${block.text}</pre>`;
  return block.folded ? disclosure(block.title, text) : text;
}

function above(picture: PictureKind, run: Run, growth: GrowthRecord | null): Markup {
  switch (picture) {
    case "verdicts":
      return differenceLegend(run);
    case "heap":
      return heapCards(run);
    case "growth":
      return growth === null ? html`` : growthCards(growth);
    case "method":
      return html`${examples()}${wordList()}`;
    default:
      return html``;
  }
}

function below(picture: PictureKind, run: Run): Markup {
  if (picture === "distributions") return distributions(run);
  return picture === "lines" ? linesFigure(run) : html``;
}

/** Every process of the figures that decide a headline question. */
function distributions(run: Run): Markup {
  const metrics = rowsOf(run).flatMap(({ role, deciding }) =>
    role === "headline" && deciding ? [deciding] : [],
  );
  if (metrics.length === 0) return html``;
  const names = armNames(run);
  const card = (metric: Metric) => html`<figure class="card">
<figcaption><strong>${questionTitle(metric)}.</strong> ${sentence(metric.description)} B larger in ${formatPairs(metric.comparison.ab)} pairs.</figcaption>
${stripPlot(metric, names)}
</figure>`;
  return disclosure(
    `Distributions of the headline questions (${metrics.length})`,
    html`<p>Each dot is one process; the rows are A, B and A again. The line is the median. Rings mark outliers, which are
included.</p>
${armLegend(run)}
<div class="cards">${metrics.map(card)}</div>`,
  );
}

function heapCards(run: Run): Markup {
  const followed = run.retention.filter(({ arms }) => arms.A.slope !== null);
  if (followed.length === 0) return html``;
  const reach = heapReach(followed);
  return html`<p class="note">Heap growth is measured with V8’s optimising compilers off, because their code would count as growth. A
line is the median over processes, and a band covers all of them. All plots have the same scale: a leak climbs, as that of a control
scenario must.</p>
${armLegend(run)}
<div class="cards">
${followed.map(
  (scenario) => html`<figure class="card">
<figcaption><strong>${scenario.scenario}.</strong> ${sentence(scenario.description)}</figcaption>
${slopePlot(scenario, reach)}
</figure>`,
)}
</div>`;
}

function growthCards({ works, growths }: GrowthRecord): Markup {
  const decades = growthDecades(growths);
  return html`<p class="note">Each plot: the cost of one change against n, both logarithmic and to the same scale in all plots, so that equally steep lines
grow alike. A point is one measurement, a line joins medians. The dashed line is QEMU’s growth, as its source has it, drawn through the measured
cost at n = ${formatSize(ASYMPTOTIC)}: it says how QEMU’s cost grows, and nothing of how much it is.</p>
<ul class="legend"><li class="s-a">embedded</li><li class="s-b">owned</li><li class="s-c dashed">QEMU 10.2.2, by its formula</li></ul>
<div class="cards">
${works.map(
  (work) => html`<figure class="card">
<figcaption><strong>${work.name}:</strong> ${work.change}. Aim: ${work.aim}; QEMU: ${lawText(work.qemu)}.</figcaption>
${growthPlot(
  work,
  growths.filter((growth) => growth.work === work.name),
  decades,
)}
</figure>`,
)}
</div>`;
}

function linesFigure(run: Run): Markup {
  const rows = run.codeSize
    .map(({ device, embedded, owned }) => ({ device, change: owned.lines - embedded.lines }))
    .filter(({ change }) => change !== 0);
  if (rows.length === 0) return html``;
  return disclosure(
    "Lines per device, as a chart",
    html`<figure>
<figcaption>Lines per device, owned minus embedded; devices without a difference are left out.</figcaption>
<div class="wide">${linesPlot(rows, 860)}</div>
<div class="narrow">${linesPlot(rows, 320)}</div>
</figure>`,
  );
}
