import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { helpOf, optionsIn, root, unknownWords } from "./testing/command-line.ts";

const text = readFileSync(join(root, "docs", "running-elsewhere.md"), "utf8");

/** Calls of regionlab in indented blocks, by name or as the image's command, without comments. */
function callsIn(markdown: string): string[][] {
  const lines = markdown.split("\n").filter((line) => line.startsWith("    "));
  return lines.flatMap((line) => {
    const [, words] =
      line.match(/(?:npx regionlab|regionlab:[\d.]+) +((?:bench|report|results) [^#]*)/) ?? [];
    return words === undefined ? [] : [words.trim().split(/ +/)];
  });
}

/** Options mentioned on their own in sentences, such as `--fresh`. */
function optionsInProse(markdown: string): string[] {
  return [...markdown.matchAll(/`(--[a-z-]+)[^`]*`/g)].flatMap(([, option]) => option ?? []);
}

/** Options of other programs that the page mentions. */
const FOREIGN = ["--init", "--cpuset-cpus"];

describe("docs/running-elsewhere.md", () => {
  it("calls regionlab with commands and options that it has", () => {
    const calls = callsIn(text);
    expect(calls.length).toBeGreaterThan(6);
    expect(calls.flatMap(unknownWords)).toEqual([]);
  });

  it("mentions options that bench has", () => {
    const mentioned = optionsInProse(text).filter((option) => !FOREIGN.includes(option));
    expect(mentioned).toContain("--fresh");
    const known = optionsIn(helpOf(["bench"]) ?? "");
    expect(mentioned.filter((option) => !known.has(option))).toEqual([]);
  });

  it("names files that exist", () => {
    const links = [...text.matchAll(/\]\((\.\.\/[^)]+)\)/g)].map(([, path]) =>
      join(root, "docs", path ?? ""),
    );
    expect(links.length).toBeGreaterThan(2);
    for (const link of links) expect(() => readFileSync(link)).not.toThrow(/ENOENT/);
    const manifests = [...text.matchAll(/^ {4}.*? (deploy\/kubernetes\/\S+)/gm)].map(
      ([, path]) => path ?? "",
    );
    expect(manifests.length).toBe(3);
    for (const manifest of manifests) expect(() => readFileSync(join(root, manifest))).not.toThrow();
  });
});

describe("callsIn and optionsInProse", () => {
  it("find calls in blocks, and options in sentences", () => {
    const page =
      "Say `--fresh` or `--shard-by metrics`:\n\n    npx regionlab bench --shard 1/2 -o a.json   # here\n    docker run regionlab:1.2.3 report a.json\n";
    expect(callsIn(page)).toEqual([
      ["bench", "--shard", "1/2", "-o", "a.json"],
      ["report", "a.json"],
    ]);
    expect(optionsInProse(page)).toEqual(["--fresh", "--shard-by"]);
  });
});
