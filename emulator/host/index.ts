/** What all rooms need of the host: its files, its signals, its terminal, and how a failure is told. Sees no other room. */
export { cleaned, cleanText, escapeJson } from "./clean-text.ts";
export { CommandError, type FailureCode, systemErrorCode } from "./command-error.ts";
export { congestionOf } from "./congestion.ts";
export { onEndSignal } from "./end-signals.ts";
export {
  checkOutput,
  type NamedInput,
  OutputFile,
  type OutputOptions,
  requireApart,
  requireDistinct,
  writeOutput,
  writeOutputs,
} from "./output-file.ts";
export { isSamePlace, type OutputKind, type OutputPlace, outputPlace } from "./output-place.ts";
export { BROKEN_PIPE, onBrokenOutput, watchStandardOutput, writeError } from "./standard-output.ts";
