/** Implements `regionlab c`. Kept apart so that other command lines need not load it. */
import { join } from "node:path";
import { flushStandardOutput, writeOutputs } from "#host";
import { ExitCode } from "../errors.ts";
import { matchesGlob } from "../source/glob.ts";
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
import { seriesOf } from "./series.ts";
import { prepareSources } from "./write-sources.ts";

export async function runConversion(
  direction: CDirection,
  paths: readonly string[],
  options: CTreeOptions,
  print: (text: string) => void,
): Promise<ExitCode> {
  const { only, reversible = false } = options;
  const accepts = (path: string) => only === undefined || matchesGlob(only, path);
  const conversion =
    direction === "to-owned"
      ? convertToOwned(paths, progressOf(), { accepts, reversible })
      : convertToEmbedded(paths, progressOf(), { accepts });
  const sites = sitesOf(conversion);
  const sources = options.write
    ? await prepareSources(conversion.program.root, conversion.changes, options.allowDirty === true)
    : undefined;
  try {
    report(conversion, sites, direction, options, print);
    await flushStandardOutput();
    sources?.commit();
  } finally {
    sources?.discard();
  }
  return sites.some(({ treatment }) => treatment === "refused") ? ExitCode.Refused : ExitCode.Done;
}

/** Says what a conversion does, before it is done. */
function report(
  conversion: Conversion | EmbeddedConversion,
  sites: readonly Site[],
  direction: CDirection,
  options: CTreeOptions,
  print: (text: string) => void,
): void {
  const { changes } = conversion;
  if (options.series !== undefined) writeSeries(options.series, conversion, sites, direction);
  const files = [...changes.keys()].sort();
  const value = { version: 1, direction, statistics: statisticsOf(sites), files, sites };
  const json = `${JSON.stringify(value, undefined, 1)}\n`;
  if (options.json === "-") print(json);
  else {
    if (options.json !== undefined) writeOutputs(new Map([[options.json, json]]));
    if (!options.write) process.stdout.write(Buffer.from(unifiedDiff(conversion), "latin1"));
    process.stderr.write(summary(sites, changes.size, options.reason));
  }
}

function writeSeries(
  folder: string,
  { changes, texts }: Conversion | EmbeddedConversion,
  sites: readonly Site[],
  direction: CDirection,
): void {
  const patches = seriesOf(changes, texts.texts, sites, direction);
  writeOutputs(
    new Map(patches.map(({ name, text }) => [join(folder, name), Buffer.from(text, "latin1")] as const)),
    { makeFolders: true },
  );
}

/** `regionlab c census`. */
export function runCensus(
  paths: readonly string[],
  options: CTreeOptions,
  print: (text: string) => void,
): ExitCode {
  const census = censusOf(convertToOwned(paths, progressOf()));
  const back = census.newCalls === 0 ? undefined : censusOfBack(convertToEmbedded(paths, progressOf()));
  const json = `${JSON.stringify({ version: 1, ...census, back }, undefined, 1)}\n`;
  if (options.json === "-") print(json);
  else {
    if (options.json !== undefined) writeOutputs(new Map([[options.json, json]]));
    print(renderCensus(census));
    if (back !== undefined) print(renderCensusOfBack(back));
  }
  return ExitCode.Done;
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
