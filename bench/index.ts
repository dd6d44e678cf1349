/** Benchmarks of the two forms: suites, the runner of measured processes, and the statistics of their verdicts. */
export { addBenchCommand, type BenchStreams } from "./bench-command.ts";
