import { type ClaimRow, isAsPredicted } from "../claims.ts";
import { claimMatrix, claimTable, factTable, inCTable } from "./claim-tables.ts";
import { escapeText, markdownTable } from "./markdown.ts";
import type { Table } from "./table-model.ts";

/** Claims as GitHub-flavoured Markdown. */
export function renderClaimsMarkdown(rows: readonly ClaimRow[]): string {
  const block = (table: Table) =>
    table.rows.length === 0 ? [] : [`**${escapeText(table.caption)}**`, markdownTable(table)];
  const notes = rows.flatMap(({ id, notes: own }) => own.map((note) => `- ${id}: ${escapeText(note)}`));
  const failed = rows.filter((row) => !isAsPredicted(row)).map(({ id }) => id);
  return `${[
    "# Claims about the storage of memory regions",
    ...(failed.length > 0 ? [`> **Warning.** Not as predicted: ${failed.join(", ")}.`] : []),
    ...block(claimTable(rows)),
    ...block(claimMatrix(rows)),
    ...block(factTable(rows)),
    ...block(inCTable(rows)),
    ...(notes.length > 0 ? [notes.join("\n")] : []),
  ].join("\n\n")}\n`;
}
