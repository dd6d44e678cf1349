/** Phase 6: reports conversions and refusals, for people and for programs. */
import { createTwoFilesPatch } from "diff";
import { colors as standardColors } from "../colors.ts";
import { type Reason, reasonTexts } from "../regions/reasons.ts";
import { shown } from "../source/workspace.ts";
import type { FilePlan, Plan, Site } from "./4-plan.ts";
import { changedFiles } from "./5-apply.ts";

type Colors = Pick<typeof standardColors, "red" | "green" | "cyan" | "bold" | "dim" | "yellow">;

/** Number of regions by outcome. */
export interface Statistics {
  readonly regions: number;
  readonly converted: number;
  /** Converted regions whose owned form has no field (dropped), or has one (kept). */
  readonly dropped: number;
  readonly kept: number;
  readonly already: number;
  readonly refused: number;
  readonly refusedByReason: Readonly<Partial<Record<Reason, number>>>;
}

export function statisticsOf({ files }: Plan): Statistics {
  const sites = files.flatMap((file) => file.sites);
  const count = (accepts: (site: Site) => boolean) => sites.filter(accepts).length;
  const refusedByReason: Partial<Record<Reason, number>> = {};
  for (const { reason } of sites) {
    if (reason !== undefined) refusedByReason[reason] = (refusedByReason[reason] ?? 0) + 1;
  }
  return {
    regions: sites.length,
    converted: count(({ outcome }) => outcome === "converted"),
    dropped: count(({ treatment }) => treatment === "dropped"),
    kept: count(({ treatment }) => treatment === "kept"),
    already: count(({ outcome }) => outcome === "already"),
    refused: count(({ outcome }) => outcome === "refused"),
    refusedByReason,
  };
}

/** Version of the JSON report's format. */
const reportVersion = 1;

/** The report as a value for `JSON.stringify`. */
export function jsonReport(plan: Plan) {
  return {
    version: reportVersion,
    direction: plan.direction,
    statistics: statisticsOf(plan),
    files: plan.files.map(({ path, sha256, before, after, sites, notes }) => ({
      path: shown(path),
      sha256,
      changed: before !== after,
      sites: sites.map((site) => ({ ...site, file: shown(site.file) })),
      notes,
    })),
  };
}

/** Unified diff of all changed files; empty when there are none. */
export function unifiedDiff(plan: Plan, colors: Colors = standardColors): string {
  return changedFiles(plan)
    .map((file) => colored(fileDiff(file), colors))
    .join("");
}

function fileDiff({ path, before, after }: FilePlan): string {
  const name = shown(path).replace(/^\//, "");
  const patch = createTwoFilesPatch(`a/${name}`, `b/${name}`, before, after);
  return patch.replace(/^=+\n/, "");
}

function colored(patch: string, colors: Colors): string {
  const color = (line: string): string => {
    if (line.startsWith("+++") || line.startsWith("---")) return colors.bold(line);
    if (line.startsWith("@@")) return colors.cyan(line);
    if (line.startsWith("+")) return colors.green(line);
    return line.startsWith("-") ? colors.red(line) : line;
  };
  return patch.split("\n").map(color).join("\n");
}

/** Refusals and notes, one line each, then the totals. */
export function summary(plan: Plan, colors: Colors = standardColors): string {
  return `${remarks(plan, colors)}${totals(plan)}\n`;
}

/** Refusals and notes, one line each; empty when there are none. */
export function remarks(plan: Plan, colors: Colors = standardColors): string {
  const lines: string[] = [];
  for (const { path, sites, notes } of plan.files) {
    for (const site of sites) {
      if (site.reason !== undefined) lines.push(refusalLine(site, site.reason, colors));
    }
    for (const { line, text } of notes) {
      lines.push(`${shown(path)}:${line}: ${colors.yellow("note")}: ${text}`);
    }
  }
  return lines.map((line) => `${line}\n`).join("");
}

function refusalLine(site: Site, reason: Reason, colors: Colors): string {
  const { what, why, mend } = reasonTexts[reason];
  const place = `${shown(site.file)}:${site.line}:${site.column}`;
  const region = `${site.className}.${site.region}`;
  return `${place}: ${colors.red("refused")} ${region} [${reason}] ${colors.dim(site.detail ?? "")}: ${what}; ${why}; ${mend}`;
}

function totals(plan: Plan): string {
  const { converted, dropped, kept, already, refused, refusedByReason } = statisticsOf(plan);
  const files = changedFiles(plan).length;
  const how = converted === 0 ? "" : ` (${dropped} without a field, ${kept} with one)`;
  const target = plan.direction === "to-owned" ? "owned" : "embedded";
  const reasons = Object.entries(refusedByReason).map(([reason, number]) => `${number} ${reason}`);
  const why = refused === 0 ? "" : ` (${reasons.sort().join(", ")})`;
  return (
    `${count(converted, "region")} to convert${how}, ${already} already ${target}, ${refused} refused${why}; ` +
    `${count(files, "file")} ${files === 1 ? "changes" : "change"}`
  );
}

/** `1 file`, `2 files`. */
export function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? "" : "s"}`;
}
