/**
 * Results of benchmark runs: their format, storage, comparison with a baseline, and rendering.
 * Depends on nothing else in regionlab but `#host`.
 */

export { type Answer, type AnswerPart, answer, type Finding } from "./answer.ts";
export {
  type ClaimCell,
  type ClaimRow,
  type ClaimVerdict,
  failures,
  isAsPredicted,
} from "./claims.ts";
export {
  type BaselineComparison,
  type Change,
  type CompareOptions,
  checkComparable,
  compareRuns,
  type DecisiveEnvironment,
  describeComparison,
  type Estimator,
  environmentDifferences,
} from "./compare.ts";
export { convertedPattern, environmentRows } from "./environment-words.ts";
export { formatOf } from "./format-of.ts";
export {
  ASYMPTOTIC,
  type Growth,
  type GrowthFit,
  type GrowthPoint,
  type GrowthRecord,
  type GrowthWork,
  growthFit,
  growthTable,
  growthVerdict,
} from "./growth.ts";
export { type HtmlKit, loadHtmlKit } from "./html-kit.ts";
export { selfTestSentence } from "./instrument-words.ts";
export { parseRun } from "./parse.ts";
export { CLAIM_FORMATS, type ClaimFormat, renderClaims } from "./render-claims.ts";
export { markdownTable } from "./renderers/markdown.ts";
export { renderTables } from "./renderers/table.ts";
export { plainTable, type Row, type Table } from "./renderers/table-model.ts";
export { metricFigures } from "./renderers/verdict-table.ts";
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
export {
  ALIKE_PERCENT,
  areAlike,
  BY_CONSTRUCTION,
  countDecides,
  type Figure,
  type Standing,
  standingsOf,
  stillMissing,
} from "./rules/deciding.ts";
export {
  EXACT_LOOK,
  judge,
  judgeRun,
  LEAST_PROCESSES,
  lookFor,
  type Measured,
  type Unjudged,
} from "./rules/judge.ts";
export * from "./rules/margins.ts";
export * from "./rules/questions.ts";
export { checkRequirements } from "./rules/requirements.ts";
export { slopeOver } from "./rules/retention.ts";
export {
  ALPHA,
  decide,
  decideControl,
  type Evidence,
  isDecided,
  isDifference,
  isShown,
  spreadOf,
} from "./rules/verdict.ts";
export * from "./schema.ts";
export { parseSelfTest } from "./self-test-file.ts";
export { isSameFile, loadRun, pageNameOf, saveRun, serializeRun, writeText } from "./store.ts";
export { type RunSummary, serializeSummary, summarizeRun } from "./summary.ts";
export { formNames, QUANTITY_NAMES, questionTitle, verdictWord } from "./words.ts";
