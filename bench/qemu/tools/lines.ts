/** Lines and region fields of the sources of two trees. */
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { CommandError } from "#host";
import { markdownTable, plainTable } from "#results";
import { median, quantile } from "#results/statistics";
import { run } from "./run.ts";
import { census, checkTree } from "./trees.ts";

/** Folders without code of the emulator itself. */
const APART = new Set([
  "build",
  "docs",
  "pc-bios",
  "po",
  "python",
  "roms",
  "scripts",
  "subprojects",
  "tests",
]);

export interface FileChange {
  readonly file: string;
  readonly added: number;
  readonly removed: number;
}

export async function compareLines({ a, b }: { a: string; b: string }): Promise<string> {
  checkTree("--a", a);
  checkTree("--b", b);
  const changes: FileChange[] = [];
  for (const entry of readdirSync(a, { withFileTypes: true })) {
    if (!entry.isDirectory() || entry.name.startsWith(".") || APART.has(entry.name)) continue;
    if (!existsSync(join(b, entry.name)))
      throw new CommandError(`--b ${b}: has no folder ${entry.name}; give a tree of the same version`);
    const args = [
      "diff",
      "--no-index",
      "--no-renames",
      "--numstat",
      "--",
      join(a, entry.name),
      join(b, entry.name),
    ];
    const { stdout } = await run("git", args);
    changes.push(...parseNumstat(stdout));
  }
  const [before, after] = [await census(a), await census(b)];
  const lines = describeLines(changes, before, after);
  return `${lines}\n\n${describeConstructors(await constructorsOf(b))}`;
}

export interface Constructors {
  readonly declared: readonly string[];
  /** Calls outside the memory core, by name. */
  readonly used: ReadonlyMap<string, number>;
}

/** Constructors of owned regions that a tree declares, and how often it calls each. */
export async function constructorsOf(tree: string): Promise<Constructors> {
  const found = async (...where: string[]): Promise<string[]> => {
    const { stdout } = await run("grep", ["-rhoE", "\\bmemory_region_new\\w*\\(", ...where], { cwd: tree });
    return stdout.split("\n").flatMap((line) => (line === "" ? [] : [line.slice(0, -1)]));
  };
  const folders = readdirSync(tree, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && !entry.name.startsWith(".") && !APART.has(entry.name))
    .map(({ name }) => name)
    .filter((name) => name !== "include" && name !== "system");
  const used = new Map<string, number>();
  for (const name of await found(...folders)) used.set(name, (used.get(name) ?? 0) + 1);
  return { declared: [...new Set(await found("include"))].sort(), used };
}

export function describeConstructors({ declared, used }: Constructors): string {
  const rows = declared.map((name) => [name, `${used.get(name) ?? 0}`]);
  const idle = declared.filter((name) => !used.has(name));
  return [
    `${declared.length - idle.length} of ${declared.length} constructors have a caller outside the memory core${idle.length === 0 ? "" : `; none: ${idle.join(", ")}`}.`,
    "",
    markdownTable(plainTable("", ["Constructor", "Calls in B"], [1], rows)),
  ].join("\n");
}

/** Lines of added, removed, and file; of binary files, the first two are dashes. */
export function parseNumstat(text: string): FileChange[] {
  return [...text.matchAll(/^(\d+)\t(\d+)\t(.+)$/gm)].map(([, added, removed, file = ""]) => ({
    file,
    added: Number(added),
    removed: Number(removed),
  }));
}

export function describeLines(
  changes: readonly FileChange[],
  before: { readonly fields: number; readonly initCalls: number },
  after: { readonly fields: number; readonly initCalls: number },
): string {
  const net = changes.map(({ added, removed }) => added - removed);
  const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);
  const [added, removed] = [sum(changes.map((each) => each.added)), sum(changes.map((each) => each.removed))];
  const spread =
    net.length === 0
      ? ""
      : `median ${median(net)}, quartiles ${quantile(net, 0.25)} and ${quantile(net, 0.75)}, from ${Math.min(...net)} to ${Math.max(...net)}`;
  return markdownTable(
    plainTable(
      "",
      ["", "A", "B"],
      [1, 2],
      [
        ["embedded region fields", `${before.fields}`, `${after.fields}`],
        ["calls of memory_region_init*", `${before.initCalls}`, `${after.initCalls}`],
        ["files that differ", "", `${changes.length}`],
        ["lines removed, added", `${removed}`, `${added}`],
        ["lines more in B", "", `${added - removed}`],
        ["the same per file", "", spread],
      ],
    ),
  );
}
