/** Runs the phases over a tree. */
import { tell } from "#host";
import { Lifecycle } from "./lifecycle.ts";
import { lex } from "./passes/1-lex.ts";
import { declare } from "./passes/2-declare.ts";
import { findCopies, findMirrors } from "./passes/4-copies.ts";
import { type Field, fieldsOf, findUses } from "./passes/4-uses.ts";
import { findHeapSites, HeapJudge, type HeapJudgement } from "./passes/5-heap.ts";
import { findHelpers, type Helpers } from "./passes/5-helpers.ts";
import { type Judgement, judge, type Place } from "./passes/5-judge.ts";
import { type EmbeddedJudgement, judgeToEmbedded } from "./passes/5-judge-to-embedded.ts";
import { type Changes, editToOwned, type Losses } from "./passes/6-edit.ts";
import { editToEmbedded } from "./passes/6-edit-to-embedded.ts";
import { type FunctionBody, lineAt, type Member, type Program, type Source } from "./program.ts";
import { readTree, type TreeTexts } from "./tree.ts";
import { Types } from "./types.ts";

/** Says how far a long run has come. */
export type Progress = (phase: string) => void;

export interface Analysis {
  readonly program: Program;
  readonly types: Types;
  readonly fields: readonly Field[];
  readonly texts: TreeTexts;
}

export interface Conversion extends Analysis {
  readonly judgements: readonly Judgement[];
  readonly heap: readonly HeapJudgement[];
  readonly changes: Changes;
}

/** Declarations and uses of a tree. */
export function analyse(
  paths: readonly string[],
  pointers: 0 | 1,
  progress: Progress = () => undefined,
): Analysis {
  progress("reading");
  return analyseTexts(readTree(paths), pointers, progress);
}

function analyseTexts(texts: TreeTexts, pointers: 0 | 1, progress: Progress): Analysis {
  progress(`declarations of ${texts.texts.size} files`);
  const program = readProgram(texts, pointers);
  const types = new Types(program);
  const fields = fieldsOf(program, pointers);
  progress(`uses of ${fields.size} fields`);
  findUses(program, types, fields);
  findCopies(program, types, fields);
  findMirrors(texts.rust, fields);
  return { program, types, fields: [...fields.values()], texts };
}

/** Headers, files that name memory regions, and files that name a field that is a region. */
function readProgram({ root, texts }: TreeTexts, pointers: 0 | 1): Program {
  const sources = new Map<string, Source>();
  const others = new Map<string, string>();
  for (const [path, text] of texts) {
    if (
      (path.endsWith(".h") && !apart.test(path)) ||
      text.includes("MemoryRegion") ||
      text.includes("memory_region_")
    ) {
      sources.set(path, declare(path, lex(text)));
    } else others.set(path, text);
  }
  const names = new Set<string>();
  const program = { root, sources, others };
  for (const { member } of fieldsOf(program, pointers).values()) names.add(member.name);
  for (const [path, text] of others) {
    if (!mentions(text, names)) continue;
    others.delete(path);
    sources.set(path, declare(path, lex(text)));
  }
  for (const source of sources.values()) warnOfUnpaired(source);
  return program;
}

function warnOfUnpaired({ path, tokens: { text, unpaired } }: Source): void {
  if (unpaired < 0) return;
  const [what] = /^(?:\/\*|#\s*\w+|.)/s.exec(text.slice(unpaired, unpaired + 20)) ?? [""];
  tell(
    `warning: ${path}:${lineAt(text, unpaired)}: ${what} has no other end; what follows may be missed, and no region that the file may use is converted`,
  );
}

/** Programs beside the emulator: their headers matter only if they name regions. */
const apart = /^(?:tests|linux-user|bsd-user|qga|contrib|tools|storage-daemon)\//;

function mentions(text: string, names: ReadonlySet<string>): boolean {
  for (const [, name = ""] of text.matchAll(/(?:->|\.)\s*([A-Za-z_]\w*)/g)) if (names.has(name)) return true;
  return false;
}

export interface OwnedOptions {
  /** True for regions that are to be converted, by the file that declares or allocates them. */
  readonly accepts?: (path: string) => boolean;
  /** Only what the way back restores byte for byte: every field kept as a pointer, no function changed, nothing allocated. */
  readonly reversible?: boolean;
}

export function convertToOwned(
  paths: readonly string[],
  progress: Progress = () => undefined,
  { accepts = () => true, reversible = false }: OwnedOptions = {},
): Conversion {
  const analysis = analyse(paths, 0, progress);
  const fields = analysis.fields.filter(({ member }) => accepts(member.struct.file.path));
  progress("order of functions");
  const lifecycle = new Lifecycle(analysis.program, analysis.types);
  const macros = new Set<string>();
  for (const { defines } of analysis.program.sources.values())
    for (const name of defines.keys()) macros.add(name);
  progress("judging");
  const { types } = analysis;
  const helpers: Helpers = reversible ? new Map() : findHelpers(analysis.program, types, lifecycle);
  const heapSites = reversible
    ? []
    : findHeapSites(analysis.program).filter(({ source }) => accepts(source.path));
  const losses: Losses = new Map();
  const unrestored: Losses = new Map();
  for (;;) {
    let judgements: Judgement[];
    let heap: HeapJudgement[];
    do {
      const heapJudge = new HeapJudge(types, helpers, losses);
      heap = heapSites.map((site) => heapJudge.judge(site));
      judgements = fields.map((field) =>
        judge(field, { lifecycle, types, helpers, macros, losses, unrestored, reversible }),
      );
    } while (dropHelpers(helpers, [...judgements, ...heap], lifecycle));
    progress("editing");
    const { changes, losses: lost } = editToOwned(analysis.program, types, judgements, helpers, heap);
    for (const [owner, place] of lost) losses.set(owner, place);
    if (lost.size > 0) {
      for (const fn of helpers.keys()) if (losses.has(fn)) helpers.delete(fn);
      continue;
    }
    const differing = reversible ? notRestored(analysis.texts, judgements, changes) : [];
    for (const [member, place] of differing) unrestored.set(member, place);
    if (differing.length === 0) return { ...analysis, judgements, heap, changes };
  }
}

/** The members that keep the way back from restoring a file byte for byte, and the place of the first difference. */
function notRestored(
  texts: TreeTexts,
  judgements: readonly Judgement[],
  changes: Changes,
): [Member, Place][] {
  const converted = judgements.filter(({ treatment }) => treatment !== "refused").map(({ field }) => field);
  const keyOf = ({ struct, name }: Member): string => `${struct.file.path}\0${struct.name}\0${name}`;
  const keys = new Set(converted.map(({ member }) => keyOf(member)));
  const changed: TreeTexts = { ...texts, texts: new Map([...texts.texts, ...changes]) };
  const analysis = analyseTexts(changed, 1, () => undefined);
  const fields = analysis.fields.filter(({ member }) => keys.has(keyOf(member)));
  const back = toEmbedded(analysis, fields).changes;
  const found: [Member, Place][] = [];
  for (const [file, text] of changes) {
    const before = texts.texts.get(file) ?? "";
    const after = back.get(file) ?? text;
    if (after === before) continue;
    let offset = 0;
    while (after[offset] === before[offset]) offset++;
    for (const { member, uses } of converted) {
      if (member.struct.file.path === file || uses.some(({ source }) => source.path === file))
        found.push([member, { file, offset }]);
    }
  }
  return found;
}

export interface EmbeddedConversion extends Analysis {
  readonly judgements: readonly EmbeddedJudgement[];
  readonly changes: Changes;
}

export function convertToEmbedded(
  paths: readonly string[],
  progress: Progress = () => undefined,
  { accepts = () => true }: Pick<OwnedOptions, "accepts"> = {},
): EmbeddedConversion {
  const analysis = analyse(paths, 1, progress);
  progress("judging");
  const fields = analysis.fields.filter(({ member }) => accepts(member.struct.file.path));
  return toEmbedded(analysis, fields, progress);
}

function toEmbedded(
  analysis: Analysis,
  fields: readonly Field[],
  progress: Progress = () => undefined,
): EmbeddedConversion {
  const lifecycle = new Lifecycle(analysis.program, analysis.types);
  const losses: Losses = new Map();
  for (;;) {
    const judgements = fields.flatMap((field) => judgeToEmbedded(field, lifecycle, losses) ?? []);
    progress("editing");
    const edited = editToEmbedded(analysis.program, judgements);
    if (edited.losses.size === 0) return { ...analysis, judgements, changes: edited.changes };
    for (const [owner, place] of edited.losses) losses.set(owner, place);
  }
}

/** Forgets the helpers that have a caller which cannot change; true if there was one. */
function dropHelpers(
  helpers: Helpers,
  judgements: readonly Pick<Judgement, "treatment" | "inits">[],
  lifecycle: Lifecycle,
): boolean {
  const converted = new Map<FunctionBody, Set<number>>();
  const convert = (fn: FunctionBody, calleeToken: number) => {
    const known = converted.get(fn);
    if (known === undefined) converted.set(fn, new Set([calleeToken]));
    else known.add(calleeToken);
  };
  for (const { treatment, inits } of judgements) {
    if (treatment === "refused") continue;
    for (const { use } of inits) if (use.call !== undefined) convert(use.fn, use.call.calleeToken);
  }
  for (const { fn, inits } of helpers.values()) for (const { call } of inits) convert(fn, call.calleeToken);
  let dropped = false;
  for (const fn of helpers.keys()) {
    const sites = lifecycle.callersOf(fn);
    if (sites.length > 0 && sites.every(({ caller, token }) => converted.get(caller)?.has(token))) continue;
    helpers.delete(fn);
    dropped = true;
  }
  return dropped;
}
