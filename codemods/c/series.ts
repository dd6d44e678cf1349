/** One patch for each folder, with a commit message as a maintainer would want to read it. */

import { fileDiff } from "../file-diff.ts";
import { folderOf } from "./census.ts";
import type { Changes } from "./passes/6-edit.ts";
import type { Site } from "./passes/7-report.ts";
import { reasonTexts } from "./reasons.ts";

export interface Patch {
  readonly name: string;
  readonly text: string;
}

/**
 * The patches of a conversion. Headers below `include/` go with the folder of the same name. A structure that two folders share
 * needs the patches of both: the series builds as a whole, which every message says.
 */
export function seriesOf(
  changes: Changes,
  before: ReadonlyMap<string, string>,
  sites: readonly Site[],
  direction: "to-owned" | "to-embedded",
): Patch[] {
  const folders = new Map<string, string[]>();
  for (const path of [...changes.keys()].sort()) {
    const folder = folderOf(path);
    folders.set(folder, [...(folders.get(folder) ?? []), path]);
  }
  return [...folders].map(([folder, paths], index) => {
    const own = sites.filter(({ file }) => folderOf(file) === folder);
    const number = String(index + 1).padStart(4, "0");
    const diffs = paths.map((path) => fileDiff(path, before.get(path) ?? "", changes.get(path) ?? ""));
    const subject = `${folder || "tree"}: ${direction === "to-owned" ? "let QOM allocate memory regions" : "embed memory regions in their device"}`;
    return {
      name: `${number}-${folder.replaceAll("/", "-") || "tree"}.patch`,
      text: `Subject: [PATCH ${index + 1}/${folders.size}] ${subject}\n\n${message(own, direction)}\n---\n${diffs.join("")}`,
    };
  });
}

function message(sites: readonly Site[], direction: "to-owned" | "to-embedded"): string {
  const names = (treatment: Site["treatment"], kind: Site["kind"]) =>
    sites.filter((site) => site.treatment === treatment && site.kind === kind).map(({ region }) => region);
  const paragraphs = [
    direction === "to-owned"
      ? "Regions made by memory_region_new*() are allocated by QOM as children of their\nowner and freed with their last reference."
      : "Regions made by memory_region_init*() are part of the state of their device.",
  ];
  const section = (heading: string, regions: readonly string[]) => {
    if (regions.length > 0)
      paragraphs.push(`${heading}\n${regions.map((region) => `  ${region}`).join("\n")}`);
  };
  section("The field is gone, a local or the bus holds the region:", names("dropped", "field"));
  section("The field refers to the region:", names("kept", "field"));
  section("Allocated by hand before, and leaked with their owner:", names("kept", "heap"));
  const refused = sites.flatMap(({ region, reason }) =>
    reason === undefined ? [] : [`  ${region}: ${reasonTexts[reason].what}`],
  );
  if (refused.length > 0) paragraphs.push(`Left as they are:\n${refused.join("\n")}`);
  paragraphs.push(
    "Structures that folders share change in the patch of the folder that declares\nthem: apply the whole series before building.",
  );
  return paragraphs.join("\n\n");
}
