/**
 * Codemods between embedded and owned memory regions, and the audit. They work on source text only.
 *
 * The TypeScript compiler that they use is loaded when a command runs, not with this module.
 */
export { addAuditCommand, addCodemodCommand, type CodemodOptions } from "./command.ts";
export { ExitCode } from "./errors.ts";
