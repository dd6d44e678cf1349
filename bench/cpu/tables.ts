/** The benchmark's result as tables, for a terminal and for Markdown. */
import Table from "cli-table3";
import { median } from "../statistics/index.ts";
import type { ContestantName } from "./contestants.ts";
import { PROFILE_PARTS } from "./profile.ts";
import { type CpuRow, type CpuRun, wholeTimes } from "./report.ts";

interface Sheet {
  readonly caption: string;
  readonly head: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

export function renderCpuTable(run: CpuRun): string {
  return layOut(run, ({ caption, head, rows }) => {
    const table = new Table({ head: [...head], style: { head: [], border: [], compact: true } });
    for (const row of rows) table.push([...row]);
    return `${caption}\n${table.toString()}`;
  });
}

export function renderCpuMarkdown(run: CpuRun): string {
  return layOut(run, ({ caption, head, rows }) => {
    const line = (cells: readonly string[]) =>
      `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
    return [`**${caption}**`, "", line(head), line(head.map(() => "---")), ...rows.map(line)].join("\n");
  });
}

function layOut(run: CpuRun, draw: (sheet: Sheet) => string): string {
  const { cpuModel, cpuCount, date, seconds } = run.environment;
  const sheets = [goalSheet(run), rowSheet(run), profileSheet(run)].filter(({ rows }) => rows.length > 0);
  const about = [
    "Times are wall time from the start of a process to a text on its console; nothing is subtracted. A speed is QEMU's",
    "time over ours, by pairs of processes that ran side by side, with its 95 % interval where there are several; over 1 is faster",
    "than QEMU.",
    "Kernels run in laps: from the first lap on, starting and warming up are past.",
    ...run.contestants.map(({ title, version, mend }) => `${title}: ${version ?? `not installed; ${mend}`}`),
    `${cpuModel}, ${cpuCount} processors, ${date}, ${Math.round(seconds)} s; ${run.command}`,
  ];
  return `${[...sheets.map(draw), about.join("\n")].join("\n\n")}\n`;
}

function goalSheet({ summaries }: CpuRun): Sheet {
  return {
    caption: "Goals (geometric means)",
    head: ["work", "goal", "speed", ""],
    rows: summaries.map(({ kind, goal, speed, kept }) => [kind, goal.words, times(speed), verdict(kept)]),
  };
}

function rowSheet({ rows }: CpuRun): Sheet {
  return {
    caption: "Works",
    head: [
      ...["work", "what", "regionlab", "interpreter", "QEMU", "speed", "goal", ""],
      ...["from the first lap on", "translator brings"],
    ],
    rows: rows.map((row) => [
      row.work,
      row.missing === null ? row.description : `not run: ${row.missing}`,
      time(row, "regionlab"),
      time(row, "interpreter"),
      time(row, "qemu"),
      ratio(row.speed),
      row.goal === null ? "" : `≥ ${row.goal.speed.toFixed(2)}`,
      verdict(row.kept),
      ratio(row.laterSpeed),
      ratio(row.gain),
    ]),
  };
}

function profileSheet({ profiles }: CpuRun): Sheet {
  return {
    caption: "Where regionlab's time goes (V8's sampling profiler, in a run of its own)",
    head: ["work", "time", "instructions", ...PROFILE_PARTS],
    rows: profiles.map(({ work, milliseconds, instructions, parts }) => [
      work,
      seconds(milliseconds),
      `${(instructions / 1e6).toFixed(0)} million`,
      ...PROFILE_PARTS.map((part) => `${((100 * parts[part]) / milliseconds).toFixed(1)} %`),
    ]),
  };
}

function time({ samples }: CpuRow, name: ContestantName): string {
  return samples[name].length === 0 ? "not run" : seconds(median(wholeTimes(samples[name])));
}

function seconds(milliseconds: number): string {
  return `${(milliseconds / 1000).toFixed(2)} s`;
}

/** With one process each, an interval says nothing. */
function ratio(interval: CpuRow["speed"]): string {
  if (interval === null) return "";
  const { estimate, low, high } = interval;
  return low === high ? times(estimate) : `${times(estimate)} (${low.toFixed(2)} to ${high.toFixed(2)})`;
}

function times(value: number | null): string {
  return value === null ? "not measured" : `${value.toFixed(2)}×`;
}

function verdict(kept: boolean | null): string {
  return kept === null ? "" : kept ? "kept" : "not kept";
}
