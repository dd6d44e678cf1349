/** Phase 7: the report of a conversion, for people and for programs. */

import { colors as standardColors } from "../../colors.ts";
import { colored, fileDiff } from "../../file-diff.ts";
import type { Conversion } from "../pipeline.ts";
import { lineAt } from "../program.ts";
import { type Reason, reasonTexts } from "../reasons.ts";
import type { Judgement } from "./5-judge.ts";

type Colors = Pick<typeof standardColors, "red" | "green" | "cyan" | "bold" | "dim">;

/** One region in the report. */
export interface Site {
  readonly file: string;
  readonly line: number;
  readonly region: string;
  readonly isArray: boolean;
  readonly kind: "field" | "heap";
  readonly treatment: Judgement["treatment"];
  readonly reason: Reason | undefined;
  /** Where the reason shows. */
  readonly at: string;
  readonly why: string;
}

export interface Statistics {
  /** Regions allocated by hand: a subject of their own, since their conversion fixes a leak. */
  readonly heap: { readonly sites: number; readonly converted: number };
  readonly regions: number;
  readonly converted: number;
  readonly dropped: number;
  readonly kept: number;
  readonly refused: number;
  readonly refusedByReason: Readonly<Partial<Record<Reason, number>>>;
}

/** What a report needs of a conversion in either direction. */
export interface Reported {
  readonly judgements: readonly Pick<Judgement, "field" | "treatment" | "reason" | "at">[];
  readonly heap?: Conversion["heap"];
  readonly texts: Conversion["texts"];
}

export function sitesOf({ judgements, heap = [], texts }: Reported): Site[] {
  const line = (file: string, offset: number) =>
    lineAt(texts.texts.get(file) ?? texts.rust.get(file) ?? "", offset);
  const fields = judgements.map((judgement): Site => {
    const { field, treatment, reason, at } = judgement;
    const why = "why" in judgement && typeof judgement.why === "string" ? judgement.why : "";
    const { member, isArray } = field;
    const { path, tokens } = member.struct.file;
    return {
      file: path,
      line: line(path, tokens.start[member.nameToken] ?? 0),
      region: `${member.struct.name || "struct"}.${member.name}`,
      isArray,
      kind: "field",
      treatment,
      reason,
      at: `${at.file}:${line(at.file, at.offset)}`,
      why,
    };
  });
  const allocated = heap.map(({ site, treatment, reason, at }): Site => {
    const place = line(at.file, at.offset);
    return {
      file: at.file,
      line: place,
      region: `${site.fn?.name ?? "file"}: ${site.target || "g_new"}`,
      isArray: false,
      kind: "heap",
      treatment,
      reason,
      at: `${at.file}:${place}`,
      why: "allocated by hand",
    };
  });
  return [...fields, ...allocated];
}

/** Totals of the fields, and apart from them those of the regions allocated by hand. */
export function statisticsOf(all: readonly Site[]): Statistics {
  const sites = all.filter(({ kind }) => kind === "field");
  const heap = all.filter(({ kind }) => kind === "heap");
  const count = (treatment: Site["treatment"]) => sites.filter((site) => site.treatment === treatment).length;
  const refusedByReason: Partial<Record<Reason, number>> = {};
  for (const { reason } of sites) {
    if (reason !== undefined) refusedByReason[reason] = (refusedByReason[reason] ?? 0) + 1;
  }
  const [dropped, kept, refused] = [count("dropped"), count("kept"), count("refused")];
  return {
    regions: sites.length,
    converted: dropped + kept,
    dropped,
    kept,
    refused,
    refusedByReason,
    heap: { sites: heap.length, converted: heap.filter(({ treatment }) => treatment !== "refused").length },
  };
}

/** Unified diff that `git apply` and `patch -p1` take, as latin-1: write it as such. */
export function unifiedDiff(
  { changes, texts }: Pick<Conversion, "changes" | "texts">,
  colors: Colors = standardColors,
): string {
  return [...changes]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([path, after]) => colored(fileDiff(path, texts.texts.get(path) ?? "", after), colors))
    .join("");
}

/** One line for each refused region, a paragraph for each reason, and the totals. */
export function summary(
  sites: readonly Site[],
  changedFiles: number,
  only: string | undefined,
  colors: Colors = standardColors,
): string {
  const lines: string[] = [];
  const reasons = new Set<Reason>();
  for (const { file, line, region, reason, at } of sites) {
    if (reason === undefined || (only !== undefined && reason !== only)) continue;
    reasons.add(reason);
    const shows = at === `${file}:${line}` ? "" : ` ${colors.dim(at)}`;
    lines.push(`${file}:${line}: ${colors.red("refused")} ${region} [${reason}]${shows}`);
  }
  for (const reason of reasons) {
    const { what, why, mend } = reasonTexts[reason];
    lines.push(`${colors.bold(`[${reason}]`)} ${what}; ${why}; ${mend}`);
  }
  const { regions, converted, dropped, kept, refused, refusedByReason, heap } = statisticsOf(sites);
  const why = Object.entries(refusedByReason)
    .sort(([, a], [, b]) => b - a)
    .map(([reason, number]) => `${number} ${reason}`)
    .join(", ");
  const share = regions === 0 ? "" : ` (${((100 * converted) / regions).toFixed(1)} %)`;
  lines.push(
    `${converted} of ${regions} regions to convert${share}: ${dropped} without a field, ${kept} with one; ` +
      `${refused} refused${why === "" ? "" : ` (${why})`}; ${changedFiles} files change`,
  );
  if (heap.sites > 0) lines.push(`${heap.converted} of ${heap.sites} regions allocated by hand to convert`);
  return lines.map((line) => `${line}\n`).join("");
}
