import { afterAll, expect, test } from "vitest";
import { isFloat } from "../instructions/fields.ts";
import { instructionNamed } from "../instructions/table.ts";
import { softFloatOperations } from "../softfloat/module.ts";
import { RAM_BASE, TestBoard } from "../testing/board.ts";
import {
  CASE,
  CASE_BYTES,
  caseCount,
  describeCase,
  FloatReference,
  referenceMissing,
} from "../testing/float-reference.ts";
import { op } from "../testing/small-program.ts";

const missing = referenceMissing();
const reference = missing ? undefined : new FloatReference();
afterAll(() => reference?.dispose());

const MSTATUS = 0x300;
const FFLAGS = 0x001;
const INEXACT = 1;
const CASES = RAM_BASE + 0x10000;
/** Registers of the program: the current case, the end of the cases, the inexact flag, flags raised, and operands. */
const [POINTER, END, INEXACT_REGISTER, RAISED, VALUE] = [10, 11, 12, 13, 14] as const;

/** Instructions that the program executes for a case. */
const CASE_INSTRUCTIONS = 9;

/** A loop over cases that stores result and flags in place of the sources. The inexact flag is always raised before. */
function caseLoop(name: string, rm: number): number[] {
  const instruction = instructionNamed(name);
  const load = (file: "float" | "integer", rd: number, immediate: number): number =>
    op(file === "float" ? "fld" : "ld", { rd, rs1: POINTER, immediate });
  const sources = isFloat(instruction.rs1) ? "float" : "integer";
  const result = isFloat(instruction.rd) ? "fsd" : "sd";
  return [
    load(sources, VALUE, CASE.sources),
    load("float", VALUE + 1, CASE.sources + 8),
    load("float", VALUE + 2, CASE.sources + 16),
    op(name, { rd: VALUE + 3, rs1: VALUE, rs2: VALUE + 1, rs3: VALUE + 2, rm }),
    op("csrrw", { rd: RAISED, rs1: INEXACT_REGISTER, immediate: FFLAGS }),
    op(result, { rs1: POINTER, rs2: VALUE + 3, immediate: 0 }),
    op("sd", { rs1: POINTER, rs2: RAISED, immediate: 8 }),
    op("addi", { rd: POINTER, rs1: POINTER, immediate: CASE_BYTES }),
    op("bltu", { rs1: POINTER, rs2: END, immediate: -8 * 4 }),
  ];
}

/** One mode for instructions that encode none; otherwise to nearest even, static or dynamic, and the mode of casts. */
function modesOf(name: string): [mode: number, rm: number][] {
  const instruction = instructionNamed(name);
  if (instruction.length === 2 || instruction.rounds !== true) return [[0, 0]];
  return isFloat(instruction.rd)
    ? [
        [0, 0],
        [0, 7],
      ]
    : [
        [0, 7],
        [1, 1],
      ];
}

const programs = softFloatOperations.flatMap(({ name }) =>
  modesOf(name).map(([mode, rm]) => [name, mode, rm] as const),
);

/** Generated code computes most of these by itself: it may round to nearest once the inexact flag is raised. */
test.skipIf(missing).for(programs)(
  "generated code agrees with the host's processor: %s, mode %i as %i",
  { timeout: 600_000 },
  async ([name, mode, rm]) => {
    const board = new TestBoard();
    board.loadWords(RAM_BASE, caseLoop(name, rm));
    const { hart } = board;
    for await (const cases of reference?.cases(name, mode, caseCount(20_000)) ?? []) {
      board.load(CASES, cases);
      hart.reset(RAM_BASE);
      hart.writeCsr(MSTATUS, 3n << 13n);
      hart.writeCsr(FFLAGS, BigInt(INEXACT));
      hart.writeRegister(POINTER, BigInt(CASES));
      hart.writeRegister(END, BigInt(CASES + cases.length));
      hart.writeRegister(INEXACT_REGISTER, BigInt(INEXACT));
      const count = cases.length / CASE_BYTES;
      hart.run(count * CASE_INSTRUCTIONS);
      const view = new DataView(cases.buffer, cases.byteOffset, cases.length);
      for (let offset = 0; offset < cases.length; offset += CASE_BYTES) {
        const result = board.readRam64(CASES + offset);
        const flags = Number(board.readRam64(CASES + offset + 8));
        if (
          result === view.getBigUint64(offset + CASE.result, true) &&
          flags === (view.getUint32(offset + CASE.flags, true) | INEXACT)
        )
          continue;
        expect.fail(`${describeCase(cases, offset)}; ours ${result.toString(16)}, flags ${flags}`);
      }
      expect(hart.pc).toBe(BigInt(RAM_BASE + 4 * CASE_INSTRUCTIONS));
    }
  },
);
