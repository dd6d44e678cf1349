/** Findings as workflow commands, which GitHub shows as annotations on the lines of a pull request. */
import { shown } from "../../source/workspace.ts";
import type { LifetimeFinding } from "../finding.ts";
import { messageOf } from "./sarif.ts";

/** One line per finding; empty without any. */
export function githubAnnotations(findings: readonly LifetimeFinding[]): string {
  return findings.map((finding) => `${annotation(finding)}\n`).join("");
}

function annotation(finding: LifetimeFinding): string {
  const { level, file, line, column, endLine, endColumn, rule } = finding;
  const place = line === endLine ? `,endColumn=${endColumn}` : ""; // columns are refused for several lines
  const properties = `file=${property(shown(file))},line=${line},endLine=${endLine},col=${column}${place},title=${property(rule)}`;
  return `::${level === "note" ? "notice" : level} ${properties}::${data(messageOf(finding))}`;
}

function data(text: string): string {
  return text.replaceAll("%", "%25").replaceAll("\r", "%0D").replaceAll("\n", "%0A");
}

function property(text: string): string {
  return data(text).replaceAll(":", "%3A").replaceAll(",", "%2C");
}
