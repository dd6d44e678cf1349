import type { Run } from "../../schema.ts";
import type { Table } from "../sections.ts";
import { html, Markup, slug } from "./markup.ts";

/** A table that scrolls inside its own box, reachable by keyboard. The first cell of each row names the row. */
export function tableBox({ caption, head, numeric, rows }: Table): Markup {
  if (rows.length === 0) return html``;
  const align = (i: number) => new Markup(numeric[i] ? ' class="number"' : "");
  return html`<div class="scroll" role="region" tabindex="0" aria-label="${caption}">
<table>
<caption>${caption}</caption>
<thead><tr>${head.map((text, i) => html`<th scope="col"${align(i)}>${text}</th>`)}</tr></thead>
<tbody>
${rows.map(
  ({ cells, verdict }) =>
    html`<tr>${cells.map((cell, i) => {
      if (i === 0) return html`<th scope="row">${cell}</th>`;
      if (verdict && i === cells.length - 1) {
        return html`<td><span class="chip v-${slug(verdict)}">${cell}</span></td>`;
      }
      return html`<td${align(i)}>${cell}</td>`;
    })}</tr>`,
)}
</tbody>
</table>
</div>`;
}

export function disclosure(summary: string, content: Markup): Markup {
  return html`<details><summary>${summary}</summary>${content}</details>`;
}

/** Colours where arms stand side by side. */
export function armLegend(run: Run): Markup {
  const { A, B } = run.options.forms;
  return html`<ul class="legend">
<li style="--swatch: var(--arm-a)">${A} (A)</li>
<li style="--swatch: var(--arm-b)">${B} (B)</li>
<li style="--swatch: var(--control)">${A} again (A2, the control)</li>
</ul>`;
}

/** Colours where differences are shown. */
export function differenceLegend(run: Run): Markup {
  const { A, B } = run.options.forms;
  return html`<ul class="legend">
<li style="--swatch: var(--arm-b)">${B} (B) against ${A} (A)</li>
<li style="--swatch: var(--control)">${A} against itself, the control</li>
<li class="band">margin: differences in here do not matter</li>
</ul>`;
}
