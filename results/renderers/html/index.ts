import type { GrowthRecord } from "../../growth.ts";
import type { Run } from "../../schema.ts";
import { reportOf } from "../outline.ts";
import { runArticle } from "./article.ts";
import { html } from "./markup.ts";
import { renderPage } from "./page.ts";

export { html, type Markup } from "./markup.ts";
export { type Article, factList, type Page, renderArticle, renderPage } from "./page.ts";
export { type RatioRow, ratioPlot } from "./plots.ts";
export { disclosure, tableBox } from "./tables.ts";

/** A page of one run, or of several one after the other; the first one has the growth. */
export function renderHtml(runs: readonly Run[], growth: GrowthRecord | null = null): string {
  const reports = runs.map((run, i) => reportOf(run, i === 0 ? growth : null));
  const title = reports.length === 1 ? (reports[0]?.run.question ?? "") : `${reports.length} benchmark runs`;
  const label = reports.some(({ run }) => run.synthetic) ? "SYNTHETIC: " : "";
  return renderPage({
    title: label + title,
    main: html`${reports.map((report, i) => runArticle(report, reports.length === 1 ? "" : `run-${i + 1}-`))}`,
  });
}
