/** Implements `regionlab c audit`. Kept apart because it shares its report with the audit of TypeScript, which loads the compiler. */
import { resolve } from "node:path";
import { ExitCode } from "../errors.ts";
import { isBug } from "../lifetime/finding.ts";
import { sarifLog } from "../lifetime/report/sarif.ts";
import { renderFindings } from "../lifetime/report/text.ts";
import { auditTree } from "./audit.ts";
import type { CTreeOptions } from "./command.ts";
import { declareReports, progressOf } from "./run.ts";

/** `regionlab c audit`. */
export async function runCAudit(
  paths: readonly string[],
  options: CTreeOptions,
  print: (text: string) => void,
): Promise<ExitCode> {
  const reports = declareReports({ "--json": options.json, "--sarif": options.sarif }, paths, print);
  try {
    await reports.ready();
    const findings = auditTree(paths, progressOf());
    reports.writeJson("--json", () => ({ version: 1, findings }), 1);
    reports.writeJson("--sarif", () => sarifLog(findings, resolve(paths[0] ?? "."), VERSION), 1);
    if (!reports.takesStandardOutput) {
      print(renderFindings(findings));
      const bugs = findings.filter(isBug).length;
      print(`${bugs} lifetime bugs, ${findings.length - bugs} notes\n`);
    }
    await reports.commit();
    return findings.some(isBug) ? ExitCode.No : ExitCode.Done;
  } finally {
    reports.discard();
  }
}

/** Version of the findings' format, for SARIF. */
const VERSION = "1.0.0";
