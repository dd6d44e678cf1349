/** A run as titled tables: what the terminal, Markdown and the page all show, worded once. */
import { ARMS, type Arm, type CodeSize, type Metric, type Run, type Verdict } from "../schema.ts";
import {
  differenceUnit,
  environmentRows,
  formatCounts,
  formatEffect,
  formatInterval,
  formatNumber,
  formatPairs,
  formatQuantity,
  formatSigned,
  formNames,
  metricTitle,
  shortHash,
  verdictLabel,
} from "../words.ts";

export interface Table {
  readonly caption: string;
  readonly head: readonly string[];
  /** Columns whose cells are figures, aligned to the right. */
  readonly numeric: readonly boolean[];
  readonly rows: readonly Row[];
}

export interface Row {
  readonly cells: readonly string[];
  /** Set where the row ends in a verdict, for colour. */
  readonly verdict?: Verdict;
}

/** Metrics with the medians of all processes, the differences by pairs, and the verdicts. */
export function metricTable(run: Run, metrics: readonly Metric[], caption: string): Table {
  const names = formNames(run);
  return {
    caption,
    head: ["Metric", names.A, names.B, "B larger in", "Difference (95 %)", "A/A (95 %)", "Verdict"],
    numeric: [false, true, true, true, true, true, false],
    rows: metrics.map((metric) => {
      const { ab, aa, verdict } = metric.comparison;
      const unit = differenceUnit(metric);
      return {
        verdict,
        cells: [
          metricTitle(metric),
          formatQuantity(armMedian(metric, "A"), metric.unit),
          formatQuantity(armMedian(metric, "B"), metric.unit),
          formatPairs(ab),
          formatEffect(ab, unit),
          formatEffect(aa, unit),
          verdictLabel(metric),
        ],
      };
    }),
  };
}

/** Median over the processes of one arm. */
export function armMedian(metric: Metric, arm: Arm): number {
  const sorted = [...metric.samples[arm]].sort((a, b) => a - b);
  const middle = (sorted.length - 1) / 2;
  return ((sorted[Math.floor(middle)] ?? Number.NaN) + (sorted[Math.ceil(middle)] ?? Number.NaN)) / 2;
}

/** What the rounds of each lifecycle scenario left behind, per arm. */
export function retentionTable(run: Run): Table {
  const names = { ...formNames(run), A2: `${formNames(run).A} again` };
  return {
    caption: "Left after the rounds, per process",
    head: [
      "Scenario",
      "Form",
      "Rounds",
      "Objects alive",
      "Blocks never freed",
      "Leaked, modelled B",
      "Used after finalize",
      "Used after free",
      "Heap, B per round (95 %)",
    ],
    numeric: [false, false, true, true, true, true, true, true, true],
    rows: run.retention.flatMap((scenario) =>
      ARMS.map((arm) => {
        const record = scenario.arms[arm];
        return {
          cells: [
            scenario.scenario,
            names[arm],
            formatNumber(scenario.rounds),
            formatCounts(record.objects[0]?.alive ?? []),
            formatCounts(record.blocksUnfreed),
            formatCounts(record.modelledLeakedBytes),
            formatCounts(record.usesAfterFinalize),
            formatCounts(record.usesAfterFree),
            record.slope === null
              ? "not followed"
              : `${formatSigned(record.slope.estimate)} (${formatInterval(record.slope)})`,
          ],
        };
      }),
    ),
  };
}

/** Objects still alive, class by class. */
export function objectTable(run: Run): Table {
  const names = { ...formNames(run), A2: `${formNames(run).A} again` };
  return {
    caption: "Objects alive after the rounds beyond those before, by class",
    head: ["Scenario", "Class", ...ARMS.map((arm) => names[arm])],
    numeric: [false, false, true, true, true],
    rows: run.retention.flatMap(({ scenario, arms }) =>
      arms.A.objects.map(({ className }) => ({
        cells: [
          scenario,
          className,
          ...ARMS.map((arm) =>
            formatCounts(arms[arm].objects.find((item) => item.className === className)?.alive ?? []),
          ),
        ],
      })),
    ),
  };
}

/** Region fields and lines per device in both trees, with the sum first. */
export function codeSizeTable(run: Run): Table {
  const sum = (pick: (size: CodeSize) => number) =>
    run.codeSize.reduce((total, size) => total + pick(size), 0);
  const all: CodeSize = {
    device: "all together",
    file: "",
    embedded: { regionFields: sum((s) => s.embedded.regionFields), lines: sum((s) => s.embedded.lines) },
    owned: { regionFields: sum((s) => s.owned.regionFields), lines: sum((s) => s.owned.lines) },
  };
  return {
    caption: "Region fields and lines of every device that holds regions",
    head: ["Device", "Fields, embedded", "Fields, owned", "Lines, embedded", "Lines, owned", "Lines, change"],
    numeric: [false, true, true, true, true, true],
    rows: (run.codeSize.length === 0 ? [] : [all, ...run.codeSize]).map(({ device, embedded, owned }) => ({
      cells: [
        device,
        formatNumber(embedded.regionFields),
        formatNumber(owned.regionFields),
        formatNumber(embedded.lines),
        formatNumber(owned.lines),
        formatSigned(owned.lines - embedded.lines),
      ],
    })),
  };
}

export function requirementTable(run: Run): Table {
  const names = formNames(run);
  return {
    caption: "What the emulator itself must keep, in either form; medians",
    head: ["Limit", "At most", names.A, names.B, "Kept"],
    numeric: [false, true, true, true, false],
    rows: run.requirements.map(({ name, limit, unit, measured, met }) => ({
      cells: [
        name,
        formatQuantity(limit, unit),
        formatQuantity(measured.A, unit),
        formatQuantity(measured.B, unit),
        met ? "yes" : "NO",
      ],
    })),
  };
}

/** The parts of the boots that have any. */
export function phaseTable(run: Run): Table {
  const { A, B } = formNames(run);
  return {
    caption: "Phases of the boots, in guest instructions",
    head: ["Workload", "Phase", A, B],
    numeric: [false, false, true, true],
    rows: run.equivalence.flatMap(({ workload, records }) =>
      records.A.phases.map(({ name, instructions }, i) => ({
        cells: [
          workload,
          name,
          formatNumber(instructions),
          formatNumber(records.B.phases[i]?.instructions ?? Number.NaN),
        ],
      })),
    ),
  };
}

export function equivalenceTable(run: Run): Table {
  const names = formNames(run);
  return {
    caption: "What each guest did in either form",
    head: [
      "Workload",
      "Form",
      "Instructions",
      "Host time each",
      "MMIO accesses",
      "MMIO trace",
      "Console",
      "Equal",
    ],
    numeric: [false, false, true, true, true, false, false, false],
    rows: run.equivalence.flatMap(({ workload, records, processes, equal }) =>
      (["A", "B"] as const).map((arm) => ({
        cells: [
          workload,
          names[arm],
          formatNumber(records[arm].instructions),
          timePerInstruction(run, workload, arm, records[arm].instructions),
          formatNumber(records[arm].mmioAccesses),
          shortHash(records[arm].mmioTraceSha256),
          shortHash(records[arm].consoleSha256),
          equal ? `yes, in ${processes} processes` : "NO",
        ],
      })),
    ),
  };
}

/** Boot time over instructions, for workloads whose boot was timed. */
function timePerInstruction(run: Run, workload: string, arm: "A" | "B", instructions: number): string {
  const boot = run.metrics.find(
    (metric) => metric.suite === "boot" && metric.workload === workload && metric.role === "headline",
  );
  if (boot?.unit !== "ms") return "not timed";
  return formatQuantity((1e6 * armMedian(boot, arm)) / instructions, "ns");
}

export function environmentTable(run: Run): Table {
  return {
    caption: "Where and when it was measured",
    head: ["What", "Value"],
    numeric: [false, false],
    rows: environmentRows(run.environment).map((cells) => ({ cells })),
  };
}

/** The commands that repeat the run and its page. */
export function commands(run: Run): string[] {
  return ["npm ci && npm run build", run.options.command];
}

/** The order in which the processes ran, one letter each, for instance `A B A2 | A2 B A`. */
export function scheduleText(run: Run): string {
  const tasks = new Map<string, string[]>();
  for (const { task, arm } of run.schedule.order) tasks.set(task, [...(tasks.get(task) ?? []), arm]);
  return [...tasks].map(([task, arms]) => `${task}: ${arms.join(" ")}`).join("\n");
}
