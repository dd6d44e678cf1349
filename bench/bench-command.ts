import { extname } from "node:path";
import { fileURLToPath } from "node:url";
import type { Command } from "commander";
import {
  CommandError,
  type CompareOptions,
  checkWritable,
  compareRuns,
  describeComparison,
  FORMS,
  type Form,
  LATEST_RUN,
  loadRun,
  type Output,
  type Run,
  render,
  SUITES,
  type Suite,
  saveRun,
  writeAtomically,
} from "#results";
import { locateDebian, locateFirmware, packageRoot, type Workload, workloads } from "#workloads";
import { type BenchPlan, runBench } from "./run-bench.ts";
import type { ProgressStream } from "./runner/progress.ts";
import { medianDifference, Random } from "./statistics/index.ts";

interface BenchCommandOptions {
  readonly quick?: boolean;
  readonly regions: string;
  readonly workload?: string[];
  readonly repeats?: string;
  readonly seed: string;
  readonly output?: string;
  readonly baseline?: string;
  readonly maxRegression: string;
  readonly force?: boolean;
}

/** Where the command prints; replaced in tests. */
export interface BenchStreams {
  readonly output: Output;
  readonly notes: ProgressStream;
}

/** Seconds that a quick run may take: two minutes less the build before it and the page after it. */
const QUICK_SECONDS = 100;
/** More repeats than a quick run has time for, on any machine of today. */
const QUICK_REPEATS = 24;
const FULL_REPEATS = 20;
/** What a quick run boots: the shortest guest, and the one that does nothing but access devices. */
const QUICK_WORKLOADS = ["hello", "mmio-storm"];

/**
 * Adds `regionlab bench [boot|dispatch|retention …] [--quick] [--regions A,B] [--workload W …] [--repeats N] [--seed N]
 * [-o F.json] [--baseline F.json] [--max-regression PCT] [--force]`.
 */
export function addBenchCommand(
  program: Command,
  streams: BenchStreams = { output: process.stdout, notes: process.stderr },
): void {
  program
    .command("bench")
    .description("measure what the form of the regions is worth")
    .argument("[suites...]", `any of ${SUITES.join(", ")} (default: all)`)
    .option("--quick", "end within two minutes, with wider intervals")
    .option("--regions <A,B>", "the two forms to compare", "embedded,owned")
    .option(
      "--workload <name...>",
      `guests to boot: ${workloads()
        .map(({ name }) => name)
        .join(", ")}`,
    )
    .option("--repeats <n>", `processes per arm (default: ${FULL_REPEATS}; quick: what the time allows)`)
    .option("--seed <n>", "fixes the order of the processes", "1")
    .option("-o, --output <file>", `where to store the run, as JSON (default: ${LATEST_RUN})`)
    .option("--baseline <file>", "compare with this stored run")
    .option("--max-regression <percent>", "with --baseline: exit with 1 if anything is slower by more", "5")
    .option("--force", "compare with a baseline of another machine or runtime all the same")
    .action(async (suites: string[], options: BenchCommandOptions) => {
      process.exitCode = await bench(suites, options, streams);
    });
}

async function bench(suites: string[], options: BenchCommandOptions, streams: BenchStreams): Promise<number> {
  const plan = planOf(suites, options);
  const limit = readNumber("--max-regression", options.maxRegression, 0);
  const file = options.output ?? LATEST_RUN;
  if (extname(file) !== ".json") {
    throw new CommandError(
      2,
      `-o ${file}: a run is stored as JSON; end the name in .json (the page goes beside it)`,
    );
  }
  // Whatever can fail must fail before the minutes of measuring, not after them.
  await checkWritable(file);
  const baseline = options.baseline === undefined ? null : await loadRun(options.baseline);
  const run = await runBench(plan, {
    childEntry: fileURLToPath(new URL("./child.js", import.meta.url)),
    packageRoot: packageRoot(),
    progress: streams.notes,
  });
  const page = `${file.slice(0, -".json".length)}.html`;
  await saveRun(file, run);
  await writeAtomically(page, await render([run], "html", false));
  streams.output.write(await render([run], "table", true));
  streams.output.write(`\nStored in ${file}; the page is ${page}\n`);
  if (run.equivalence.some(({ equal }) => !equal)) {
    throw new CommandError(
      1,
      "the two forms did not run the same guest (see the proof above), so no time is reported",
    );
  }
  return baseline === null ? 0 : compareWith(baseline, run, limit, options, streams.output);
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
  return comparison.changes.some(({ regressed }) => regressed) ? 1 : 0;
}

/** What the options ask for. @throws CommandError (exit code 2) when they ask for what there is not */
export function planOf(suites: readonly string[], options: BenchCommandOptions): BenchPlan {
  const quick = options.quick === true;
  const repeats =
    options.repeats === undefined ? null : Math.floor(readNumber("--repeats", options.repeats, 2));
  return {
    suites: suites.length === 0 ? SUITES : [...new Set(suites)].map(readSuite),
    quick,
    forms: readForms(options.regions),
    workloads: readWorkloads(options.workload, quick),
    repeats: repeats ?? (quick ? QUICK_REPEATS : FULL_REPEATS),
    seconds: quick && repeats === null ? QUICK_SECONDS : null,
    seed: readNumber("--seed", options.seed, 0),
    command: commandText(suites, options),
  };
}

function readSuite(text: string): Suite {
  const suite = SUITES.find((name) => name === text);
  if (suite) return suite;
  throw new CommandError(2, `bench ${text}: there is no such suite; give any of ${SUITES.join(", ")}`);
}

function readForms(text: string): { A: Form; B: Form } {
  const [a, b, ...others] = text.split(",").map((part) => FORMS.find((form) => form === part.trim()));
  if (a && b && others.length === 0) return { A: a, B: b };
  throw new CommandError(
    2,
    `--regions ${text}: give two of ${FORMS.join(", ")} with a comma, as embedded,owned`,
  );
}

/** Names of guests. Without any, all that can run here: firmware and Debian only where their files are. */
function readWorkloads(names: readonly string[] | undefined, quick: boolean): string[] {
  const all = workloads();
  if (names === undefined) {
    return all
      .filter((guest) => (quick ? QUICK_WORKLOADS.includes(guest.name) : whyMissing(guest) === null))
      .map(({ name }) => name);
  }
  for (const name of names) {
    const found = all.find((candidate) => candidate.name === name);
    if (!found) {
      const known = all.map((candidate) => candidate.name).join(", ");
      throw new CommandError(2, `--workload ${name}: there is no such guest; give any of ${known}`);
    }
    const reason = whyMissing(found);
    if (reason !== null) throw new CommandError(2, `--workload ${name}: ${reason}`);
  }
  return [...new Set(names)];
}

/** Why a guest's files are not here, and the mend; null where they are. */
function whyMissing({ kind }: Workload): string | null {
  if (kind === "bare-metal") return null;
  const firmware = locateFirmware();
  if (!firmware.found) return firmware.reason;
  const debian = kind === "distribution" ? locateDebian() : null;
  return debian === null || debian.found ? null : debian.reason;
}

function readNumber(option: string, text: string, least: number): number {
  const value = Number(text);
  if (text.trim() !== "" && Number.isFinite(value) && value >= least) return value;
  throw new CommandError(2, `${option} ${text}: is not a number from ${least}; give one`);
}

/** The command as somebody would type it to repeat the run. */
function commandText(suites: readonly string[], options: BenchCommandOptions): string {
  const parts = ["npx regionlab bench", ...suites];
  if (options.quick) parts.push("--quick");
  if (options.regions !== "embedded,owned") parts.push(`--regions ${options.regions}`);
  if (options.workload) parts.push(`--workload ${options.workload.join(" ")}`);
  if (options.repeats !== undefined) parts.push(`--repeats ${options.repeats}`);
  parts.push(`--seed ${options.seed}`);
  return parts.join(" ");
}
