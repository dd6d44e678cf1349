/** Implements `regionlab c audit`. Kept apart because it shares its report with the audit of TypeScript, which loads the compiler. */
import { resolve } from "node:path";
import { writeOutputs } from "#host";
import { ExitCode } from "../errors.ts";
import { isBug } from "../lifetime/finding.ts";
import { sarifLog } from "../lifetime/report/sarif.ts";
import { renderFindings } from "../lifetime/report/text.ts";
import { auditTree } from "./audit.ts";
import type { CTreeOptions } from "./command.ts";
import { progressOf } from "./run.ts";

/** `regionlab c audit`. */
export function runCAudit(
  paths: readonly string[],
  options: CTreeOptions,
  print: (text: string) => void,
): ExitCode {
  const findings = auditTree(paths, progressOf());
  const outputs = new Map<string, string>();
  const json = `${JSON.stringify({ version: 1, findings }, undefined, 1)}\n`;
  const sarif = `${JSON.stringify(sarifLog(findings, resolve(paths[0] ?? "."), VERSION), undefined, 1)}\n`;
  for (const [path, text] of [
    [options.json, json],
    [options.sarif, sarif],
  ] as const) {
    if (path === "-") print(text);
    else if (path !== undefined) outputs.set(path, text);
  }
  writeOutputs(outputs);
  if (options.json !== "-" && options.sarif !== "-") {
    print(renderFindings(findings));
    const bugs = findings.filter(isBug).length;
    print(`${bugs} lifetime bugs, ${findings.length - bugs} notes\n`);
  }
  return findings.some(isBug) ? ExitCode.No : ExitCode.Done;
}

/** Version of the findings' format, for SARIF. */
const VERSION = "1.0.0";
