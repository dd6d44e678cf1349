/**
 * Results of benchmark runs: their format, their storage, the comparison of two of them, and the pages that show them.
 * Imports nothing else of regionlab.
 */
export { CommandError, type FailureCode } from "./command-error.ts";
export {
  type BaselineComparison,
  type Change,
  type CompareOptions,
  compareRuns,
  describeComparison,
  type Estimator,
  environmentDifferences,
} from "./compare.ts";
export { parseRun } from "./parse.ts";
export {
  addReportCommand,
  FORMATS,
  type Format,
  LATEST_PAGE,
  LATEST_RUN,
  type Output,
  render,
} from "./report-command.ts";
export { metricKey, questionKey, type ReportRow, rowsOf } from "./rows.ts";
export * from "./schema.ts";
export { checkWritable, loadRun, saveRun, serializeRun, writeAtomically } from "./store.ts";
export {
  ALPHA,
  decide,
  decideControl,
  type Evidence,
  isDecided,
  isDifference,
  isShown,
  spreadOf,
} from "./verdict-rule.ts";
