import { shown } from "../../source/workspace.ts";
import type { LifetimeFinding } from "../finding.ts";
import { type Rule, type RuleText, ruleTexts } from "../rules.ts";

/** Findings, and the text of each rule that they name, as a value for `JSON.stringify`. */
export function findingsReport(findings: readonly LifetimeFinding[]): {
  readonly findings: readonly LifetimeFinding[];
  readonly rules: Readonly<Partial<Record<Rule, RuleText>>>;
} {
  const rules: Partial<Record<Rule, RuleText>> = {};
  for (const { rule } of findings) rules[rule] = ruleTexts[rule];
  return {
    findings: findings.map((finding) => ({
      ...finding,
      file: shown(finding.file),
      related: finding.related.map((each) => ({ ...each, file: shown(each.file) })),
    })),
    rules,
  };
}
