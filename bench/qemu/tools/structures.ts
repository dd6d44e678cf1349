/** Sizes of structures in two builds, as pahole reads them from the debug information. */
import { CommandError } from "#host";
import { markdownTable, plainTable } from "#results";
import { median, quantile } from "#results/statistics";
import { checkBuild, emulatorOf } from "../session.ts";
import { run } from "./run.ts";

/** How many structures the table names. */
const SHOWN = 12;

export interface Change {
  readonly name: string;
  readonly a: number;
  readonly b: number;
}

export async function compareStructures({ a, b }: { a: string; b: string }): Promise<string> {
  checkBuild("--a", a);
  checkBuild("--b", b);
  const [before, after] = [await sizesOf(a), await sizesOf(b)];
  const changes = changesOf(before, after);
  return describe(changes, before.size);
}

async function sizesOf(build: string): Promise<Map<string, number>> {
  const { status, stdout, stderr } = await run("pahole", ["--sizes", emulatorOf(build)]);
  const sizes = parseSizes(stdout);
  if (status !== 0 || sizes.size === 0) {
    throw new CommandError(
      `${emulatorOf(build)}: pahole finds no structures (${stderr.trim().split("\n")[0] ?? ""}); build QEMU with debug information`,
      { exitCode: 1 },
    );
  }
  return sizes;
}

/** Lines of name, bytes, and number of holes. Names that have several sizes, in different files, are left out. */
export function parseSizes(text: string): Map<string, number> {
  const sizes = new Map<string, number>();
  const ambiguous = new Set<string>();
  for (const [, name = "", bytes] of text.matchAll(/^(\S+)\t(\d+)\t\d+$/gm)) {
    const size = Number(bytes);
    if ((sizes.get(name) ?? size) !== size) ambiguous.add(name);
    sizes.set(name, size);
  }
  for (const name of ambiguous) sizes.delete(name);
  return sizes;
}

/** Structures of both builds whose size differs, the largest change first. */
export function changesOf(before: ReadonlyMap<string, number>, after: ReadonlyMap<string, number>): Change[] {
  const changes: Change[] = [];
  for (const [name, a] of before) {
    const b = after.get(name);
    if (b !== undefined && b !== a) changes.push({ name, a, b });
  }
  return changes.sort((one, other) => one.b - one.a - (other.b - other.a));
}

export function describe(changes: readonly Change[], all: number): string {
  if (changes.length === 0) return `All ${all} structures have the same size in both builds.`;
  const smaller = changes.filter(({ a, b }) => b < a);
  const larger = changes.filter(({ a, b }) => b > a);
  const saved = smaller.map(({ a, b }) => a - b);
  const sum = changes.reduce((total, { a, b }) => total + b - a, 0);
  const quartiles =
    saved.length === 0
      ? ""
      : ` (median ${median(saved)} bytes, quartiles ${quantile(saved, 0.25)} and ${quantile(saved, 0.75)}, largest ${Math.max(...saved)})`;
  const row = ({ name, a, b }: Change) => [name, `${a}`, `${b}`, `${b > a ? "+" : ""}${b - a}`];
  const table = (rows: readonly Change[]) =>
    markdownTable(
      plainTable("", ["Structure", "A, bytes", "B, bytes", "Difference"], [1, 2, 3], rows.map(row)),
    );
  return [
    `Of ${all} structures, ${smaller.length} are smaller in B${quartiles}, ${larger.length} larger; ${sum} bytes over one instance of each.`,
    "",
    table([...changes.slice(0, SHOWN), ...larger.filter((each) => !changes.slice(0, SHOWN).includes(each))]),
  ].join("\n");
}
