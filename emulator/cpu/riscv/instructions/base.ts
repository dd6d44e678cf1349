/** RV64I, version 2.1 (unprivileged ISA, chapters 2 and 5), Zifencei and Zihintpause. */
import { i32, i64, nothing, sequence } from "../wasm/index.ts";
import { formatsOf, OPCODE } from "./formats.ts";
import type { FullInstruction, InstructionContext, LoadKind } from "./instruction.ts";

const { R, I, S, B, U, J, shift, exact } = formatsOf("I");

const address = (c: InstructionContext) => i64.add(c.rs1, c.immediate);
const load = (bytes: LoadKind["bytes"], signed: boolean) => (c: InstructionContext) =>
  c.load({ bytes, signed }, address(c));
const store = (bytes: LoadKind["bytes"]) => (c: InstructionContext) => c.store(bytes, address(c), c.rs2);
const word = i64.extendS;

/** Shift amounts are the low six bits of a register: exactly what WebAssembly's 64-bit shifts use. */
export const baseInstructions: readonly FullInstruction[] = [
  U("lui", OPCODE.lui, (c) => c.writeRd(c.immediate)),
  U("auipc", OPCODE.auipc, (c) => c.writeRd(i64.add(c.pc, c.immediate))),
  J("jal", OPCODE.jal, (c) => sequence(c.writeRd(c.nextPc), c.jumpRelative())),
  I("jalr", OPCODE.jalr, 0, (c) => {
    const target = c.temporary("i64");
    return sequence(
      target.set(i64.and(address(c), i64.constant(-2))),
      c.writeRd(c.nextPc),
      c.jump(target.value),
    );
  }),
  B("beq", 0, (c) => c.branch(i64.eq(c.rs1, c.rs2))),
  B("bne", 1, (c) => c.branch(i64.ne(c.rs1, c.rs2))),
  B("blt", 4, (c) => c.branch(i64.ltS(c.rs1, c.rs2))),
  B("bge", 5, (c) => c.branch(i64.geS(c.rs1, c.rs2))),
  B("bltu", 6, (c) => c.branch(i64.ltU(c.rs1, c.rs2))),
  B("bgeu", 7, (c) => c.branch(i64.geU(c.rs1, c.rs2))),

  I("lb", OPCODE.load, 0, load(1, true)),
  I("lh", OPCODE.load, 1, load(2, true)),
  I("lw", OPCODE.load, 2, load(4, true)),
  I("ld", OPCODE.load, 3, load(8, true)),
  I("lbu", OPCODE.load, 4, load(1, false)),
  I("lhu", OPCODE.load, 5, load(2, false)),
  I("lwu", OPCODE.load, 6, load(4, false)),
  S("sb", 0, store(1)),
  S("sh", 1, store(2)),
  S("sw", 2, store(4)),
  S("sd", 3, store(8)),

  I("addi", OPCODE.opImm, 0, (c) => c.writeRd(i64.add(c.rs1, c.immediate))),
  I("slti", OPCODE.opImm, 2, (c) => c.writeRd(i64.extendU(i64.ltS(c.rs1, c.immediate)))),
  I("sltiu", OPCODE.opImm, 3, (c) => c.writeRd(i64.extendU(i64.ltU(c.rs1, c.immediate)))),
  I("xori", OPCODE.opImm, 4, (c) => c.writeRd(i64.xor(c.rs1, c.immediate))),
  I("ori", OPCODE.opImm, 6, (c) => c.writeRd(i64.or(c.rs1, c.immediate))),
  I("andi", OPCODE.opImm, 7, (c) => c.writeRd(i64.and(c.rs1, c.immediate))),
  shift("slli", OPCODE.opImm, 1, 6, 0x00, (c) => c.writeRd(i64.shl(c.rs1, c.immediate))),
  shift("srli", OPCODE.opImm, 5, 6, 0x00, (c) => c.writeRd(i64.shrU(c.rs1, c.immediate))),
  shift("srai", OPCODE.opImm, 5, 6, 0x10, (c) => c.writeRd(i64.shrS(c.rs1, c.immediate))),

  R("add", OPCODE.op, 0, 0x00, (c) => c.writeRd(i64.add(c.rs1, c.rs2))),
  R("sub", OPCODE.op, 0, 0x20, (c) => c.writeRd(i64.sub(c.rs1, c.rs2))),
  R("sll", OPCODE.op, 1, 0x00, (c) => c.writeRd(i64.shl(c.rs1, c.rs2))),
  R("slt", OPCODE.op, 2, 0x00, (c) => c.writeRd(i64.extendU(i64.ltS(c.rs1, c.rs2)))),
  R("sltu", OPCODE.op, 3, 0x00, (c) => c.writeRd(i64.extendU(i64.ltU(c.rs1, c.rs2)))),
  R("xor", OPCODE.op, 4, 0x00, (c) => c.writeRd(i64.xor(c.rs1, c.rs2))),
  R("srl", OPCODE.op, 5, 0x00, (c) => c.writeRd(i64.shrU(c.rs1, c.rs2))),
  R("sra", OPCODE.op, 5, 0x20, (c) => c.writeRd(i64.shrS(c.rs1, c.rs2))),
  R("or", OPCODE.op, 6, 0x00, (c) => c.writeRd(i64.or(c.rs1, c.rs2))),
  R("and", OPCODE.op, 7, 0x00, (c) => c.writeRd(i64.and(c.rs1, c.rs2))),

  I("addiw", OPCODE.opImm32, 0, (c) => c.writeRd(word(i32.add(c.rs1Word, c.immediateWord)))),
  shift("slliw", OPCODE.opImm32, 1, 5, 0x00, (c) => c.writeRd(word(i32.shl(c.rs1Word, c.immediateWord)))),
  shift("srliw", OPCODE.opImm32, 5, 5, 0x00, (c) => c.writeRd(word(i32.shrU(c.rs1Word, c.immediateWord)))),
  shift("sraiw", OPCODE.opImm32, 5, 5, 0x20, (c) => c.writeRd(word(i32.shrS(c.rs1Word, c.immediateWord)))),
  R("addw", OPCODE.op32, 0, 0x00, (c) => c.writeRd(word(i32.add(c.rs1Word, c.rs2Word)))),
  R("subw", OPCODE.op32, 0, 0x20, (c) => c.writeRd(word(i32.sub(c.rs1Word, c.rs2Word)))),
  R("sllw", OPCODE.op32, 1, 0x00, (c) => c.writeRd(word(i32.shl(c.rs1Word, c.rs2Word)))),
  R("srlw", OPCODE.op32, 5, 0x00, (c) => c.writeRd(word(i32.shrU(c.rs1Word, c.rs2Word)))),
  R("sraw", OPCODE.op32, 5, 0x20, (c) => c.writeRd(word(i32.shrS(c.rs1Word, c.rs2Word)))),

  /** Encoded as a fence of nothing (Zihintpause): the hart waits in a loop for another one. */
  formatsOf("Zihintpause").exact("pause", 0x0100000f, (c) => c.host("pause")),
  /** Accesses are in program order already. Unused fields are reserved for finer fences and must be ignored. */
  { ...I("fence", OPCODE.miscMem, 0, () => nothing), syntax: "fence" },
  /** Nothing to do: every store already checks for decoded code. */
  { ...I("fence.i", OPCODE.miscMem, 1, () => nothing), extension: "Zifencei", syntax: "" },
  exact("ecall", 0x00000073, (c) => c.environmentCall()),
  exact("ebreak", 0x00100073, (c) => c.host("breakpoint")),
];
