/**
 * Results of benchmark runs: their format, their storage, the comparison of two of them, and the pages that show them.
 * Imports nothing else of regionlab.
 */
export { CommandError, type FailureCode } from "./command-error.ts";
export { parseRun } from "./parse.ts";
export * from "./schema.ts";
export { loadRun, saveRun, serializeRun, writeAtomically } from "./store.ts";
