import { existsSync } from "node:fs";
import { join } from "node:path";
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
    const { definitions, repeats } = await countPlanted(valgrind, [0, 0.05], 1, 1, stream);
    expect(said).toEqual([]);
    expect(definitions.map(({ suite }) => suite)).toEqual(["boot", "boot", "retention"]);
    definitions.forEach((_, subject) => {
      const [
        {
          A: [a = 0],
          A2: [a2 = 0],
          B: [plain = 0],
        },
        {
          B: [planted = 0],
        },
      ] = [samplesOf(repeats, subject, 0), samplesOf(repeats, subject, 1)];
      // Counts of the same form differ by up to a few parts in a thousand.
      expect(a2 / a).toBeCloseTo(1, 2);
      expect(plain / a).toBeCloseTo(1, 2);
      expect(planted / plain).toBeGreaterThan(1.045);
      expect(planted / plain).toBeLessThan(1.055);
    });
  });
});
