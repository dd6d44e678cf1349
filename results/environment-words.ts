/** Where a run was measured, and warnings for its readers. */
import { isAsPredicted } from "./claims.ts";
import { claimedOfControl, plantedIn } from "./instrument-words.ts";
import { tooFewToCompare } from "./merged-figures.ts";
import {
  type Environment,
  LIFETIME_FIGURES,
  type LifetimeOutcome,
  type Metric,
  type Requirement,
  type Run,
} from "./schema.ts";
import {
  countOf,
  formatBytes,
  formatDate,
  formatNumber,
  formatQuantity,
  formNames,
  listOf,
  outcomeWords,
} from "./words.ts";

/** The environment as labels and texts, in the order shown. */
export function environmentRows(environment: Environment): [label: string, text: string][] {
  const e = environment;
  const known = (value: boolean | null, yes: string, no: string) =>
    value === null ? "not reported by the system" : value ? yes : no;
  const load = (values: readonly number[]) => values.map((value) => value.toFixed(2)).join(", ");
  return [
    ["Date", formatDate(e.date)],
    ["Duration", formatQuantity(Math.round(e.seconds), "s")],
    [
      "Commit",
      e.commit === null
        ? "not in a repository"
        : `${e.commit.slice(0, 12)}${e.dirty ? ", with uncommitted changes" : ""}`,
    ],
    ["regionlab", e.regionlab],
    ["Runtime", `Node ${e.node}, V8 ${e.v8}`],
    ["Runtime options", e.execArgv.length === 0 ? "none" : e.execArgv.join("; ")],
    ["Counting", e.valgrind === null ? "valgrind is not installed" : `valgrind ${e.valgrind}`],
    ["Processor", `${e.cpuModel}, ${e.cpuCount} logical, ${e.arch}`],
    ["Hypervisor", known(e.virtualised, "yes: other guests may interfere", "none detected")],
    ["Governor", e.governor ?? "not reported by the system"],
    ["Memory", formatBytes(e.memoryBytes)],
    ["System", `${e.platform} ${e.kernel}`],
    ["Load before", load(e.loadBefore)],
    ["Load after", load(e.loadAfter)],
  ];
}

/** The machines of a run in one line. */
export function environmentLine({ machines }: Pick<Run, "machines">): string {
  const one = (e: Environment) =>
    `${e.cpuModel}, ${e.cpuCount} logical, Node ${e.node}, ${formatDate(e.date)}`;
  return machines.map(one).join("; ");
}

/** Whether a lifetime scenario ended as predicted. */
export function asPredicted({ expected, observed }: LifetimeOutcome): boolean {
  return LIFETIME_FIGURES.every((key) => expected[key] === observed[key]);
}

/** A warning, with its cause and remedy. */
export interface Warning {
  readonly text: string;
  /** Shown before anything else. */
  readonly grave: boolean;
}

/** Warnings for readers of this run, the gravest first. */
export function warnings(run: Run): Warning[] {
  const { options, machines } = run;
  const limits = limitWarnings(run);
  const grave = [
    ...(run.synthetic ? ["SYNTHETIC DATA: generated to test the report, not measured."] : []),
    ...predictionWarnings(run),
    ...claimWarnings(run),
    ...instrumentWarnings(run),
    ...limits.exceeded,
  ];
  const others = [
    ...(options.shard === null
      ? []
      : [`Part ${options.shard} of a divided run: merge all parts before you quote a figure.`]),
    ...(options.quick
      ? ["A quick run has few processes and wide intervals. Run without --quick before you quote a figure."]
      : []),
    ...mixtureWarnings(run),
    ...lostWarnings(run),
    ...limits.excused,
    ...machines.flatMap((machine) => [
      ...([...run.metrics, ...run.omissions].some(({ quantity }) => quantity === "time")
        ? loadWarnings(machine, machines.length > 1)
        : []),
      ...machineWarnings(machine, machines.length > 1),
    ]),
    ...mergeWarnings(run),
    ...outlierWarnings(run),
    ...selfTestWarnings(run),
  ];
  return [...grave.map((text) => ({ text, grave: true })), ...others.map((text) => ({ text, grave: false }))];
}

function predictionWarnings(run: Run): string[] {
  const names = formNames(run);
  return run.lifetimes.flatMap(({ scenario, arms }) =>
    (["A", "B"] as const).flatMap((arm) =>
      asPredicted(arms[arm])
        ? []
        : [
            `PREDICTION FAILED in ${scenario}, ${names[arm]}: expected ${outcomeWords(arms[arm].expected)}, observed ` +
              `${outcomeWords(arms[arm].observed)}. Either the emulator or the rule behind the prediction is wrong: ` +
              "do not rely on this scenario.",
          ],
    ),
  );
}

function claimWarnings({ claims }: Run): string[] {
  const wrong = claims.filter((row) => !isAsPredicted(row)).map(({ id }) => id);
  if (wrong.length === 0) return [];
  return [
    `PREDICTION FAILED in ${wrong.length === 1 ? "claim" : "claims"} ${listOf(wrong)}: something was observed otherwise than its rule says. ` +
      "Either the emulator or the rule is wrong: do not rely on it.",
  ];
}

/** False claims that are allowed, and how many standard deviations above that share are no chance. */
const FALSE_CLAIMS = 0.05;
const DEVIATIONS = 3;

function tooMany(found: number, of: number): boolean {
  return found > FALSE_CLAIMS * of + DEVIATIONS * Math.sqrt(FALSE_CLAIMS * (1 - FALSE_CLAIMS) * of);
}

function instrumentWarnings(run: Run): string[] {
  const { metrics, selfTest } = run;
  const { A } = formNames(run);
  const claimed = claimedOfControl(run);
  return [
    ...(claimed > 1 && claimed > FALSE_CLAIMS * metrics.length
      ? [
          `CONTROL FAILED: ${A} differs from itself, by the same rule, in ${claimed} of ${countOf(metrics.length, "figure")}: ` +
            "do not rely on the differences of this run.",
        ]
      : []),
    ...(selfTest !== null && tooMany(selfTest.falseAlarms.found, selfTest.falseAlarms.of)
      ? [
          `SELF-TEST FAILED: ${selfTest.falseAlarms.found} false alarms in ${selfTest.falseAlarms.of} comparisons: ` +
            "do not rely on the differences that this instrument shows.",
        ]
      : []),
    ...missedBySelfTest(selfTest),
  ];
}

/** Shares of planted differences that an instrument must find, by their size in percent. */
const MUST_FIND: Readonly<Record<number, number>> = { 1: 0.8, 2: 0.95, 5: 0.95 };

/** What was planted in the self-test and found too seldom, so that equality means little. */
function missedBySelfTest(selfTest: Run["selfTest"]): string[] {
  if (selfTest === null) return [];
  const { planted, leaks } = selfTest;
  const missed = [
    ...planted
      .filter(({ percent, found, of }) => found < (MUST_FIND[percent] ?? 0) * of)
      .map((item) => `${item.percent}\u00a0% in ${plantedIn(item)}, found in ${item.found} of ${item.of}`),
    ...(leaks.found < leaks.of ? [`leaks, found in ${leaks.found} of ${leaks.of}`] : []),
  ];
  if (missed.length === 0) return [];
  return [
    `SELF-TEST FAILED: too little of what was planted was found (${missed.join("; ")}): do not rely on equality.`,
  ];
}

/** The pattern of `bench --convert` that a run was measured with; null if it measured whole trees. */
export function convertedPattern({ options: { command } }: Run): string | null {
  return / --convert '([^']*)'/.exec(command)?.[1] ?? null;
}

/** What `owned` means in a run of converted devices. */
function mixtureWarnings(run: Run): string[] {
  const pattern = convertedPattern(run);
  if (pattern === null) return [];
  return [
    `Owned stands for the embedded devices of which the files that match ${pattern} are converted, not for the owned tree.`,
  ];
}

/** A ratio to a bare call is as good on a busy machine; a time is not, and says nothing about the emulator there. */
function limitWarnings({ requirements, machines }: Run): { exceeded: string[]; excused: string[] } {
  const isBusy = machines.some((machine) => busyTimes(machine).length > 0);
  const missed = requirements.filter(({ met }) => !met);
  const isExcused = ({ unit }: Requirement) => isBusy && unit === "ms";
  return {
    exceeded: missed
      .filter((each) => !isExcused(each))
      .map(({ name }) => `LIMIT EXCEEDED: ${name}. See \u201cLimits\u201d.`),
    excused: missed
      .filter(isExcused)
      .map(
        ({ name, limit, unit }) =>
          `${name} took longer than its limit of ${formatQuantity(limit, unit)}, which holds for an idle machine; this one was busy.`,
      ),
  };
}

/** Lost processes grouped by reason, so that a hundred with the same reason are named once. */
function lostWarnings({ schedule: { processes } }: Run): string[] {
  const reasons = new Map<string, string[]>();
  for (const { lost, task } of processes) {
    if (lost !== null) reasons.set(lost, [...(reasons.get(lost) ?? []), task]);
  }
  const lost = [...reasons.values()].flat().length;
  if (lost === 0) return [];
  const groups = [...reasons].map(
    ([reason, tasks]) =>
      `${reasons.size > 1 ? `${tasks.length} ` : ""}(${listOf([...new Set(tasks)])}): ${reason.replace(/\.$/, "")}`,
  );
  return [
    `${lost} of ${processes.length} processes gave no sample${reasons.size > 1 ? ": " : " "}${groups.join("; ")}. ` +
      "The figures come from the others.",
  ];
}

/** Load on the machine, which disturbs times but not counts. */
function loadWarnings(machine: Environment, several: boolean): string[] {
  const when = busyTimes(machine);
  if (when.length === 0) return [];
  return [
    `The machine${several ? ` ${machine.id}` : ""}, with ${countOf(machine.cpuCount, "processor")}, was busy ${listOf(when)}: fewer ` +
      "processes fit into the time, and the intervals of times are wider, than necessary. Measure on an idle machine.",
  ];
}

/** When a machine was too busy for undisturbed times, in words. */
function busyTimes({ loadBefore, loadAfter, cpuCount }: Environment): string[] {
  const [before = 0] = loadBefore;
  const [after = 0] = loadAfter;
  // The run itself keeps all processors busy while it counts.
  return [
    ...(before > cpuCount / 2 ? [`when the run began (load ${before.toFixed(1)})`] : []),
    ...(after > 2 * cpuCount ? [`when it ended (load ${after.toFixed(1)})`] : []),
  ];
}

function machineWarnings(machine: Environment, several: boolean): string[] {
  const { resumed = 0 } = machine;
  return [
    ...(resumed > 0
      ? [
          `The run${several ? ` on ${machine.id}` : ""} was interrupted and resumed after ${formatNumber(resumed)} ${resumed === 1 ? "process" : "processes"}: date, duration and ` +
            "load are those of its last part.",
        ]
      : []),
    ...(machine.dirty
      ? [
          `The working tree${several ? ` on ${machine.id}` : ""} had uncommitted changes, so the commit does not identify ` +
            "what was measured. Commit first.",
        ]
      : []),
  ];
}

/** That a merged run has figures with too few processes on some machine to tell whether the machines differ. */
function mergeWarnings(run: Run): string[] {
  const unknown = run.metrics.filter((metric) => tooFewToCompare(metric, run) !== null).length;
  if (unknown === 0) return [];
  return [
    `In ${unknown} of ${countOf(run.metrics.length, "figure")}, too few processes ran on one machine or another to tell whether the machines differ: ` +
      "the interval holds only if they do not. Their rows say so. Give each part more --repeats or --seconds.",
  ];
}

function outlierWarnings({ metrics }: Run): string[] {
  const judged = metrics.filter(({ quantity }) => quantity === "time" || quantity === "count");
  const severe = judged.filter(({ outliers }) =>
    Object.values(outliers).some((arm) => arm.includes("severe")),
  );
  if (severe.length === 0) return [];
  return [
    `${severe.length} of ${judged.length} times and counts ${severe.length === 1 ? "has" : "have"} severe outliers, which are ` +
      `shown, not dropped: ${causesOf(severe)}. ` +
      "A median of pairs hardly moves with them; the mean of a few pairs, and of counts, does, and its interval is wider for it.",
  ];
}

/** What outliers come from. Counted code is interpreted, in a process that the load of the machine does not disturb. */
function causesOf(metrics: readonly Metric[]): string {
  const causes = [
    ...(metrics.some(({ quantity }) => quantity === "time")
      ? [
          "some V8 isolates settled into a different state of optimised code, or another program ran on the machine",
        ]
      : []),
    ...(metrics.some(({ quantity }) => quantity === "count")
      ? [
          "where instructions are counted, the seed of V8's hashes made tables of another process collide more",
        ]
      : []),
  ];
  return causes.join("; ");
}

function selfTestWarnings({ selfTest, machines }: Run): string[] {
  if (selfTest === null) return [];
  const same = machines.some(
    ({ cpuModel, node }) => cpuModel === selfTest.cpuModel && node === selfTest.node,
  );
  if (same) return [];
  return [
    `The instrument's self-test ran elsewhere (${selfTest.cpuModel}, Node ${selfTest.node}), so its rates may not apply here. ` +
      "Run npm run bench:selftest.",
  ];
}
