/** Every device tree answers the same accesses the same way, and none of them throws; no other emulator is needed. */
import { describe, expect, it } from "vitest";
import { BoardUnderTest } from "./board-under-test.ts";
import { firstDifference, report } from "./difference.ts";
import { Random } from "./random.ts";
import { SEQUENCES } from "./sequences/index.ts";
import { loadTrees } from "./trees.ts";

const SEEDS = 10;
const STEPS = 5000;

describe.each(SEQUENCES)("%s sequences", (_name, sequence) => {
  it("do the same on every tree", async () => {
    const [reference, ...others] = await loadTrees();
    if (reference === undefined) throw new Error("there is no device tree: emulator/hw/embedded is missing");
    for (let seed = 1001; seed <= 1000 + SEEDS; seed++) {
      const script = sequence(new Random(seed), STEPS);
      const expected = new BoardUnderTest(reference.tree);
      const seen = expected.run(script);
      expect(seen.length).toBe(script.length);
      for (const { name, tree } of others) {
        const board = new BoardUnderTest(tree);
        const differing = board.run(script);
        const at = firstDifference(differing, seen);
        if (at >= 0)
          expect.fail(`${name}, seed ${seed}:\n${report(script.slice(0, at + 1), differing, seen)}`);
        expect(board.sent).toEqual(expected.sent);
        board.destroy();
      }
      expected.destroy();
    }
  });
});
