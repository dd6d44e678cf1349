/** Implements `regionlab c`. Kept apart so that other command lines need not load it. */
import { join, resolve } from "node:path";
import { CommandError, writeOutputs } from "#host";
import { ExitCode } from "../errors.ts";
import { requireClean } from "../source/git.ts";
import type { CDirection, CTreeOptions } from "./command.ts";
import { sitesOf, statisticsOf, summary, unifiedDiff } from "./passes/7-report.ts";
import { type Conversion, convertToOwned, type Progress } from "./pipeline.ts";

export async function runConversion(
  direction: CDirection,
  paths: readonly string[],
  options: CTreeOptions,
  print: (text: string) => void,
): Promise<ExitCode> {
  if (direction === "to-embedded") throw new CommandError("to-embedded: not yet");
  const conversion = convertToOwned(paths, progressOf());
  const sites = sitesOf(conversion);
  if (options.write) write(conversion, options.allowDirty === true);
  const report = {
    version: 1,
    direction,
    statistics: statisticsOf(sites),
    files: [...conversion.changes.keys()].sort(),
    sites,
  };
  const json = `${JSON.stringify(report, undefined, 1)}\n`;
  if (options.json === "-") print(json);
  else {
    if (options.json !== undefined) writeOutputs(new Map([[options.json, json]]));
    if (!options.write) process.stdout.write(Buffer.from(unifiedDiff(conversion), "latin1"));
    process.stderr.write(summary(sites, conversion.changes.size, options.reason));
  }
  return sites.some(({ treatment }) => treatment === "refused") ? ExitCode.Refused : ExitCode.Done;
}

/** Writes the new texts, all of them or none. */
function write({ changes, program }: Conversion, allowDirty: boolean): void {
  const outputs = new Map(
    [...changes].map(
      ([path, text]) => [resolve(join(program.root, path)), Buffer.from(text, "latin1")] as const,
    ),
  );
  if (!allowDirty) requireClean([...outputs.keys()]);
  writeOutputs(outputs);
}

/** After this time a run says what it does. */
const PATIENCE_MS = 1500;

/** Says on standard error how far a run has come, on a terminal and once it takes long. */
function progressOf(): Progress {
  const started = performance.now();
  const timed = process.env.REGIONLAB_C_TIMES !== undefined;
  return (phase) => {
    const elapsed = performance.now() - started;
    if (timed || elapsed > PATIENCE_MS) process.stderr.write(`${(elapsed / 1000).toFixed(1)} s: ${phase}\n`);
  };
}
