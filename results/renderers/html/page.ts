/** What every page of regionlab has: one file that needs nothing else, no network, no script. */
import { html, Markup, slug, toHtml } from "./markup.ts";
import { STYLE } from "./style.ts";

export interface Page {
  readonly title: string;
  readonly main: Markup;
}

/** The whole document. */
export function renderPage({ title, main }: Page): string {
  return toHtml(html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${title} | regionlab</title>
<link rel="icon" href="data:,">
<style>${new Markup(STYLE)}</style>
</head>
<body>
<a class="skip" href="#main">Skip to the report</a>
<main id="main">
${main}
</main>
<footer><p>Made by regionlab from measurements that the same commands repeat. This page needs no network and runs no
script.</p></footer>
</body>
</html>
`);
}

export interface Article {
  /** Keeps the ids of several articles on one page apart. */
  readonly prefix: string;
  readonly eyebrow: string;
  readonly title: string;
  /** What stands above the contents: the answer. */
  readonly lead: Markup;
  readonly sections: readonly { readonly title: string; readonly body: Markup }[];
}

/** A title, an answer, a list of contents, and sections. */
export function renderArticle({ prefix, eyebrow, title, lead, sections }: Article): Markup {
  // Sections are landmarks where they have names, and landmarks of one name would not tell two runs apart.
  const label = (id: string) => new Markup(prefix === "" ? ` aria-labelledby="${id}"` : "");
  const named = sections.map((section) => ({ ...section, id: prefix + slug(section.title) }));
  return html`<article aria-labelledby="${prefix}question">
<header>
<p class="eyebrow">${eyebrow}</p>
<h1 id="${prefix}question">${title}</h1>
${lead}
</header>
<nav aria-label="Contents${prefix === "" ? "" : `, ${prefix.replace(/-$/, "")}`}"><ul>
${named.map((section) => html`<li><a href="#${section.id}">${section.title}</a></li>`)}
</ul></nav>
${named.map(
  (section) => html`<section${label(section.id)}>
<h2 id="${section.id}">${section.title}</h2>
${section.body}
</section>`,
)}
</article>`;
}

/** Facts as pairs of a label and a text, side by side. */
export function factList(facts: readonly (readonly [label: string, text: string])[]): Markup {
  return html`<dl class="facts">${facts.map(([label, text]) => html`<div><dt>${label}</dt><dd>${text}</dd></div>`)}</dl>`;
}
