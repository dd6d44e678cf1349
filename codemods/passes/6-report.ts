/** Phase 6: reports conversions and refusals, for people and for programs. */

import { textsFor } from "../children/reason-texts.ts";
import { colors as standardColors } from "../colors.ts";
import { colored, fileDiff } from "../file-diff.ts";
import type { Subject } from "../regions/makers.ts";
import { Reason } from "../regions/reasons.ts";
import { type Skipped, skipTexts } from "../source/discover.ts";
import { PositionMap } from "../source/positions.ts";
import { parseRawText } from "../source/raw-text.ts";
import { printed, shown } from "../source/workspace.ts";
import type { Plan, Site } from "./4-plan.ts";
import { changedFiles } from "./5-apply.ts";

type Colors = Pick<typeof standardColors, "red" | "green" | "cyan" | "bold" | "dim" | "yellow">;

/** What a report says besides the plan. */
export interface ReportOptions {
  /** True once the plan has been written: places are then those in the new texts. */
  readonly written?: boolean;
  /** Files that were found and are not converted. */
  readonly skipped?: readonly Skipped[];
}

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
export function jsonReport(plan: Plan, options: ReportOptions = {}) {
  const { files, direction } = placed(plan, options);
  return {
    version: reportVersion,
    direction,
    subject: plan.subject,
    statistics: statisticsOf(plan),
    files: files.map(({ path, sha256, before, after, sites, notes }) => ({
      path: shown(path),
      sha256,
      changed: before !== after,
      sites: sites.map((site) => ({ ...site, file: shown(site.file) })),
      notes,
    })),
    skipped: (options.skipped ?? []).map(({ path, reason }) => ({ path: shown(path), reason })),
  };
}

/** The plan with the places of its sites and notes where they are once it is written. */
function placed(plan: Plan, { written = false }: ReportOptions): Plan {
  if (!written) return plan;
  const maps = new Map(
    changedFiles(plan).map(({ path, before, after, edits }) => {
      const texts = [parseRawText(before).text, parseRawText(after).text] as const;
      return [path, new PositionMap(...texts, edits)];
    }),
  );
  return {
    ...plan,
    files: plan.files.map((file) => ({
      ...file,
      sites: file.sites.map((site) => ({
        ...site,
        ...maps.get(site.file)?.toEdited(site.movesTo ?? site),
        movesTo: undefined,
      })),
      notes: file.notes.map(({ line, text }) => {
        const now = maps.get(file.path)?.toEdited({ line, column: 1 });
        return { line: now?.line ?? line, text };
      }),
    })),
  };
}

/** Unified diff of all changed files; empty when there are none. */
export function unifiedDiff(plan: Plan, colors: Colors = standardColors): string {
  return changedFiles(plan)
    .map(({ path, before, after }) =>
      colored(fileDiff(shown(path).replace(/^\//, ""), before, after), colors),
    )
    .join("");
}

/** Remarks, then the totals. */
export function summary(plan: Plan, options: ReportOptions = {}, colors: Colors = standardColors): string {
  return `${remarks(plan, options, colors)}${totals(plan)}\n`;
}

/**
 * One line for each refused region and each note, then a paragraph for each reason, then the files that were left out.
 * Empty if there is nothing to say.
 */
export function remarks(plan: Plan, options: ReportOptions = {}, colors: Colors = standardColors): string {
  const lines: string[] = [];
  const reasons = new Set<Reason>();
  for (const { path, sites, notes } of placed(plan, options).files) {
    for (const { site, reason, cause } of refusals(sites)) {
      reasons.add(reason);
      lines.push(refusalLine(site, reason, cause, colors));
    }
    for (const { line, text } of notes) {
      lines.push(`${printed(path)}:${line}: ${colors.yellow("note")}: ${text}`);
    }
  }
  for (const reason of reasons) {
    const { what, why, mend } = textsFor(plan.subject)[reason];
    lines.push(`${colors.bold(`[${reason}]`)} ${what}; ${why}; ${mend}`);
  }
  lines.push(...skippedLines(options.skipped ?? [], colors));
  return lines.map((line) => `${line}\n`).join("");
}

interface RefusedSite {
  readonly site: Site;
  readonly reason: Reason;
  /** The region of the class that is refused for a reason of its own, if this one is not. */
  readonly cause: Site | undefined;
}

/** The refused sites of a file: those of a class stand together, the causes first. */
function refusals(sites: readonly Site[]): RefusedSite[] {
  const byClass = new Map<string, Site[]>();
  for (const site of sites) {
    if (site.reason === undefined) continue;
    byClass.set(site.className, [...(byClass.get(site.className) ?? []), site]);
  }
  return [...byClass.values()].flatMap((refused) => {
    const [causes, consequences] = [refused.filter(isCause), refused.filter((site) => !isCause(site))];
    return [...causes, ...consequences].flatMap((site) => {
      const cause = isCause(site) ? undefined : causes[0];
      return site.reason === undefined ? [] : [{ site, reason: site.reason, cause }];
    });
  });
}

function isCause({ reason }: Site): boolean {
  return reason !== Reason.ClassRefused;
}

function refusalLine(site: Site, reason: Reason, cause: Site | undefined, colors: Colors): string {
  const place = `${printed(site.file)}:${site.line}:${site.column}`;
  const region = `${site.className}.${site.region}`;
  const detail = cause === undefined ? (site.detail ?? "") : `because of ${cause.region}`;
  return `${place}: ${colors.red("refused")} ${region} [${reason}] ${colors.dim(detail)}`.trimEnd();
}

/** Number of files that a line names; the JSON report has all of them. */
const filesNamed = 5;

function skippedLines(skipped: readonly Skipped[], colors: Colors): string[] {
  const byReason = new Map<Skipped["reason"], string[]>();
  for (const { path, reason } of skipped) {
    byReason.set(reason, [...(byReason.get(reason) ?? []), printed(path)]);
  }
  return [...byReason].map(([reason, paths]) => {
    const more = paths.length > filesNamed ? ` and ${count(paths.length - filesNamed, "other")}` : "";
    const named = paths.slice(0, filesNamed).join(", ");
    return `${named}${more}: ${colors.yellow("not converted")}: ${skipTexts[reason]}`;
  });
}

function totals(plan: Plan): string {
  const { converted, dropped, kept, already, refused, refusedByReason } = statisticsOf(plan);
  const files = changedFiles(plan).length;
  const how = converted === 0 ? "" : ` (${dropped} without a field, ${kept} with one)`;
  const target = plan.direction === "to-owned" ? "owned" : "embedded";
  const reasons = Object.entries(refusedByReason).map(([reason, number]) => `${number} ${reason}`);
  const why = refused === 0 ? "" : ` (${reasons.sort().join(", ")})`;
  return (
    `${countOf(plan.subject, converted)} to convert${how}, ${already} already ${target}, ${refused} refused${why}; ` +
    `${count(files, "file")} ${files === 1 ? "changes" : "change"}`
  );
}

/** `1 region`, `2 children`. */
export function countOf(subject: Subject, number: number): string {
  if (subject === "regions") return count(number, "region");
  return number === 1 ? "1 child" : `${number} children`;
}

/** `1 file`, `2 files`. */
export function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? "" : "s"}`;
}
