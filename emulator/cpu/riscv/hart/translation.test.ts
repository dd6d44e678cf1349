import { expect, test } from "vitest";
import { RAM_BASE, TestBoard } from "../testing/board.ts";
import { assemble, assemblerTools, missingTools, QEMU, runInQemu } from "../testing/toolchain.ts";
import { crossingProgram, permissionProgram, shapeProgram } from "../testing/translation-program.ts";

const missing = missingTools(QEMU, ...assemblerTools);

/** With as much RAM as in QEMU. */
function consoleOf(image: Uint8Array): number[] {
  const board = new TestBoard(128 << 20);
  board.load(RAM_BASE, image);
  board.hart.reset(RAM_BASE);
  board.runToPowerOff(10_000_000);
  return board.console;
}

test.skipIf(missing.length > 0)("every combination of page permissions acts as in QEMU", () => {
  const image = assemble(permissionProgram());
  const ours = consoleOf(image);
  const theirs = [...runInQemu(image)];
  expect(ours.length).toBe(256 * 8 * 3 * 3);
  expect(theirs.length).toBe(ours.length);
  const different = ours.flatMap((value, index) => (value === theirs[index] ? [] : [index]));
  expect(different.map((index) => describe(index, ours, theirs))).toEqual([]);
});

/** The log holds cause, value and resulting flags for kind within privilege, SUM, MXR within flags. */
function describe(index: number, ours: number[], theirs: number[]): string {
  const attempt = Math.floor(index / 3);
  const kind = ["load", "store", "fetch"][attempt % 3];
  const mode = Math.floor(attempt / 3) % 8;
  const flags = Math.floor(attempt / 24)
    .toString(2)
    .padStart(8, "0");
  const field = ["cause", "value", "flags"][index % 3];
  return `DAGUXWRV=${flags} ${mode & 1 ? "S" : "U"} SUM=${(mode >> 1) & 1} MXR=${mode >> 2} ${kind}: ${field} ${ours[index]}, QEMU ${theirs[index]}`;
}

test.skipIf(missing.length > 0)("tables of every shape act as in QEMU", () => {
  const image = assemble(shapeProgram());
  const ours = consoleOf(image);
  const theirs = [...runInQemu(image)];
  expect(ours).toEqual(theirs);
  expect(ours.length).toBeGreaterThan(500);
});

test.skipIf(missing.length > 0)("accesses across pages act as in QEMU, whichever page faults", () => {
  const image = assemble(crossingProgram());
  const ours = consoleOf(image);
  const theirs = [...runInQemu(image)];
  // 11 places of 3 widths, loads and stores, 9 pairs of pages, 32 bytes each.
  expect(ours.length).toBe(11 * 2 * 9 * 32);
  expect(ours).toEqual(theirs);
});
