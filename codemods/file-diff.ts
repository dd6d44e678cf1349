import { diffArrays, formatPatch, type StructuredPatchHunk } from "diff";
import type { colors as standardColors } from "./colors.ts";

type Colors = Pick<typeof standardColors, "red" | "green" | "cyan" | "bold">;

/** Unchanged lines shown around a change. */
const context = 4;

/** The change of one file as a patch that `git apply` and `patch -p1` take. @param path relative to the root */
export function fileDiff(path: string, before: string, after: string): string {
  const patch = formatPatch({
    oldFileName: `a/${path}`,
    newFileName: `b/${path}`,
    oldHeader: undefined,
    newHeader: undefined,
    hunks: hunksOf(rowsOf(linesOf(before), linesOf(after))),
  });
  return patch.replace(/^=+\n/, "");
}

/** Lines with their line feeds; the last one may have none. */
function linesOf(text: string): string[] {
  return text.match(/[^\n]*\n|[^\n]+$/g) ?? [];
}

/** A line that is in both texts (" "), only in the one before ("-"), or only in the one after ("+"). */
interface Row {
  readonly sign: " " | "-" | "+";
  readonly line: string;
}

/**
 * The lines of both texts. Lines that only one of them has are set aside before the others are compared: the time that takes
 * grows with the product of their number and of those that differ.
 */
function rowsOf(before: readonly string[], after: readonly string[]): Row[] {
  const rows: Row[] = [];
  let [old, now] = [0, 0];
  const take = (sign: Row["sign"], lines: readonly string[], from: number, to: number) => {
    for (const line of lines.slice(from, to)) rows.push({ sign, line });
  };
  for (const [inBefore, inAfter] of pairsOf(before, after)) {
    take("-", before, old, inBefore);
    take("+", after, now, inAfter);
    rows.push({ sign: " ", line: before[inBefore] ?? "" });
    [old, now] = [inBefore + 1, inAfter + 1];
  }
  take("-", before, old, before.length);
  take("+", after, now, after.length);
  return rows;
}

/** The indices of the lines that stay, in both texts. */
function pairsOf(before: readonly string[], after: readonly string[]): (readonly [number, number])[] {
  const left = indicesIn(before, new Set(after));
  const right = indicesIn(after, new Set(before));
  const lineAt = (lines: readonly string[]) => (index: number) => lines[index] ?? "";
  const pairs: (readonly [number, number])[] = [];
  let [old, now] = [0, 0];
  for (const { added, removed, count } of diffArrays(left.map(lineAt(before)), right.map(lineAt(after)))) {
    for (let taken = 0; !added && !removed && taken < count; taken++)
      pairs.push([left[old + taken] ?? 0, right[now + taken] ?? 0]);
    if (!added) old += count;
    if (!removed) now += count;
  }
  return pairs;
}

function indicesIn(lines: readonly string[], others: ReadonlySet<string>): number[] {
  return [...lines.keys()].filter((index) => others.has(lines[index] ?? ""));
}

/** Changes with the lines around them; those whose surroundings meet are one hunk. */
function hunksOf(rows: readonly Row[]): StructuredPatchHunk[] {
  const hunks: StructuredPatchHunk[] = [];
  let [oldStart, newStart] = [1, 1];
  let passed = 0;
  for (const [from, to] of stretchesOf(rows)) {
    const skipped = from - passed;
    [oldStart, newStart] = [oldStart + skipped, newStart + skipped];
    const taken = rows.slice(from, to);
    const oldLines = taken.filter(({ sign }) => sign !== "+").length;
    const newLines = taken.filter(({ sign }) => sign !== "-").length;
    hunks.push({ oldStart, oldLines, newStart, newLines, lines: taken.flatMap(printedRow) });
    [oldStart, newStart] = [oldStart + oldLines, newStart + newLines];
    passed = to;
  }
  return hunks;
}

/** The first row of each hunk, and the one after its last. */
function stretchesOf(rows: readonly Row[]): [number, number][] {
  const stretches: [number, number][] = [];
  for (const [index, { sign }] of rows.entries()) {
    if (sign === " ") continue;
    const end = Math.min(index + 1 + context, rows.length);
    const last = stretches.at(-1);
    if (last !== undefined && index - context <= last[1]) last[1] = end;
    else stretches.push([Math.max(index - context, 0), end]);
  }
  return stretches;
}

function printedRow({ sign, line }: Row): string[] {
  if (line.endsWith("\n")) return [sign + line.slice(0, -1)];
  return [sign + line, "\\ No newline at end of file"];
}

/** The same patch for a terminal. */
export function colored(patch: string, colors: Colors): string {
  const color = (line: string): string => {
    if (line.startsWith("+++") || line.startsWith("---")) return colors.bold(line);
    if (line.startsWith("@@")) return colors.cyan(line);
    if (line.startsWith("+")) return colors.green(line);
    return line.startsWith("-") ? colors.red(line) : line;
  };
  return patch.split("\n").map(color).join("\n");
}
