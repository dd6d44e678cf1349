/** The instructions that generated code leaves to TypeScript, one at a time. */
import type { AccessSize } from "#memory/bus";
import { ACCESS_BYTES, ACCESS_SIGNED, Exit } from "../codegen/exits.ts";
import { isFloat } from "../instructions/fields.ts";
import { handlers, operationLength } from "../interpreter/records.ts";
import { REPEAT, REPEAT_ONCE, type SlowAccess } from "./access.ts";
import type { CacheBlocks } from "./cache-blocks.ts";
import { Cause, NO_FAULT } from "./causes.ts";
import { CsrEffect, type CsrFile, ILLEGAL } from "./csr.ts";
import type { HartDebug } from "./debug.ts";
import type { Fetch } from "./fetch.ts";
import { FloatOutcome, FloatUnit } from "./float-unit.ts";
import { WORD } from "./layout.ts";
import type { Progress } from "./progress.ts";
import { ASID_MASK, type HartState, Privilege, Status } from "./state.ts";
import type { Traps } from "./traps.ts";

/** By operation: funct3 of its instruction, by which the CSR instructions differ. */
const operationFunct3 = Uint8Array.from([
  0,
  ...handlers.map(({ instruction }) => (instruction.match >>> 12) & 7),
]);

/** By operation: word index from which a record's destination counts. */
const destinationBase = Int32Array.from([
  0,
  ...handlers.map(({ instruction }) => (isFloat(instruction.rd) ? WORD.floatRegisters : WORD.registers + 2)),
]);

/** The same for the second source of an instruction without destination. */
const storeBase = Int32Array.from([
  0,
  ...handlers.map(({ instruction }) => (isFloat(instruction.rs2) ? WORD.floatRegisters : WORD.registers)),
]);

/** The parts of a hart that such instructions work on. */
export interface HostExecutionParts {
  readonly state: HartState;
  readonly progress: Progress;
  readonly csr: CsrFile;
  readonly traps: Traps;
  readonly access: SlowAccess;
  readonly cacheBlocks: CacheBlocks;
  readonly fetch: Fetch;
  readonly debug: HartDebug;
}

/** What such instructions require of the hart. */
export interface HostExecutionEvents {
  /** Executes the instruction of a record, and no other, in generated code. */
  executeOne(record: number): void;
  /** The comparator, or whether it is on, has changed. */
  comparatorChanged(): void;
  /** The guest waits in a loop for another hart (Zihintpause). */
  paused(): void;
}

/**
 * Executes the instruction at which generated code left, as described by the exit code, `pc` and the record. It either
 * retires or ends in an exception; both count.
 */
export class HostExecution {
  private readonly state: HartState;
  private readonly progress: Progress;
  private readonly csr: CsrFile;
  private readonly traps: Traps;
  private readonly accesses: SlowAccess;
  private readonly cacheBlocks: CacheBlocks;
  private readonly fetch: Fetch;
  private readonly debug: HartDebug;
  private readonly float: FloatUnit;
  private readonly events: HostExecutionEvents;
  /** Value of `retired` at the latest watched access, or -1. */
  private watchedAt = -1;

  constructor(parts: HostExecutionParts, events: HostExecutionEvents) {
    this.state = parts.state;
    this.progress = parts.progress;
    this.csr = parts.csr;
    this.traps = parts.traps;
    this.accesses = parts.access;
    this.cacheBlocks = parts.cacheBlocks;
    this.fetch = parts.fetch;
    this.debug = parts.debug;
    this.float = new FloatUnit(parts.state);
    this.events = events;
  }

  reset(): void {
    this.watchedAt = -1;
  }

  private recordByte(byte: number): number {
    return this.state.bytes[this.state.low(WORD.record) + byte] ?? 0;
  }

  private get recordOperation(): number {
    return this.state.halfwords[this.state.low(WORD.record) >>> 1] ?? 0;
  }

  /** Word index of the destination register. */
  private get destination(): number {
    return (destinationBase[this.recordOperation] ?? 0) + this.recordByte(2) / 4;
  }

  /** Bytes of the current instruction. Must be read before it takes effect: a store may overwrite itself. */
  private get recordLength(): number {
    return operationLength[this.recordOperation] ?? 0;
  }

  /** Retires the current instruction, of `length` bytes, and advances to the next one. */
  private retire(length: number): void {
    this.progress.countOne();
    const { state } = this;
    const low = state.low(WORD.pc);
    const next = (low + length) | 0;
    state.words[WORD.pc] = next;
    if (low < 0 && next >= 0) state.words[WORD.pc + 1] = state.high(WORD.pc) + 1;
  }

  /** Ends the current instruction in an exception. */
  raise(cause: number, valueLow: number, valueHigh: number): void {
    this.progress.countOne();
    this.progress.trapped++;
    this.traps.exception(cause, valueLow, valueHigh);
    this.progress.interruptsChanged = true;
  }

  /** The trap value is the instruction itself (privileged ISA, section 3.1.16). */
  private raiseIllegal(): void {
    this.raise(Cause.IllegalInstruction, this.fetch.currentWord(), 0);
  }

  /** Executes a load, store or atomic. */
  access(exit: number): void {
    if (this.debug.active) this.handleObservedAccess(exit);
    else this.handleAccess(exit);
  }

  private handleAccess(exit: number): void {
    const bytes = (exit & ACCESS_BYTES) as AccessSize; // the generator puts nothing else there
    if ((exit & Exit.Load) !== 0) this.handleLoad(bytes, (exit & ACCESS_SIGNED) !== 0);
    else if ((exit & Exit.Store) !== 0) this.handleStore(bytes);
    else this.handleAtomic(bytes, (exit & Exit.LoadReserved) !== 0);
  }

  /** The same while a debugger has points: the run ends before a watched access, and the next run makes it. */
  private handleObservedAccess(exit: number): void {
    const { state, watchedAt } = this;
    const { retired } = this.progress;
    const writes = (exit & (Exit.Store | Exit.Atomic)) !== 0;
    const reads = (exit & Exit.Store) === 0;
    const low = state.low(WORD.address);
    const high = state.high(WORD.address);
    if (watchedAt !== retired && this.debug.watches(low, high, exit & ACCESS_BYTES, reads, writes)) {
      this.watchedAt = retired;
      this.progress.exitRequested = true;
      return;
    }
    this.handleAccess(exit);
  }

  private handleLoad(bytes: AccessSize, signed: boolean): void {
    const { accesses, state, destination, recordLength } = this;
    const outcome = accesses.load(bytes);
    if (outcome === REPEAT) return;
    if (outcome !== NO_FAULT) {
      this.raise(outcome, accesses.faultLow, accesses.faultHigh);
      return;
    }
    let { low, high } = accesses;
    if (bytes < 8) {
      const unused = 32 - 8 * bytes;
      low = signed ? (low << unused) >> unused : (low << unused) >>> unused;
      // A single-precision value is NaN-boxed.
      high = (signed && low < 0) || destination >= WORD.floatRegisters ? -1 : 0;
    }
    state.set(destination, low, high);
    this.retire(recordLength);
  }

  private handleStore(bytes: AccessSize): void {
    const { accesses, state, recordLength } = this;
    const source = (storeBase[this.recordOperation] ?? 0) + this.recordByte(2) / 4;
    const outcome = accesses.store(bytes, state.low(source), state.high(source));
    if (outcome === REPEAT) return;
    if (outcome === NO_FAULT) this.retire(recordLength);
    else this.raise(outcome, accesses.faultLow, accesses.faultHigh);
  }

  private handleAtomic(bytes: AccessSize, reads: boolean): void {
    const { accesses, state, progress } = this;
    const outcome = accesses.atomic(bytes, reads);
    if (outcome === REPEAT) return;
    if (outcome !== REPEAT_ONCE) {
      this.raise(outcome, accesses.faultLow, accesses.faultHigh);
      return;
    }
    const left = state.low(WORD.remaining);
    progress.allow(progress.retired, 1);
    this.events.executeOne(state.low(WORD.record));
    accesses.endAtomic(bytes, reads);
    progress.allow(progress.retired, left - 1);
  }

  /** Executes any other instruction. */
  system(exit: number): void {
    const { privilege, mstatus } = this.state;
    switch (exit) {
      case Exit.EnvironmentCall:
        this.raise(Cause.EnvironmentCallFromUser + privilege, 0, 0);
        return;
      case Exit.Breakpoint:
        this.raise(Cause.Breakpoint, 0, 0);
        return;
      case Exit.Csr:
        this.handleCsr();
        return;
      case Exit.MachineReturn:
        if (privilege !== Privilege.Machine) break;
        this.progress.countOne();
        this.traps.machineReturn();
        this.progress.interruptsChanged = true;
        return;
      case Exit.SupervisorReturn:
        if (privilege === Privilege.User) break;
        if (privilege === Privilege.Supervisor && (mstatus & Status.TSR) !== 0) break;
        this.progress.countOne();
        this.traps.supervisorReturn();
        this.progress.interruptsChanged = true;
        return;
      case Exit.WaitForInterrupt:
        if (privilege === Privilege.User) break;
        if (privilege === Privilege.Supervisor && (mstatus & Status.TW) !== 0) break;
        this.retire(this.recordLength);
        this.progress.sleeping = !this.csr.wakes;
        return;
      case Exit.Float:
        this.handleFloat();
        return;
      case Exit.FenceVirtualMemory:
        if (privilege === Privilege.User) break;
        if (privilege === Privilege.Supervisor && (mstatus & Status.TVM) !== 0) break;
        this.fenceTranslations();
        this.retire(this.recordLength);
        return;
      case Exit.OrderInvalidation:
        if (privilege === Privilege.User) break;
        this.retire(this.recordLength);
        return;
      case Exit.Pause:
        this.retire(this.recordLength);
        this.events.paused();
        return;
      case Exit.CacheBlockInvalidate:
      case Exit.CacheBlockClean:
      case Exit.CacheBlockZero:
        this.handleCacheBlock(exit);
        return;
    }
    this.raiseIllegal();
  }

  /** Word index of the first source register. */
  private get source(): number {
    return WORD.registers + this.recordByte(3) / 4;
  }

  /** The same for the second source of an instruction without destination. */
  private get secondSource(): number {
    return WORD.registers + this.recordByte(2) / 4;
  }

  /**
   * Drops translations of one address, or of all if the first source is x0; only of one address space if the second is
   * not x0 (section 4.2.1). The buffers only hold translations of the current space.
   */
  private fenceTranslations(): void {
    const { state, source, secondSource } = this;
    if (source !== WORD.registers) state.flushTlbPage(state.low(source), state.high(source));
    else if (secondSource === WORD.registers) state.flushTlb();
    else if ((state.low(secondSource) & ASID_MASK) === state.addressSpace) state.leaveAddressSpace();
  }

  private handleCacheBlock(exit: number): void {
    const { state, source, recordLength } = this;
    const low = state.low(source);
    const high = state.high(source);
    const cause = this.cacheBlocks.execute(exit, low, high);
    if (cause === NO_FAULT) this.retire(recordLength);
    else if (cause === Cause.IllegalInstruction) this.raiseIllegal();
    else this.raise(cause, low, high);
  }

  /** A floating-point instruction that generated code may not, or cannot, execute. */
  private handleFloat(): void {
    switch (this.float.execute(this.state.low(WORD.record))) {
      case FloatOutcome.Illegal:
        this.raiseIllegal();
        return;
      case FloatOutcome.Done:
        this.retire(this.recordLength);
        return;
      case FloatOutcome.Repeat:
        return;
    }
  }

  /** csrrw, csrrs, csrrc and their immediate forms (Zicsr, table 9.1). */
  private handleCsr(): void {
    const { state, csr } = this;
    // Reads all parts of the record (see records.ts) at once: in kernels, most calls from generated code are these.
    const at = state.low(WORD.record) >>> 2;
    const record = state.memoryWords[at] ?? 0;
    const number = state.memoryWords[at + 1] ?? 0;
    const operation = record & 0xffff;
    const destination = WORD.registers + 2 + ((record >>> 16) & 0xff) / 4;
    const sourceField = record >>> 24;
    const source = WORD.registers + sourceField / 4;
    const funct3 = operationFunct3[operation] ?? 0;
    const swap = (funct3 & 3) === 1;
    const writes = swap || sourceField !== 0;
    if (!csr.accessible(number, writes) || !csr.read(number)) {
      this.raiseIllegal();
      return;
    }
    const { low: oldLow, high: oldHigh } = csr;
    let effects: number = CsrEffect.None;
    if (writes) {
      const immediate = (funct3 & 4) !== 0;
      const low = immediate ? sourceField / 8 : state.low(source);
      const high = immediate ? 0 : state.high(source);
      const base = csr.updateBase(number);
      if (swap) effects = csr.write(number, low, high);
      else if ((funct3 & 3) === 2) effects = csr.write(number, base | low, oldHigh | high);
      else effects = csr.write(number, base & ~low, oldHigh & ~high);
      if (effects === ILLEGAL) {
        this.raiseIllegal();
        return;
      }
    }
    state.set(destination, oldLow, oldHigh);
    this.retire(operationLength[operation] ?? 0);
    if (effects !== CsrEffect.None) this.attend(effects);
  }

  /** Handles the effects of a write to a control register. */
  attend(effects: number): void {
    if ((effects & CsrEffect.Translation) !== 0) this.state.flushTlb();
    if ((effects & CsrEffect.AddressSpace) !== 0) this.state.leaveAddressSpace();
    if ((effects & CsrEffect.Interrupts) !== 0) this.progress.interruptsChanged = true;
    if ((effects & CsrEffect.Comparator) !== 0) this.events.comparatorChanged();
  }
}
