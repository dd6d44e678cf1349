/**
 * The processor: RV64GC with bit manipulation (Zba, Zbb, Zbc, Zbs) and cache-block operations, machine, supervisor and
 * user mode, memory protection, Sv39, Sv48 and Sv57, Svinval, Svadu and Sstc.
 *
 * `instructions/` is the single instruction table: encoding, operands and semantics of every instruction. The decoder,
 * the assembler, the disassembler, the interpreter and the translator are derived from it; compressed instructions are
 * other encodings of full ones. Semantics are written in terms of `InstructionContext`, which interpreter and
 * translator implement in their own ways.
 *
 * `interpreter/` generates the WebAssembly interpreter: a loop around a jump table. It reads instructions from records
 * decoded beforehand, eight bytes for each halfword of a page, so that an instruction costs one dispatch, and one load
 * for every operand; frequent pairs of adjacent instructions share a dispatch (`pairs.ts`). It makes no calls: for
 * whatever it cannot do (a page that is not in the translation buffer, a device, a control register, a trap) it returns
 * before the instruction is executed, and `hart/`, in TypeScript, handles it and calls again. All state is in memory
 * then, so that traps are precise, interrupts are taken between two instructions only, and the instruction count is
 * exact whenever a device reads it.
 *
 * `translator/` generates functions from code that is executed very often: the blocks of a page that are reached from
 * one entry (`region.ts`), with their control flow as loops and blocks (`flow.ts`) and registers as local variables
 * (`registers.ts`). These units return for the same reasons and in the same state as the interpreter, and call each
 * other through its module.
 *
 * Floating point uses WebAssembly's own instructions where they are exact and raise no flag that is not raised already
 * (`instructions/float.ts`, `fused.ts`), which is nearly always; the rest is a module of integer arithmetic
 * (`softfloat/`).
 *
 * `hart/` is that other half: privilege, control registers, traps, translation and protection, and the cache of
 * records. Protection and the permission bits are checked when a page enters the translation buffer, never per access;
 * a page that protection divides never enters it. Pages with decoded code never enter it for stores either: such stores
 * drop the code that they overwrite, so that `fence.i` has nothing to do. Anything else that writes guest memory must
 * call `RiscvHart.invalidate`.
 */

export { Interrupt } from "./hart/causes.ts";
export { CodePages } from "./hart/code-pages.ts";
export type { DebugHit, WatchKind, Watchpoint } from "./hart/debug.ts";
export {
  type InterruptCause,
  RiscvHart,
  type RiscvHartOptions,
  type RunExit,
  type Translate,
} from "./hart/hart.ts";
export { type SavedHart, slotsMismatch } from "./hart/saved-state.ts";
export { decode, encode } from "./instructions/decode.ts";
export { csrNames, disassemble, floatRegisterNames, registerNames } from "./instructions/disassemble.ts";
