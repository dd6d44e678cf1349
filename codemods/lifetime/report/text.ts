/** Findings for people: one short line each, then one paragraph per rule. */
import { colors as standardColors } from "../../colors.ts";
import { printed } from "../../source/workspace.ts";
import { isBug, type LifetimeFinding } from "../finding.ts";
import { type Rule, ruleTexts } from "../rules.ts";

type Colors = Pick<typeof standardColors, "red" | "yellow" | "bold" | "dim">;

/** Empty if there are no findings. */
export function renderFindings(
  findings: readonly LifetimeFinding[],
  colors: Colors = standardColors,
): string {
  if (findings.length === 0) return "";
  const lines = findings.flatMap((finding) => [
    findingLine(finding, colors),
    ...finding.related.map(
      ({ file, line, column, text }) => `  ${printed(file)}:${line}:${column}: ${colors.dim(text)}`,
    ),
  ]);
  const rules = [...new Set(findings.map(({ rule }) => rule))];
  return `${lines.join("\n")}\n\n${rules.map((rule) => paragraph(rule, colors)).join("\n")}\n`;
}

function findingLine(
  { file, line, column, rule, level, region, detail }: LifetimeFinding,
  colors: Colors,
): string {
  const color = level === "error" ? colors.red : level === "warning" ? colors.yellow : colors.dim;
  return `${printed(file)}:${line}:${column}: ${color(level)} ${region} [${rule}] ${colors.dim(detail)}`;
}

function paragraph(rule: Rule, colors: Colors): string {
  const { what, embedded, owned, because, fix } = ruleTexts[rule];
  return [
    `${colors.bold(rule)}: ${what}`,
    `  embedded: ${embedded}`,
    `  owned:    ${owned}`,
    `  rule:     ${because}`,
    `  fix:      ${fix}`,
    "",
  ].join("\n");
}

/** `2 lifetime bugs in 1 file (1 deleted-twice, 1 self-owner)`, or that there are none; notes are counted apart. */
export function findingTotals(findings: readonly LifetimeFinding[]): string {
  const bugs = findings.filter(isBug);
  const notes = findings.length - bugs.length;
  const more = notes === 0 ? "" : notes === 1 ? ", 1 note" : `, ${notes} notes`;
  if (bugs.length === 0) return `no lifetime bugs found${more}`;
  const files = new Set(bugs.map(({ file }) => file)).size;
  const counts = new Map<Rule, number>();
  for (const { rule } of bugs) counts.set(rule, (counts.get(rule) ?? 0) + 1);
  const byRule = [...counts].map(([rule, number]) => `${number} ${rule}`).sort();
  const number = bugs.length === 1 ? "1 lifetime bug" : `${bugs.length} lifetime bugs`;
  return `${number} in ${files === 1 ? "1 file" : `${files} files`} (${byRule.join(", ")})${more}`;
}
