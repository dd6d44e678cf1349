/** Runs the phases over a tree. */
import { tell } from "#host";
import { Lifecycle } from "./lifecycle.ts";
import { lex } from "./passes/1-lex.ts";
import { declare } from "./passes/2-declare.ts";
import { findCopies, findMirrors } from "./passes/4-copies.ts";
import { type Field, fieldsOf, findUses } from "./passes/4-uses.ts";
import { findHeapSites, HeapJudge, type HeapJudgement } from "./passes/5-heap.ts";
import { findHelpers, type Helpers } from "./passes/5-helpers.ts";
import { type Judgement, judge } from "./passes/5-judge.ts";
import { type EmbeddedJudgement, judgeToEmbedded } from "./passes/5-judge-to-embedded.ts";
import { type Changes, editToOwned } from "./passes/6-edit.ts";
import { editToEmbedded } from "./passes/6-edit-to-embedded.ts";
import { type FunctionBody, lineAt, type Program, type Source } from "./program.ts";
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
  const texts = readTree(paths);
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
  let judgements: Judgement[];
  let heap: HeapJudgement[];
  do {
    const heapJudge = new HeapJudge(types, helpers);
    heap = heapSites.map((site) => heapJudge.judge(site));
    judgements = fields.map((field) => judge(field, { lifecycle, types, helpers, macros, reversible }));
  } while (dropHelpers(helpers, [...judgements, ...heap], lifecycle));
  progress("editing");
  const changes = editToOwned(analysis.program, types, judgements, helpers, heap);
  return { ...analysis, judgements, heap, changes };
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
  const judgements = analysis.fields
    .filter(({ member }) => accepts(member.struct.file.path))
    .flatMap((field) => judgeToEmbedded(field) ?? []);
  progress("editing");
  return { ...analysis, judgements, changes: editToEmbedded(analysis.program, judgements) };
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
