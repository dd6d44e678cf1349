/**
 * Each fixture is one hazard. Its first line says what becomes of each region; gcc compiles it before and after; a conversion
 * that keeps fields converts back byte for byte.
 */
import { execFileSync, spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { type Site, sitesOf, unifiedDiff } from "./passes/7-report.ts";
import { convertToEmbedded, convertToOwned } from "./pipeline.ts";

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

function compile(tree: string, name: string): string {
  const flags = ["-fsyntax-only", "-Wall", "-Werror", "-Wshadow=local", "-std=gnu11", name];
  return spawnSync("gcc", flags, { cwd: tree, encoding: "utf8" }).stderr;
}

describe.each(names)("%s", (name) => {
  test("every region becomes what the first line says", () => {
    const tree = treeOf(name);
    const [, expected = ""] = /expect: (.*) \*\//.exec(readFileSync(join(tree, name), "latin1")) ?? [];
    const conversion = convertToOwned([tree]);
    expect(sitesOf(conversion).map(described).sort()).toEqual(expected.split(", ").sort());
  });

  test.skipIf(!hasGcc)("gcc accepts it before and after", () => {
    const tree = treeOf(name);
    expect(compile(tree, name)).toBe("");
    for (const [path, text] of convertToOwned([tree]).changes) writeFileSync(join(tree, path), text, "latin1");
    expect(compile(tree, name)).toBe("");
  });

  test("git apply takes the diff", () => {
    const tree = treeOf(name);
    const conversion = convertToOwned([tree]);
    if (conversion.changes.size === 0) return;
    execFileSync("git", ["apply", "-"], { cwd: tree, input: unifiedDiff(conversion), stdio: ["pipe", "pipe", "pipe"] });
    for (const [path, text] of conversion.changes) expect(readFileSync(join(tree, path), "latin1")).toBe(text);
  });

  test("what is reversible comes back byte for byte", () => {
    const tree = treeOf(name);
    const { changes } = convertToOwned([tree], undefined, { reversible: true });
    for (const [path, text] of changes) writeFileSync(join(tree, path), text, "latin1");
    for (const [path, text] of convertToEmbedded([tree]).changes) writeFileSync(join(tree, path), text, "latin1");
    expect(readFileSync(join(tree, name), "latin1")).toBe(readFileSync(join(fixtures, name), "latin1"));
  });
});
