/** Findings as SARIF 2.1.0, for code-scanning services and editors. */
import { createHash } from "node:crypto";
import { relative, sep } from "node:path";
import { pathToFileURL } from "node:url";
import type { LifetimeFinding, Place } from "../finding.ts";
import { type Rule, ruleTexts } from "../rules.ts";

/** Where the rules are explained. */
const GUIDE = "docs/codemods.md";

interface SarifLocation {
  readonly physicalLocation: {
    readonly artifactLocation: { readonly uri: string; readonly uriBaseId?: string };
    readonly region: {
      readonly startLine: number;
      readonly startColumn: number;
      readonly endLine: number;
      readonly endColumn: number;
    };
  };
  readonly id?: number;
  readonly message?: { readonly text: string };
}

/** A SARIF log with one run. Paths are relative to `root`, the directory that `%SRCROOT%` stands for. */
export function sarifLog(findings: readonly LifetimeFinding[], root: string, version: string) {
  const rules = [...new Set(findings.map(({ rule }) => rule))].sort();
  return {
    $schema: "https://json.schemastore.org/sarif-2.1.0.json",
    version: "2.1.0",
    runs: [
      {
        tool: {
          driver: {
            name: "regionlab audit",
            semanticVersion: version,
            rules: rules.map(descriptor),
          },
        },
        columnKind: "utf16CodeUnits",
        originalUriBaseIds: { "%SRCROOT%": { uri: `${pathToFileURL(root).href.replace(/\/?$/, "/")}` } },
        results: findings.map((finding) => ({
          ruleId: finding.rule,
          ruleIndex: rules.indexOf(finding.rule),
          level: finding.level,
          message: { text: messageOf(finding) },
          locations: [locationOf(finding, root)],
          relatedLocations: finding.related.map((each, id) => ({
            ...locationOf(each, root),
            id,
            message: { text: each.text },
          })),
          partialFingerprints: { "regionlab/v1": fingerprint(finding, root) },
        })),
      },
    ],
  };
}

/** The finding in one sentence. */
export function messageOf({ rule, region, detail }: LifetimeFinding): string {
  return `${region}: ${ruleTexts[rule].what} (${detail})`;
}

function descriptor(rule: Rule) {
  const { what, embedded, owned, because, fix, level } = ruleTexts[rule];
  return {
    id: rule,
    shortDescription: { text: `${what.charAt(0).toUpperCase()}${what.slice(1)}.` },
    fullDescription: { text: `Embedded: ${embedded} Owned: ${owned}` },
    help: { text: `${because} To fix it: ${fix}. See ${GUIDE}.` },
    defaultConfiguration: { level },
  };
}

function locationOf({ file, line, column, endLine, endColumn }: Place, root: string): SarifLocation {
  const path = relative(root, file);
  const inside = !path.startsWith("..");
  const uri = inside ? path.split(sep).map(encodeURIComponent).join("/") : pathToFileURL(file).href;
  return {
    physicalLocation: {
      artifactLocation: inside ? { uri, uriBaseId: "%SRCROOT%" } : { uri },
      region: { startLine: line, startColumn: column, endLine, endColumn },
    },
  };
}

/** Stays the same when lines move. */
function fingerprint({ rule, file, region, detail }: LifetimeFinding, root: string): string {
  return createHash("sha256")
    .update([rule, relative(root, file), region, detail].join("\0"))
    .digest("hex")
    .slice(0, 32);
}
