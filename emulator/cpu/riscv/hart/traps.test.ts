import { expect, test } from "vitest";
import { RAM_BASE, TestBoard } from "../testing/board.ts";
import { assemble, assemblerTools, missingTools, QEMU, runInQemu } from "../testing/toolchain.ts";
import {
  exceptionProgram,
  interruptProgram,
  registerProgram,
  statusProgram,
} from "../testing/trap-program.ts";

const missing = missingTools(QEMU, ...assemblerTools);

function logs(source: string): { ours: string[]; theirs: string[] } {
  const image = assemble(source);
  const board = new TestBoard();
  board.load(RAM_BASE, image);
  board.hart.reset(RAM_BASE);
  board.runToPowerOff(10_000_000);
  const values = (bytes: Uint8Array): string[] =>
    [...new BigUint64Array(bytes.slice().buffer)].map((value) => value.toString(16));
  return { ours: values(Uint8Array.from(board.console)), theirs: values(runInQemu(image)) };
}

test.skipIf(missing.length > 0).for([1, 2])("exceptions, seed %i, are taken as in QEMU", (seed) => {
  const { ours, theirs } = logs(exceptionProgram(seed));
  expect(ours.length).toBeGreaterThan(2000);
  expect(ours).toEqual(theirs);
});

test.skipIf(missing.length > 0).for([1, 2])(
  "control registers, seed %i, keep the same bits as in QEMU",
  (seed) => {
    const { ours, theirs } = logs(registerProgram(seed));
    expect(ours.length).toBeGreaterThan(400);
    expect(ours).toEqual(theirs);
  },
);

test.skipIf(missing.length > 0).for([1, 2])("status fields, seed %i, change as in QEMU", (seed) => {
  const { ours, theirs } = logs(statusProgram(seed));
  expect(ours.length).toBeGreaterThan(200);
  expect(ours).toEqual(theirs);
});

test.skipIf(missing.length > 0).for([1, 2])("interrupts, seed %i, are taken as in QEMU", (seed) => {
  const { ours, theirs } = logs(interruptProgram(seed));
  expect(ours.length).toBeGreaterThan(500);
  expect(ours).toEqual(theirs);
});
