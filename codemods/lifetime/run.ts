/** The audit command: lifetime bugs of every device, and how hard each region is to convert. */
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { CommandError } from "#host";
import { auditRegions, renderAudit } from "../audit.ts";
import type { AuditOptions, Print } from "../command.ts";
import { optimiseLess } from "../engine.ts";
import { ExitCode } from "../errors.ts";
import { readProgram, surveyProgram } from "../pipeline.ts";
import { Reason } from "../regions/reasons.ts";
import { ReportFiles } from "../report-files.ts";
import { configurationsRead } from "../source/compiler-options.ts";
import { discover, type Skipped } from "../source/discover.ts";
import { withinStack } from "../source/too-deep.ts";
import { shown } from "../source/workspace.ts";
import { auditLifetimes } from "./audit.ts";
import { isBug, type LifetimeFinding } from "./finding.ts";
import { baselineText, compareWithBaseline } from "./report/baseline.ts";
import { githubAnnotations } from "./report/github.ts";
import { findingsReport } from "./report/json.ts";
import { sarifLog } from "./report/sarif.ts";
import { findingTotals, renderFindings } from "./report/text.ts";

/** Version of the JSON report's format. */
const REPORT_VERSION = 2;

/** Runs the audit; returns the exit code. @throws CommandError for usage errors and unreadable input. */
export async function runAudit(
  paths: readonly string[],
  options: AuditOptions,
  print: Print,
): Promise<ExitCode> {
  if (options.writeBaseline === true && options.baseline === undefined)
    throw new CommandError("--write-baseline: name the file to write with --baseline FILE");
  optimiseLess();
  const written = options.writeBaseline === true ? options.baseline : undefined;
  const outputs = new ReportFiles(
    { "--json": options.json, "--sarif": options.sarif, "--baseline": written },
    print,
  );
  try {
    await outputs.ready();
    const { sources, skipped } = discover(paths, { readOnly: true });
    outputs.keepApart(sources, () => [
      ...(options.baseline === undefined || written !== undefined
        ? []
        : [{ option: "--baseline", path: options.baseline }]),
      ...configurationsRead(sources),
    ]);
    const [program, plan] = withinStack(sources, () => {
      const read = readProgram(sources, { readOnly: true });
      return [read, surveyProgram(read, sources, "to-owned")] as const;
    });
    if (!plan.files.some(({ deviceCount, sites }) => deviceCount > 0 || sites.length > 0))
      throw new CommandError(
        `${paths.join(", ")}: no device found: no class derives from a QOM object; check the path`,
      );
    if (!program.workspace.identity.resolved)
      throw new CommandError(
        `${paths.join(", ")}: #memory does not resolve from there, and without types nothing distinguishes a region; make the import resolve, then run again`,
      );
    const found = withinStack(sources, () => auditLifetimes(program.workspace, program.sources));
    const { findings, remark } = compared(found, options, outputs);
    const regions = auditRegions(plan);
    const unresolved = regions.filter(({ hazard }) => hazard === Reason.TypeUnresolved).length;
    outputs.writeJson("--json", () => ({
      version: REPORT_VERSION,
      ...findingsReport(findings),
      regions,
      skipped: skipped.map(({ path, reason }) => ({ path: shown(path), reason })),
    }));
    outputs.writeJson("--sarif", () => sarifLog(findings, process.cwd(), packageVersion()));
    if (options.github === true) print(githubAnnotations(findings));
    else if (!outputs.takesStandardOutput) {
      print(`${renderFindings(findings)}${renderAudit(regions)}${leftOut(skipped)}${unknownTo(unresolved)}`);
      print(`${findingTotals(findings)}${remark}\n`);
    }
    await outputs.commit();
    // What could not be looked at has not been found clean.
    return findings.some(isBug) || unresolved > 0 ? ExitCode.No : ExitCode.Done;
  } finally {
    outputs.discard();
  }
}

/** One line about files that look like sources and are none; the JSON report names them. */
function leftOut(skipped: readonly Skipped[]): string {
  if (skipped.length === 0) return "";
  const reasons = [...new Set(skipped.map(({ reason }) => reason))].sort();
  const files = skipped.length === 1 ? "1 file was" : `${skipped.length} files were`;
  return `${files} left out (${reasons.join(", ")}); --json names them\n`;
}

/** One line about regions that no rule could look at. */
function unknownTo(unresolved: number): string {
  if (unresolved === 0) return "";
  const regions = unresolved === 1 ? "1 region was" : `${unresolved} regions were`;
  return `${regions} not audited, because the type cannot be resolved: make the import resolve, and run again\n`;
}

/** Writes the baseline, after which no finding is new; or keeps what the baseline does not have. */
function compared(
  found: readonly LifetimeFinding[],
  { baseline, writeBaseline }: AuditOptions,
  outputs: ReportFiles,
): { readonly findings: readonly LifetimeFinding[]; readonly remark: string } {
  if (baseline === undefined) return { findings: found, remark: "" };
  if (writeBaseline === true) {
    outputs.write("--baseline", baselineText(found, baseline));
    return { findings: [], remark: `; ${found.length} accepted in ${baseline}` };
  }
  const { fresh, known, gone } = compareWithBaseline(found, baseline);
  const outdated =
    gone === 0
      ? ""
      : `, which names ${gone} that ${gone === 1 ? "is" : "are"} gone: write it again with --write-baseline`;
  return { findings: fresh, remark: `; ${known} accepted in ${baseline}${outdated}` };
}

/** Version of the package that this module belongs to. */
function packageVersion(): string {
  for (
    let directory = import.meta.dirname;
    directory !== dirname(directory);
    directory = dirname(directory)
  ) {
    const path = join(directory, "package.json");
    if (!existsSync(path)) continue;
    const manifest: unknown = JSON.parse(readFileSync(path, "utf8"));
    if (typeof manifest === "object" && manifest !== null && "version" in manifest)
      return String(manifest.version);
  }
  return "0.0.0";
}
