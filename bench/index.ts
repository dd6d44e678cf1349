/**
 * Benchmarks: `regionlab bench` with everything it measures, `regionlab results`, which merges runs,
 * and `regionlab claims`.
 */
export { addBenchCommand, type BenchStreams } from "./bench-command.ts";
export { addClaimsCommand } from "./claims-command.ts";
export { addResultsCommand } from "./results-command.ts";
