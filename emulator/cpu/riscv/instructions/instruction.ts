import type { Expression, Local, Statement, ValueType } from "../wasm/index.ts";
import type { ImmediateFormat, RegisterOperand } from "./fields.ts";

/** Bytes of a memory access, and how a narrow value read fills the register. */
export interface LoadKind {
  readonly bytes: 1 | 2 | 4 | 8;
  readonly signed: boolean;
}

/**
 * What the generated code leaves to TypeScript: whatever looks at privilege, control registers or interrupts, and is
 * rare enough for that.
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

/**
 * The operands and effects that semantics are written over. The interpreter answers with the fields of a decoded record
 * and registers in memory; a translator may answer with constants and locals.
 *
 * Rules that let both share one description: `writeRd`, `load` and the atomics are the last use of operands (the
 * destination may be a source); an instruction traps before it changes anything.
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
  /** Floating-point sources as they are. */
  readonly frs1Bits: Expression<"i64">;
  readonly frs2Bits: Expression<"i64">;
  readonly frs1Double: Expression<"f64">;
  readonly frs2Double: Expression<"f64">;
  readonly frs3Double: Expression<"f64">;
  /** Single-precision sources: the canonical NaN where the register holds none (unprivileged ISA, section 14.2). */
  readonly frs1Single: Expression<"f32">;
  readonly frs2Single: Expression<"f32">;
  readonly frs3Single: Expression<"f32">;
  /**
   * The rounding mode, static or dynamic, where generated code may round: floating-point registers may be written, and
   * the inexact flag is raised already. Elsewhere 128 more; such a result is the host's business. Modes above 4 are
   * reserved: the host must see them.
   */
  readonly rounding: Expression<"i32">;
  temporary<T extends ValueType>(type: T): Local<T>;
  /** x0 stays zero. */
  writeRd(value: Expression<"i64">): Statement;
  /**
   * Leaves the instruction to the host unless floating-point registers may be read (they are on), or written without
   * further ado (they are dirty). First of all in every instruction that uses them, save those that ask for `rounding`.
   */
  requireFloat(access: "read" | "write"): Statement;
  writeFrdBits(value: Expression<"i64">): Statement;
  writeFrdDouble(value: Expression<"f64">): Statement;
  /** Boxes the value: ones above it. */
  writeFrdSingle(value: Expression<"f32">): Statement;
  /** Floating-point rd = memory[address], boxed if it is single. */
  loadFloat(bytes: 4 | 8, address: Expression<"i64">): Statement;
  /** rd = memory[address] */
  load(kind: LoadKind, address: Expression<"i64">): Statement;
  /** memory[address] = low bytes of value */
  store(bytes: 1 | 2 | 4 | 8, address: Expression<"i64">, value: Expression<"i64">): Statement;
  /** rd = memory[rs1], memory[rs1] = combine(old, rs2), as one; words are sign-extended. */
  atomic(
    bytes: 4 | 8,
    combine: (old: Expression<"i64">, operand: Expression<"i64">) => Expression<"i64">,
  ): Statement;
  loadReserved(bytes: 4 | 8): Statement;
  storeConditional(bytes: 4 | 8): Statement;
  /** Continues at an address known only now; its lowest bit is zero. */
  jump(target: Expression<"i64">): Statement;
  /** Continues at pc + immediate. */
  jumpRelative(): Statement;
  /** Continues at pc + immediate if the condition is not zero. */
  branch(condition: Expression<"i32">): Statement;
  host(call: HostCall): Statement;
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

/** Operands as plain numbers: what decoding answers and encoding takes. Fields that a format lacks are 0. */
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
  /** Encodings for which this fails are reserved, hence illegal. */
  readonly valid?: (operands: Operands) => boolean;
  /** Operands in assembler order; the words `rd rs1 rs2 imm csr zimm target …` are replaced (disassembler). */
  readonly syntax: string;
}

/** An instruction with semantics of its own. */
export interface FullInstruction extends Encoding {
  readonly length: 4;
  readonly semantics: (context: InstructionContext) => Statement;
}

/** A 16-bit instruction: another spelling of a full one. */
export interface CompressedInstruction extends Encoding {
  readonly length: 2;
  readonly expandsTo: string;
}

export type Instruction = FullInstruction | CompressedInstruction;
