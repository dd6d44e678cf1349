/** What every module needs of the host: files, signals, the terminal, and errors. Depends on no other module. */
export { cleaned, cleanText, escapeJson, inOneLine } from "./clean-text.ts";
export { CommandError, type FailureCode, HelpRequest, systemErrorCode } from "./command-error.ts";
export { congestionOf } from "./congestion.ts";
export { createSha256 } from "./digest.ts";
export { holdEndSignals, onEndSignal } from "./end-signals.ts";
export { importModule } from "./import-module.ts";
export { offering } from "./offering.ts";
export { OneClient } from "./one-client.ts";
export {
  checkOutput,
  type NamedFile,
  OutputFile,
  type OutputOptions,
  type PreparedOutputs,
  prepareOutputs,
  requireApart,
  requireDistinct,
  writeOutput,
  writeOutputs,
} from "./output-file.ts";
export { isSamePlace, type OutputKind, type OutputPlace, outputPlace } from "./output-place.ts";
export { openRamFile } from "./ram-file.ts";
export {
  BROKEN_PIPE,
  flushStandardOutput,
  onBrokenOutput,
  standardOutputTaken,
  wantsColours,
  watchStandardOutput,
  writeError,
} from "./standard-output.ts";
export { tableOf } from "./table.ts";
export { asWritten, nameOptions, tell } from "./tell.ts";
