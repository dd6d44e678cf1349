/** Claims by themselves, in each format. */
import type { ClaimRow } from "./claims.ts";
import { claimMatrix, claimTable, factTable, inCTable } from "./renderers/claim-tables.ts";
import { renderClaimsMarkdown } from "./renderers/claims-markdown.ts";
import { renderTables } from "./renderers/table.ts";

export const CLAIM_FORMATS = ["table", "markdown", "json", "html"] as const;
export type ClaimFormat = (typeof CLAIM_FORMATS)[number];

/** More claims than these are listed, without the scenarios of each. */
const MOST_IN_FULL = 3;

/** @param colour whether a table may use the terminal's colours */
export async function renderClaims(
  rows: readonly ClaimRow[],
  format: ClaimFormat,
  colour: boolean,
): Promise<string> {
  switch (format) {
    case "table": {
      const tables = [claimTable(rows)];
      if (rows.length <= MOST_IN_FULL) tables.push(claimMatrix(rows), factTable(rows), inCTable(rows));
      return renderTables(
        tables.filter((table) => table.rows.length > 0),
        colour,
      );
    }
    case "markdown":
      return renderClaimsMarkdown(rows);
    case "json":
      return `${JSON.stringify(rows, null, 1)}\n`;
    case "html": {
      const { renderClaimsPage } = await import("./renderers/html/claims.ts");
      return renderClaimsPage(rows);
    }
  }
}
