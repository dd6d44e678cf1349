/**
 * What stands between a tree and the removal of one form: sites by reason and by area, and what a gradual migration would look
 * like, folder by folder.
 */
import { type Maintainers, readMaintainers } from "./maintainers.ts";
import type { Field, Use } from "./passes/4-uses.ts";
import { creationOf } from "./passes/5-judge-to-embedded.ts";
import { type Site, sitesOf } from "./passes/7-report.ts";
import type { Conversion, EmbeddedConversion } from "./pipeline.ts";
import type { Program, Struct } from "./program.ts";
import { textOf, wordOf } from "./words.ts";

export interface GradualStep {
  /** Share of the convertible fields that is converted, in percent: the first whole folder that reaches it. */
  readonly percent: number;
  readonly folders: number;
  readonly fields: number;
  /** Source files that are compiled anew since they change. */
  readonly changedSources: number;
  readonly changedHeaders: number;
  /** Structures whose regions are used both in converted and in unconverted folders. */
  readonly sharedStructures: number;
  /** Changed files that still call the functions of the form that is left. */
  readonly mixedFiles: number;
}

/** What stands between a tree and the removal of the owned form. */
export interface CensusOfBack {
  /** Pointer fields to which a new region is assigned. */
  readonly fields: number;
  readonly converted: number;
  readonly refusedByReason: Readonly<Record<string, number>>;
  /** Calls of `memory_region_new*`, by name. */
  readonly newCalls: Readonly<Record<string, number>>;
  /** Of these calls, those whose region no field holds: it has no storage in the other form. */
  readonly withoutField: number;
  /** Calls that are left when everything convertible is converted. */
  readonly remainingCalls: number;
  readonly byArea: Census["byArea"];
  readonly gradual: readonly GradualStep[];
}

export interface Census {
  readonly fields: number;
  readonly arrays: number;
  readonly inHeaders: number;
  readonly usedInSeveralFiles: number;
  readonly uses: number;
  readonly heap: number;
  /** Calls of `memory_region_init*`, by name. */
  readonly initCalls: Readonly<Record<string, number>>;
  /** Calls of `memory_region_new*`. */
  readonly newCalls: number;
  /** Calls of `memory_region_init*` that are left when everything convertible is converted. */
  readonly remainingCalls: number;
  readonly refusedByReason: Readonly<Record<string, number>>;
  readonly byArea: readonly { readonly area: string; readonly converted: number; readonly refused: number }[];
  /** Embedded child devices: `object_initialize_child*` and pointers from `qdev_new`; their conversion is a later step. */
  readonly childDevices: Readonly<Record<string, number>>;
  readonly gradual: readonly GradualStep[];
}

const OPEN = wordOf("(");

export function censusOf(conversion: Conversion): Census {
  const { program, judgements, heap } = conversion;
  const sites = sitesOf(conversion);
  const calls = countCalls(
    conversion,
    /^memory_region_(?:init|new)(?:_|$)|^object_initialize_child|^qdev_new$/,
  );
  const pick = (expression: RegExp) =>
    Object.fromEntries([...calls].filter(([name]) => expression.test(name)).sort(([, a], [, b]) => b - a));
  const initCalls = pick(/^memory_region_init/);
  const converted = [...judgements, ...heap].flatMap(({ treatment, inits }) =>
    treatment === "refused" ? [] : inits,
  );
  const direct = converted.filter(({ use }) => use.call?.callee.startsWith("memory_region_init"));
  const total = sum(Object.values(initCalls));
  return {
    fields: judgements.length,
    arrays: judgements.filter(({ field }) => field.isArray).length,
    inHeaders: judgements.filter(({ field }) => field.member.struct.file.path.endsWith(".h")).length,
    usedInSeveralFiles: judgements.filter(
      ({ field }) => new Set(field.uses.map(({ source }) => source)).size > 1,
    ).length,
    uses: sum(judgements.map(({ field }) => field.uses.length)),
    heap: heap.length,
    initCalls,
    newCalls: sum(Object.values(pick(/^memory_region_new/))),
    remainingCalls: total - direct.length,
    refusedByReason: reasonsOf(sites),
    byArea: areasOf(sites, readMaintainers(program.root)),
    childDevices: pick(/^object_initialize_child|^qdev_new$/),
    gradual: gradualSteps(
      program,
      judgements.flatMap(({ field, treatment, inits }) =>
        treatment === "refused" ? [] : [{ field, calls: inits.map(({ use }) => use) }],
      ),
      /\bmemory_region_init(?:_\w+)?\s*\(/g,
    ),
  };
}

export function censusOfBack(conversion: EmbeddedConversion): CensusOfBack {
  const { program, judgements } = conversion;
  const sites = sitesOf(conversion);
  const newCalls = countCalls(conversion, /^memory_region_new(?:_|$)/);
  const total = sum([...newCalls.values()]);
  const accepted = judgements.filter(({ treatment }) => treatment !== "refused");
  const held = judgements.flatMap(({ field }) => field.uses.filter((use) => creationOf(use) !== undefined));
  return {
    fields: judgements.length,
    converted: accepted.length,
    refusedByReason: reasonsOf(sites),
    newCalls: Object.fromEntries([...newCalls].sort(([, a], [, b]) => b - a)),
    withoutField: total - held.length,
    remainingCalls: total - sum(accepted.map(({ creations }) => creations.length)),
    byArea: areasOf(sites, readMaintainers(program.root)),
    gradual: gradualSteps(
      program,
      accepted.map(({ field, creations }) => ({ field, calls: creations.map(({ use }) => use) })),
      /\bmemory_region_new(?:_\w+)?\s*\(/g,
    ),
  };
}

function reasonsOf(sites: readonly Site[]): Record<string, number> {
  const reasons: Record<string, number> = {};
  for (const { reason } of sites) if (reason !== undefined) reasons[reason] = (reasons[reason] ?? 0) + 1;
  return reasons;
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, each) => total + each, 0);
}

function countCalls({ program }: Pick<Conversion, "program">, expression: RegExp): Map<string, number> {
  const calls = new Map<string, number>();
  for (const { tokens, functions } of program.sources.values()) {
    for (const { bodyOpen, bodyClose } of functions) {
      for (let token = bodyOpen; token < bodyClose; token++) {
        if (tokens.word[token + 1] !== OPEN) continue;
        const name = textOf(tokens.word[token] ?? 0);
        if (expression.test(name)) calls.set(name, (calls.get(name) ?? 0) + 1);
      }
    }
  }
  return calls;
}

function areasOf(sites: readonly Site[], maintainers: Maintainers): Census["byArea"] {
  const areas = new Map<string, { area: string; converted: number; refused: number }>();
  for (const { file, treatment } of sites) {
    const area = maintainers.areaOf(file);
    const entry = areas.get(area) ?? { area, converted: 0, refused: 0 };
    if (treatment === "refused") entry.refused++;
    else entry.converted++;
    areas.set(area, entry);
  }
  return [...areas.values()].sort((a, b) => b.refused - a.refused || b.converted - a.converted);
}

export function folderOf(path: string): string {
  return path.slice(0, Math.max(0, path.lastIndexOf("/"))).replace(/^include\//, "");
}

/** A field that converts, and the calls that become calls of the other form. */
interface Converting {
  readonly field: Field;
  readonly calls: readonly Use[];
}

/** @param left matches calls of the form that goes away */
function gradualSteps(program: Program, accepted: readonly Converting[], left: RegExp): GradualStep[] {
  return [25, 50, 75, 100].map((percent) => gradualStep(program, accepted, left, percent));
}

/** The largest folders first, until they hold the wanted share of the fields that convert. */
function gradualStep(
  program: Program,
  accepted: readonly Converting[],
  left: RegExp,
  percent: number,
): GradualStep {
  const sizes = new Map<string, number>();
  for (const { field } of accepted) {
    const folder = folderOf(field.member.struct.file.path);
    sizes.set(folder, (sizes.get(folder) ?? 0) + 1);
  }
  const chosen = new Set<string>();
  let fields = 0;
  for (const [folder, size] of [...sizes].sort(([, a], [, b]) => b - a)) {
    if (fields * 100 >= accepted.length * percent) break;
    chosen.add(folder);
    fields += size;
  }
  const changed = new Set<string>();
  const shared = new Set<Struct>();
  const convertedCalls = new Map<string, number>();
  for (const { field, calls } of accepted) {
    const { struct } = field.member;
    const isChosen = chosen.has(folderOf(struct.file.path));
    if (field.uses.some(({ source }) => chosen.has(folderOf(source.path)) !== isChosen)) shared.add(struct);
    if (!isChosen) continue;
    changed.add(struct.file.path);
    for (const { source } of field.uses) changed.add(source.path);
    for (const { source } of calls)
      convertedCalls.set(source.path, (convertedCalls.get(source.path) ?? 0) + 1);
  }
  let mixedFiles = 0;
  for (const [path, converted] of convertedCalls) {
    const text = program.sources.get(path)?.tokens.text ?? "";
    if ((text.match(left)?.length ?? 0) > converted) mixedFiles++;
  }
  const headers = [...changed].filter((path) => path.endsWith(".h")).length;
  return {
    percent,
    folders: chosen.size,
    fields,
    changedSources: changed.size - headers,
    changedHeaders: headers,
    sharedStructures: shared.size,
    mixedFiles,
  };
}

function listed(record: Readonly<Record<string, number>>): string {
  const entries = Object.entries(record).sort(([, a], [, b]) => b - a);
  return entries.map(([name, number]) => `${number} ${name}`).join(", ") || "none";
}

/** The census as text. */
export function renderCensus(census: Census): string {
  return text([
    `${census.fields} embedded region fields: ${census.arrays} arrays, ${census.inHeaders} in headers, ${census.usedInSeveralFiles} used from several files; ${census.uses} uses`,
    `${census.heap} regions allocated by hand`,
    `calls: ${listed(census.initCalls)}; memory_region_new*: ${census.newCalls}`,
    `left of memory_region_init* once all that converts is converted: ${census.remainingCalls} calls`,
    `refused: ${listed(census.refusedByReason)}`,
    `child devices, not converted: ${listed(census.childDevices)}`,
    ...stepsAndAreas(census),
  ]);
}

/** The census of the way back as text. */
export function renderCensusOfBack(census: CensusOfBack): string {
  return text([
    "",
    `the way back: ${census.fields} fields to which a new region is assigned, ${census.converted} of them convert`,
    `calls: ${listed(census.newCalls)}; ${census.withoutField} of them without a field`,
    `left of memory_region_new* once all that converts is converted: ${census.remainingCalls} calls`,
    `refused: ${listed(census.refusedByReason)}`,
    ...stepsAndAreas(census),
  ]);
}

function text(lines: readonly string[]): string {
  return `${lines.join("\n")}\n`;
}

function stepsAndAreas({ gradual, byArea }: Pick<Census, "gradual" | "byArea">): string[] {
  const widths = [9, 8, 9, 9, 19, 13];
  return [
    "",
    "gradual migration, largest folders first:",
    "share  folders  fields  sources  headers  shared structures  mixed files",
    ...gradual.map((step) => {
      const { percent, folders, fields, changedSources, changedHeaders, sharedStructures, mixedFiles } = step;
      const numbers = [folders, fields, changedSources, changedHeaders, sharedStructures, mixedFiles];
      const cells = numbers.map((number, index) => String(number).padStart(widths[index] ?? 9));
      return `${String(percent).padStart(4)} %${cells.join("")}`;
    }),
    "",
    "by area (MAINTAINERS): converts, refused",
    ...byArea.map(
      ({ area, converted, refused }) =>
        `${String(converted).padStart(5)} ${String(refused).padStart(5)}  ${area}`,
    ),
  ];
}
