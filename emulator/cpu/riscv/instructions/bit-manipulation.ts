/**
 * Bit manipulation: Zba (address generation), Zbb (basic), Zbc (carry-less multiplication), Zbs (single bits), all of
 * version 1.0.0 (unprivileged ISA, chapter "B" Extension). Nothing here traps.
 */
import { branchIf, choose, type Expression, type I64, i32, i64, loop, sequence } from "../wasm/index.ts";
import { formatsOf, OPCODE } from "./formats.ts";
import type { FullInstruction, InstructionContext } from "./instruction.ts";

const word = i64.extendS;
const unsignedWord = i64.extendU;
const not = (value: I64) => i64.xor(value, i64.constant(-1));

/** Shift amounts are the low six bits of a register, or five for words: what WebAssembly's operators use. */
const addresses = (() => {
  const { R, shift } = formatsOf("Zba");
  const shiftAndAdd = [1, 2, 3].flatMap((amount) => [
    R(`sh${amount}add`, OPCODE.op, 2 * amount, 0x10, (c) =>
      c.writeRd(i64.add(i64.shl(c.rs1, i64.constant(amount)), c.rs2)),
    ),
    R(`sh${amount}add.uw`, OPCODE.op32, 2 * amount, 0x10, (c) =>
      c.writeRd(i64.add(i64.shl(unsignedWord(c.rs1Word), i64.constant(amount)), c.rs2)),
    ),
  ]);
  return [
    ...shiftAndAdd,
    R("add.uw", OPCODE.op32, 0, 0x04, (c) => c.writeRd(i64.add(unsignedWord(c.rs1Word), c.rs2))),
    shift("slli.uw", OPCODE.opImm32, 1, 6, 0x02, (c) =>
      c.writeRd(i64.shl(unsignedWord(c.rs1Word), c.immediate)),
    ),
  ];
})();

/** The smaller or larger of two registers, in the order that `less` defines. */
const extremum =
  (less: (left: I64, right: I64) => Expression<"i32">, maximum: boolean) => (c: InstructionContext) =>
    c.writeRd(maximum ? choose(less(c.rs1, c.rs2), c.rs2, c.rs1) : choose(less(c.rs1, c.rs2), c.rs1, c.rs2));

/** Sets each byte that is not zero to all ones: adding 0x7f to its low seven bits carries into the eighth. */
function orCombine(c: InstructionContext) {
  const lowBits = i64.constant(0x7f7f7f7f7f7f7f7fn);
  const carried = i64.or(i64.add(i64.and(c.rs1, lowBits), lowBits), c.rs1);
  const ones = i64.and(i64.shrU(carried, i64.constant(7)), i64.constant(0x0101010101010101n));
  return c.writeRd(i64.mul(ones, i64.constant(255)));
}

/** Swaps adjacent groups of `bits` bits; `mask` covers the lower one of each pair. */
const swapped = (value: I64, bits: number, mask: bigint) =>
  i64.or(
    i64.and(i64.shrU(value, i64.constant(bits)), i64.constant(mask)),
    i64.shl(i64.and(value, i64.constant(mask)), i64.constant(bits)),
  );

function reverseBytes(c: InstructionContext) {
  const bytes = c.temporary("i64");
  const halfwords = c.temporary("i64");
  return sequence(
    bytes.set(swapped(c.rs1, 8, 0x00ff00ff00ff00ffn)),
    halfwords.set(swapped(bytes.value, 16, 0x0000ffff0000ffffn)),
    c.writeRd(i64.rotl(halfwords.value, i64.constant(32))),
  );
}

const basic = (() => {
  const { R, shift, unary } = formatsOf("Zbb");
  return [
    R("andn", OPCODE.op, 7, 0x20, (c) => c.writeRd(i64.and(c.rs1, not(c.rs2)))),
    R("orn", OPCODE.op, 6, 0x20, (c) => c.writeRd(i64.or(c.rs1, not(c.rs2)))),
    R("xnor", OPCODE.op, 4, 0x20, (c) => c.writeRd(not(i64.xor(c.rs1, c.rs2)))),
    R("min", OPCODE.op, 4, 0x05, extremum(i64.ltS, false)),
    R("minu", OPCODE.op, 5, 0x05, extremum(i64.ltU, false)),
    R("max", OPCODE.op, 6, 0x05, extremum(i64.ltS, true)),
    R("maxu", OPCODE.op, 7, 0x05, extremum(i64.ltU, true)),
    unary("clz", OPCODE.opImm, 1, 0x600, (c) => c.writeRd(i64.clz(c.rs1))),
    unary("ctz", OPCODE.opImm, 1, 0x601, (c) => c.writeRd(i64.ctz(c.rs1))),
    unary("cpop", OPCODE.opImm, 1, 0x602, (c) => c.writeRd(i64.popcnt(c.rs1))),
    unary("clzw", OPCODE.opImm32, 1, 0x600, (c) => c.writeRd(unsignedWord(i32.clz(c.rs1Word)))),
    unary("ctzw", OPCODE.opImm32, 1, 0x601, (c) => c.writeRd(unsignedWord(i32.ctz(c.rs1Word)))),
    unary("cpopw", OPCODE.opImm32, 1, 0x602, (c) => c.writeRd(unsignedWord(i32.popcnt(c.rs1Word)))),
    unary("sext.b", OPCODE.opImm, 1, 0x604, (c) => c.writeRd(i64.extend8S(c.rs1))),
    unary("sext.h", OPCODE.opImm, 1, 0x605, (c) => c.writeRd(i64.extend16S(c.rs1))),
    unary("zext.h", OPCODE.op32, 4, 0x080, (c) => c.writeRd(i64.and(c.rs1, i64.constant(0xffff)))),
    unary("orc.b", OPCODE.opImm, 5, 0x287, orCombine),
    unary("rev8", OPCODE.opImm, 5, 0x6b8, reverseBytes),
    R("rol", OPCODE.op, 1, 0x30, (c) => c.writeRd(i64.rotl(c.rs1, c.rs2))),
    R("ror", OPCODE.op, 5, 0x30, (c) => c.writeRd(i64.rotr(c.rs1, c.rs2))),
    shift("rori", OPCODE.opImm, 5, 6, 0x18, (c) => c.writeRd(i64.rotr(c.rs1, c.immediate))),
    R("rolw", OPCODE.op32, 1, 0x30, (c) => c.writeRd(word(i32.rotl(c.rs1Word, c.rs2Word)))),
    R("rorw", OPCODE.op32, 5, 0x30, (c) => c.writeRd(word(i32.rotr(c.rs1Word, c.rs2Word)))),
    shift("roriw", OPCODE.opImm32, 5, 5, 0x30, (c) => c.writeRd(word(i32.rotr(c.rs1Word, c.immediateWord)))),
  ];
})();

/** XORs together the first factor, shifted, for each set bit of the second: one step per bit, up to the highest. */
function carryless(
  c: InstructionContext,
  shifted: (factor: I64, bit: I64) => I64,
  result: (sum: I64) => I64,
) {
  const factor = c.temporary("i64");
  const bits = c.temporary("i64");
  const bit = c.temporary("i64");
  const sum = c.temporary("i64");
  const selected = i64.sub(i64.constant(0), i64.and(bits.value, i64.constant(1)));
  return sequence(
    factor.set(c.rs1),
    bits.set(c.rs2),
    bit.set(i64.constant(0)),
    sum.set(i64.constant(0)),
    loop("bits", (next) =>
      sequence(
        sum.set(i64.xor(sum.value, i64.and(shifted(factor.value, bit.value), selected))),
        bit.set(i64.add(bit.value, i64.constant(1))),
        bits.set(i64.shrU(bits.value, i64.constant(1))),
        branchIf(i64.ne(bits.value, i64.constant(0)), next),
      ),
    ),
    c.writeRd(result(sum.value)),
  );
}

/** Of the 127-bit product: the low 64 bits, the high 63 bits, or those from bit 63 up, which begin one bit lower. */
const carrylessProducts = (() => {
  const { R } = formatsOf("Zbc");
  const fromBit63 = (factor: I64, bit: I64) => i64.shrU(factor, i64.sub(i64.constant(63), bit));
  return [
    R("clmul", OPCODE.op, 1, 0x05, (c) => carryless(c, i64.shl, (sum) => sum)),
    R("clmulh", OPCODE.op, 3, 0x05, (c) => carryless(c, fromBit63, (sum) => i64.shrU(sum, i64.constant(1)))),
    R("clmulr", OPCODE.op, 2, 0x05, (c) => carryless(c, fromBit63, (sum) => sum)),
  ];
})();

const singleBits = (() => {
  const { R, shift } = formatsOf("Zbs");
  const one = i64.constant(1);
  const operations: readonly (readonly [
    name: string,
    funct3: number,
    funct7: number,
    (value: I64, index: I64) => I64,
  ])[] = [
    ["bclr", 1, 0x24, (value, index) => i64.and(value, not(i64.shl(one, index)))],
    ["bext", 5, 0x24, (value, index) => i64.and(i64.shrU(value, index), one)],
    ["binv", 1, 0x34, (value, index) => i64.xor(value, i64.shl(one, index))],
    ["bset", 1, 0x14, (value, index) => i64.or(value, i64.shl(one, index))],
  ];
  return operations.flatMap(([name, funct3, funct7, combine]) => [
    R(name, OPCODE.op, funct3, funct7, (c) => c.writeRd(combine(c.rs1, c.rs2))),
    shift(`${name}i`, OPCODE.opImm, funct3, 6, funct7 >> 1, (c) => c.writeRd(combine(c.rs1, c.immediate))),
  ]);
})();

export const bitManipulationInstructions: readonly FullInstruction[] = [
  ...addresses,
  ...basic,
  ...carrylessProducts,
  ...singleBits,
];
