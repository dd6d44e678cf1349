/** Whole device trees: generates the owned tree from the embedded one, and checks both directions. */

import { rmSync } from "node:fs";
import { join, relative } from "node:path";
import { createTwoFilesPatch } from "diff";
import { writeOutputs } from "#host";
import type { Plan } from "./passes/4-plan.ts";
import { planBothWays, planConversion } from "./pipeline.ts";
import { sourcesUnder } from "./source/discover.ts";
import { newProject, readSource, shown } from "./source/workspace.ts";

export interface Trees {
  /** Directory of the embedded tree, the source of truth. */
  readonly embedded: string;
  /** Directory of the owned tree. */
  readonly owned: string;
}

/** One file that differs from what it should be. */
export interface TreeDifference {
  /** Path inside its tree. */
  readonly file: string;
  /** Which conversion gives a different result, or what happened to the file. */
  readonly what: "missing" | "stale" | "to-owned differs" | "to-embedded differs";
  /** Unified diff from the actual to the expected text; empty if there is nothing to compare. */
  readonly diff: string;
}

export interface TreeReport {
  readonly differences: readonly TreeDifference[];
  /** The conversion of the embedded tree, with its sites and refusals. */
  readonly toOwned: Plan;
}

/** Compares to-owned(embedded) with owned, and to-embedded(owned) with embedded, byte for byte. */
export function checkTrees(trees: Trees): TreeReport {
  const { toOwned, toEmbedded } = planBothWays(sourcesUnder(trees.embedded), sourcesUnder(trees.owned));
  const differences = compareTrees(textsOf(toOwned, trees.embedded), textsIn(trees.owned));
  differences.push(...compareBack(trees, textsOf(toEmbedded, trees.owned)));
  return { differences, toOwned };
}

/** Files that were rewritten and removed, relative to the owned tree. */
export interface TreesWritten {
  readonly written: readonly string[];
  readonly removed: readonly string[];
}

/**
 * Rewrites the owned tree and removes files without a counterpart. `differences` has the files whose owned form does
 * not convert back to the same embedded text. @throws CommandError if a file cannot be read, parsed or written.
 */
export function writeOwnedTree(trees: Trees): TreeReport & TreesWritten {
  const project = newProject();
  const toOwned = planConversion(sourcesUnder(trees.embedded), "to-owned", { project });
  const wanted = textsOf(toOwned, trees.embedded);
  const present = textsIn(trees.owned);
  const changed = [...wanted].filter(([file, text]) => present.get(file) !== text);
  writeOutputs(new Map(changed.map(([file, text]) => [join(trees.owned, file), text])), {
    makeFolders: true,
    shown,
  });
  const stale = [...present.keys()].filter((file) => !wanted.has(file));
  for (const file of stale) rmSync(join(trees.owned, file));
  const toEmbedded = planConversion(sourcesUnder(trees.owned), "to-embedded", { project });
  const differences = compareBack(trees, textsOf(toEmbedded, trees.owned));
  return { differences, toOwned, written: changed.map(([file]) => file).sort(), removed: stale.sort() };
}

function textsIn(directory: string): Map<string, string> {
  return new Map(sourcesUnder(directory).map((path) => [relative(directory, path), readSource(path)]));
}

function textsOf({ files }: Plan, root: string): Map<string, string> {
  return new Map(files.map(({ path, after }) => [relative(root, path), after]));
}

function compareTrees(
  wanted: ReadonlyMap<string, string>,
  present: ReadonlyMap<string, string>,
): TreeDifference[] {
  const differences: TreeDifference[] = [];
  for (const [file, text] of wanted) {
    const found = present.get(file);
    if (found === undefined) differences.push({ file, what: "missing", diff: "" });
    else if (found !== text) differences.push(differing(file, "to-owned differs", found, text));
  }
  for (const file of present.keys()) {
    if (!wanted.has(file)) differences.push({ file, what: "stale", diff: "" });
  }
  return differences;
}

function compareBack({ embedded }: Trees, back: ReadonlyMap<string, string>): TreeDifference[] {
  const differences: TreeDifference[] = [];
  for (const path of sourcesUnder(embedded)) {
    const file = relative(embedded, path);
    const [original, returned] = [readSource(path), back.get(file)];
    if (returned === undefined || returned === original) continue;
    differences.push(differing(file, "to-embedded differs", original, returned));
  }
  return differences;
}

function differing(
  file: string,
  what: TreeDifference["what"],
  found: string,
  wanted: string,
): TreeDifference {
  const patch = createTwoFilesPatch(`${file} as it is`, `${file} as converted`, found, wanted, "", "", {
    context: 2,
  });
  return { file, what, diff: patch.replace(/^=+\n/, "") };
}
