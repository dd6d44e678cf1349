import { expect, test } from "vitest";
import { RAM_BASE, TestBoard } from "../testing/board.ts";
import { loggedName, randomProgram, VALUES_PER_BLOCK } from "../testing/random-program.ts";
import { assemble, assemblerTools, missingTools, QEMU, runInQemu } from "../testing/toolchain.ts";

const missing = missingTools(QEMU, ...assemblerTools);

/** 200 blocks of 40 instructions each; every instruction but those that need privilege, many times. */
test.skipIf(missing.length > 0).for([
  [1, "machine"],
  [2, "machine"],
  [3, "machine"],
  [4, "machine"],
  [5, "sv39"],
  [6, "sv39"],
  [7, "sv48"],
  [8, "sv57"],
] as const)("random program %i, %s, leaves the same registers and memory as in QEMU", ([seed, mode]) => {
  const image = assemble(randomProgram(seed, 200, 40, mode));
  const board = new TestBoard();
  board.load(RAM_BASE, image);
  board.hart.reset(RAM_BASE);
  board.runToPowerOff(20_000_000);
  const ours = new BigUint64Array(Uint8Array.from(board.console).buffer);
  const theirs = new BigUint64Array(runInQemu(image).slice().buffer);
  // All registers of each block and 8 KiB of memory; a block that traps would end the log early.
  expect(ours.length).toBe(200 * VALUES_PER_BLOCK + 1024);
  expect(theirs.length).toBe(ours.length);
  const difference = ours.findIndex((value, index) => value !== theirs[index]);
  const block = Math.floor(difference / VALUES_PER_BLOCK);
  expect(difference, `block ${block}, ${loggedName(difference % VALUES_PER_BLOCK)}`).toBe(-1);
});
