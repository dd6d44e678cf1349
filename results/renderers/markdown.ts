import type { Run } from "../schema.ts";
import { answer, formNames, metricTitle, verdictSentence, warnings } from "../words.ts";
import {
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
  type Table,
} from "./sections.ts";

/** GitHub-flavoured Markdown, complete without the page. */
export function renderMarkdown(run: Run): string {
  const headlines = run.metrics.filter(({ role }) => role === "headline");
  const others = run.metrics.filter(({ role }) => role !== "headline");
  const names = formNames(run);
  const parts = [`# ${escapeText(run.question)}`];
  for (const warning of warnings(run)) parts.push(`> **Note.** ${escapeText(warning)}`);
  parts.push(answer(run).map(escapeText).join("\n"));
  parts.push("## Verdicts");
  parts.push(
    headlines
      .map((m) => `- **${escapeText(metricTitle(m))}**: ${escapeText(verdictSentence(m, names))}`)
      .join("\n"),
  );
  const tables: [title: string, table: Table][] = [
    ["Figures", metricTable(run, headlines, "")],
    ["Details and controls", metricTable(run, others, "")],
    ["Retention", retentionTable(run)],
    ["Objects by class", objectTable(run)],
    ["Limits", requirementTable(run)],
    ["Proof that both forms ran the same guest", equivalenceTable(run)],
    ["Phases of the boots, in guest instructions", phaseTable(run)],
    ["Code size", codeSizeTable(run)],
    ["Environment", environmentTable(run)],
  ];
  for (const [title, table] of tables) {
    if (table.rows.length > 0) parts.push(`## ${title}`, markdownTable(table));
  }
  parts.push("## Order of the processes", fenced(scheduleText(run)));
  parts.push("## To repeat", fenced(commands(run).join("\n")));
  return `${parts.filter((part) => part !== "").join("\n\n")}\n`;
}

function markdownTable({ head, numeric, rows }: Table): string {
  const line = (cells: readonly string[]) => `| ${cells.map(escapeText).join(" | ")} |`;
  const rule = `| ${numeric.map((right) => (right ? "---:" : "---")).join(" | ")} |`;
  return [line(head), rule, ...rows.map(({ cells }) => line(cells))].join("\n");
}

function fenced(text: string): string {
  return `\`\`\`\n${text}\n\`\`\``;
}

function escapeText(text: string): string {
  return text.replace(/[\\`*_[\]<>|]/g, "\\$&").replace(/\s*\n\s*/g, " ");
}
