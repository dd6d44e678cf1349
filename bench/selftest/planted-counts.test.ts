import { existsSync } from "node:fs";
import { join } from "node:path";
import { median } from "simple-statistics";
import { describe, expect, it } from "vitest";
import { packageRoot } from "#workloads";
import { locateValgrind } from "../counts/callgrind.ts";
import { countPlanted, samplesOf } from "./planted-counts.ts";

describe("countPlanted", () => {
  it("adds work to each step of B, and of no other arm, with the real valgrind", {
    timeout: 600_000,
  }, async (context) => {
    const valgrind = await locateValgrind();
    if (valgrind === null) return context.skip("valgrind is not installed");
    if (!existsSync(join(packageRoot(), "dist", "bench", "counts", "child.js")))
      return context.skip("the counted process is not built; run `npm run build`");
    const said: string[] = [];
    const stream = { write: (text: string) => said.push(text) };
    const { definitions, repeats } = await countPlanted(valgrind, [0, 0.05], 3, 1, stream);
    // On a busy machine it says how far it is.
    expect(said.filter((line) => !/^\s*\d+\/\d+ counting instructions/.test(line.trim()))).toEqual([]);
    expect(definitions.map(({ suite }) => suite)).toEqual(["boot", "boot", "retention"]);
    definitions.forEach((_, subject) => {
      // Counts of the same form differ by up to a few parts in a thousand; one in some dozens, by more.
      const of = (part: number, arm: "A" | "B" | "A2") => median(samplesOf(repeats, subject, part)[arm]);
      const [a, a2, plain, planted] = [of(0, "A"), of(0, "A2"), of(0, "B"), of(1, "B")];
      expect(a2 / a).toBeCloseTo(1, 2);
      expect(plain / a).toBeCloseTo(1, 2);
      expect(planted / plain).toBeGreaterThan(1.045);
      expect(planted / plain).toBeLessThan(1.055);
    });
  });
});
