/** The tables of a report other than that of the verdicts, worded once. */
import { asPredicted, environmentRows } from "../environment-words.ts";
import { plantedIn } from "../instrument-words.ts";
import { ARMS, type CodeSize, type Metric, type Rate, type Run } from "../schema.ts";
import {
  armNames,
  capital,
  countOf,
  figureTitle,
  formatCounts,
  formatInterval,
  formatNumber,
  formatPairs,
  formatQuantity,
  formatSigned,
  formNames,
  outcomeWords,
  questionTitle,
  SUITE_TITLES,
  shortHash,
} from "../words.ts";
import { plainTable, type Table } from "./table-model.ts";

/** The predicted and the observed outcome of every lifetime scenario, by form. */
export function lifetimeTable(run: Run): Table {
  const names = formNames(run);
  return {
    caption: "Outcomes predicted before each scenario was run, and outcomes observed",
    head: ["Scenario", "Form", "Expected", "Observed", "As predicted"],
    numeric: [false, false, false, false, false],
    rows: run.lifetimes.flatMap(({ scenario, description, rule, rounds, arms }) =>
      (["A", "B"] as const).map((arm) => ({
        cells: [
          arm === "A" ? scenario : "",
          names[arm],
          outcomeWords(arms[arm].expected),
          outcomeWords(arms[arm].observed),
          asPredicted(arms[arm]) ? "yes" : "NO: PREDICTION FAILED",
        ],
        alarm: !asPredicted(arms[arm]),
        ...(arm === "A"
          ? {}
          : { continues: true, notes: [`${description} ${rule} Over ${formatNumber(rounds)} rounds.`] }),
      })),
    ),
  };
}

/** How many fields of a region one access reads. */
export function fieldReadTable(run: Run): Table {
  const names = formNames(run);
  return plainTable(
    "Reads of region fields per access, counted with a trap on every field",
    ["Access", names.A, names.B, "Fields"],
    [1, 2],
    run.fieldReads.map(({ access, reads, fields }) => [
      access,
      formatNumber(reads.A),
      formatNumber(reads.B),
      fields.length === 0 ? "none" : fields.join(", "),
    ]),
  );
}

/** What the rounds of each lifecycle scenario leave, by arm. */
export function retentionTable(run: Run): Table {
  const names = armNames(run);
  return {
    caption: "What is left after the rounds, per process; heap growth with its interval over processes",
    head: [
      ...["Scenario", "Form", "Rounds", "Objects alive", "Blocks never freed", "Leaked bytes, modelled"],
      ...["Uses after finalize", "Uses after free", "Heap growth, B per round"],
    ],
    numeric: [false, false, true, true, true, true, true, true, true],
    rows: run.retention.flatMap((scenario) =>
      ARMS.map((arm, i) => {
        const record = scenario.arms[arm];
        return {
          ...(i > 0 ? { continues: true } : {}),
          cells: [
            i === 0 ? scenario.scenario : "",
            names[arm],
            formatNumber(scenario.rounds),
            formatCounts(record.objects[0]?.alive ?? []),
            formatCounts(record.blocksUnfreed),
            formatCounts(record.modelledLeakedBytes),
            formatCounts(record.usesAfterFinalize),
            formatCounts(record.usesAfterFree),
            record.slope === null
              ? "not measured"
              : `${formatSigned(record.slope.estimate)} (${formatInterval(record.slope)})`,
          ],
        };
      }),
    ),
  };
}

/** Objects still alive, by class. */
export function objectTable(run: Run): Table {
  const names = armNames(run);
  return plainTable(
    "Objects alive after the rounds, minus those before, by class",
    ["Scenario", "Class", ...ARMS.map((arm) => names[arm])],
    [2, 3, 4],
    run.retention.flatMap(({ scenario, arms }) =>
      arms.A.objects.map(({ className }) => [
        scenario,
        className,
        ...ARMS.map((arm) =>
          formatCounts(arms[arm].objects.find((item) => item.className === className)?.alive ?? []),
        ),
      ]),
    ),
  );
}

/** Region fields and lines per device in both trees, the total first. */
export function codeSizeTable(run: Run): Table {
  const sum = (pick: (size: CodeSize) => number) =>
    run.codeSize.reduce((total, size) => total + pick(size), 0);
  const all: CodeSize = {
    device: "all devices",
    file: "",
    embedded: { regionFields: sum((s) => s.embedded.regionFields), lines: sum((s) => s.embedded.lines) },
    owned: { regionFields: sum((s) => s.owned.regionFields), lines: sum((s) => s.owned.lines) },
  };
  return plainTable(
    "Region fields and lines of every device that holds regions",
    ["Device", "Fields, embedded", "Fields, owned", "Lines, embedded", "Lines, owned", "Lines, change"],
    [1, 2, 3, 4, 5],
    (run.codeSize.length === 0 ? [] : [all, ...run.codeSize]).map(({ device, embedded, owned }) => [
      device,
      formatNumber(embedded.regionFields),
      formatNumber(owned.regionFields),
      formatNumber(embedded.lines),
      formatNumber(owned.lines),
      formatSigned(owned.lines - embedded.lines),
    ]),
  );
}

export function requirementTable(run: Run): Table {
  const names = formNames(run);
  return plainTable(
    "Performance limits that the emulator itself must meet in either form; medians",
    ["Limit", "At most", names.A, names.B, "Met"],
    [1, 2, 3],
    run.requirements.map(({ name, limit, unit, measured, met }) => [
      name,
      formatQuantity(limit, unit),
      formatQuantity(measured.A, unit),
      formatQuantity(measured.B, unit),
      met ? "yes" : "NO",
    ]),
    run.requirements.flatMap(({ met }, i) => (met ? [] : [i])),
  );
}

/** The phases of boots that have several. */
export function phaseTable(run: Run): Table {
  const { A, B } = formNames(run);
  return plainTable(
    "Phases of the boots, in guest instructions",
    ["Workload", "Phase", A, B],
    [2, 3],
    run.equivalence.flatMap(({ workload, records }) =>
      records.A.phases.map(({ name, instructions }, i) => [
        workload,
        name,
        formatNumber(instructions),
        formatNumber(records.B.phases[i]?.instructions ?? Number.NaN),
      ]),
    ),
  );
}

export function equivalenceTable(run: Run): Table {
  const names = formNames(run);
  return plainTable(
    "What each guest did in each form",
    ["Workload", "Form", "Guest instructions", "MMIO accesses", "MMIO trace", "Console", "Equal"],
    [2, 3],
    run.equivalence.flatMap(({ workload, records, boots, equal }) =>
      (["A", "B"] as const).map((arm) => [
        workload,
        names[arm],
        formatNumber(records[arm].instructions),
        formatNumber(records[arm].mmioAccesses),
        shortHash(records[arm].mmioTraceSha256),
        shortHash(records[arm].consoleSha256),
        equal ? `yes, as all ${countOf(boots, "boot")} of this guest` : "NO",
      ]),
    ),
    run.equivalence.flatMap(({ equal }, i) => (equal ? [] : [2 * i, 2 * i + 1])),
  );
}

/** Hashes in full, one line per workload and form. */
export function hashText(run: Run): string {
  return run.equivalence
    .flatMap(({ workload, records }) =>
      (["A", "B"] as const).map(
        (arm) =>
          `${workload}, ${arm}: MMIO trace ${records[arm].mmioTraceSha256}, console ${records[arm].consoleSha256}`,
      ),
    )
    .join("\n");
}

/** How each figure was obtained. */
export function figureTable(run: Run): Table {
  return plainTable(
    "How each figure is obtained, and from how many processes",
    ["Figure", "Estimator", "Processes", "B larger in", "p-value", "Corrected p-value", "Margin"],
    [2, 3, 4, 5, 6],
    run.metrics.map((metric) => [
      figureTitle(metric),
      metric.estimator,
      String(metric.processes.length),
      formatPairs(metric.comparison.ab),
      formatChance(metric.comparison.ab.pValue),
      formatChance(metric.comparison.ab.adjustedPValue),
      marginWords(metric),
    ]),
  );
}

function marginWords({ margin, scale, unit }: Metric): string {
  return `${Number(margin.toPrecision(3))}\u00a0${scale === "percent" ? "%" : unit}`;
}

function formatChance(probability: number): string {
  return probability < 0.0001 ? "< 0.0001" : probability.toFixed(4);
}

/** One column per machine. */
export function environmentTable(run: Run): Table {
  const [first, ...others] = run.machines;
  const columns = run.machines.map(environmentRows);
  const share = (machine: number) => {
    const processes = run.schedule.processes.filter((process) => process.machine === machine);
    const lost = processes.filter((process) => process.lost !== null).length;
    return `${processes.length}${lost === 0 ? "" : `, of which ${lost} lost`}`;
  };
  const labels = columns[0]?.map(([label]) => label) ?? [];
  return plainTable(
    others.length === 0 ? "Where and when it was measured" : "Where and when it was measured, by machine",
    ["Item", ...(others.length === 0 || first === undefined ? ["Value"] : run.machines.map(({ id }) => id))],
    [],
    [
      ...labels.map((label, i) => [label, ...columns.map((column) => column[i]?.[1] ?? "")]),
      ["Processes", ...run.machines.map((_, machine) => share(machine))],
    ],
  );
}

/** How often the instrument claims a difference, case by case. */
export function selfTestTable({ selfTest }: Run): Table {
  const row = (label: string, { found, of }: Rate) => [label, String(found), String(of)];
  return plainTable(
    "Self-test of the instrument: how often it claimed a difference",
    ["Case", "Claimed", "Comparisons"],
    [1, 2],
    selfTest === null
      ? []
      : [
          row("a form against itself, nothing planted", selfTest.falseAlarms),
          ...selfTest.planted.map((item) =>
            row(`${capital(plantedIn(item))}: ${item.percent}\u00a0% extra work planted`, item),
          ),
          row("one object leaked per round", selfTest.leaks),
        ],
  );
}

/** Three identical arms: how far each arm and each slot lies from the mean of the three. */
export function alikeTable({ selfTest }: Run): Table {
  const percent = (value: number) => `${formatSigned(value)}\u00a0%`;
  return plainTable(
    "Self-test of the instrument: median distance of three identical arms from their mean",
    ["Question", "Processes", "A", "B", "A2", "By order of creation", "Alike"],
    [1, 2, 3, 4, 5],
    (selfTest?.alike ?? []).map(({ suite, workload, name, processes, arms, slots, alike }) => [
      `${SUITE_TITLES[suite]}: ${questionTitle({ workload, name })}`,
      String(processes),
      ...ARMS.map((arm) => percent(arms[arm])),
      slots.map(percent).join(", "),
      alike ? "yes" : "NO: its time has no verdict",
    ]),
    (selfTest?.alike ?? []).flatMap(({ alike }, i) => (alike ? [] : [i])),
  );
}

/** The commands that repeat the run and its page. */
export function commands(run: Run): string[] {
  const inRepository = run.machines.some(({ commit }) => commit !== null);
  const install = inRepository
    ? "npm ci && npm run build"
    : `npm install regionlab@${run.machines[0]?.regionlab ?? "latest"}`;
  return [install, run.options.command];
}

/** The order in which the isolates of each process were created, one task per line: `boot: A B A2 | A2 A B`. */
export function scheduleText(run: Run): string {
  const tasks = new Map<string, string[]>();
  for (const { task, slots, lost } of run.schedule.processes) {
    const order = slots === null ? "one arm" : slots.join(" ");
    tasks.set(task, [...(tasks.get(task) ?? []), lost === null ? order : `${order} (lost)`]);
  }
  return [...tasks].map(([task, orders]) => `${task}: ${folded(orders)}`).join("\n");
}

/** Processes of one arm each are only counted: there is no order to show. */
function folded(orders: readonly string[]): string {
  return orders.every((order) => order === "one arm")
    ? `${orders.length} processes of one arm each`
    : orders.join(" | ");
}
