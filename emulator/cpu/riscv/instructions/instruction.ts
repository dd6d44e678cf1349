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
  temporary<T extends ValueType>(type: T): Local<T>;
  /** x0 stays zero. */
  writeRd(value: Expression<"i64">): Statement;
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
