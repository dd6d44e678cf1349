/** Benchmarks: `regionlab bench` with everything it measures, and `regionlab results`, which merges runs. */
export { addBenchCommand, type BenchStreams } from "./bench-command.ts";
export { addResultsCommand } from "./results-command.ts";
