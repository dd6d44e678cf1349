/**
 * The processor: RV64GC with bit manipulation (Zba, Zbb, Zbc, Zbs) and cache-block operations, machine, supervisor and
 * user mode, memory protection, Sv39, Sv48 and Sv57, Svinval, Svadu and Sstc.
 *
 * `instructions/` is the one table: encoding, operands and semantics of every instruction. The decoder, the assembler,
 * the disassembler, the interpreter and the translator are made from it; compressed instructions are other spellings of
 * full ones. Semantics are written over `InstructionContext`, which interpreter and translator each answer in their way.
 *
 * `interpreter/` generates the WebAssembly that executes: one loop around one jump table. It reads instructions from
 * records decoded beforehand, eight bytes for each halfword of a page, so that an instruction costs one dispatch, and
 * one load for every operand; frequent pairs of neighbours cost one dispatch together (`pairs.ts`). It keeps no call:
 * whatever it cannot do (a page that is not in the translation buffer, a device, a control register, a trap) it returns
 * for, with the instruction not yet executed, and `hart/` in TypeScript does it and calls again. All state is in memory
 * then, so that traps are precise, interrupts are taken between two instructions only, and the count of instructions is
 * exact whenever a device looks at it.
 *
 * `translator/` makes functions of what is executed very often: the blocks of a page that are reached from one entry
 * (`region.ts`), their control flow as loops and blocks (`flow.ts`), registers as local variables (`registers.ts`). Units
 * return for the same things and in the same state as the interpreter, and call each other through its module.
 *
 * Floating point is WebAssembly's own where that is exact and raises no flag that is not raised already
 * (`instructions/float.ts`, `fused.ts`), which is nearly always; the rest is a module of integer arithmetic (`softfloat/`).
 *
 * `hart/` is that other half: privilege, control registers, traps, translation and protection, the cache of records.
 * Protection and the permission bits are checked when a page enters the translation buffer, never per access; a page
 * that protection divides never enters. Stores to pages with decoded code never enter either: they forget the code they
 * overwrite, and `fence.i` has nothing to do. Who writes guest memory otherwise calls `RiscvHart.invalidate`.
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
