/** The results of the processor benchmark as a page, built from the parts shared by all regionlab pages. */
import { cleaned } from "#host";
import { environmentRows, type HtmlKit, loadHtmlKit, plainTable } from "#results";
import type { CpuRun } from "./report.ts";
import { CPU_METHOD, contestantLines, goalTable, profileTable, times, workTable } from "./tables.ts";

const QUESTION = "How fast is the emulated processor compared with QEMU?";
const AXIS = "QEMU's time over ours; more than 1 is faster than QEMU";

/** @returns a page that needs no network and runs no script */
export async function renderCpuPage(stored: CpuRun): Promise<string> {
  const kit = await loadHtmlKit();
  const { html, renderPage, renderArticle, factList, tableBox } = kit;
  const run = cleaned(stored); // versions and names come from other programs
  const { environment } = run;
  const sections = [
    { title: "Goals", body: tableBox(goalTable(run)) },
    { title: "Works", body: html`${speeds(run, kit)}${tableBox(workTable(run))}` },
    { title: "Where the time goes", body: tableBox(profileTable(run)) },
    {
      title: "How it is measured",
      body: html`<ul>${[...CPU_METHOD, ...contestantLines(run)].map((text) => html`<li>${text}</li>`)}</ul>`,
    },
    {
      title: "Environment",
      body: tableBox(
        plainTable("Where and when it was measured", ["Item", "Value"], [], environmentRows(environment)),
      ),
    },
    {
      title: "To repeat this run",
      body: html`<pre tabindex="0" role="group" aria-label="Command">${run.command}</pre>`,
    },
  ];
  return renderPage({
    title: QUESTION,
    main: renderArticle({
      prefix: "",
      eyebrow: "regionlab processor benchmark",
      title: QUESTION,
      lead: html`<p class="lead">${answerOf(run)}</p>
${factList([
  ["Measured", environment.date.slice(0, 10)],
  ["Processor", environment.cpuModel],
  ["Runtime", `Node ${environment.node}`],
  ["Seed", String(run.seed)],
])}`,
      sections: sections.filter(({ body }) => body.text !== ""),
    }),
  });
}

/** Whether the goals were met, in a sentence or two. */
export function answerOf({ summaries }: Pick<CpuRun, "summaries">): string {
  const judged = summaries.filter(({ kept }) => kept !== null);
  if (judged.length === 0) return "No goal could be judged: QEMU or the works are missing here.";
  const kept = judged.filter((summary) => summary.kept === true);
  const words = judged.map(
    ({ kind, speed, kept: reached }) =>
      `${kind} ${times(speed)} QEMU's speed (${reached ? "met" : "not met"})`,
  );
  const open = summaries.length - judged.length;
  return (
    `${kept.length} of ${judged.length} goals are met: ${words.join(", ")}.` +
    (open === 0 ? "" : ` ${open} could not be judged here.`)
  );
}

/** A plot of the speeds with their intervals, in a wide and a narrow version. */
function speeds({ rows }: CpuRun, { html, ratioPlot }: HtmlKit) {
  const shown = rows.flatMap(({ work, speed, goal }) =>
    speed === null ? [] : [{ label: work, ratio: speed, goal: goal?.speed ?? null }],
  );
  if (shown.length === 0) return html``;
  return html`<figure>
<figcaption>${AXIS}. Dashed marks are goals.</figcaption>
<div class="wide">${ratioPlot(shown, 860, AXIS)}</div>
<div class="narrow">${ratioPlot(shown, 330, "QEMU's time over ours")}</div>
</figure>`;
}
