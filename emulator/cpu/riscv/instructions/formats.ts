import type { Statement } from "../wasm/index.ts";
import { immediate } from "./fields.ts";
import type { Extension, FullInstruction, InstructionContext } from "./instruction.ts";

/** Major opcodes (unprivileged ISA, table 24.1) used below, with the two low bits of 32-bit instructions. */
export const OPCODE = {
  load: 0x03,
  loadFp: 0x07,
  miscMem: 0x0f,
  opImm: 0x13,
  auipc: 0x17,
  opImm32: 0x1b,
  store: 0x23,
  storeFp: 0x27,
  amo: 0x2f,
  op: 0x33,
  lui: 0x37,
  op32: 0x3b,
  madd: 0x43,
  msub: 0x47,
  nmsub: 0x4b,
  nmadd: 0x4f,
  opFp: 0x53,
  branch: 0x63,
  jalr: 0x67,
  jal: 0x6f,
  system: 0x73,
} as const;

const rd = { at: 7, width: 5 } as const;
const rs1 = { at: 15, width: 5 } as const;
const rs2 = { at: 20, width: 5 } as const;

type Semantics = (context: InstructionContext) => Statement;

/** Builders for the instructions of one extension: each takes name, opcodes and semantics, and adds the fields. */
export function formatsOf(extension: Extension) {
  const common = { extension, length: 4 } as const;
  return {
    R: (
      name: string,
      opcode: number,
      funct3: number,
      funct7: number,
      semantics: Semantics,
    ): FullInstruction => ({
      ...common,
      name,
      mask: 0xfe00707f,
      match: ((funct7 << 25) | (funct3 << 12) | opcode) >>> 0,
      rd,
      rs1,
      rs2,
      syntax: "rd,rs1,rs2",
      semantics,
    }),
    /** One source and a destination: `funct12` fills the field of an I-type's immediate. */
    unary: (
      name: string,
      opcode: number,
      funct3: number,
      funct12: number,
      semantics: Semantics,
    ): FullInstruction => ({
      ...common,
      name,
      mask: 0xfff0707f,
      match: ((funct12 << 20) | (funct3 << 12) | opcode) >>> 0,
      rd,
      rs1,
      syntax: "rd,rs1",
      semantics,
    }),
    I: (name: string, opcode: number, funct3: number, semantics: Semantics): FullInstruction => ({
      ...common,
      name,
      mask: 0x0000707f,
      match: (funct3 << 12) | opcode,
      rd,
      rs1,
      immediate: immediate.I,
      syntax: opcode === OPCODE.load || opcode === OPCODE.jalr ? "rd,imm(rs1)" : "rd,rs1,imm",
      semantics,
    }),
    /** Shift by a constant: `funct` are the bits above the shift amount, `bits` is the width of the amount. */
    shift: (
      name: string,
      opcode: number,
      funct3: number,
      bits: 5 | 6,
      funct: number,
      semantics: Semantics,
    ): FullInstruction => ({
      ...common,
      name,
      mask: bits === 6 ? 0xfc00707f : 0xfe00707f,
      match: ((funct << (20 + bits)) | (funct3 << 12) | opcode) >>> 0,
      rd,
      rs1,
      immediate: bits === 6 ? immediate.shift64 : immediate.shift32,
      syntax: "rd,rs1,hex",
      semantics,
    }),
    S: (name: string, funct3: number, semantics: Semantics): FullInstruction => ({
      ...common,
      name,
      mask: 0x0000707f,
      match: (funct3 << 12) | OPCODE.store,
      rs1,
      rs2,
      immediate: immediate.S,
      syntax: "rs2,imm(rs1)",
      semantics,
    }),
    B: (name: string, funct3: number, semantics: Semantics): FullInstruction => ({
      ...common,
      name,
      mask: 0x0000707f,
      match: (funct3 << 12) | OPCODE.branch,
      rs1,
      rs2,
      immediate: immediate.B,
      syntax: "rs1,rs2,target",
      semantics,
    }),
    U: (name: string, opcode: number, semantics: Semantics): FullInstruction => ({
      ...common,
      name,
      mask: 0x7f,
      match: opcode,
      rd,
      immediate: immediate.U,
      syntax: "rd,upper",
      semantics,
    }),
    J: (name: string, opcode: number, semantics: Semantics): FullInstruction => ({
      ...common,
      name,
      mask: 0x7f,
      match: opcode,
      rd,
      immediate: immediate.J,
      syntax: "rd,target",
      semantics,
    }),
    /** Atomics: the acquire and release bits are arbitrary and have no effect, since all accesses are in order. */
    A: (name: string, funct3: number, funct5: number, semantics: Semantics): FullInstruction => ({
      ...common,
      name,
      mask: 0xf800707f,
      match: ((funct5 << 27) | (funct3 << 12) | OPCODE.amo) >>> 0,
      rd,
      rs1,
      rs2,
      syntax: "rd,rs2,(rs1)",
      semantics,
    }),
    /** Operations on the cache block that contains the address in `rs1` (CMO specification 1.0, chapter 5). */
    cacheBlock: (name: string, operation: number, semantics: Semantics): FullInstruction => ({
      ...common,
      name,
      mask: 0xfff07fff,
      match: ((operation << 20) | (2 << 12) | OPCODE.miscMem) >>> 0,
      rs1,
      syntax: "(rs1)",
      semantics,
    }),
    csr: (name: string, funct3: number, semantics: Semantics): FullInstruction => ({
      ...common,
      name,
      mask: 0x0000707f,
      match: (funct3 << 12) | OPCODE.system,
      rd,
      rs1,
      immediate: immediate.csr,
      syntax: funct3 >= 4 ? "rd,csr,zimm" : "rd,csr,rs1",
      semantics,
    }),
    /** An instruction without operands. */
    exact: (name: string, match: number, semantics: Semantics): FullInstruction => ({
      ...common,
      name,
      mask: 0xffffffff,
      match,
      syntax: "",
      semantics,
    }),
  };
}
