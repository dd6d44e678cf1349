import { readdirSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { describe, expect, test } from "vitest";
import { newProject, openWorkspace } from "../source/workspace.ts";
import { auditLifetimes } from "./audit.ts";
import { Rule, ruleTexts } from "./rules.ts";

const fixtures = join(import.meta.dirname, "fixtures");
const project = newProject();

/** `line rule` of every finding in a file. */
function found(path: string): string[] {
  const findings = auditLifetimes(openWorkspace([path], { project }));
  return findings.map(({ line, rule }) => `${line} ${rule}`).sort(byLine);
}

/** The same, as the comments in the file announce it: `// expect: rule, rule`. */
function expected(path: string): string[] {
  const lines = readFileSync(path, "utf8").split("\n");
  return lines
    .flatMap((line, index) => {
      const rules = /\/\/ expect: (.+)$/.exec(line)?.[1];
      return rules === undefined ? [] : rules.split(", ").map((rule) => `${index + 1} ${rule}`);
    })
    .sort(byLine);
}

function byLine(one: string, other: string): number {
  return Number.parseInt(one, 10) - Number.parseInt(other, 10) || (one < other ? -1 : 1);
}

describe("each kind of bug, in several styles, and no others", () => {
  const names = readdirSync(fixtures).filter((name) => name.endsWith(".ts"));
  test.each(names)("%s", (name) => {
    const path = join(fixtures, name);
    expect(found(path)).toEqual(expected(path));
  });

  test("every rule has an example", () => {
    const rules = new Set(
      names.flatMap((name) => expected(join(fixtures, name))).map((each) => each.split(" ")[1]),
    );
    expect([...rules].sort()).toEqual(Object.values(Rule).sort());
  });
});

/** One bug in each file, at the line whose text is given. */
const seeded: Readonly<Record<string, readonly [Rule, string][]>> = {
  "l01-leak-allocate-field": [[Rule.HandAllocated, "this.model.allocate(MemoryRegion)"]],
  "l03-new-region": [[Rule.HandConstructed, "new MemoryRegion(this)"]],
  "l05-unparent-leaf-embedded": [[Rule.LeafUnparented, "this.iomem.unparent()"]],
  "l07-finalize-use-embedded": [[Rule.UsedInFinalize, "this.iomem.setEnabled(false)"]],
  "l09-map-without-unmap": [[Rule.NeverUnmapped, "systemMemory.addSubregion"]],
  "l11-again-each-realize-owned": [[Rule.CreatedAtEachRealize, "MemoryRegion.newIo"]],
  "l13-del-twice": [[Rule.DeletedTwice, "delSubregion"]],
  "l15-as-own-root": [[Rule.SpaceNeverDestroyed, "new AddressSpace"]],
  "l17-owner-none-embedded": [[Rule.OwnerNone, "this.model.noOwner"]],
  "l19-self-owner": [[Rule.SelfOwner, "initIo(this.iomem"]],
  "l21-created-twice-embedded": [[Rule.CreatedAgain, "this.iomem.initIo"]],
  "l23-cached-after-unrealize": [
    [Rule.CreatedAtEachRealize, 'MemoryRegion.new(this, "bar"'],
    [Rule.CreatedAgain, "MemoryRegion.newAlias"],
    [Rule.NeverUnmapped, "systemMemory.addSubregion"],
  ],
  "l25-ok-clean": [],
};

describe("one bug per device", () => {
  const directory = join(fixtures, "seeded");
  test.each(readdirSync(directory))("%s", (name) => {
    const path = join(directory, name);
    const lines = readFileSync(path, "utf8").split("\n");
    const expectations = seeded[basename(name, ".ts")];
    const findings = found(path);
    expect(findings.map((each) => each.split(" ")[1])).toEqual(expectations?.map(([rule]) => rule));
    for (const [index, [, text]] of (expectations ?? []).entries())
      expect(lines[Number.parseInt(findings[index] ?? "", 10) - 1]).toContain(text);
  });
});

test("every rule says what happens in either form, why, and how to fix it", () => {
  for (const [rule, { what, embedded, owned, because, fix }] of Object.entries(ruleTexts)) {
    for (const text of [what, fix]) expect(text, rule).not.toMatch(/[\n.]$/);
    for (const text of [embedded, owned, because]) expect(text, rule).toMatch(/\.$/);
    expect(what.length, rule).toBeGreaterThan(20);
  }
});
