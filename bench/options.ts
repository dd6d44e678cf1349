import { CommandError } from "#host";
/** The options of a run, checked before anything is measured. */
import { FORMS, type Form, SUITES, type Suite } from "#results";
import { locateDebian, locateFirmware, type Workload, workloads } from "#workloads";
import type { BenchPlan, Shard } from "./plan.ts";

export interface BenchCommandOptions {
  readonly quick?: boolean;
  readonly regions: string;
  readonly convert?: string;
  readonly workload?: string[];
  readonly repeats?: string;
  readonly seconds?: string;
  readonly seed: string;
  readonly shard?: string;
  readonly shardBy?: string;
  readonly output?: string;
  readonly fresh?: boolean;
  readonly count: boolean;
  readonly baseline?: string;
  readonly maxRegression?: string;
  readonly force?: boolean;
}

/** Accepted in place of suites: only instruction counts. */
export const COUNT = "count";

/** Seconds that a quick run may take: two minutes minus the build before it and the page after it. */
const QUICK_SECONDS = 110;
const FULL_SECONDS = 35 * 60;
/** Numbers of processes after which a run checks whether a metric is decided. The last is the maximum. */
export const QUICK_LOOKS = [7, 11, 14];
export const FULL_LOOKS = [12, 20, 30, 40];
/** Guests of a quick run: the shortest one, and one that does nothing but access devices. */
const QUICK_WORKLOADS = ["hello", "mmio-storm"];
const MOST_REPEATS = 10_000;
const MOST_SECONDS = 7 * 24 * 3600;
export const DEFAULT_MAX_REGRESSION = 5;

/** Makes the plan that the options ask for. @throws CommandError (exit code 2) when an option is invalid */
export function planOf(words: readonly string[], options: BenchCommandOptions): BenchPlan {
  const quick = options.quick === true;
  const repeats =
    options.repeats === undefined ? null : readWhole("--repeats", options.repeats, 2, MOST_REPEATS);
  const shard = readShard(options);
  const looks = looksOf(quick, repeats, shard);
  const chosen = wordsOf(words, options);
  const suites = chosen.filter((word) => word !== COUNT).map(readSuite);
  if (chosen.includes(COUNT) && !options.count)
    throw new CommandError(`bench ${chosen.join(" ")} --no-count: asks to count and not to; leave one out`);
  if (options.workload !== undefined && suites.length > 0 && !suites.includes("boot"))
    throw new CommandError(
      `--workload ${options.workload.join(" ")}: ${chosen.join(" ")} boots no guest; add boot, or leave --workload out`,
    );
  return {
    suites: chosen.length === 0 ? SUITES : suites,
    quick,
    forms: readForms(options.regions),
    convert: options.convert ?? null,
    workloads: bootsGuests(chosen) ? readWorkloads(options.workload, quick) : [],
    repeats: Math.max(...looks),
    exactRepeats: repeats !== null,
    looks,
    seconds: secondsOf(options, quick, repeats),
    seed: readWhole("--seed", options.seed, 0, 2 ** 32 - 1),
    count: options.count,
    shard,
    command: commandText(options.convert === undefined ? words : chosen, options),
  };
}

/** Whether guests are booted for what is asked for: without, none needs a proof that it does the same in both forms. */
function bootsGuests(chosen: readonly string[]): boolean {
  return chosen.length === 0 || chosen.includes("boot") || chosen.every((word) => word === COUNT);
}

/** The suites asked for. Of converted devices there is one: the others measure devices of their own. */
function wordsOf(words: readonly string[], { convert, regions }: BenchCommandOptions): string[] {
  const chosen = [...new Set(words)];
  if (convert === undefined) return chosen;
  const other = chosen.find((word) => word !== "boot" && word !== COUNT);
  if (other !== undefined)
    throw new CommandError(
      `bench ${other} --convert: measures devices of its own, which are in one form; give boot, count or both`,
    );
  if (/[\s']/.test(convert))
    throw new CommandError(`--convert ${convert}: has a space or a quote; give ? in its place`);
  if (regions !== "embedded,owned")
    throw new CommandError(
      `--regions ${regions} --convert: the arms are the embedded devices, as they are and converted; leave one out`,
    );
  return chosen.length === 0 ? ["boot"] : chosen;
}

/**
 * Numbers of processes after which a metric may be decided. A part of a run divided by processes never stops early: its
 * verdicts are drawn once, when the parts are merged.
 */
function looksOf(quick: boolean, repeats: number | null, shard: Shard | null): readonly number[] {
  const looks = quick ? QUICK_LOOKS : FULL_LOOKS;
  const most = repeats ?? Math.max(...looks);
  if (shard?.by === "processes") return [Math.max(2, Math.ceil(most / shard.count))];
  return repeats === null ? looks : [repeats];
}

/** Time for the run in seconds: as given; else no limit if the number of processes is given; else the default. */
function secondsOf({ seconds }: BenchCommandOptions, quick: boolean, repeats: number | null): number | null {
  if (seconds !== undefined) return readWhole("--seconds", seconds, 1, MOST_SECONDS);
  if (repeats !== null) return null;
  return quick ? QUICK_SECONDS : FULL_SECONDS;
}

/** In percent. @throws CommandError (exit code 2) when it is invalid, or given without a baseline */
export function readMaxRegression({ maxRegression, baseline }: BenchCommandOptions): number {
  if (maxRegression === undefined) return DEFAULT_MAX_REGRESSION;
  if (baseline === undefined) {
    throw new CommandError(
      `--max-regression ${maxRegression}: there is nothing to compare with; add --baseline F.json`,
    );
  }
  const value = Number(maxRegression);
  if (maxRegression.trim() !== "" && Number.isFinite(value) && value >= 0) return value;
  throw new CommandError(`--max-regression ${maxRegression}: is not a number of percent from 0; give one`);
}

function readSuite(text: string): Suite {
  const suite = SUITES.find((name) => name === text);
  if (suite) return suite;
  throw new CommandError(
    `bench ${text}: there is no such suite; give any of ${[...SUITES, COUNT].join(", ")}`,
  );
}

function readForms(text: string): { A: Form; B: Form } {
  const [a, b, ...others] = text.split(",").map((part) => FORMS.find((form) => form === part.trim()));
  if (a && b && others.length === 0) return { A: a, B: b };
  throw new CommandError(
    `--regions ${text}: give two of ${FORMS.join(", ")} with a comma, as embedded,owned`,
  );
}

/** Names of guests. Default: all that can run here; firmware and Debian need their files. */
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
      throw new CommandError(`--workload ${name}: there is no such guest; give any of ${known}`);
    }
    const reason = whyMissing(found);
    if (reason !== null) throw new CommandError(`--workload ${name}: ${reason}`);
  }
  return [...new Set(names)];
}

/** Why a guest's files are missing, and how to get them; null if they are present. */
export function whyMissing({ kind }: Workload): string | null {
  if (kind === "bare-metal") return null;
  const firmware = locateFirmware();
  if (!firmware.found) return firmware.reason;
  const debian = kind === "distribution" ? locateDebian() : null;
  return debian === null || debian.found ? null : debian.reason;
}

/** A whole number in a range. @throws CommandError (exit code 2) that names the option */
export function readWhole(option: string, text: string, least: number, most: number): number {
  const value = Number(text);
  if (/^\d+$/.test(text.trim()) && value >= least && value <= most) return value;
  throw new CommandError(`${option} ${text}: is not a whole number from ${least} to ${most}; give one`);
}

function readShard(options: BenchCommandOptions): Shard | null {
  const { shard, shardBy = "processes" } = options;
  if (shardBy !== "processes" && shardBy !== "metrics") {
    throw new CommandError(
      `--shard-by ${shardBy}: shards divide processes or metrics; give one of these words`,
    );
  }
  if (shard === undefined) {
    if (options.shardBy === undefined) return null;
    throw new CommandError(`--shard-by ${shardBy}: there is no part to measure; add --shard, as --shard 2/4`);
  }
  const [, index = Number.NaN, count = Number.NaN] = (/^(\d+)\/(\d+)$/.exec(shard) ?? []).map(Number);
  if (index >= 1 && index <= count && count <= 1000) return { index, count, by: shardBy };
  throw new CommandError(
    `--shard ${shard}: ${whyNoShard(index, count)}give the part and the number of parts, as 2/4`,
  );
}

/** Empty for words that are no pair of numbers. */
function whyNoShard(index: number, count: number): string {
  if (count === 0) return "there is at least one part; ";
  if (index > count || index === 0) return `the ${count} parts are 1 to ${count}; `;
  return count > 1000 ? "at most 1000 parts; " : "";
}

/** The command that repeats the run. */
function commandText(words: readonly string[], options: BenchCommandOptions): string {
  const parts = ["npx regionlab bench", ...words];
  if (options.quick) parts.push("--quick");
  if (options.regions !== "embedded,owned") parts.push(`--regions ${options.regions}`);
  if (options.convert !== undefined) parts.push(`--convert '${options.convert}'`);
  if (options.workload) parts.push(`--workload ${options.workload.join(" ")}`);
  if (options.repeats !== undefined) parts.push(`--repeats ${options.repeats}`);
  if (options.seconds !== undefined) parts.push(`--seconds ${options.seconds}`);
  if (!options.count) parts.push("--no-count");
  if (options.shard !== undefined) parts.push(`--shard ${options.shard}`);
  if (options.shardBy !== undefined && options.shardBy !== "processes")
    parts.push(`--shard-by ${options.shardBy}`);
  parts.push(`--seed ${options.seed}`);
  return parts.join(" ");
}
