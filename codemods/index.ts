/** Codemods between embedded and owned memory regions, and the audit of both. Knows source text only. */
export { auditRegions, type Finding, renderAudit } from "./audit.ts";
export { addAuditCommand, addCodemodCommand, runAudit, runCodemod } from "./command.ts";
export { CommandError, ExitCode } from "./errors.ts";
export { type FilePlan, type Plan, planConversion, type Site } from "./passes/4-plan.ts";
export { applyPlan } from "./passes/5-apply.ts";
export { jsonReport, statisticsOf, summary, unifiedDiff } from "./passes/6-report.ts";
export type { Direction, Form } from "./regions/facts.ts";
export { Reason, reasonTexts } from "./regions/reasons.ts";
export { checkTrees, type TreeDifference, writeOwnedTree } from "./trees.ts";
