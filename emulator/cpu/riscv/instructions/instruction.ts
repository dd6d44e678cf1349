import type { Expression, Local, Statement, ValueType } from "../wasm/index.ts";
import type { ImmediateFormat, RegisterOperand } from "./fields.ts";

/** Bytes of a memory access, and whether a narrow value is sign-extended when it is loaded. */
export interface LoadKind {
  readonly bytes: 1 | 2 | 4 | 8;
  readonly signed: boolean;
}

/**
 * What generated code leaves to TypeScript: operations that depend on privilege, control registers or interrupts, and
 * are rare enough.
 */
export type HostCall =
  | "illegal"
  | "environmentCall"
  | "breakpoint"
  | "csr"
  | "machineReturn"
  | "supervisorReturn"
  | "waitForInterrupt"
  | "float"
  | "fenceVirtualMemory"
  | "orderInvalidation"
  | "cacheBlockInvalidate"
  | "cacheBlockClean"
  | "cacheBlockZero"
  | "pause";

/** How csrrw, csrrs and csrrc, and their immediate forms, combine a control register with the operand. */
export type CsrOperation = "write" | "set" | "clear";
/** A register, or its number taken as a value. */
export type CsrOperand = "rs1" | "zimm";

/**
 * The operands and effects in terms of which semantics are written. The interpreter implements them with the fields of
 * a decoded record and registers in memory, the translator with constants and locals.
 *
 * Rules that let both share one description: operands must not be used after `writeRd`, `load` or an atomic (the
 * destination may be a source), and an instruction must trap before it changes anything.
 */
export interface InstructionContext {
  readonly rs1: Expression<"i64">;
  readonly rs2: Expression<"i64">;
  /** Low halves of the registers. */
  readonly rs1Word: Expression<"i32">;
  readonly rs2Word: Expression<"i32">;
  /** Sign-extended. */
  readonly immediate: Expression<"i64">;
  readonly immediateWord: Expression<"i32">;
  readonly pc: Expression<"i64">;
  /** Address of the following instruction. */
  readonly nextPc: Expression<"i64">;
  /** The bits of floating-point sources, unchanged. */
  readonly frs1Bits: Expression<"i64">;
  readonly frs2Bits: Expression<"i64">;
  readonly frs1Double: Expression<"f64">;
  readonly frs2Double: Expression<"f64">;
  readonly frs3Double: Expression<"f64">;
  /** Single-precision sources: the canonical NaN if the register holds none (unprivileged ISA, section 14.2). */
  readonly frs1Single: Expression<"f32">;
  readonly frs2Single: Expression<"f32">;
  readonly frs3Single: Expression<"f32">;
  /**
   * The rounding mode, static or dynamic, if generated code may round: floating-point registers may be written, and the
   * inexact flag is raised already. Otherwise 128 more: the host must compute the result. Modes above 4 are reserved:
   * the host must handle them.
   */
  readonly rounding: Expression<"i32">;
  temporary<T extends ValueType>(type: T): Local<T>;
  /** Writes to x0 have no effect. */
  writeRd(value: Expression<"i64">): Statement;
  /**
   * Leaves the instruction to the host unless floating-point registers may be read (they are on), or written directly
   * (they are dirty). Must come first in every instruction that uses them, except those that check `rounding`.
   */
  requireFloat(access: "read" | "write"): Statement;
  writeFrdBits(value: Expression<"i64">): Statement;
  writeFrdDouble(value: Expression<"f64">): Statement;
  /** NaN-boxes the value. */
  writeFrdSingle(value: Expression<"f32">): Statement;
  /** Floating-point rd = memory[address], boxed if it is single. */
  loadFloat(bytes: 4 | 8, address: Expression<"i64">): Statement;
  /** rd = memory[address] */
  load(kind: LoadKind, address: Expression<"i64">): Statement;
  /** memory[address] = low bytes of value */
  store(bytes: 1 | 2 | 4 | 8, address: Expression<"i64">, value: Expression<"i64">): Statement;
  /** rd = memory[rs1], memory[rs1] = combine(old, rs2), atomically; words are sign-extended. */
  atomic(
    bytes: 4 | 8,
    combine: (old: Expression<"i64">, operand: Expression<"i64">) => Expression<"i64">,
  ): Statement;
  /** Zeroes the cache block that contains the address in rs1, or leaves that to the host. */
  zeroBlock(): Statement;
  loadReserved(bytes: 4 | 8): Statement;
  storeConditional(bytes: 4 | 8): Statement;
  /** Continues at a computed address, whose lowest bit is zero. */
  jump(target: Expression<"i64">): Statement;
  /** Continues at pc + immediate. */
  jumpRelative(): Statement;
  /** Continues at pc + immediate if the condition is not zero. */
  branch(condition: Expression<"i32">): Statement;
  host(call: HostCall): Statement;
  /** rd = control register, control register = combination of it and the operand; or leaves that to the host. */
  accessCsr(operation: CsrOperation, operand: CsrOperand): Statement;
  /** sret, or leaves it to the host. */
  supervisorReturn(): Statement;
  /** ecall, or leaves it to the host. */
  environmentCall(): Statement;
}

export type Extension =
  | "I"
  | "M"
  | "A"
  | "F"
  | "D"
  | "C"
  | "Zba"
  | "Zbb"
  | "Zbc"
  | "Zbs"
  | "Zicbom"
  | "Zicboz"
  | "Zicsr"
  | "Zifencei"
  | "Zihintpause"
  | "Svinval"
  | "Privileged";

/** Operands as plain numbers: what decoding returns and encoding takes. Fields that a format lacks are 0. */
export interface Operands {
  readonly rd: number;
  readonly rs1: number;
  readonly rs2: number;
  readonly rs3: number;
  /** Rounding mode as encoded: 0 to 4, or 7 for the dynamic one. */
  readonly rm: number;
  /** Sign-extended to 32 bits; for a CSR instruction the CSR's number. */
  readonly immediate: number;
}

interface Encoding {
  readonly name: string;
  readonly extension: Extension;
  readonly length: 2 | 4;
  /** An instruction word w is this instruction when (w & mask) === match. Both unsigned. */
  readonly mask: number;
  readonly match: number;
  readonly rd?: RegisterOperand;
  readonly rs1?: RegisterOperand;
  readonly rs2?: RegisterOperand;
  readonly rs3?: RegisterOperand;
  /** Bits 12 to 14 are a rounding mode. */
  readonly rounds?: true;
  /** The result is the same in every rounding mode; assemblers write the first. */
  readonly exact?: true;
  readonly immediate?: ImmediateFormat;
  /** Encodings for which this returns false are reserved, and therefore illegal. */
  readonly valid?: (operands: Operands) => boolean;
  /** Operands in assembler order; the words `rd rs1 rs2 imm csr zimm target …` are replaced (disassembler). */
  readonly syntax: string;
}

/** An instruction with semantics of its own. */
export interface FullInstruction extends Encoding {
  readonly length: 4;
  readonly semantics: (context: InstructionContext) => Statement;
}

/** A 16-bit instruction: another encoding of a full one. */
export interface CompressedInstruction extends Encoding {
  readonly length: 2;
  readonly expandsTo: string;
}

export type Instruction = FullInstruction | CompressedInstruction;
