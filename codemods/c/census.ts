/**
 * What stands between a tree and the removal of one form: sites by reason and by area, and what a gradual migration would look
 * like, folder by folder.
 */
import { type Maintainers, readMaintainers } from "./maintainers.ts";
import { type Site, sitesOf } from "./passes/7-report.ts";
import type { Conversion } from "./pipeline.ts";
import type { Struct } from "./program.ts";
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
  /** Changed files that still call `memory_region_init*`. */
  readonly mixedFiles: number;
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
  const refusedByReason: Record<string, number> = {};
  for (const { reason } of sites)
    if (reason !== undefined) refusedByReason[reason] = (refusedByReason[reason] ?? 0) + 1;
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
    refusedByReason,
    byArea: areasOf(sites, readMaintainers(program.root)),
    childDevices: pick(/^object_initialize_child|^qdev_new$/),
    gradual: [25, 50, 75, 100].map((percent) => gradualStep(conversion, percent)),
  };
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, each) => total + each, 0);
}

function countCalls({ program }: Conversion, expression: RegExp): Map<string, number> {
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

/** The largest folders first, until they hold the wanted share of the fields that convert. */
function gradualStep({ judgements, program }: Conversion, percent: number): GradualStep {
  const accepted = judgements.filter(({ treatment }) => treatment !== "refused");
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
  const convertedInits = new Map<string, number>();
  for (const { field, inits } of accepted) {
    const { struct } = field.member;
    const isChosen = chosen.has(folderOf(struct.file.path));
    if (field.uses.some(({ source }) => chosen.has(folderOf(source.path)) !== isChosen)) shared.add(struct);
    if (!isChosen) continue;
    changed.add(struct.file.path);
    for (const { source } of field.uses) changed.add(source.path);
    for (const { use } of inits)
      convertedInits.set(use.source.path, (convertedInits.get(use.source.path) ?? 0) + 1);
  }
  let mixedFiles = 0;
  for (const [path, converted] of convertedInits) {
    const text = program.sources.get(path)?.tokens.text ?? "";
    if ((text.match(/\bmemory_region_init(?:_\w+)?\s*\(/g)?.length ?? 0) > converted) mixedFiles++;
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

/** The census as text. */
export function renderCensus(census: Census): string {
  const list = (record: Readonly<Record<string, number>>) =>
    Object.entries(record)
      .sort(([, a], [, b]) => b - a)
      .map(([name, number]) => `${number} ${name}`)
      .join(", ") || "none";
  const lines = [
    `${census.fields} embedded region fields: ${census.arrays} arrays, ${census.inHeaders} in headers, ${census.usedInSeveralFiles} used from several files; ${census.uses} uses`,
    `${census.heap} regions allocated by hand`,
    `calls: ${list(census.initCalls)}; memory_region_new*: ${census.newCalls}`,
    `left of memory_region_init* once all that converts is converted: ${census.remainingCalls} calls`,
    `refused: ${list(census.refusedByReason)}`,
    `child devices, not converted: ${list(census.childDevices)}`,
    "",
    "gradual migration, largest folders first:",
    "share  folders  fields  sources  headers  shared structures  mixed files",
    ...census.gradual.map(
      ({ percent, folders, fields, changedSources, changedHeaders, sharedStructures, mixedFiles }) =>
        `${String(percent).padStart(4)} %${[
          folders,
          fields,
          changedSources,
          changedHeaders,
          sharedStructures,
          mixedFiles,
        ]
          .map((number, index) => String(number).padStart([9, 8, 9, 9, 19, 13][index] ?? 9))
          .join("")}`,
    ),
    "",
    "by area (MAINTAINERS): converts, refused",
    ...census.byArea.map(
      ({ area, converted, refused }) =>
        `${String(converted).padStart(5)} ${String(refused).padStart(5)}  ${area}`,
    ),
  ];
  return `${lines.join("\n")}\n`;
}
