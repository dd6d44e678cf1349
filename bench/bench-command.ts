import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Argument, type Command } from "commander";
import { CommandError, inOneLine, offering, onEndSignal } from "#host";
import {
  type CompareOptions,
  checkComparable,
  compareRuns,
  convertedPattern,
  describeComparison,
  LATEST_RUN,
  loadRun,
  type Output,
  type Run,
  render,
  SUITES,
  saveRun,
  writeText,
} from "#results";
import { medianDifference, Random } from "#results/statistics";
import { packageRoot, workloads } from "#workloads";
import { answerClaims, type MixDevices } from "./claims.ts";
import { measureCodeSize, measureMixture } from "./code-size.ts";
import { requireScratch } from "./counts/callgrind.ts";
import { captureEnvironment } from "./environment.ts";
import { Journal, journalKey, journalOf } from "./journal.ts";
import {
  type BenchCommandOptions,
  COUNT,
  DEFAULT_MAX_REGRESSION,
  planOf,
  readMaxRegression,
} from "./options.ts";
import { type BenchPlan, describeRuntimeOptions, tasksOf } from "./plan.ts";
import { addQemuCommand } from "./qemu/command.ts";
import { codeFolder, runBench } from "./run-bench.ts";
import type { ProgressStream } from "./runner/progress.ts";
import { addScalingCommand } from "./scaling/command.ts";
import { loadSelfTest } from "./selftest/store.ts";
import { checkStored } from "./stored-files.ts";

/** Where the command prints; replaced in tests. */
export interface BenchStreams {
  readonly output: Output;
  readonly notes: ProgressStream;
}

/** Has measured processes load, as owned devices, the embedded ones with the files that match a pattern converted. */
export type ConvertDevices = (pattern: string) => Promise<{
  readonly converted: readonly string[];
  readonly withRegions: readonly string[];
  /** Texts of the mixture by path inside the tree. */
  readonly texts: ReadonlyMap<string, string>;
}>;

/**
 * Adds `regionlab bench [boot|dispatch|retention|count …] [--quick] [--regions A,B] [--convert PATTERN] [--workload W …]
 * [--repeats N] [--seconds N] [--seed N] [--no-count] [--shard I/N] [--shard-by processes|metrics] [-o F.json] [--fresh]
 * [--baseline F.json] [--max-regression PCT] [--force]`.
 */
export function addBenchCommand(
  program: Command,
  convertDevices: ConvertDevices,
  mixDevices: MixDevices,
  streams: BenchStreams = { output: process.stdout, notes: process.stderr },
): void {
  // What follows the name of a subcommand is its own: it has options of the same names.
  const command = program.command("bench").enablePositionalOptions();
  addQemuCommand(command);
  addScalingCommand(command, streams.output);
  command
    .description("measure what difference the form of the regions makes")
    .addArgument(offering(new Argument("[suites...]", "all by default"), [...SUITES, COUNT]))
    .option("--quick", "finish within two minutes, with fewer guests and wider intervals")
    .option("--regions <A,B>", "the two forms to compare", "embedded,owned")
    .option(
      "--convert <pattern>",
      "compare the devices with those of which the files that match are converted (in a clone: needs their sources)",
    )
    .option(
      "--workload <name...>",
      `guests to boot: ${workloads()
        .map(({ name }) => name)
        .join(", ")}`,
    )
    .option(
      "--repeats <n>",
      "processes per time and heap; boots and counts take at most 2 to 8 (default: until it is decided or time is up)",
    )
    .option(
      "--seconds <n>",
      "when to begin no more; what has begun, and the proofs, are finished (default: 2100; quick: 110; with --repeats: no limit)",
    )
    .option("--seed <n>", "fixes the order of processes and turns", "1")
    .option("--no-count", "do not count instructions, even if valgrind is installed")
    .option("--shard <i/n>", "measure part i of n; merge the parts with `regionlab results merge`")
    .option("--shard-by <what>", "what shards divide: processes (default) or metrics")
    .option("-o, --output <file>", `where to store the run, as JSON or .json.gz (default: ${LATEST_RUN})`)
    .option("--fresh", "start over instead of resuming an interrupted run")
    .option("--baseline <file>", "compare with this stored run")
    .option(
      "--max-regression <percent>",
      `with --baseline: exit with 1 if a judged figure is worse by more (default: ${DEFAULT_MAX_REGRESSION})`,
    )
    .option("--force", "compare even if the baseline is from another machine or runtime")
    .action(async (suites: string[], options: BenchCommandOptions) => {
      process.exitCode = await bench(suites, options, { convertDevices, mixDevices }, streams);
    });
}

interface Conversions {
  readonly convertDevices: ConvertDevices;
  readonly mixDevices: MixDevices;
}

async function bench(
  words: string[],
  options: BenchCommandOptions,
  { convertDevices, mixDevices }: Conversions,
  { output, notes }: BenchStreams,
): Promise<number> {
  const plan = planOf(words, options);
  const limit = readMaxRegression(options);
  const file = options.output ?? LATEST_RUN;
  // Anything that can fail must fail before the measurement, not minutes later.
  const inputs = options.baseline === undefined ? [] : [{ option: "--baseline", path: options.baseline }];
  const page = checkStored(file, inputs, [journalOf(file)]);
  const environment = captureEnvironment(packageRoot(), describeRuntimeOptions());
  if (options.force === true && options.baseline === undefined) {
    throw new CommandError("--force: there is no baseline to compare with; add --baseline F.json");
  }
  const baseline = options.baseline === undefined ? null : await loadRun(options.baseline);
  if (baseline !== null) checkOverlap(baseline, plan, options.baseline ?? "");
  if (baseline !== null)
    checkComparable(baseline, environment, options.force === true, options.baseline ?? "");
  if (words.includes(COUNT) && plan.count && environment.valgrind === null) {
    throw new CommandError(
      "bench count: valgrind is not installed, or does not report its version, so nothing can be counted; apt-get install valgrind",
    );
  }
  const tasks = tasksOf({ ...plan, shard: null }).length;
  if (plan.suites.length > 0 && plan.shard?.by === "metrics" && tasks < plan.shard.count) {
    throw new CommandError(
      `--shard ${options.shard}: there ${tasks === 1 ? "is one task" : `are ${tasks} tasks`}, so some parts would measure nothing; use fewer parts`,
    );
  }
  if (plan.count && environment.valgrind !== null) requireScratch();
  const hwFolder = join(packageRoot(), "emulator", "hw");
  const mixture = plan.convert === null ? null : await convertDevices(plan.convert);
  const codeSize = mixture === null ? measureCodeSize(hwFolder) : measureMixture(hwFolder, mixture.texts);
  if (mixture !== null) {
    const { converted, withRegions } = mixture;
    notes.write(
      `"owned" is the embedded tree with ${converted.length} of ${withRegions.length} files converted: ${converted.join(", ")}\n`,
    );
  }
  const childEntry = fileURLToPath(new URL("./child.js", import.meta.url));
  const key = journalKey(plan, environment, codeFolder({ childEntry }));
  const journal = Journal.open(file, key, options.fresh === true);
  const { found, damaged } = journal;
  if (damaged > 0) {
    notes.write(
      `${journalOf(file)}: ${damaged === 1 ? "a line was" : `${damaged} lines were`} damaged or edited; what is lost is measured again\n`,
    );
  }
  if (found > 0) {
    notes.write(
      `Resuming an interrupted run: ${found} finished processes are in ${journalOf(file)} (--fresh starts over)\n`,
    );
  }
  const release = endProperly(journal, notes);
  const isFull = !plan.quick && plan.convert === null && plan.suites.length === SUITES.length;
  const claims = isFull ? await answerClaims(mixDevices) : [];
  const run = await runBench(plan, {
    childEntry,
    codeSize,
    claims,
    progress: notes,
    environment,
    journal,
    selfTest: await loadSelfTest(),
  });
  await saveRun(file, run);
  await writeText(page, await render([run], "html", false));
  journal.remove();
  release();
  output.write(await render([run], "table", true));
  output.write(`\nStored in ${inOneLine(file)}; the page is ${inOneLine(page)}\n`);
  if (run.equivalence.some(({ equal }) => !equal)) {
    throw new CommandError(
      "the two forms did not run the same guest (see the proof above), so no times are reported",
      { exitCode: 1 },
    );
  }
  if (run.metrics.length === 0) {
    const reasons = [...new Set(run.omissions.map(({ reason }) => reason))];
    const why = reasons.length === 0 ? "There is nothing to measure here." : reasons.join(" ");
    throw new CommandError(`bench: there is no figure. ${why}`, { exitCode: 1 });
  }
  return baseline === null ? 0 : compareWith(baseline, run, limit, options, output);
}

/**
 * On a signal, says how to resume and ends the run with the exit code of the signal. Measured processes end with their
 * parent.
 * @returns a function that removes the handlers
 */
function endProperly(journal: Journal, notes: ProgressStream): () => void {
  const close = () => journal.close();
  const takeBack = onEndSignal((exitCode) => {
    notes.write("\nInterrupted. Finished processes are kept: the same command resumes from there.\n");
    close();
    process.exit(exitCode);
  });
  process.once("exit", close);
  return () => {
    takeBack();
    process.off("exit", close);
  };
}

/**
 * Refuses a baseline that nothing can be compared with, as the gate would then always pass.
 * @throws CommandError (exit code 2) when the baseline has nothing that this run measures
 */
function checkOverlap(baseline: Run, { suites, forms, convert }: BenchPlan, file: string): void {
  const theirPattern = convertedPattern(baseline);
  if (theirPattern !== convert) {
    const of = (pattern: string | null) => (pattern === null ? "whole trees" : `--convert ${pattern}`);
    throw new CommandError(
      `--baseline ${file}: measured ${of(theirPattern)}, this run measures ${of(convert)}; give a run of the same devices`,
    );
  }
  const theirs = new Set(baseline.metrics.map(({ suite }) => suite));
  if (suites.length > 0 && !suites.some((suite) => theirs.has(suite))) {
    throw new CommandError(
      theirs.size === 0
        ? `--baseline ${file}: has no figures at all, perhaps because its time was up; measure it again, with more --seconds`
        : `--baseline ${file}: has none of the suites ${suites.join(", ")}, but ${[...theirs].join(", ")}; give a run of the same suites`,
    );
  }
  const known = Object.values(baseline.options.forms);
  if (![forms.A, forms.B].every((form) => known.includes(form))) {
    throw new CommandError(
      `--baseline ${file}: measured ${[...new Set(known)].join(" and ")}, this run measures ${forms.A} and ${forms.B}; ` +
        "give a run of the same forms",
    );
  }
}

function compareWith(
  baseline: Run,
  run: Run,
  maxRegression: number,
  { baseline: file = "", force = false }: BenchCommandOptions,
  output: Output,
): number {
  const options: CompareOptions = {
    maxRegression,
    force,
    baselineFile: file,
    estimate: (then, now, scale, label) =>
      medianDifference(then, now, scale, Random.seeded(run.options.seed, `baseline/${label}`)),
  };
  const comparison = compareRuns(baseline, run, options);
  for (const line of describeComparison(comparison, options)) output.write(`${line}\n`);
  if (run.metrics.length === 0) {
    throw new CommandError(
      "--baseline: this run has no figures to compare, because its time was up; give it more with --seconds",
    );
  }
  if (comparison.changes.length === 0) {
    throw new CommandError(
      `--baseline ${file}: has none of the figures of this run, so nothing was compared`,
    );
  }
  if (!comparison.changes.some(({ judged }) => judged)) {
    throw new CommandError(
      `--baseline ${file}: no figure that both runs have is judged, so nothing was checked; measure more processes, or with valgrind`,
    );
  }
  return comparison.changes.some(({ regressed }) => regressed) ? 1 : 0;
}
