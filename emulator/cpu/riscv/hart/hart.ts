import type { AccessSize, PhysicalBus } from "#memory/bus";
import { isFloat } from "../instructions/fields.ts";
import { ACCESS_BYTES, ACCESS_SIGNED, Exit } from "../interpreter/exits.ts";
import type { Interpret } from "../interpreter/generate.ts";
import { instantiateInterpreter } from "../interpreter/module.ts";
import { handlers, operationLength } from "../interpreter/records.ts";
import { Translator, type TranslatorStatistics } from "../translator/translator.ts";
import { REPEAT, REPEAT_ONCE, SlowAccess } from "./access.ts";
import { CacheBlocks } from "./cache-blocks.ts";
import { Cause, Interrupt, NO_FAULT } from "./causes.ts";
import { CodeCache } from "./code-cache.ts";
import { CodePages } from "./code-pages.ts";
import { CsrEffect, CsrFile, ILLEGAL } from "./csr.ts";
import { HartDebug } from "./debug.ts";
import { Fetch } from "./fetch.ts";
import { FloatOutcome, FloatUnit } from "./float-unit.ts";
import { csrWord, LAYOUT, STATE_BYTES, WORD } from "./layout.ts";
import { Mmu } from "./mmu.ts";
import { PhysicalMemory } from "./physical.ts";
import { Pmp } from "./pmp.ts";
import { loadSlots, type SavedHart, saveSlots } from "./saved-state.ts";
import { HartState, Privilege, Status } from "./state.ts";
import { Traps } from "./traps.ts";

export interface RiscvHartOptions {
  /** Value of mhartid. */
  readonly hartId: number;
  /** Memory that holds guest RAM and this hart's block of `RiscvHart.stateBytes`. */
  readonly memory: WebAssembly.Memory;
  /** Start of the block, a multiple of 65536. It must be zero at first and nobody else's. */
  readonly stateOffset: number;
  readonly bus: PhysicalBus;
  /** The machine's timer, in ticks: what the time register shows. */
  readonly time: () => number;
  /**
   * Told how many ticks are missing until the supervisor's comparator (stimecmp) interrupts, whenever that changes:
   * `timeReached` is then to be called. 0 or infinity: not at all.
   */
  readonly onComparator?: (ticks: number) => void;
  /** The guest waits in a loop for another hart (Zihintpause). */
  readonly onPause?: () => void;
  /** Shared by all harts of a machine; a hart alone makes its own. */
  readonly codePages?: CodePages;
  /** What to translate: default "hot". The guest sees no difference. */
  readonly translate?: Translate;
  /** Jumps to a place after which it counts as hot: 1 to 32767, default 20 000. */
  readonly hotArrivals?: number;
}

/** Nothing; what is executed often; or, to test the translator, all that can be, before it is executed for the first time. */
export type Translate = "nothing" | "hot" | "all";

/** Why `run` came back: as many instructions as allowed, a wait for an interrupt, or `requestExit`. */
export type RunExit = "budget" | "wfi" | "exit";

/** Lines of mip that devices drive. */
export type InterruptCause = (typeof Interrupt)[keyof typeof Interrupt];

/** Generated code is left at least so often, or the engine could not replace it by its optimised form. */
const SLICE = 1 << 18;

/** Jumps that arrive at a place before it is translated: translating costs as much as interpreting thousands of times. */
const HOT_ARRIVALS = 20_000;
/** WebAssembly that a hart's translated code takes at most. */
const MOST_TRANSLATED_BYTES = 48 << 20;

/** funct3 of the operation's instruction, which is what the CSR instructions differ in. */
const operationFunct3 = Uint8Array.from([
  0,
  ...handlers.map(({ instruction }) => (instruction.match >>> 12) & 7),
]);

/** Word index of what a record's destination counts from, by operation. */
const destinationBase = Int32Array.from([
  0,
  ...handlers.map(({ instruction }) => (isFloat(instruction.rd) ? WORD.floatRegisters : WORD.registers + 2)),
]);

/** The same for the second source of an instruction without destination. */
const storeBase = Int32Array.from([
  0,
  ...handlers.map(({ instruction }) => (isFloat(instruction.rs2) ? WORD.floatRegisters : WORD.registers)),
]);

/** One RV64GC processor with machine, supervisor and user mode. */
export class RiscvHart {
  /** Bytes that a hart needs in the WebAssembly memory: a multiple of 65536. */
  static readonly stateBytes = STATE_BYTES;

  readonly hartId: number;
  /** Breakpoints, watchpoints, and addresses as a debugger sees them. */
  readonly debug: HartDebug;
  private readonly state: HartState;
  private readonly codePages: CodePages;
  private readonly cache: CodeCache;
  private readonly pmp: Pmp;
  private readonly mmu: Mmu;
  private readonly access: SlowAccess;
  private readonly fetch: Fetch;
  private readonly csr: CsrFile;
  private readonly traps: Traps;
  private readonly cacheBlocks: CacheBlocks;
  private readonly onComparator: (ticks: number) => void;
  private readonly onPause: () => void;
  private readonly float: FloatUnit;
  /** Generated code: made by the first run, as a hart that never runs needs none. */
  private interpret: Interpret | undefined;
  private readonly translator: Translator | undefined;
  private readonly translateAll: boolean;
  private readonly hotArrivals: number;
  /** What `retired` will be when `remaining` is zero. */
  private limit = 0;
  /** Instructions that ended in an exception. */
  private trapped = 0;
  private sleeping = false;
  /** What `retired` was at the latest watched access, or -1. */
  private watchedAt = -1;
  private exitRequested = false;
  /** An interrupt may have become deliverable. */
  private interruptsChanged = false;
  /** The memory map changed, perhaps by the instruction being executed, which still needs its record. */
  private mapChanged = false;

  constructor(options: RiscvHartOptions) {
    const {
      hartId,
      memory,
      stateOffset,
      bus,
      time,
      codePages = new CodePages(),
      translate = "hot",
    } = options;
    this.hartId = hartId;
    this.onComparator = options.onComparator ?? (() => {});
    this.onPause = options.onPause ?? (() => {});
    const state = new HartState(memory, stateOffset);
    this.state = state;
    this.codePages = codePages;
    const physical = new PhysicalMemory(bus, state, codePages);
    this.cache = new CodeCache(state, codePages);
    this.translateAll = translate === "all";
    this.hotArrivals = this.translateAll ? 0 : (options.hotArrivals ?? HOT_ARRIVALS);
    if (translate !== "nothing") {
      this.translator = new Translator(state, this.cache, MOST_TRANSLATED_BYTES);
      this.cache.attach(this.translator);
    }
    this.pmp = new Pmp(state);
    this.mmu = new Mmu(state, this.pmp, physical);
    this.debug = new HartDebug(state, bus, () => this.flushTlb());
    this.mmu.debug = this.debug;
    this.access = new SlowAccess(state, this.mmu, physical, codePages);
    this.fetch = new Fetch(state, this.mmu, physical, this.cache);
    const hart = this;
    this.csr = new CsrFile(state, this.pmp, {
      hartId,
      get executed() {
        return hart.retired;
      },
      get retired() {
        return hart.retired - hart.trapped;
      },
      get ticks() {
        return time();
      },
    });
    this.traps = new Traps(state, this.csr);
    this.cacheBlocks = new CacheBlocks(state, this.mmu, physical, codePages);
    this.float = new FloatUnit(state);
    codePages.attach({
      protectPage: (direct) => state.protectPage(direct),
      codeWritten: (direct, length) => this.cache.invalidate(direct, length),
    });
    bus.onMapChange(() => {
      physical.forgetPages();
      this.mapChanged = true;
    });
    this.reset(0);
  }

  /**
   * Reset (privileged ISA, section 3.4): machine mode at `pc`, all registers zero, counters too. Interrupt lines are the
   * devices' and stay as they are.
   */
  reset(pc: number): void {
    const { state } = this;
    state.refreshViews();
    const lines = state.low(csrWord.mipLines);
    state.words.fill(0, 0, LAYOUT.readTlb / 4);
    state.words[csrWord.mipLines] = lines;
    state.setBigInt(WORD.pc, BigInt(pc));
    state.setBigInt(WORD.reservation, -1n);
    this.csr.reset();
    state.setPrivilege(Privilege.Machine);
    state.flushTlb();
    this.pmp.update();
    this.cache.dropAll();
    this.limit = 0;
    this.trapped = 0;
    this.watchedAt = -1;
    this.sleeping = false;
    this.interruptsChanged = true;
    this.timeReached();
  }

  /** The timer has reached what the comparator waits for, or has been set: raises or lowers its interrupt accordingly. */
  timeReached(): void {
    this.onComparator(this.csr.updateComparator());
    this.interruptsChanged = true;
  }

  /**
   * Instructions executed since reset, exact at every moment, also while a device is being accessed (the access itself
   * does not count yet). One that ends in an exception counts too, so that time goes on whatever the guest does; the
   * guest's own `minstret` leaves those out.
   */
  get retired(): number {
    return this.limit - this.state.low(WORD.remaining);
  }

  /** Instructions that ended in an exception, since reset. */
  get exceptions(): number {
    return this.trapped;
  }

  /** In WFI, and nothing that would end it is pending. */
  get waiting(): boolean {
    return this.sleeping && !this.wakeable;
  }

  private get wakeable(): boolean {
    return (this.csr.pending & this.state.low(csrWord.mie)) !== 0;
  }

  /** Makes `run` return "exit" after the instruction being executed; or the next `run` at once, when called outside. */
  requestExit(): void {
    this.exitRequested = true;
  }

  /** Drives a line of mip. Taken before the next instruction, if enabled. */
  setInterrupt(cause: InterruptCause, level: boolean): void {
    // The supervisor clears its software interrupt itself: here a device sets the same bit.
    const word = cause === Interrupt.SupervisorSoftware ? csrWord.mipSoftware : csrWord.mipLines;
    const { words } = this.state;
    const old = words[word] ?? 0;
    words[word] = level ? old | (1 << cause) : old & ~(1 << cause);
    this.interruptsChanged = true;
  }

  /** Executes at most so many instructions: a whole number, or infinity. None if it is not positive. */
  run(maxInstructions: number): RunExit {
    const { state } = this;
    if (maxInstructions !== Number.POSITIVE_INFINITY && !Number.isInteger(maxInstructions)) {
      throw new RangeError(`run of ${maxInstructions} instructions: must be a whole number or infinity`);
    }
    state.refreshViews();
    const end = this.retired + maxInstructions;
    for (;;) {
      if (this.exitRequested) {
        this.exitRequested = false;
        return "exit";
      }
      if (this.mapChanged) this.followMap();
      if (this.sleeping) {
        if (!this.wakeable) return "wfi";
        this.sleeping = false;
      }
      if (this.interruptsChanged) {
        this.interruptsChanged = false;
        this.traps.interrupt();
      }
      const now = this.retired;
      if (now >= end) return "budget";
      this.setRemaining(now, Math.min(end - now, SLICE));
      this.runSlice();
    }
  }

  private followMap(): void {
    this.mapChanged = false;
    this.flushTlb();
    this.cache.mapChanged();
  }

  private setRemaining(now: number, instructions: number): void {
    this.state.words[WORD.remaining] = instructions;
    this.limit = now + instructions;
  }

  /** Runs until the slice is used up or something has to be looked at between two instructions. */
  private runSlice(): void {
    const interpret = this.interpret ?? this.makeInterpreter();
    let record = 0;
    do {
      const exit = interpret(record);
      record = 0;
      if (exit === Exit.Fetch) {
        record = this.handleFetch();
      } else if (exit >= Exit.Load) {
        if (this.debug.active) this.handleObservedAccess(exit);
        else this.handleAccess(exit);
      } else if (exit === Exit.Hot) {
        record = this.handleHot();
      } else if (exit !== Exit.Budget) {
        this.handleSystem(exit);
      }
    } while (
      this.state.low(WORD.remaining) > 0 &&
      !this.interruptsChanged &&
      !this.mapChanged &&
      !this.exitRequested &&
      !this.sleeping
    );
    if (this.translator?.waiting) this.translator.translate();
  }

  /** What the translator has done so far; undefined if there is none. */
  get translation(): TranslatorStatistics | undefined {
    return this.translator?.statistics;
  }

  private makeInterpreter(): Interpret {
    const { translator, state } = this;
    if (translator === undefined) {
      this.interpret = instantiateInterpreter(state.memory, state.offset).interpret;
      return this.interpret;
    }
    const { interpret, jump, finish } = instantiateInterpreter(state.memory, state.offset, {
      table: translator.table,
      hotArrivals: this.hotArrivals,
    });
    translator.link({ jump, finish });
    this.interpret = interpret;
    return interpret;
  }

  /** Asks for a translation, and answers the record to go on with meanwhile. */
  private handleHot(): number {
    const record = this.state.low(WORD.record);
    this.translator?.request(record);
    if (!this.translateAll) return record;
    this.translator?.translate();
    return this.translator?.enters(record) ? 0 : record;
  }

  /** Record of the instruction that generated code gave up. */
  private recordByte(byte: number): number {
    return this.state.bytes[this.state.low(WORD.record) + byte] ?? 0;
  }

  private get recordOperation(): number {
    return this.state.halfwords[this.state.low(WORD.record) >>> 1] ?? 0;
  }

  private get recordImmediate(): number {
    return this.state.memoryWords[(this.state.low(WORD.record) >>> 2) + 1] ?? 0;
  }

  /** Word index of the destination register. */
  private get destination(): number {
    return (destinationBase[this.recordOperation] ?? 0) + this.recordByte(2) / 4;
  }

  /** Bytes of the current instruction. To be asked before anything happens: a store may overwrite itself. */
  private get recordLength(): number {
    return operationLength[this.recordOperation] ?? 0;
  }

  /** Ends the current instruction, of so many bytes: it retires, and the next one follows. */
  private retire(length: number): void {
    this.countOne();
    const { state } = this;
    const low = state.low(WORD.pc);
    const next = (low + length) | 0;
    state.words[WORD.pc] = next;
    if (low < 0 && next >= 0) state.words[WORD.pc + 1] = state.high(WORD.pc) + 1;
  }

  private countOne(): void {
    this.state.words[WORD.remaining] = this.state.low(WORD.remaining) - 1;
  }

  private raise(cause: number, valueLow: number, valueHigh: number): void {
    this.countOne();
    this.trapped++;
    this.traps.exception(cause, valueLow, valueHigh);
    this.interruptsChanged = true;
  }

  /** The value is the instruction itself (privileged ISA, section 3.1.16). */
  private raiseIllegal(): void {
    this.raise(Cause.IllegalInstruction, this.fetch.currentWord(), 0);
  }

  private handleFetch(): number {
    if (this.debug.active && this.debug.stopsAt(this.state.low(WORD.pc), this.state.high(WORD.pc))) {
      this.exitRequested = true;
      return 0;
    }
    const cause = this.fetch.fetch();
    if (cause === NO_FAULT) return this.translateAll && this.fetch.inPage ? 0 : this.fetch.record;
    this.raise(cause, this.fetch.faultLow, this.fetch.faultHigh);
    return 0;
  }

  private handleAccess(exit: number): void {
    const bytes = (exit & ACCESS_BYTES) as AccessSize; // the generator puts nothing else there
    if ((exit & Exit.Load) !== 0) this.handleLoad(bytes, (exit & ACCESS_SIGNED) !== 0);
    else if ((exit & Exit.Store) !== 0) this.handleStore(bytes);
    else this.handleAtomic(bytes, (exit & Exit.LoadReserved) !== 0);
  }

  /** The same, while a debugger has points: the run ends before a watched access; the next one makes it. */
  private handleObservedAccess(exit: number): void {
    const { state, retired, watchedAt } = this;
    const writes = (exit & (Exit.Store | Exit.Atomic)) !== 0;
    const reads = (exit & Exit.Store) === 0;
    const low = state.low(WORD.address);
    const high = state.high(WORD.address);
    if (watchedAt !== retired && this.debug.watches(low, high, exit & ACCESS_BYTES, reads, writes)) {
      this.watchedAt = retired;
      this.exitRequested = true;
      return;
    }
    this.handleAccess(exit);
  }

  private handleLoad(bytes: AccessSize, signed: boolean): void {
    const { access, state, destination, recordLength } = this;
    const outcome = access.load(bytes);
    if (outcome === REPEAT) return;
    if (outcome !== NO_FAULT) {
      this.raise(outcome, access.faultLow, access.faultHigh);
      return;
    }
    let { low, high } = access;
    if (bytes < 8) {
      const unused = 32 - 8 * bytes;
      low = signed ? (low << unused) >> unused : (low << unused) >>> unused;
      // A single-precision value has ones above it.
      high = (signed && low < 0) || destination >= WORD.floatRegisters ? -1 : 0;
    }
    state.set(destination, low, high);
    this.retire(recordLength);
  }

  private handleStore(bytes: AccessSize): void {
    const { access, state, recordLength } = this;
    const source = (storeBase[this.recordOperation] ?? 0) + this.recordByte(2) / 4;
    const outcome = access.store(bytes, state.low(source), state.high(source));
    if (outcome === REPEAT) return;
    if (outcome === NO_FAULT) this.retire(recordLength);
    else this.raise(outcome, access.faultLow, access.faultHigh);
  }

  private handleAtomic(bytes: AccessSize, reads: boolean): void {
    const { access, state } = this;
    const outcome = access.atomic(bytes, reads);
    if (outcome === REPEAT) return;
    if (outcome !== REPEAT_ONCE) {
      this.raise(outcome, access.faultLow, access.faultHigh);
      return;
    }
    const left = state.low(WORD.remaining);
    state.words[WORD.remaining] = 1;
    this.limit -= left - 1;
    this.interpret?.(state.low(WORD.record));
    access.endAtomic(bytes, reads);
    this.setRemaining(this.retired, left - 1);
  }

  private handleSystem(exit: number): void {
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
        this.countOne();
        this.traps.machineReturn();
        this.interruptsChanged = true;
        return;
      case Exit.SupervisorReturn:
        if (privilege === Privilege.User) break;
        if (privilege === Privilege.Supervisor && (mstatus & Status.TSR) !== 0) break;
        this.countOne();
        this.traps.supervisorReturn();
        this.interruptsChanged = true;
        return;
      case Exit.WaitForInterrupt:
        if (privilege === Privilege.User) break;
        if (privilege === Privilege.Supervisor && (mstatus & Status.TW) !== 0) break;
        this.retire(this.recordLength);
        this.sleeping = !this.wakeable;
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
        this.onPause();
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

  /** For one address, or if the first source is x0 for all. Address spaces are not told apart. */
  private fenceTranslations(): void {
    const { state, source } = this;
    if (source === WORD.registers) state.flushTlb();
    else state.flushTlbPage(state.low(source), state.high(source));
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
    const number = this.recordImmediate;
    const funct3 = operationFunct3[this.recordOperation] ?? 0;
    const sourceField = this.recordByte(3);
    const source = WORD.registers + sourceField / 4;
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
    state.set(this.destination, oldLow, oldHigh);
    this.retire(this.recordLength);
    this.attend(effects);
  }

  private attend(effects: number): void {
    if ((effects & CsrEffect.Translation) !== 0) this.state.flushTlb();
    if ((effects & CsrEffect.Interrupts) !== 0) this.interruptsChanged = true;
    if ((effects & CsrEffect.Comparator) !== 0) this.timeReached();
  }

  /** What a snapshot keeps of the hart; between two runs only. */
  save(): SavedHart {
    const { state, retired, trapped, sleeping } = this;
    state.refreshViews();
    return { slots: saveSlots(state), retired, trapped, sleeping };
  }

  /** Becomes the hart that was saved. Guest memory may have changed: translations and decoded code are forgotten. */
  load(saved: SavedHart): void {
    const { state } = this;
    state.refreshViews();
    loadSlots(state, saved.slots);
    state.setPrivilege(state.privilege); // derives the modes
    state.flushTlb();
    this.pmp.update();
    this.cache.dropAll();
    this.setRemaining(saved.retired, 0);
    this.trapped = saved.trapped;
    this.sleeping = saved.sleeping;
    this.interruptsChanged = true;
  }

  /** Forgets all translations; decoded code stays. */
  flushTlb(): void {
    this.state.refreshViews();
    this.state.flushTlb();
  }

  /**
   * Somebody other than a hart has written guest memory: `length` bytes from `offset` on, in the WebAssembly memory.
   * Code decoded from there is forgotten. Cheap where there is none.
   */
  invalidate(offset: number, length: number): void {
    this.state.refreshViews();
    this.codePages.written(offset, length);
  }

  /** Makes the next store-conditional fail: for a machine that changes from one hart to another. */
  clearReservation(): void {
    this.state.setBigInt(WORD.reservation, -1n);
  }

  /** Integer register 0 to 31, unsigned. */
  readRegister(index: number): bigint {
    return this.state.getBigInt(WORD.registers + 2 * checkedRegister(index));
  }

  /** Writing register 0 has no effect. */
  writeRegister(index: number, value: bigint): void {
    if (checkedRegister(index) !== 0) this.state.setBigInt(WORD.registers + 2 * index, value);
  }

  /** Floating-point register 0 to 31, unsigned. */
  readFloatRegister(index: number): bigint {
    return this.state.getBigInt(WORD.floatRegisters + 2 * checkedRegister(index));
  }

  writeFloatRegister(index: number, value: bigint): void {
    this.state.setBigInt(WORD.floatRegisters + 2 * checkedRegister(index), value);
  }

  /** Virtual address of the next instruction. */
  get pc(): bigint {
    return this.state.getBigInt(WORD.pc);
  }

  set pc(value: bigint) {
    this.state.setBigInt(WORD.pc, value & ~1n);
  }

  /** 0 user, 1 supervisor, 3 machine. */
  get privilege(): number {
    return this.state.privilege;
  }

  set privilege(value: number) {
    if (value !== 0 && value !== 1 && value !== 3)
      throw new RangeError(`privilege ${value}: must be 0, 1 or 3`);
    this.state.setPrivilege(value);
    this.interruptsChanged = true;
  }

  /** A control register whatever the privilege, unsigned; undefined if it does not exist. */
  readCsr(number: number): bigint | undefined {
    if (!this.csr.read(number)) return undefined;
    return (BigInt(this.csr.high >>> 0) << 32n) | BigInt(this.csr.low >>> 0);
  }

  /** Writes what may be written of a control register, with all consequences; false if it does not exist. */
  writeCsr(number: number, value: bigint): boolean {
    const low = Number(BigInt.asIntN(32, value));
    const high = Number(BigInt.asIntN(32, value >> 32n));
    const effects = this.csr.write(number, low, high);
    if (effects === ILLEGAL) return false;
    this.attend(effects);
    return true;
  }
}

function checkedRegister(index: number): number {
  if (!Number.isInteger(index) || index < 0 || index > 31) {
    throw new RangeError(`register ${index}: must be 0 to 31`);
  }
  return index;
}
