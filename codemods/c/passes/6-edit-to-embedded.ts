/** Phase 6 of the way back. */
import { FileEdits } from "../edits.ts";
import { columnAfter, columnAt, indentAt, indentTo, realign, WIDTH, widest } from "../layout.ts";
import type { Program } from "../program.ts";
import { wordOf } from "../words.ts";
import { textBetween, type Use } from "./4-uses.ts";
import type { Creation, EmbeddedJudgement, Guard } from "./5-judge-to-embedded.ts";
import { type Edited, finished } from "./6-edit.ts";

const NOT = wordOf("!");

export function editToEmbedded(program: Program, judgements: readonly EmbeddedJudgement[]): Edited {
  const files = new Map<string, FileEdits>();
  let owner: object | undefined;
  const fileOf = (path: string): FileEdits => {
    const edits = files.get(path) ?? new FileEdits(program.sources.get(path)?.tokens.text ?? "");
    files.set(path, edits);
    edits.owner = owner;
    return edits;
  };
  for (const { field, treatment, creations, guards } of judgements) {
    if (treatment === "refused") continue;
    owner = field.member;
    const { struct, nameToken } = field.member;
    const { start, end } = struct.file.tokens;
    fileOf(struct.file.path).replace(start[nameToken - 1] ?? 0, end[nameToken - 1] ?? 0, "");
    const done = new Set<Use>();
    for (const creation of creations) {
      create(fileOf(creation.use.source.path), creation);
      for (const use of field.uses) if (isInside(use, creation)) done.add(use);
    }
    for (const guard of guards) {
      unguard(fileOf(guard.source.path), guard);
      done.add(guard.test);
    }
    for (const use of field.uses) if (!done.has(use)) refer(fileOf(use.source.path), use, field.isArray);
  }
  return finished(files);
}

function isInside(use: Use, { use: created, test }: Creation): boolean {
  return (
    use === created ||
    (test !== undefined && use.source === created.source && use.first > test.open && use.last < test.close)
  );
}

function refer(edits: FileEdits, use: Use, isArray: boolean): void {
  const { start, end } = use.source.tokens;
  if (use.kind === "member") {
    const arrow = use.last + 1;
    edits.replace(start[arrow] ?? 0, end[arrow] ?? 0, ".");
  } else if (!isArray || use.index !== undefined) {
    const at = start[use.first] ?? 0;
    edits.replace(at, at, "&");
  }
}

/** Removes a test for null that zeroed storage does not need: all but what it guards. */
function unguard(edits: FileEdits, { source, from, to, innerFrom, innerTo }: Guard): void {
  const { text } = source.tokens;
  edits.rewrite({
    start: from,
    end: to,
    make: (part) => realign(part(innerFrom, innerTo), columnAt(text, innerFrom), columnAt(text, from)),
  });
}

/** `s->mr = memory_region_new(…);` becomes `memory_region_init(&s->mr, …);` with the line breaks that it had. */
function create(edits: FileEdits, { use, pair, call, test }: Creation): void {
  const { tokens } = use.source;
  const { text, start, end } = tokens;
  const target = textBetween(tokens, use.first, use.last);
  const from = start[use.first] ?? 0;
  const open = end[call.open] ?? 0;
  const close = start[call.close] ?? 0;
  const column = columnAt(text, from);
  const indent = indentAt(text, from);
  const isBroken = text.slice(end[use.last], start[call.calleeToken]).includes("\n");
  const negation = test !== undefined && tokens.word[test.open + 1] === NOT ? "!" : "";
  const prefix = test === undefined ? "" : `if (${negation}`;
  const suffix = test === undefined ? ";" : ") {";
  edits.rewrite({
    start: from,
    end: test === undefined ? (end[call.close] ?? 0) : (end[test.close] ?? 0),
    make: (part) => {
      const rest = part(open, close);
      const openColumn = columnAt(text, open);
      const oldColumn =
        isBroken && isHanging(rest, columnAfter(indent) + 8, openColumn)
          ? columnAfter(indent) + 8
          : openColumn;
      const gap = text.slice(end[call.calleeToken], start[call.open]);
      const head = `${prefix}${pair.init}${gap}(&${target},`;
      const argumentColumn = column + prefix.length + pair.init.length + gap.length + 1;
      const moved = realign(rest, oldColumn, argumentColumn);
      const joined = `${head} ${moved})${test === undefined ? "" : ")"}`;
      const broken = `${head}\n${indentTo(argumentColumn, indent)}${moved})${test === undefined ? "" : ")"}`;
      if (!isBroken) return joined;
      const inline = `${target} = ${pair.create}${gap}(`;
      const inlineFits =
        widest(`${inline}${realign(rest, oldColumn, column + inline.length)});`, column) <= WIDTH;
      const joinedFits = widest(`${joined}${suffix}`, column) <= WIDTH;
      return inlineFits || !joinedFits ? broken : joined;
    },
  });
}

function isHanging(rest: string, hanging: number, open: number): boolean {
  const second = rest.split("\n")[1];
  if (second === undefined || hanging >= open) return false;
  return columnAfter(/^[ \t]*/.exec(second)?.[0] ?? "") === hanging;
}
