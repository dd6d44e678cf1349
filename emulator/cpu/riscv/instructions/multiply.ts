/** The M extension, version 2.0 (unprivileged ISA, chapter 7). Nothing here traps, division by zero included. */
import { choose, type Expression, type I64, i32, i64, sequence } from "../wasm/index.ts";
import { formatsOf, OPCODE } from "./formats.ts";
import type { FullInstruction, InstructionContext } from "./instruction.ts";

const { R } = formatsOf("M");

const LOW_HALF = i64.constant(0xffffffffn);
const low = (value: I64) => i64.and(value, LOW_HALF);
const high = (value: I64) => i64.shrU(value, i64.constant(32));
const signMask = (value: I64) => i64.shrS(value, i64.constant(63));

/**
 * High half of the 128-bit product: schoolbook multiplication of 32-bit halves gives the unsigned one. The bits x of a
 * negative signed factor stand for x - 2^64, so the other factor is subtracted.
 */
function highProduct(c: InstructionContext, signed1: boolean, signed2: boolean) {
  const cross = c.temporary("i64");
  const middle = c.temporary("i64");
  const unsigned = i64.add(i64.mul(high(c.rs1), high(c.rs2)), i64.add(high(cross.value), high(middle.value)));
  let result = unsigned;
  if (signed1) result = i64.sub(result, i64.and(signMask(c.rs1), c.rs2));
  if (signed2) result = i64.sub(result, i64.and(signMask(c.rs2), c.rs1));
  return sequence(
    cross.set(i64.add(i64.mul(high(c.rs1), low(c.rs2)), high(i64.mul(low(c.rs1), low(c.rs2))))),
    middle.set(i64.add(i64.mul(low(c.rs1), high(c.rs2)), low(cross.value))),
    c.writeRd(result),
  );
}

const word = i64.extendS;
const zero32 = i32.constant(0);
const isMinusOne = (value: I64) => i64.eq(value, i64.constant(-1));
const isMinusOne32 = (value: Expression<"i32">) => i32.eq(value, i32.constant(-1));

/** Division by zero gives -1 or the dividend; division by -1 is done by negation, since WebAssembly might trap. */
export const multiplyInstructions: readonly FullInstruction[] = [
  R("mul", OPCODE.op, 0, 1, (c) => c.writeRd(i64.mul(c.rs1, c.rs2))),
  R("mulh", OPCODE.op, 1, 1, (c) => highProduct(c, true, true)),
  R("mulhsu", OPCODE.op, 2, 1, (c) => highProduct(c, true, false)),
  R("mulhu", OPCODE.op, 3, 1, (c) => highProduct(c, false, false)),
  R("div", OPCODE.op, 4, 1, (c) =>
    c.writeRd(
      choose(
        i64.eqz(c.rs2),
        i64.constant(-1),
        choose(isMinusOne(c.rs2), i64.sub(i64.constant(0), c.rs1), i64.divS(c.rs1, c.rs2)),
      ),
    ),
  ),
  R("divu", OPCODE.op, 5, 1, (c) =>
    c.writeRd(choose(i64.eqz(c.rs2), i64.constant(-1), i64.divU(c.rs1, c.rs2))),
  ),
  R("rem", OPCODE.op, 6, 1, (c) => c.writeRd(choose(i64.eqz(c.rs2), c.rs1, i64.remS(c.rs1, c.rs2)))),
  R("remu", OPCODE.op, 7, 1, (c) => c.writeRd(choose(i64.eqz(c.rs2), c.rs1, i64.remU(c.rs1, c.rs2)))),
  R("mulw", OPCODE.op32, 0, 1, (c) => c.writeRd(word(i32.mul(c.rs1Word, c.rs2Word)))),
  R("divw", OPCODE.op32, 4, 1, (c) =>
    c.writeRd(
      word(
        choose(
          i32.eqz(c.rs2Word),
          i32.constant(-1),
          choose(isMinusOne32(c.rs2Word), i32.sub(zero32, c.rs1Word), i32.divS(c.rs1Word, c.rs2Word)),
        ),
      ),
    ),
  ),
  R("divuw", OPCODE.op32, 5, 1, (c) =>
    c.writeRd(word(choose(i32.eqz(c.rs2Word), i32.constant(-1), i32.divU(c.rs1Word, c.rs2Word)))),
  ),
  R("remw", OPCODE.op32, 6, 1, (c) =>
    c.writeRd(word(choose(i32.eqz(c.rs2Word), c.rs1Word, i32.remS(c.rs1Word, c.rs2Word)))),
  ),
  R("remuw", OPCODE.op32, 7, 1, (c) =>
    c.writeRd(word(choose(i32.eqz(c.rs2Word), c.rs1Word, i32.remU(c.rs1Word, c.rs2Word)))),
  ),
];
