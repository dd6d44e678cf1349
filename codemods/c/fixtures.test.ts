/**
 * Each fixture is one hazard. Its first line says what becomes of each region: "expect" of the conversion to owned, "back" of that to
 * embedded. gcc compiles it before and after; a conversion that keeps fields converts back byte for byte.
 */
import { execFileSync, spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { compilerUses, markedSources, missedUses } from "./oracle/uses.ts";
import { type Site, sitesOf, unifiedDiff } from "./passes/7-report.ts";
import { analyse, convertToEmbedded, convertToOwned } from "./pipeline.ts";

const fixtures = join(import.meta.dirname, "fixtures");
const names = readdirSync(fixtures).filter((name) => name.endsWith(".c"));
const scratch = mkdtempSync(join(tmpdir(), "regionlab-c-"));
const hasGcc = spawnSync("gcc", ["--version"]).status === 0;
afterAll(() => rmSync(scratch, { recursive: true }));

/** A tree of its own with one fixture and the header. */
function treeOf(name: string): string {
  const tree = mkdtempSync(join(scratch, "tree-"));
  cpSync(join(fixtures, name), join(tree, name));
  cpSync(join(fixtures, "regions.h"), join(tree, "regions.h"));
  return tree;
}

function described({ region, treatment, reason }: Site): string {
  const name = region.replace(/^BeepState(?:\.\w+)*\.(?=\w+$)/, "");
  return reason === undefined ? `${name} ${treatment}` : `${name} ${treatment} ${reason}`;
}

/** What is expected of a fixture, and the conversion that it is a fixture of. */
function expectation(name: string) {
  const [, kind, expected = ""] =
    /^\/\* (expect|back): (.*) \*\//.exec(readFileSync(join(fixtures, name), "latin1")) ?? [];
  const convert = (tree: string) => (kind === "back" ? convertToEmbedded([tree]) : convertToOwned([tree]));
  return { convert, expected, pointers: kind === "back" ? 1 : 0 } as const;
}

/** What gcc says with each of two configurations. Not only the syntax: whether a variable has a value, too. */
function compile(tree: string, name: string): string {
  const flags = ["-S", "-O1", "-o", "/dev/null", "-Wall", "-Werror", "-Wshadow=local", "-std=gnu11", name];
  return [[], ["-DCONFIG_BEEP"]]
    .map((defines) => spawnSync("gcc", [...flags, ...defines], { cwd: tree, encoding: "utf8" }).stderr)
    .join("");
}

describe.each(names)("%s", (name) => {
  const { convert, expected, pointers } = expectation(name);

  test("every region becomes what the first line says", () => {
    const tree = treeOf(name);
    expect(sitesOf(convert(tree)).map(described).sort()).toEqual(expected.split(", ").sort());
  });

  test.skipIf(!hasGcc)("gcc accepts it before and after", () => {
    const tree = treeOf(name);
    expect(compile(tree, name)).toBe("");
    for (const [path, text] of convert(tree).changes) writeFileSync(join(tree, path), text, "latin1");
    expect(compile(tree, name)).toBe("");
  });

  test.skipIf(!hasGcc)("gcc knows of no use that was missed", () => {
    const tree = treeOf(name);
    const { fields } = analyse([tree], pointers);
    for (const [path, text] of markedSources(fields)) writeFileSync(join(tree, path), text, "latin1");
    const env = { ...process.env, LC_ALL: "C" };
    const seen = [[], ["-DCONFIG_BEEP"]].flatMap((defines) => {
      const flags = ["-fsyntax-only", "-std=gnu11", name, ...defines];
      return compilerUses(spawnSync("gcc", flags, { cwd: tree, encoding: "utf8", env }).stderr);
    });
    expect(missedUses(fields, seen, (file) => file)).toEqual([]);
    const uses = fields.flatMap((field) => field.uses);
    if (uses.length > 0) expect(seen.length).toBeGreaterThan(0);
  });

  test("git apply takes the diff", () => {
    const tree = treeOf(name);
    const conversion = convert(tree);
    if (conversion.changes.size === 0) return;
    execFileSync("git", ["apply", "-"], {
      cwd: tree,
      input: unifiedDiff(conversion),
      stdio: ["pipe", "pipe", "pipe"],
    });
    for (const [path, text] of conversion.changes)
      expect(readFileSync(join(tree, path), "latin1")).toBe(text);
  });

  test.skipIf(pointers === 1)("what is reversible comes back byte for byte", () => {
    const tree = treeOf(name);
    const { changes } = convertToOwned([tree], undefined, { reversible: true });
    for (const [path, text] of changes) writeFileSync(join(tree, path), text, "latin1");
    for (const [path, text] of convertToEmbedded([tree]).changes)
      writeFileSync(join(tree, path), text, "latin1");
    expect(readFileSync(join(tree, name), "latin1")).toBe(readFileSync(join(fixtures, name), "latin1"));
  });
});
