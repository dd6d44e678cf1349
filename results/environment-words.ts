/** Where a run was measured, and what to beware of when reading it. */
import type { Environment, LifetimeFigures, LifetimeOutcome, Run } from "./schema.ts";
import { formatBytes, formatDate, formatQuantity, formNames, listOf, outcomeWords } from "./words.ts";

/** Environment as label and text, in the order in which it is shown. */
export function environmentRows(environment: Environment): [label: string, text: string][] {
  const e = environment;
  const known = (value: boolean | null, yes: string, no: string) =>
    value === null ? "not shown by the system" : value ? yes : no;
  const load = (values: readonly number[]) => values.map((value) => value.toFixed(2)).join(", ");
  return [
    ["Date", formatDate(e.date)],
    ["Duration", formatQuantity(Math.round(e.seconds), "s")],
    [
      "Commit",
      e.commit === null
        ? "not in a repository"
        : `${e.commit.slice(0, 12)}${e.dirty ? ", with changes" : ""}`,
    ],
    ["regionlab", e.regionlab],
    ["Runtime", `Node ${e.node}, V8 ${e.v8}`],
    ["Runtime options", e.execArgv.length === 0 ? "none" : e.execArgv.join("; ")],
    ["Counting", e.valgrind === null ? "valgrind is not installed" : `valgrind ${e.valgrind}`],
    ["Processor", `${e.cpuModel}, ${e.cpuCount} logical, ${e.arch}`],
    ["Hypervisor", known(e.virtualised, "yes: neighbours can disturb", "none seen")],
    ["Governor", e.governor ?? "not shown by the system"],
    ["Memory", formatBytes(e.memoryBytes)],
    ["System", `${e.platform} ${e.kernel}`],
    ["Load before", load(e.loadBefore)],
    ["Load after", load(e.loadAfter)],
  ];
}

/** One line that says on what a run was measured. */
export function environmentLine({ machines }: Pick<Run, "machines">): string {
  const one = (e: Environment) =>
    `${e.cpuModel}, ${e.cpuCount} logical, Node ${e.node}, ${formatDate(e.date)}`;
  return machines.map(one).join("; ");
}

/** Whether a life of devices went as was written down before it was run. */
export function asPredicted({ expected, observed }: LifetimeOutcome): boolean {
  const keys = [
    "blocksUnfreed",
    "bytesUnfreed",
    "usesAfterFinalize",
    "usesAfterFree",
  ] as const satisfies (keyof LifetimeFigures)[];
  return keys.every((key) => expected[key] === observed[key]);
}

/** What to beware of: cause and remedy. */
export interface Warning {
  readonly text: string;
  /** To be read before anything else. */
  readonly grave: boolean;
}

/** What to beware of when reading this run, the gravest first. */
export function warnings(run: Run): Warning[] {
  const { options, machines } = run;
  const grave = [
    ...(run.synthetic ? ["SYNTHETIC DATA: generated to test the report, measured nowhere."] : []),
    ...predictionWarnings(run),
    ...run.requirements
      .filter(({ met }) => !met)
      .map(({ name }) => `LIMIT NOT KEPT: ${name}. See \u201cLimits\u201d.`),
  ];
  const others = [
    ...(options.shard === null
      ? []
      : [`Part ${options.shard} of a divided run: put all parts together before you quote a figure.`]),
    ...(options.quick
      ? ["A quick run: few processes, wide intervals. Leave out --quick for figures to quote."]
      : []),
    ...lostWarnings(run),
    ...machines.flatMap((machine) => [
      ...(run.metrics.some(({ quantity }) => quantity === "time")
        ? loadWarnings(machine, machines.length > 1)
        : []),
      ...machineWarnings(machine, machines.length > 1),
    ]),
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
              `${outcomeWords(arms[arm].observed)}. Either the emulator or what is known of the rule is wrong: do not ` +
              "rely on this scenario.",
          ],
    ),
  );
}

/** Lost processes by their reason, so that a hundred alike are one line. */
function lostWarnings({ schedule: { processes } }: Run): string[] {
  const reasons = new Map<string, string[]>();
  for (const { lost, task } of processes) {
    if (lost !== null) reasons.set(lost, [...(reasons.get(lost) ?? []), task]);
  }
  return [...reasons].map(
    ([reason, tasks]) =>
      `${tasks.length} of ${processes.length} processes gave no sample ` +
      `(${listOf([...new Set(tasks)])}): ${reason.replace(/\.$/, "")}. Figures rest on the others.`,
  );
}

/** What times suffer from; counts do not. */
function loadWarnings(machine: Environment, several: boolean): string[] {
  const load = machine.loadBefore[0] ?? 0;
  if (load <= machine.cpuCount / 2) return [];
  return [
    `The machine${several ? ` ${machine.id}` : ""} was busy when the run began (load ${load.toFixed(1)} on ` +
      `${machine.cpuCount} processors): intervals of times are wider than they need be. Measure on an idle machine.`,
  ];
}

function machineWarnings(machine: Environment, several: boolean): string[] {
  return [
    ...(machine.dirty
      ? [
          `The working tree${several ? ` on ${machine.id}` : ""} had changes: the commit does not say what was measured. ` +
            "Commit first.",
        ]
      : []),
  ];
}

function outlierWarnings({ metrics }: Run): string[] {
  // Of counts, whose spread is of the last digits, an outlier means nothing; their intervals have it in them.
  const times = metrics.filter(({ quantity }) => quantity === "time");
  const severe = times.filter(({ outliers }) =>
    Object.values(outliers).some((arm) => arm.includes("severe")),
  );
  if (severe.length === 0) return [];
  return [
    `${severe.length} of ${times.length} times ${severe.length === 1 ? "has" : "have"} severe outliers, which are shown and not ` +
      "dropped: some isolates of V8 settle in another state of optimised code, or something else ran on the machine. Medians resist them.",
  ];
}

function selfTestWarnings({ selfTest, machines }: Run): string[] {
  if (selfTest === null) return [];
  const same = machines.some(
    ({ cpuModel, node }) => cpuModel === selfTest.cpuModel && node === selfTest.node,
  );
  if (same) return [];
  return [
    `The instrument's self-test ran elsewhere (${selfTest.cpuModel}, Node ${selfTest.node}): its rates may not hold here. ` +
      "Run npm run bench:selftest.",
  ];
}
