/** Implements `regionlab c`. Kept apart so that other command lines need not load it. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { CommandError } from "#host";
import { ExitCode } from "../errors.ts";
import { ReportFiles } from "../report-files.ts";
import { globOption } from "../source/glob.ts";
import { censusOf, censusOfBack, renderCensus, renderCensusOfBack } from "./census.ts";
import type { CDirection, CTreeOptions } from "./command.ts";
import type { Site } from "./passes/7-report.ts";
import { sitesOf, statisticsOf, summary, unifiedDiff } from "./passes/7-report.ts";
import {
  type Conversion,
  convertToEmbedded,
  convertToOwned,
  type EmbeddedConversion,
  type Progress,
} from "./pipeline.ts";
import { Reason } from "./reasons.ts";
import { seriesOf } from "./series.ts";
import { sourceFiles } from "./tree.ts";
import { prepareSources } from "./write-sources.ts";

export async function runConversion(
  direction: CDirection,
  paths: readonly string[],
  options: CTreeOptions,
  print: (text: string) => void,
): Promise<ExitCode> {
  const { only, reason, reversible = false } = options;
  const reasons: readonly string[] = Object.values(Reason);
  if (reason !== undefined && !reasons.includes(reason))
    throw new CommandError(`--reason ${reason}: there is no such reason; give one of ${reasons.join(", ")}`);
  const accepts = only === undefined ? () => true : globOption("--only", only);
  const reports = declareReports({ "--json": options.json }, paths, print);
  try {
    await reports.ready();
    const conversion =
      direction === "to-owned"
        ? convertToOwned(paths, progressOf(), { accepts, reversible })
        : convertToEmbedded(paths, progressOf(), { accepts });
    const sites = sitesOf(conversion);
    const sources = options.write
      ? await prepareSources(conversion.program.root, conversion.changes, options.allowDirty === true)
      : undefined;
    try {
      if (options.series !== undefined) writeSeries(reports, options.series, conversion, sites, direction);
      report(reports, conversion, sites, direction, options);
      await reports.flush();
      sources?.commit();
    } finally {
      sources?.discard();
    }
    await reports.commit();
    return sites.some(({ treatment }) => treatment === "refused") ? ExitCode.Refused : ExitCode.Done;
  } finally {
    reports.discard();
  }
}

/** Declares the outputs of a command. @throws CommandError if one cannot be written, or is a source that will be read */
export function declareReports(
  named: Readonly<Record<string, string | undefined>>,
  paths: readonly string[],
  print: (text: string) => void,
): ReportFiles {
  const reports = new ReportFiles(named, print);
  try {
    reports.keepApart(sourceFiles(paths).files);
    return reports;
  } catch (error) {
    reports.discard();
    throw error;
  }
}

/** Says what a conversion does, before it is done. */
function report(
  reports: ReportFiles,
  conversion: Conversion | EmbeddedConversion,
  sites: readonly Site[],
  direction: CDirection,
  options: CTreeOptions,
): void {
  const { changes } = conversion;
  const files = [...changes.keys()].sort();
  const statistics = statisticsOf(sites);
  reports.writeJson("--json", () => ({ version: 1, direction, statistics, files, sites }), 1);
  if (reports.takesStandardOutput) return;
  if (!options.write) process.stdout.write(Buffer.from(unifiedDiff(conversion), "latin1"));
  process.stderr.write(summary(sites, changes.size, options.reason));
}

/** @throws CommandError for a patch that exists already: it may have been edited, or sent */
function writeSeries(
  reports: ReportFiles,
  folder: string,
  { changes, texts }: Conversion | EmbeddedConversion,
  sites: readonly Site[],
  direction: CDirection,
): void {
  for (const { name, text } of seriesOf(changes, texts.texts, sites, direction)) {
    const path = join(folder, name);
    if (existsSync(path))
      throw new CommandError(`--series ${path}: exists already; remove it, or give another folder`);
    reports.add("--series", path, { makeFolders: true });
    reports.write(path, Buffer.from(text, "latin1"));
  }
}

/** `regionlab c census`. */
export async function runCensus(
  paths: readonly string[],
  options: CTreeOptions,
  print: (text: string) => void,
): Promise<ExitCode> {
  const reports = declareReports({ "--json": options.json }, paths, print);
  try {
    await reports.ready();
    const census = censusOf(convertToOwned(paths, progressOf()));
    const back = census.newCalls === 0 ? undefined : censusOfBack(convertToEmbedded(paths, progressOf()));
    reports.writeJson("--json", () => ({ version: 1, ...census, back }), 1);
    if (!reports.takesStandardOutput) {
      print(renderCensus(census));
      if (back !== undefined) print(renderCensusOfBack(back));
    }
    await reports.commit();
    return ExitCode.Done;
  } finally {
    reports.discard();
  }
}

/** After this time a run says what it does. */
const PATIENCE_MS = 1500;

/** Says on standard error how far a run has come, on a terminal and once it takes long. */
export function progressOf(): Progress {
  const started = performance.now();
  const timed = process.env.REGIONLAB_C_TIMES !== undefined;
  return (phase) => {
    const elapsed = performance.now() - started;
    if (timed || elapsed > PATIENCE_MS) process.stderr.write(`${(elapsed / 1000).toFixed(1)} s: ${phase}\n`);
  };
}
