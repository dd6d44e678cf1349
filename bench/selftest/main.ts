/**
 * The instrument's self-test:
 *
 *     npm run bench:selftest                100 comparisons of each kind, about half an hour
 *     npm run bench:selftest -- --short     20 of each, some minutes; exits with 1 if counts or leaks are missed, or estimates untrue
 *
 * Options: [--short] [--seed N] [-o F.json]
 */

import { appendFileSync, existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { Command, CommanderError } from "commander";
import { CommandError, checkOutput } from "#host";
import { selfTestSentence, writeText } from "#results";
import { packageRoot } from "#workloads";
import { COUNT_REPEATS } from "../count-plan.ts";
import { locateValgrind, VALGRIND_ADVICE } from "../counts/callgrind.ts";
import { captureEnvironment } from "../environment.ts";
import { hashCode, journalOf } from "../journal.ts";
import { FULL_LOOKS } from "../options.ts";
import { describeRuntimeOptions, RUNTIME_OPTIONS } from "../plan.ts";
import { runChild } from "../runner/child-process.ts";
import { processorOf } from "../runner/processors.ts";
import { Progress } from "../runner/progress.ts";
import { attempt } from "../runner/run-schedule.ts";
import { seedOf } from "../runner/schedule.ts";
import type { ProcessReport, ProcessRequest, Task } from "../suites/measurement.ts";
import { describeEstimate, judgeRates, judgeShort } from "./judge-rates.ts";
import { countPlanted } from "./planted-counts.ts";
import { estimatePlanted, PLANTED_PERCENT, type SelfTestParts, summarizeSelfTest } from "./self-test.ts";
import { SELF_TEST_FILE } from "./store.ts";

interface Extent {
  /** Works into which extra work is planted, grouped by process. */
  readonly works: readonly (readonly string[])[];
  readonly percents: readonly number[];
  readonly looks: readonly number[];
  /** Comparisons of each metric. */
  readonly groups: number;
  /** Processes that the comparisons are drawn from. */
  readonly processes: number;
  readonly heapProcesses: number;
  readonly leakGroups: number;
  /** Processes per group of works in which identical arms are compared. */
  readonly alikeProcesses: number;
  /** Repeats of counts, of which each comparison draws some. */
  readonly countRepeats: number;
}

/** The floor is a control and not compared; it warms the isolate up as in a run. */
const UART = ["dispatch/floor", "dispatch/uart-host"];

const FULL: Extent = {
  works: [UART, ["board", "releases/plug-unplug"]],
  percents: PLANTED_PERCENT,
  looks: FULL_LOOKS,
  groups: 25,
  processes: 48,
  heapProcesses: 3,
  leakGroups: 8,
  alikeProcesses: 40,
  countRepeats: 12,
};

const SHORT: Extent = {
  works: [UART, ["board"]],
  percents: [0, 2],
  looks: [12, 20],
  groups: 7,
  processes: 24,
  heapProcesses: 3,
  leakGroups: 1,
  alikeProcesses: 0,
  countRepeats: 6,
};

const CHILD_TIMEOUT_MILLISECONDS = 10 * 60 * 1000;
const childEntry = fileURLToPath(new URL("../child.js", import.meta.url));

interface Options {
  readonly short?: boolean;
  readonly keep?: boolean;
  readonly seed: string;
  readonly output?: string;
}

async function selfTest(options: Options): Promise<number> {
  const short = options.short === true;
  if (!/^\d+$/.test(options.seed))
    throw new CommandError(`--seed ${options.seed}: is not a whole number; give one`);
  const seed = Number(options.seed);
  const output = options.output ?? (short ? null : SELF_TEST_FILE);
  if (output !== null) checkOutput("", output, { makeFolders: true });
  const extent = short ? SHORT : FULL;
  const environment = captureEnvironment(packageRoot(), describeRuntimeOptions());
  const { works, percents, looks, groups, processes, heapProcesses, leakGroups, alikeProcesses } = extent;
  const plant = percents.map((percent) => percent / 100);
  const jobs: Job[] = [
    ...works.flatMap((some, i) =>
      repeated(processes, `slices-${i}`, { kind: "slices", works: some }, optionsOf(some), plant),
    ),
    ...repeated(leakGroups * heapProcesses, "leaks", { kind: "heap", plantLeak: true }, RUNTIME_OPTIONS.heap),
    ...judgedWorks().flatMap((group, i) =>
      repeated(alikeProcesses, `alike-${i}`, { kind: "slices", works: group }, optionsOf(group)),
    ),
  ];
  const isAlike = ({ name }: Job) => name.startsWith("alike");
  const reports = await runJobs(
    [...inTurn(jobs.filter(isAlike)), ...inTurn(jobs.filter((job) => !isAlike(job)))],
    seed,
    output === null
      ? null
      : new FinishedJobs(journalOf(output), {
          code: hashCode(dirname(childEntry)),
          node: process.version,
          seed,
        }),
  );
  const of = (prefix: string) =>
    reports.flatMap(({ name, report }) => (name.startsWith(prefix) && report !== null ? [report] : []));
  const valgrind = await locateValgrind();
  const counts = valgrind && (await countPlanted(valgrind, plant, extent.countRepeats, seed, process.stderr));
  if (counts === null) process.stdout.write(`Counts are not tested: ${VALGRIND_ADVICE}.\n`);
  const parts: SelfTestParts = {
    environment,
    looks,
    percents,
    groups,
    slices: works.map((_, i) => of(`slices-${i}`)),
    leaks: of("leaks"),
    heapProcesses,
    alike: of("alike"),
    counts,
    countRepeats: COUNT_REPEATS.quick,
  };
  const result = summarizeSelfTest(parts);
  const estimates = estimatePlanted(parts);
  if (output !== null) {
    await writeText(output, `${JSON.stringify(result, null, 1)}\n`);
    if (options.keep !== true) rmSync(journalOf(output), { force: true });
  }
  process.stdout.write(`${selfTestSentence(result)}\n`);
  for (const { suite, quantity, percent, found, of: all } of result.planted) {
    process.stdout.write(`  ${suite}, ${quantity}: planted ${percent} % found in ${found} of ${all}\n`);
  }
  for (const { suite, workload, name, arms, slots, alike } of result.alike) {
    const figures = [...Object.values(arms), ...slots].map((value) => value.toFixed(2).padStart(6)).join(" ");
    process.stdout.write(
      `  ${alike ? "alike    " : "NOT ALIKE"} ${figures}  ${suite}/${workload}: ${name}\n`,
    );
  }
  for (const estimate of estimates) process.stdout.write(`  ${describeEstimate(estimate)}\n`);
  const complaints = short ? judgeShort(result, estimates) : judgeRates(result);
  for (const complaint of complaints) process.stdout.write(`not met: ${complaint}\n`);
  if (output !== null) process.stdout.write(`Stored in ${output}\n`);
  return complaints.length === 0 ? 0 : 1;
}

interface Job {
  readonly name: string;
  readonly repeat: number;
  readonly task: Task;
  readonly execArgv: readonly string[];
  readonly plant: readonly number[];
}

function repeated(
  count: number,
  name: string,
  task: Task,
  execArgv: readonly string[],
  plant: readonly number[] = [0],
): Job[] {
  return Array.from({ length: count }, (_, repeat) => ({ name, repeat, task, execArgv, plant }));
}

/** Node options of the works, as in a run. */
function optionsOf([first = ""]: readonly string[]): readonly string[] {
  return first.startsWith("dispatch/") ? RUNTIME_OPTIONS.accesses : RUNTIME_OPTIONS.rounds;
}

/**
 * Works whose times a run may judge, grouped by process. The other dispatch cases are decided by reads of region
 * fields, or are details, whose times are shown but not judged.
 */
function judgedWorks(): string[][] {
  return [
    UART,
    ["dispatch/uncopied-10000"],
    ["board"],
    ["releases/plug-unplug", "releases/unplug-mapped", "releases/unplug-held"],
  ];
}

/** Interleaves all kinds of processes, so that each kind is spread over the whole test. */
function inTurn(jobs: readonly Job[]): Job[] {
  const most = new Map<string, number>();
  for (const { name } of jobs) most.set(name, (most.get(name) ?? 0) + 1);
  const place = ({ name, repeat }: Job) => (repeat + 0.5) / (most.get(name) ?? 1);
  return [...jobs].sort((a, b) => place(a) - place(b));
}

/** Runs the jobs. All arms have the same form, so any difference was planted or is an error of the instrument. */
async function runJobs(
  jobs: readonly Job[],
  seed: number,
  finished: FinishedJobs | null,
): Promise<{ readonly name: string; readonly report: ProcessReport | null }[]> {
  const progress = new Progress(process.stderr, jobs.length);
  const results: { name: string; report: ProcessReport | null }[] = [];
  for (const { name, repeat, task, execArgv, plant } of jobs) {
    progress.update(results.length, `${name}, process ${repeat + 1}`);
    const trial = { task: name, repeat };
    const earlier = finished?.of(name, repeat);
    if (earlier !== undefined) {
      results.push({ name, report: earlier });
      continue;
    }
    const request: ProcessRequest = {
      forms: { A: "embedded", B: "embedded" },
      quick: true,
      seed: seedOf(trial, seed, 0),
      task,
      plant,
      processor: processorOf(repeat),
    };
    const { report, lost } = await attempt(trial, () =>
      runChild(request, `${name}, process ${repeat + 1}`, {
        entry: childEntry,
        execArgv,
        timeout: CHILD_TIMEOUT_MILLISECONDS,
      }),
    );
    if (lost !== null) process.stderr.write(`\nlost: ${lost}\n`);
    results.push({ name, report: report as ProcessReport | null }); // from child.ts of this same build
    if (report !== null) finished?.add(name, repeat, report as ProcessReport); // as above
  }
  progress.end();
  return results;
}

/** What two self-tests must have in common for one to resume the other. */
interface FinishedKey {
  readonly code: string;
  readonly node: string;
  readonly seed: number;
}

/** The finished processes of a self-test, kept so that an interrupted one can be resumed. */
class FinishedJobs {
  private readonly file: string;
  private readonly reports = new Map<string, ProcessReport>();

  /** @throws CommandError (exit code 2) when the file is from other code, another Node or another seed */
  constructor(file: string, key: FinishedKey) {
    this.file = file;
    const head = JSON.stringify({ key });
    if (!existsSync(file)) {
      writeFileSync(file, `${head}\n`);
      return;
    }
    const [first, ...lines] = readFileSync(file, "utf8").split("\n");
    if (first !== head) {
      throw new CommandError(
        `${file}: holds processes of a self-test with other code, Node or seed; remove it, or store this one elsewhere with -o`,
      );
    }
    for (const line of lines.slice(0, -1)) {
      const { name, repeat, report } = JSON.parse(line) as {
        name: string;
        repeat: number;
        report: ProcessReport;
      };
      this.reports.set(`${name}/${repeat}`, report);
    }
  }

  of(name: string, repeat: number): ProcessReport | undefined {
    return this.reports.get(`${name}/${repeat}`);
  }

  add(name: string, repeat: number, report: ProcessReport): void {
    appendFileSync(this.file, `${JSON.stringify({ name, repeat, report })}\n`);
  }
}

const program = new Command("bench:selftest")
  .option("--short", "20 comparisons of each kind")
  .option("--keep", "keep the figures of all processes next to the rates")
  .option("--seed <n>", "fixes the order of turns", "1")
  .option("-o, --output <file>", `where to store the rates (default: ${SELF_TEST_FILE}; --short: nowhere)`)
  .exitOverride();

try {
  program.parse();
  process.exitCode = await selfTest(program.opts<Options>());
} catch (error) {
  if (error instanceof CommanderError) process.exitCode = error.exitCode === 0 ? 0 : 2;
  else if (error instanceof CommandError) {
    process.stderr.write(`bench:selftest: ${error.message}\n`);
    process.exitCode = error.exitCode;
  } else throw error;
}
