import { ARMS, type Arm, type Metric, type Run, SUITES, type Suite } from "../../schema.ts";
import {
  answer,
  differenceUnit,
  formatDate,
  formatEffect,
  formatPairs,
  formatQuantity,
  formNames,
  metricTitle,
  sentence,
  verdictChip,
  verdictClaim,
  warnings,
} from "../../words.ts";
import {
  armMedian,
  codeSizeTable,
  commands,
  environmentTable,
  equivalenceTable,
  metricTable,
  objectTable,
  phaseTable,
  requirementTable,
  retentionTable,
  scheduleText,
} from "../sections.ts";
import { html, type Markup, slug } from "./markup.ts";
import { methodSection } from "./method.ts";
import {
  heapReach,
  type IntervalRow,
  intervalPlot,
  linesPlot,
  miniInterval,
  slopePlot,
  stripPlot,
} from "./plots.ts";
import { armLegend, differenceLegend, disclosure, tableBox } from "./tables.ts";

const SUITE_TITLES: Readonly<Record<Suite, string>> = {
  boot: "Boot time",
  dispatch: "Dispatch latency",
  retention: "Heap retention",
};

interface Part {
  readonly title: string;
  /** Given the id of its heading. */
  readonly render: (id: string) => Markup;
}

/**
 * One run: the question, the answer, then everything that supports it.
 * @param prefix keeps the ids of several runs on one page apart
 */
export function runArticle(run: Run, prefix: string): Markup {
  const parts: Part[] = [
    { title: "Verdicts", render: (id) => verdicts(run, id) },
    { title: "Intervals", render: (id) => intervals(run, id) },
    { title: "Distributions", render: (id) => distributions(run, id) },
    { title: "Retention", render: (id) => retention(run, id) },
    { title: "Code size", render: (id) => codeSize(run, id) },
    { title: "Same guest, proven", render: (id) => equivalence(run, id) },
    { title: "How to read a verdict", render: (id) => methodSection(run, id) },
    { title: "Environment", render: (id) => environment(run, id) },
    { title: "To repeat", render: (id) => repeat(run, id) },
  ];
  const rendered = parts
    .map(({ title, render }) => ({ title, id: prefix + slug(title), body: render(prefix + slug(title)) }))
    .filter(({ body }) => body.text !== "");
  return html`<article aria-labelledby="${prefix}question">
${header(run, prefix)}
<nav aria-label="Contents"><ul>
${rendered.map(({ title, id }) => html`<li><a href="#${id}">${title}</a></li>`)}
</ul></nav>
${rendered.map(({ body }) => body)}
</article>`;
}

function header(run: Run, prefix: string): Markup {
  const { environment: e, options } = run;
  const facts: [string, string][] = [
    ["Measured", formatDate(e.date)],
    ["Processes per arm", String(options.repeats)],
    ["Commit", e.commit === null ? "none" : e.commit.slice(0, 12)],
    ["Processor", e.cpuModel],
    ["Runtime", `Node ${e.node}`],
  ];
  return html`<header>
<p class="eyebrow">regionlab benchmark report</p>
<h1 id="${prefix}question">${run.question}</h1>
${warnings(run).map(
  (text) => html`<aside class="warning${run.synthetic && text.startsWith("SYNTHETIC") ? " synthetic" : ""}"
><p>${text}</p></aside>`,
)}
${answer(run).map((sentence, i) => html`<p class="${i === 0 ? "lead" : "note"}">${sentence}</p>`)}
<dl class="facts">${facts.map(([label, text]) => html`<div><dt>${label}</dt><dd>${text}</dd></div>`)}</dl>
</header>`;
}

function verdicts(run: Run, id: string): Markup {
  const headlines = run.metrics.filter(({ role }) => role === "headline");
  if (headlines.length === 0) return html``;
  const names = formNames(run);
  const item = (metric: Metric) => {
    const { ab, aa, verdict } = metric.comparison;
    const unit = differenceUnit(metric);
    return html`<li>
<span class="chip v-${slug(verdict)}">${verdictChip(metric)}</span>
<div>
<p class="claim"><strong>${metricTitle(metric)}</strong>${verdictClaim(metric, names)}.</p>
<p class="figures"><span><b>${formatEffect(ab, unit)}</b></span>, <span>larger in ${formatPairs(ab)} pairs</span>; <span>A against itself ${formatEffect(aa, unit)}</span>;
<span>${names.A} ${formatQuantity(armMedian(metric, "A"), metric.unit)}</span>,
<span>${names.B} ${formatQuantity(armMedian(metric, "B"), metric.unit)}</span></p>
</div>
${miniInterval({ ab, aa, margin: metric.margin }, verdict)}
</li>`;
  };
  return html`<section aria-labelledby="${id}">
<h2 id="${id}">Verdicts</h2>
${differenceLegend(run)}
${SUITES.filter((suite) => headlines.some((metric) => metric.suite === suite)).map(
  (suite) => html`<h3>${SUITE_TITLES[suite]}</h3>
<ul class="verdicts">${headlines.filter((metric) => metric.suite === suite).map(item)}</ul>`,
)}
${disclosure(
  "Headline metrics as a table",
  tableBox(metricTable(run, headlines, "Medians over processes, differences by pairs, and verdicts")),
)}
${requirements(run)}
</section>`;
}

function requirements(run: Run): Markup {
  if (run.requirements.length === 0) return html``;
  return html`<h3>Limits</h3>${tableBox(requirementTable(run))}`;
}

function intervals(run: Run, id: string): Markup {
  const shown = run.metrics.filter(({ scale }) => scale === "percent");
  if (shown.length === 0) return html``;
  const rest = run.metrics.filter(({ role }) => role !== "headline");
  return html`<section aria-labelledby="${id}">
<h2 id="${id}">Intervals</h2>
<p>Every metric in percent, details and controls included. A control runs the same code in both forms.</p>
${differenceLegend(run)}
${SUITES.filter((suite) => shown.some((metric) => metric.suite === suite)).map((suite) => {
  const rows = shown.filter((metric) => metric.suite === suite).map(intervalRow);
  const label = `${SUITE_TITLES[suite]}: differences of ${rows.length} metrics with their intervals; the tables give the figures`;
  return html`<figure>
<figcaption><strong>${SUITE_TITLES[suite]}.</strong> Left of zero B is better, right of it worse.</figcaption>
<div class="wide">${intervalPlot(rows, 960, "%", label)}</div>
<div class="narrow">${intervalPlot(rows, 328, "%", label)}</div>
</figure>`;
})}
${
  rest.length === 0
    ? ""
    : disclosure(
        `Details and controls as a table (${rest.length})`,
        tableBox(metricTable(run, rest, "Medians over processes, differences by pairs, and verdicts")),
      )
}
</section>`;
}

function intervalRow(metric: Metric): IntervalRow {
  const { ab, aa } = metric.comparison;
  return { label: metricTitle(metric), ab, aa, margin: metric.margin };
}

function distributions(run: Run, id: string): Markup {
  if (run.metrics.length === 0) return html``;
  const names = armNames(run);
  const card = (metric: Metric) => html`<figure class="card">
<figcaption><strong>${metricTitle(metric)}.</strong> ${metric.description}</figcaption>
${stripPlot(metric, names)}
${disclosure("As a table", processTable(metric, names))}
</figure>`;
  const headlines = run.metrics.filter(({ role }) => role === "headline");
  const rest = run.metrics.filter(({ role }) => role !== "headline");
  return html`<section aria-labelledby="${id}">
<h2 id="${id}">Distributions</h2>
<p>One dot is one process. The line is the median; rings mark outliers, which count like all others.</p>
<div class="cards">${headlines.map(card)}</div>
${rest.length === 0 ? "" : disclosure(`Details and controls (${rest.length})`, html`<div class="cards">${rest.map(card)}</div>`)}
</section>`;
}

/** Every process of a metric: its estimate, and the quartiles of what it saw. */
function processTable(metric: Metric, names: Readonly<Record<Arm, string>>): Markup {
  return tableBox({
    caption: `${metricTitle(metric)}: processes, in ${metric.unit}`,
    head: ["Process", "Estimate", "Quartiles", "99 %", "Samples", "Outlier"],
    numeric: [false, true, true, true, true, false],
    rows: ARMS.flatMap((arm) =>
      metric.samples[arm].map((value, i) => {
        const distribution = metric.distributions[arm][i];
        const figure = (x: number | undefined) => (x === undefined ? "" : formatQuantity(x, ""));
        return {
          cells: [
            `${names[arm]} ${i + 1}`,
            figure(value),
            `${figure(distribution?.q1)} to ${figure(distribution?.q3)}`,
            figure(distribution?.p99),
            figure(distribution?.count),
            metric.outliers[arm][i] ?? "none",
          ],
        };
      }),
    ),
  });
}

function retention(run: Run, id: string): Markup {
  if (run.retention.length === 0) return html``;
  const followed = run.retention.filter(({ arms }) => arms.A.slope !== null);
  const reach = heapReach(followed);
  return html`<section aria-labelledby="${id}">
<h2 id="${id}">Retention</h2>
<p>What is left after many rounds of creating and destroying. Counts of objects are V8’s own, by class; blocks are those of the
emulator’s storage ledger, their size modelled as that of the C structures. The heap is followed with V8’s optimising compilers
off, whose code would count as growth. Thin lines are processes, thick ones the medians, all on one scale: a leak climbs, as that of the
control scenario must.</p>
${armLegend(run)}
<div class="cards">
${followed.map(
  (scenario) => html`<figure class="card">
<figcaption><strong>${scenario.scenario}.</strong> ${sentence(scenario.description)}</figcaption>
${slopePlot(scenario, reach)}
</figure>`,
)}
</div>
${tableBox(retentionTable(run))}
${disclosure("Objects by class", tableBox(objectTable(run)))}
</section>`;
}

function codeSize(run: Run, id: string): Markup {
  if (run.codeSize.length === 0) return html``;
  const rows = run.codeSize.map(({ device, embedded, owned }) => ({
    device,
    change: owned.lines - embedded.lines,
  }));
  return html`<section aria-labelledby="${id}">
<h2 id="${id}">Code size</h2>
<p>The same devices in both trees. Fields are those that hold a region or an array of regions; lines are all lines of the file.</p>
${tableBox(codeSizeTable(run))}
<figure>
<figcaption>Lines per device, owned less embedded.</figcaption>
<div class="wide">${linesPlot(rows, 860)}</div>
<div class="narrow">${linesPlot(rows, 328)}</div>
</figure>
</section>`;
}

function equivalence(run: Run, id: string): Markup {
  if (run.equivalence.length === 0) return html``;
  const phases = phaseTable(run);
  const full = run.equivalence
    .flatMap(({ workload, records }) =>
      (["A", "B"] as const).map(
        (arm) =>
          `${workload}, ${arm}: MMIO trace ${records[arm].mmioTraceSha256}, console ${records[arm].consoleSha256}`,
      ),
    )
    .join("\n");
  return html`<section aria-labelledby="${id}">
<h2 id="${id}">Same guest, proven</h2>
<p>Times may be compared only if the work was the same. Per workload: instructions retired, device accesses made, a hash over
every one of them in order with its value, and a hash over the console. One mismatch fails the run.</p>
${tableBox(equivalenceTable(run))}
${phases.rows.length > 0 ? tableBox(phases) : ""}
${disclosure("Hashes in full", html`<pre tabindex="0">${full}</pre>`)}
</section>`;
}

function environment(run: Run, id: string): Markup {
  return html`<section aria-labelledby="${id}">
<h2 id="${id}">Environment</h2>
${tableBox(environmentTable(run))}
${disclosure("Order of the processes", html`<pre tabindex="0">${scheduleText(run)}</pre>`)}
</section>`;
}

function repeat(run: Run, id: string): Markup {
  return html`<section aria-labelledby="${id}">
<h2 id="${id}">To repeat</h2>
<p>The seed fixes the order of the processes; times will differ, verdicts should not.</p>
<pre tabindex="0">${commands(run).join("\n")}</pre>
</section>`;
}

function armNames(run: Run): Record<Arm, string> {
  const names = formNames(run);
  return { A: names.A, B: names.B, A2: `${run.options.forms.A} again` };
}
