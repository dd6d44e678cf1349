/** The results of the processor benchmark as tables, for the terminal, Markdown and the page. */

import CliTable3 from "cli-table3";
import { cleanText } from "#host";
import { markdownTable, plainTable, type Table } from "#results";
import { median } from "#results/statistics";
import type { ContestantName } from "./contestants.ts";
import { PROFILE_PARTS } from "./profile.ts";
import { type CpuRow, type CpuRun, wholeTimes } from "./report.ts";

export function renderCpuTable(run: CpuRun): string {
  return layOut(run, ({ caption, head, rows }) => {
    const table = new CliTable3({ head: [...head], style: { head: [], border: [], compact: true } });
    for (const { cells } of rows) table.push(cells.map(cleanText));
    return `${caption}\n${table.toString()}`;
  });
}

export function renderCpuMarkdown(run: CpuRun): string {
  return layOut(run, (table) => `**${table.caption}**\n\n${markdownTable(table)}`);
}

function layOut(run: CpuRun, draw: (table: Table) => string): string {
  const { cpuModel, cpuCount, date, seconds: duration } = run.environment;
  const tables = [goalTable(run), workTable(run), profileTable(run)].filter(({ rows }) => rows.length > 0);
  const about = [
    ...CPU_METHOD,
    ...contestantLines(run),
    `${cpuModel}, ${cpuCount} processors, ${date}, ${Math.round(duration)} s; ${run.command}`,
  ];
  return `${[...tables.map(draw), about.map(cleanText).join("\n")].join("\n\n")}\n`;
}

/** How the times are obtained, one sentence each. */
export const CPU_METHOD: readonly string[] = [
  "Times are wall time from the start of a process to a text on its console; nothing is subtracted.",
  "A speed is QEMU's time over ours, over pairs of processes from the same repeat, with its 95 % interval if there are several pairs; " +
    "more than 1 is faster than QEMU.",
  "Kernels run in laps; times after the first lap exclude start and warm-up.",
];

/** The contestants with their versions, or how to install them. */
export function contestantLines({ contestants }: CpuRun): string[] {
  return contestants.map(({ title, version, mend }) => `${title}: ${version ?? `not installed; ${mend}`}`);
}

export function goalTable({ summaries }: CpuRun): Table {
  return plainTable(
    "Goals (geometric means)",
    ["Work", "Goal", "Speed", "Met"],
    [2],
    summaries.map(({ kind, goal, speed, kept }) => [kind, goal.words, times(speed), verdict(kept)]),
  );
}

export function workTable({ rows }: CpuRun): Table {
  return plainTable(
    "Works",
    [
      ...["Work", "Description", "regionlab", "interpreter", "QEMU", "Speed", "Goal", "Met"],
      ...["Speed after the first lap", "Gain by the translator"],
    ],
    [2, 3, 4, 5, 6, 8, 9],
    rows.map((row) => [
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
  );
}

export function profileTable({ profiles }: CpuRun): Table {
  return plainTable(
    "Where regionlab's time goes (V8's sampling profiler, in a separate run)",
    ["Work", "Time", "Instructions", ...PROFILE_PARTS],
    [1, 2, ...PROFILE_PARTS.map((_, i) => 3 + i)],
    profiles.map(({ work, milliseconds, instructions, parts }) => [
      work,
      seconds(milliseconds),
      `${(instructions / 1e6).toFixed(0)} million`,
      ...PROFILE_PARTS.map((part) => `${((100 * parts[part]) / milliseconds).toFixed(1)} %`),
    ]),
  );
}

function time({ samples }: CpuRow, name: ContestantName): string {
  return samples[name].length === 0 ? "not run" : seconds(median(wholeTimes(samples[name])));
}

function seconds(milliseconds: number): string {
  return `${(milliseconds / 1000).toFixed(2)} s`;
}

/** Without an interval if there is only one pair. */
function ratio(interval: CpuRow["speed"]): string {
  if (interval === null) return "";
  const { estimate, low, high } = interval;
  return low === high ? times(estimate) : `${times(estimate)} (${low.toFixed(2)} to ${high.toFixed(2)})`;
}

export function times(value: number | null): string {
  return value === null ? "not measured" : `${value.toFixed(2)}×`;
}

function verdict(kept: boolean | null): string {
  return kept === null ? "" : kept ? "met" : "not met";
}
