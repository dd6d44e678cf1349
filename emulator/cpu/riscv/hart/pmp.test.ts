import { expect, test } from "vitest";
import { RAM_BASE, TestBoard } from "../testing/board.ts";
import { protectionProgram } from "../testing/protection-program.ts";
import { assemble, assemblerTools, missingTools, QEMU, runInQemu } from "../testing/toolchain.ts";

const missing = missingTools(QEMU, ...assemblerTools);

test.skipIf(missing.length > 0).for([1, 2, 3])("random protection %i acts as in QEMU", (seed) => {
  const image = assemble(protectionProgram(seed, 150));
  const board = new TestBoard(4 << 20);
  board.load(RAM_BASE, image);
  board.hart.reset(RAM_BASE);
  board.runToPowerOff(10_000_000);
  const theirs = [...runInQemu(image)];
  // The random rounds come first, two bytes each; all outcomes must occur: allowed, reached, and the three faults.
  const causes = new Set(board.console.slice(0, 150 * 8 * 2).filter((_, index) => index % 2 === 0));
  expect([...causes].sort((a, b) => a - b)).toEqual([0, 1, 3, 5, 7]);
  expect(board.console).toEqual(theirs);
});
