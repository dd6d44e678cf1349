/**
 * The processor benchmark, against QEMU:
 *
 *     npm run bench:cpu                     everything, a quarter of an hour
 *     npm run bench:cpu -- --quick          one lap of every kernel, once, without Debian
 *
 * Options: [--quick] [--work NAME …] [--repeats N] [--seed N] [-o F.json]
 */

import { fileURLToPath } from "node:url";
import { Command, CommanderError } from "commander";
import { CommandError, checkOutput } from "#host";
import { pageNameOf, writeText } from "#results";
import { packageRoot } from "#workloads";
import { captureEnvironment, completeEnvironment } from "../environment.ts";
import { runChild } from "../runner/child-process.ts";
import { Progress } from "../runner/progress.ts";
import { CONTESTANTS, type Contestant, type ContestantName, contestants } from "./contestants.ts";
import { renderCpuPage } from "./page.ts";
import type { Profile } from "./profile.ts";
import type { ProfileRequest } from "./profile-child.ts";
import { timesToTexts } from "./race.ts";
import {
  CPU_SCHEMA,
  CPU_SCHEMA_VERSION,
  type CpuRun,
  judgeWork,
  type Samples,
  summarizeKinds,
} from "./report.ts";
import { type Entry, planHeats } from "./schedule.ts";
import { renderCpuMarkdown, renderCpuTable } from "./tables.ts";
import { type Guest, type Work, works } from "./works.ts";

/** Processes per contestant. */
const REPEATS = { quick: 1, full: 5 } as const;
/** Processes per contestant for Debian's boot, which takes a hundred times as long. */
const BOOT_REPEATS = 3;
/** Processes of the interpreter. It is many times slower, and the factor needs no narrow interval. */
const INTERPRETER_REPEATS = 2;
/** Milliseconds after which a process is killed. */
const PATIENCE = 20 * 60_000;
/** Works that are profiled. */
const PROFILED: readonly string[] = ["sort", "string", "nbody", "device-loads", "debian"];
const DEFAULT_OUTPUT = "results/cpu.json";

interface Options {
  readonly quick?: boolean;
  readonly work?: string[];
  readonly repeats?: string;
  readonly seed: string;
  readonly output: string;
}

const cli = fileURLToPath(new URL("../../bin/cli.js", import.meta.url));

async function bench(options: Options): Promise<void> {
  const seed = count("--seed", options.seed);
  const repeats = options.repeats === undefined ? undefined : count("--repeats", options.repeats);
  const chosen = choose(options.work, options.quick === true);
  checkOutput("", options.output, { makeFolders: true });
  const started = performance.now();
  const environment = captureEnvironment(packageRoot(), []);
  const machines = contestants(cli, environment.regionlab);
  const times = await race(
    chosen,
    machines,
    entriesOf(chosen, machines, options.quick === true, repeats),
    seed,
  );
  const rows = chosen.map((work) => judgeWork(work, samplesOf(work.name, times)));
  const run: CpuRun = {
    schema: CPU_SCHEMA,
    version: CPU_SCHEMA_VERSION,
    environment: completeEnvironment(environment, (performance.now() - started) / 1000),
    command: ["npm run bench:cpu --", ...process.argv.slice(2)].join(" "),
    seed,
    contestants: machines.map(({ name, title, version, mend }) => ({ name, title, version, mend })),
    rows,
    summaries: summarizeKinds(rows),
    profiles: await profile(chosen),
  };
  await writeText(options.output, `${JSON.stringify(run, null, 1)}\n`);
  await writeText(options.output.replace(/(\.json)?$/, ".md"), renderCpuMarkdown(run));
  const page = pageNameOf(options.output);
  await writeText(page, await renderCpuPage(run));
  process.stdout.write(`${renderCpuTable(run)}\nStored in ${options.output}; the page is ${page}\n`);
}

/** The named works; default: all of them, without boots if `quick`. */
function choose(names: readonly string[] | undefined, quick: boolean): Work[] {
  const all = works(quick ? 1 : undefined);
  const unknown = names?.find((name) => !all.some((work) => work.name === name));
  if (unknown !== undefined) {
    const known = all.map(({ name }) => name).join(", ");
    throw new CommandError(`--work ${unknown}: no such work; it must be one of ${known}`);
  }
  return all.filter((work) => (names ? names.includes(work.name) : !(quick && work.kind === "boot")));
}

/** Which installed contestants run which works how often: long works less often, and no boots in the interpreter. */
function entriesOf(
  chosen: readonly Work[],
  machines: readonly Contestant[],
  quick: boolean,
  repeats: number | undefined,
): Entry[] {
  const installed = machines.filter(({ version }) => version !== null).map(({ name }) => name);
  return chosen.flatMap((work) => {
    if ("missing" in work.guest) return [];
    const boots = work.kind === "boot";
    const most = repeats ?? (quick ? REPEATS.quick : boots ? BOOT_REPEATS : REPEATS.full);
    const slow = Math.min(most, INTERPRETER_REPEATS);
    const others = installed.filter((name) => name !== "interpreter");
    return boots
      ? [{ work: work.name, contestants: others, repeats: most }]
      : [
          { work: work.name, contestants: installed, repeats: slow },
          { work: work.name, contestants: others, repeats: most - slow },
        ];
  });
}

/** Milliseconds to each milestone, by work, contestant and process. */
type Times = Map<string, Map<ContestantName, number[][]>>;

async function race(
  chosen: readonly Work[],
  machines: readonly Contestant[],
  entries: readonly Entry[],
  seed: number,
): Promise<Times> {
  const guests = new Map(
    chosen.flatMap(({ name, guest }) => ("missing" in guest ? [] : [[name, guest] as const])),
  );
  const heats = planHeats(entries, seed);
  const progress = new Progress(process.stderr, heats.length);
  const times: Times = new Map();
  for (const [i, { work, contestant }] of heats.entries()) {
    progress.update(i, `${work}, ${contestant}`);
    const guest: Guest | undefined = guests.get(work);
    const machine = machines.find(({ name }) => name === contestant);
    if (guest === undefined || machine === undefined) throw new Error(`${work}: planned, but cannot be run`);
    const milliseconds = await timesToTexts(machine.command(guest), guest.milestones, PATIENCE);
    const ofWork = times.get(work) ?? new Map<ContestantName, number[][]>();
    ofWork.set(contestant, [...(ofWork.get(contestant) ?? []), milliseconds]);
    times.set(work, ofWork);
  }
  progress.end();
  return times;
}

function samplesOf(work: string, times: Times): Samples {
  const [regionlab = [], interpreter = [], qemu = []] = CONTESTANTS.map(
    (name) => times.get(work)?.get(name) ?? [],
  );
  return { regionlab, interpreter, qemu };
}

async function profile(chosen: readonly Work[]): Promise<Profile[]> {
  const profiles: Profile[] = [];
  for (const { name, guest } of chosen) {
    if (!PROFILED.includes(name) || "missing" in guest) continue;
    const request: ProfileRequest = { work: name, guest };
    const report = await runChild(request, `profile of ${name}`, {
      entry: fileURLToPath(new URL("./profile-child.js", import.meta.url)),
      execArgv: [],
      timeout: PATIENCE,
    });
    // The child is profile-child.ts, which reports nothing else.
    profiles.push(report as Profile);
  }
  return profiles;
}

function count(option: string, text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 1) {
    throw new CommandError(`${option} ${text}: not a count; give a whole number of at least 1`);
  }
  return value;
}

const program = new Command("bench:cpu")
  .description("compare the speed of the emulated processor with QEMU")
  .option("--quick", "one lap of every kernel, once, and no boot of a distribution")
  .option(
    "--work <name...>",
    `what to run: ${works()
      .map(({ name }) => name)
      .join(", ")} (default: all)`,
  )
  .option("--repeats <n>", `processes per contestant (default: ${REPEATS.full}, ${BOOT_REPEATS} of a boot)`)
  .option("--seed <n>", "fixes the order of the processes", "1")
  .option(
    "-o, --output <file>",
    "where to store the run, as JSON; tables in Markdown and a page go next to it",
    DEFAULT_OUTPUT,
  )
  .exitOverride()
  .action(bench);

try {
  await program.parseAsync();
} catch (error) {
  if (error instanceof CommanderError) process.exitCode = error.exitCode === 0 ? 0 : 2;
  else if (error instanceof CommandError) {
    console.error(`bench:cpu: ${error.message}`);
    process.exitCode = error.exitCode;
  } else throw error;
}
