import { join, relative } from "node:path";
import { describe, expect, test } from "vitest";
import { sourcesUnder } from "../source/discover.ts";
import { newProject, openWorkspace } from "../source/workspace.ts";
import { auditLifetimes } from "./audit.ts";
import { isBug } from "./finding.ts";
import { Rule } from "./rules.ts";

const root = join(import.meta.dirname, "../..");
const foreign = join(import.meta.dirname, "../prove/fixtures/foreign");

function findingsUnder(directory: string) {
  const sources = sourcesUnder(directory);
  return auditLifetimes(openWorkspace(sources, { project: newProject() }));
}

/** Devices in other people's styles that do have a bug, with the reason; all others have none. */
const bugs: Readonly<Record<string, readonly Rule[]>> = {
  // Called when the children have been released.
  "b03-del-in-finalize": [Rule.UsedInFinalize, Rule.UsedInFinalize],
  // A leaf that a board may have mapped is unparented: by name, by getter, in a list, among the children, by a closure.
  "b04-unparent-by-children": [Rule.LeafUnparented],
  "b06-unparent-array-literal": [Rule.LeafUnparented],
  "c32-unparent-run": [Rule.LeafUnparented],
  "d04-unparent-getter": [Rule.LeafUnparented],
  "e48-local-unparent-alias": [Rule.LeafUnparented],
  // g_new and init in place.
  "b55-model-allocate": [Rule.HandAllocated],
  // Each remap makes another window; the earlier one stays mapped, and the field forgets it.
  "c06-runtime-alias": [Rule.CreatedAgain],
  // The object model initialises the device after its constructor, and forgets the child.
  "c14-ctor-assigned": [Rule.CreatedTooEarly],
  // The region is immortal; its callbacks go on with a device that is not.
  "c38-owner-none": [Rule.OwnerNone],
  // The bus owns a region that serves the device; the first of them is mapped for good, too.
  "d01-owner-other-embedded": [Rule.OwnerForeign, Rule.NeverUnmapped],
  "d02-owner-other-owned": [Rule.OwnerForeign],
  // The space is destroyed by RCU, later; and one region is made in each form.
  "d15-as-root-unparent": [Rule.MixedForms, Rule.RootUnparented],
  // `unmapAll` removes windows that `mapMmio` has mapped; this one was mapped otherwise.
  "e63-use-multi-line": [Rule.NeverUnmapped],
};

/** Owned regions in a field that each realize fills again: a note, not a bug, as nothing here realizes a device twice. */
const notes: readonly string[] = [
  "c06-runtime-alias",
  "c12-nullable",
  "c18-array-index",
  "c34-hash",
  "c48-public-method-by-board",
  "c51-kept-in-subclass",
  "c53-truthiness",
];

describe("devices in other people's styles", () => {
  const findings = findingsUnder(foreign);
  const nameOf = (file: string) => relative(foreign, file).split("/")[0] ?? "";

  test("those that have a lifetime bug are found, and no others", () => {
    const found: Record<string, Rule[]> = {};
    for (const finding of findings.filter(isBug)) {
      const name = nameOf(finding.file);
      found[name] = [...(found[name] ?? []), finding.rule];
    }
    expect(found).toEqual(bugs);
  });

  test("notes", () => {
    const noted = findings.filter((finding) => !isBug(finding));
    expect(noted.map(({ file }) => nameOf(file))).toEqual(notes);
    expect(new Set(noted.map(({ rule }) => rule))).toEqual(new Set([Rule.CreatedAtEachRealize]));
  });
});

/**
 * Owned regions in a field that each realize fills again. No board creates these devices, so nothing in the program says
 * that each is realized once, as it does of flash.
 */
const notesOnOwn: Readonly<Record<string, readonly string[]>> = {
  embedded: [],
  owned: ["GrowingMemory.memory", "LinearIommu.iommu", "MemoryCard.flash"],
};

test.each(["embedded", "owned"])("the project's own devices have no bug: %s", (form) => {
  const findings = findingsUnder(join(root, "emulator/hw", form));
  expect(findings.filter(isBug)).toEqual([]);
  expect(findings.map(({ region }) => region)).toEqual(notesOnOwn[form]);
  expect(findings.every(({ rule }) => rule === Rule.CreatedAtEachRealize)).toBe(true);
});
