/** Both trees of devices respond to the same accesses in the same way, and never throw. Needs no other emulator. */

import { describe, expect, it } from "vitest";
import type { AccessSize } from "#memory";
import { type Access, BoardUnderTest } from "./board-under-test.ts";
import { firstDifference, report } from "./difference.ts";
import { Random } from "./random.ts";
import { type Observation, read, type Step, write } from "./script.ts";
import { SEQUENCES } from "./sequences/index.ts";
import { loadTrees } from "./trees.ts";

const SEEDS = Array.from({ length: 5 }, (_, index) => 1001 + index);
const STEPS = 3000;
const ACCESSES: readonly Access[] = ["transfer", "processor"];

const trees = await loadTrees();

it("has both trees to compare", () => {
  expect(trees.map(({ name }) => name)).toEqual(["embedded", "owned"]);
});

describe.each(SEQUENCES)("%s sequences", (_name, sequence) => {
  it.each(ACCESSES)("have the same effect on every tree, as accesses of kind %s", (access) => {
    for (const seed of SEEDS) expectSame(sequence(new Random(seed), STEPS), access);
  });
});

describe("addresses that no device can have", () => {
  const places = [
    2 ** 32 - 4,
    2 ** 40,
    2 ** 52 - 8,
    2 ** 53 - 4,
    2 ** 56 - 8,
    2 ** 63,
    2 ** 64 - 2048,
    2 ** 64,
  ];
  const sizes: readonly AccessSize[] = [1, 2, 4, 8];
  const script = places.flatMap((address) =>
    sizes.flatMap((size) => [read(address, size), write(address, size, -1n), read(address, size)]),
  );

  it.each(ACCESSES)("do nothing, and read as 0 (%s)", (access) => {
    const seen = expectSame(script, access);
    expect(seen.every(({ value }) => BigInt.asUintN(64, value) === 0n)).toBe(true);
  });
});

/** Runs a script on each tree; all must behave the same, and leak nothing. Returns the observations. */
function expectSame(script: readonly Step[], access: Access): Observation[] {
  const [reference, ...others] = trees.map(({ name, tree }) => {
    const board = new BoardUnderTest(tree, access, "hart");
    const seen = board.run(script);
    expect(board.destroy()).toEqual([]);
    return { name, seen, sent: board.sent };
  });
  if (reference === undefined) throw new Error("there is no device tree: emulator/hw/embedded is missing");
  for (const { name, seen, sent } of others) {
    const at = firstDifference(seen, reference.seen);
    if (at >= 0)
      expect.fail(`${name}, step ${at}:\n${report(script.slice(0, at + 1), seen, reference.seen)}`);
    expect(sent).toEqual(reference.sent);
  }
  return reference.seen;
}
