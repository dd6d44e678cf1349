import { applyPatch, createTwoFilesPatch } from "diff";
import { describe, expect, test } from "vitest";
import { fileDiff } from "./file-diff.ts";

/** Numbers from 0 to 1, the same for each seed. */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

/** A text, and the same one with lines taken out, put in and replaced; some end without a line feed. */
function texts(seed: number): readonly [string, string] {
  const next = random(seed);
  const pick = (number: number) => Math.floor(next() * number);
  const kinds = 2 + pick(60);
  const line = () => (pick(4) === 0 ? "" : `line ${pick(kinds)}`);
  const before = Array.from({ length: pick(80) }, line);
  const after = before.flatMap((each) => {
    if (pick(8) > 0) return [each];
    return [[], [line()], [each, line()], [`new ${pick(kinds)}`, line()]][pick(4)] ?? [];
  });
  const end = () => (pick(5) === 0 ? "" : "\n");
  return [before.join("\n") + end(), after.join("\n") + end()];
}

/** The lines that a patch takes out and puts in. */
const sizeOf = (patch: string) => patch.match(/^[-+](?![-+]{2} [ab]\/)/gm)?.length ?? 0;

describe("fileDiff", () => {
  test("its patch makes the one text of the other, and is no longer than any other", () => {
    for (let seed = 0; seed < 1000; seed++) {
      const [before, after] = texts(seed);
      const patch = fileDiff("a.ts", before, after);
      expect(applyPatch(before, patch), `seed ${seed}`).toBe(after);
      expect(sizeOf(patch), `seed ${seed}`).toBe(
        sizeOf(createTwoFilesPatch("a/a.ts", "b/a.ts", before, after)),
      );
    }
  });

  test("lines around a change are shown, and those around several once", () => {
    const lines = Array.from({ length: 40 }, (_, index) => `line ${index}\n`);
    const changed = lines.map((line, index) => ([10, 19, 29].includes(index) ? `new ${index}\n` : line));
    expect(fileDiff("a.ts", lines.join(""), changed.join("")).match(/^@@.*$/gm)).toEqual([
      "@@ -7,18 +7,18 @@",
      "@@ -26,9 +26,9 @@",
    ]);
  });

  test("no change, no hunk; a last line without a line feed is said to be one", () => {
    expect(fileDiff("a.ts", "a\n", "a\n")).not.toContain("@@");
    expect(fileDiff("a.ts", "a", "a\n").split("\n")).toContain("\\ No newline at end of file");
  });
});
