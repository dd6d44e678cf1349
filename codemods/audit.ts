import { colors } from "./colors.ts";
import type { Plan, Site } from "./passes/4-plan.ts";
import type { Shape } from "./regions/constructors.ts";
import { Reason, reasonTexts } from "./regions/reasons.ts";
import { shown } from "./source/workspace.ts";

/**
 * How hard a region is to convert: mechanically, with manual review, or not at all. This is about effort, not about
 * lifetime: a region that no codemod converts may be in perfect order. Bugs are for `lifetime/`.
 */
export type Effort = "MECH" | "CARE" | "STOP";

/** Kind of a region; `dynamic` regions are created and destroyed while the machine runs. */
export type AuditShape = Shape | "array" | "dynamic" | "unknown";

/** One region found in the sources. */
export interface Finding {
  readonly file: string;
  readonly line: number;
  readonly region: string;
  readonly form: Site["form"];
  readonly shape: AuditShape;
  readonly effort: Effort;
  /** The reason for a refusal; undefined if the region itself is not refused. */
  readonly hazard: Reason | undefined;
  /** Why it needs care or cannot be converted. */
  readonly remark: string;
}

/** Every region of a plan, in source order. A region that is already owned needs no conversion: MECH. */
export function auditRegions({ files }: Plan): Finding[] {
  return files.flatMap(({ sites }) => sites.map(findingOf));
}

const dynamicReasons: ReadonlySet<Reason | undefined> = new Set<Reason>([
  Reason.LeafUnparented,
  Reason.ContainerUnparented,
  Reason.NullableField,
  Reason.CreatedTwice,
]);

function findingOf(site: Site): Finding {
  const hazard = site.reason === Reason.ClassRefused ? undefined : site.reason;
  return {
    file: shown(site.file),
    line: site.line,
    region: `${site.className}.${site.region}`,
    form: site.form,
    shape: shapeOf(site),
    effort: hazard !== undefined ? "STOP" : needsCare(site) ? "CARE" : "MECH",
    hazard,
    remark: remarkOf(site),
  };
}

function shapeOf({ array, shape, reason }: Site): AuditShape {
  if (dynamicReasons.has(reason)) return "dynamic";
  return array ? "array" : (shape ?? "unknown");
}

function needsCare({ treatment, reason }: Site): boolean {
  return treatment === "kept" || reason === Reason.ClassRefused;
}

function remarkOf(site: Site): string {
  if (site.reason !== undefined) return `${reasonTexts[site.reason].what}: ${site.detail ?? ""}`;
  return site.why ?? "";
}

const effortColors = { MECH: colors.green, CARE: colors.yellow, STOP: colors.red } as const;

/** A heading, one line per region, then the totals. */
export function renderAudit(findings: readonly Finding[]): string {
  const places = findings.map(({ file, line }) => `${file}:${line}`);
  const width = (texts: readonly string[]) => Math.max(0, ...texts.map((text) => text.length));
  const placeWidth = width(places);
  const regionWidth = width(findings.map(({ region }) => region));
  const lines = findings.map((finding, index) => {
    const { effort, shape, region, remark } = finding;
    const columns = [
      effortColors[effort](effort),
      shape.padEnd(9),
      region.padEnd(regionWidth),
      (places[index] ?? "").padEnd(placeWidth),
      remark,
    ];
    return columns.join("  ").trimEnd();
  });
  if (lines.length > 0) lines.unshift("effort of a conversion to owned, which says nothing about lifetime:");
  const total = (effort: Effort) => findings.filter((finding) => finding.effort === effort).length;
  lines.push(
    `${findings.length} regions: ${total("MECH")} MECH, ${total("CARE")} CARE, ${total("STOP")} STOP`,
  );
  return `${lines.join("\n")}\n`;
}
