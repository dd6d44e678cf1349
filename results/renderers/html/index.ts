import type { Run } from "../../schema.ts";
import { runArticle } from "./article.ts";
import { html, Markup, toHtml } from "./markup.ts";
import { STYLE } from "./style.ts";

/**
 * One page that needs nothing else: no network, no script, plots drawn now. Several runs follow each other on it.
 */
export function renderHtml(runs: readonly Run[]): string {
  const title = runs.length === 1 ? (runs[0]?.question ?? "") : `${runs.length} benchmark runs`;
  const label = runs.some(({ synthetic }) => synthetic) ? "SYNTHETIC: " : "";
  return toHtml(html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${label}${title} | regionlab</title>
<link rel="icon" href="data:,">
<style>${new Markup(STYLE)}</style>
</head>
<body>
<a class="skip" href="#main">Skip to the report</a>
<main id="main">
${runs.map((run, i) => runArticle(run, runs.length === 1 ? "" : `run-${i + 1}-`))}
</main>
<footer><p>Made by regionlab from measurements that the same commands repeat. This page needs no network and runs no
script.</p></footer>
</body>
</html>
`);
}
