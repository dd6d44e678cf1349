/** Benchmarks: `regionlab bench` and what it measures, and `regionlab results`, which merges what was measured apart. */
export { addBenchCommand, type BenchStreams } from "./bench-command.ts";
export { addResultsCommand } from "./results-command.ts";
