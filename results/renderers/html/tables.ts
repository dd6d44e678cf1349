import type { Run } from "../../schema.ts";
import type { Row, Table } from "../table-model.ts";
import { html, Markup, slug } from "./markup.ts";
import { miniInterval } from "./mini.ts";

/**
 * A table that scrolls inside its own box, reachable by keyboard. The first cell of each row names the row. On a narrow
 * page, a table with verdicts becomes a stack of blocks, so that no verdict is scrolled out of view.
 */
export function tableBox(table: Table): Markup {
  const { caption, head, numeric, rows } = table;
  if (rows.length === 0) return html``;
  const pictured = rows.some(({ picture }) => picture !== undefined);
  const before = table.verdictColumn ?? head.length;
  const stacks = table.verdictColumn !== undefined;
  const role = roles(stacks);
  const heads = head.map(
    (text, i) => html`<th scope="col"${role("columnheader")}${align(numeric[i])}>${text}</th>`,
  );
  if (pictured) heads.splice(before, 0, html`<th scope="col"${role("columnheader")}>${PICTURED}</th>`);
  const columns = heads.length;
  return html`<div class="scroll" role="group" tabindex="0" aria-label="${caption}">
<table${classOf([stacks ? "stacks" : ""])}${role("table")}>
<caption>${caption}</caption>
<thead${role("rowgroup")}><tr${role("row")}>${heads}</tr></thead>
${groupsOf(rows).map(
  (group) => html`<tbody${role("rowgroup")}>
${group.title === undefined ? "" : html`<tr class="group"${role("row")}><th colspan="${columns}" scope="rowgroup"${role("rowheader")}>${group.title}</th></tr>`}
${group.rows.map((row, i) => rowsOf(row, { table, pictured, columns, span: spanOf(group.rows, i) }))}
</tbody>`,
)}
</table>
</div>`;
}

/** Head of the column of pictures. */
const PICTURED = "Relative to margin";

/** Explicit ARIA roles for stacks, whose CSS display removes the native roles of table elements. */
function roles(stacks: boolean): (name: string) => Markup {
  return (name) => new Markup(stacks ? ` role="${name}"` : "");
}

interface Group {
  readonly title: string | undefined;
  readonly rows: Row[];
}

function groupsOf(rows: readonly Row[]): Group[] {
  const groups: Group[] = [];
  for (const row of rows) {
    const last = groups.at(-1);
    if (last === undefined || row.group !== undefined) groups.push({ title: row.group, rows: [row] });
    else last.rows.push(row);
  }
  return groups;
}

/** How many table rows the first cell spans: its row, those that continue it, and their notes. */
function spanOf(rows: readonly Row[], start: number): number {
  let span = 0;
  for (let i = start; i === start || rows[i]?.continues; i++) span += 1 + (rows[i]?.notes?.length ? 1 : 0);
  return span;
}

interface Place {
  readonly table: Table;
  readonly pictured: boolean;
  readonly columns: number;
  readonly span: number;
}

function rowsOf(row: Row, { table, pictured, columns, span }: Place): Markup {
  const { cells, verdict, notes = [], picture, continues, alarm } = row;
  const role = roles(table.verdictColumn !== undefined);
  // In a stack, each cell carries its own label.
  const label = (text: string | undefined) =>
    table.verdictColumn === undefined ? html`` : html` data-label="${text ?? ""}"`;
  const inRow = cells.map((cell, i) => {
    if (i === 0) {
      return continues
        ? html``
        : html`<th scope="${span > 1 ? "rowgroup" : "row"}"${role("rowheader")}${rowspan(span)}>${cell}</th>`;
    }
    if (verdict && i === table.verdictColumn) {
      return html`<td${role("cell")}${label(table.head[i])}><span class="chip v-${slug(verdict)}">${cell}</span></td>`;
    }
    if (pictured && i === 1) return html`<td class="figure"${role("cell")}>${cell}</td>`;
    return html`<td${role("cell")}${label(table.head[i])}${align(table.numeric[i])}>${cell}</td>`;
  });
  if (pictured) {
    const drawn =
      picture === undefined
        ? html`<td class="empty"${role("cell")}></td>`
        : html`<td${role("cell")}${label(PICTURED)}>${miniInterval(picture)}</td>`;
    inRow.splice(table.verdictColumn ?? inRow.length, 0, drawn);
  }
  const first = html`<tr${role("row")}${classOf([continues ? "more" : "", alarm ? "failed" : ""])}>${inRow}</tr>`;
  if (notes.length === 0) return first;
  return html`${first}
<tr class="notes"${role("row")}><td${role("cell")} colspan="${columns - 1}">${notes.map((note) => html`<p>${note}</p>`)}</td></tr>`;
}

function align(right: boolean | undefined): Markup {
  return new Markup(right ? ' class="number"' : "");
}

function classOf(names: readonly string[]): Markup {
  const given = names.filter((name) => name !== "").join(" ");
  return new Markup(given === "" ? "" : ` class="${given}"`);
}

function rowspan(span: number): Markup {
  return new Markup(span > 1 ? ` rowspan="${span}"` : "");
}

export function disclosure(summary: string, content: Markup): Markup {
  return html`<details><summary>${summary}</summary>${content}</details>`;
}

/** Legend where arms are shown side by side. */
export function armLegend(run: Run): Markup {
  const { A, B } = run.options.forms;
  return html`<ul class="legend">
<li class="s-a">${A} (A)</li>
<li class="s-b">${B} (B)</li>
<li class="s-c">${A} again (A2, the control)</li>
</ul>`;
}

/** Legend where differences are shown. */
export function differenceLegend(run: Run): Markup {
  const { A, B } = run.options.forms;
  return html`<ul class="legend">
<li class="s-b">${B} (B) against ${A} (A): left of the line is better, right worse</li>
<li class="s-c">${A} against itself, the control</li>
<li class="band">the margin: differences inside it do not matter</li>
</ul>`;
}
