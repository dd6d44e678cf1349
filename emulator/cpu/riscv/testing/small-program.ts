/** Small programs made of encoded instructions, for tests that need no other tool. */
import { encode } from "../instructions/decode.ts";
import type { Operands } from "../instructions/instruction.ts";
import { RAM_BASE, TestBoard } from "./board.ts";

/** Numbers of the registers that programs use, and of the control registers that describe a trap. */
export const [A0, A1, A2, A3] = [10, 11, 12, 13] as const;
const MTVEC = 0x305;
const MEPC = 0x341;
const MCAUSE = 0x342;
const MTVAL = 0x343;
/** Where traps go: a loop. */
export const HANDLER = RAM_BASE + 0x8000;

/** Word of an instruction. */
export const op = (name: string, operands: Partial<Operands> = {}): number => encode(name, operands);
export const addi = (rd: number, rs1: number, immediate: number): number =>
  op("addi", { rd, rs1, immediate });
/** A jump to itself. */
export const LOOP = op("jal", { rd: 0, immediate: 0 });

/** A board with a program at the start of RAM, and a trap handler that loops. */
export function boardWith(words: readonly number[], start = RAM_BASE): TestBoard {
  const board = new TestBoard();
  board.loadWords(start, words);
  board.loadWords(HANDLER, [LOOP]);
  board.hart.reset(start);
  board.hart.writeCsr(MTVEC, BigInt(HANDLER));
  return board;
}

/** Where a trap went, and what it recorded. */
export const trapOf = ({ hart }: TestBoard) => ({
  at: hart.pc,
  cause: hart.readCsr(MCAUSE),
  from: hart.readCsr(MEPC),
  value: hart.readCsr(MTVAL),
});
