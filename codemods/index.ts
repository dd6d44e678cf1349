/**
 * Codemods between embedded and owned memory regions, and the audit of both. Knows source text only.
 *
 * The compiler that they stand on is loaded when a command runs, not when this module is.
 */
export { addAuditCommand, addCodemodCommand, type CodemodOptions } from "./command.ts";
export { ExitCode } from "./errors.ts";
