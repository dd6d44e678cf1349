import type { PhysicalBus } from "#memory/bus";
import { Exit } from "../codegen/exits.ts";
import { type Interpret, USUAL } from "../interpreter/generate.ts";
import { instantiateInterpreter } from "../interpreter/module.ts";
import { TranslationThread } from "../translator/translation-thread.ts";
import { Translator, type TranslatorStatistics } from "../translator/translator.ts";
import { SlowAccess } from "./access.ts";
import { CacheBlocks } from "./cache-blocks.ts";
import { Interrupt, NO_FAULT } from "./causes.ts";
import { CodeCache } from "./code-cache.ts";
import { CodePages } from "./code-pages.ts";
import { CsrFile, ILLEGAL } from "./csr.ts";
import { HartDebug } from "./debug.ts";
import { Fetch } from "./fetch.ts";
import { HostExecution } from "./host-execution.ts";
import { csrWord, LAYOUT, STATE_BYTES, WORD } from "./layout.ts";
import { Mmu } from "./mmu.ts";
import { PhysicalMemory } from "./physical.ts";
import { Pmp } from "./pmp.ts";
import { Progress } from "./progress.ts";
import { loadSlots, type SavedHart, saveSlots } from "./saved-state.ts";
import { HartState, Privilege } from "./state.ts";
import { Traps } from "./traps.ts";

export interface RiscvHartOptions {
  /** Value of mhartid. */
  readonly hartId: number;
  /** Memory that holds guest RAM and this hart's block of `RiscvHart.stateBytes`. */
  readonly memory: WebAssembly.Memory;
  /** Start of the block, a multiple of 65536. The block must initially be zero and not be used by anything else. */
  readonly stateOffset: number;
  readonly bus: PhysicalBus;
  /** The machine's timer, in ticks: what the time register shows. */
  readonly time: () => number;
  /**
   * Called with the number of ticks until the supervisor's comparator (stimecmp) interrupts, whenever that changes.
   * `timeReached` must be called at that time; not at all for 0 or infinity.
   */
  readonly onComparator?: (ticks: number) => void;
  /** Called when the guest waits in a loop for another hart (Zihintpause). */
  readonly onPause?: () => void;
  /** What `time` is derived from, so that generated code can read it; default: it asks for every reading. */
  readonly clock?: HartClock;
  /** Shared by all harts of a machine; a single hart creates its own. */
  readonly codePages?: CodePages;
  /** What to translate: default "hot". The guest sees no difference. */
  readonly translate?: Translate;
  /** Number of jumps to a place after which it counts as hot: 1 to 32767, default 20 000. */
  readonly hotArrivals?: number;
  /**
   * Whether to translate in a thread of its own, so that this one goes on meanwhile, where there is a second processor to run
   * it; default false. The guest sees no difference. The thread serves all harts of the process.
   */
  readonly translateBeside?: boolean;
}

/** Guest time of which the time counter is the number of whole ticks, plus an offset that no instruction changes. */
export interface HartClock {
  /** Nanoseconds since some start: a whole number. */
  now(): number;
  /** A whole number. */
  readonly nanosecondsPerInstruction: number;
  /** Unless it is a whole number, generated code leaves the time counter to the host. */
  readonly nanosecondsPerTick: number;
}

/** Nothing; code that is executed often; or, to test the translator, all code that can be, before it first runs. */
export type Translate = "nothing" | "hot" | "all";

/** Why `run` returned: as many instructions as allowed, a wait for an interrupt, or `requestExit`. */
export type RunExit = "budget" | "wfi" | "exit";

/** Lines of mip that devices drive. */
export type InterruptCause = (typeof Interrupt)[keyof typeof Interrupt];

/** Instructions after which generated code is left, so that the engine can replace it with its optimised form. */
const SLICE = 1 << 18;

/** Maximum size of a hart's translated code, as WebAssembly. */
const MOST_TRANSLATED_BYTES = 48 << 20;

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
  private readonly fetch: Fetch;
  private readonly csr: CsrFile;
  private readonly traps: Traps;
  private readonly onComparator: (ticks: number) => void;
  private readonly time: () => number;
  private readonly clock: HartClock | undefined;
  private readonly progress: Progress;
  private readonly host: HostExecution;
  /** Generated code: created by the first run, since a hart that never runs needs none. */
  private interpret: Interpret | undefined;
  private readonly translator: Translator | undefined;
  private readonly translateAll: boolean;
  private readonly hotArrivals: number;

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
    this.time = time;
    this.clock = Number.isInteger(options.clock?.nanosecondsPerTick) ? options.clock : undefined;
    const state = new HartState(memory, stateOffset);
    const progress = new Progress(state);
    this.state = state;
    this.progress = progress;
    this.codePages = codePages;
    const physical = new PhysicalMemory(bus, state, codePages);
    this.cache = new CodeCache(state, codePages);
    this.translateAll = translate === "all";
    this.hotArrivals = this.translateAll ? 0 : (options.hotArrivals ?? USUAL.hotArrivals);
    if (translate !== "nothing") {
      const thread = options.translateBeside && !this.translateAll ? TranslationThread.shared : null;
      this.translator = new Translator(state, this.cache, { mostBytes: MOST_TRANSLATED_BYTES, thread });
      this.cache.attach(this.translator);
    }
    this.pmp = new Pmp(state);
    this.mmu = new Mmu(state, this.pmp, physical);
    this.debug = new HartDebug(state, bus, () => this.flushTlb());
    this.mmu.debug = this.debug;
    this.fetch = new Fetch(state, this.mmu, physical, this.cache);
    this.csr = new CsrFile(state, this.pmp, {
      hartId,
      get executed() {
        return progress.retired;
      },
      get retired() {
        return progress.retired - progress.trapped;
      },
      get ticks() {
        return time();
      },
    });
    this.traps = new Traps(state, this.csr);
    this.host = new HostExecution(
      {
        ...{ state, progress, csr: this.csr, traps: this.traps, fetch: this.fetch, debug: this.debug },
        access: new SlowAccess(state, this.mmu, physical, codePages),
        cacheBlocks: new CacheBlocks(state, this.mmu, physical, codePages),
      },
      {
        executeOne: (record) => this.interpret?.(record),
        comparatorChanged: () => this.timeReached(),
        paused: options.onPause ?? (() => {}),
      },
    );
    codePages.attach({
      protectPage: (direct) => state.protectPage(direct),
      codeWritten: (direct, length) => this.cache.invalidate(direct, length),
    });
    bus.onMapChange(() => {
      physical.forgetPages();
      progress.mapChanged = true;
    });
    this.reset(0);
  }

  /**
   * Reset (privileged ISA, section 3.4): machine mode at `pc`, all registers and counters zero. Interrupt lines belong
   * to the devices and keep their levels.
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
    state.resetTlb();
    this.pmp.update();
    this.cache.dropAll();
    this.progress.reset();
    this.host.reset();
    this.timeReached();
  }

  /** To be called when the timer has reached the comparator or has been set: raises or lowers the interrupt. */
  timeReached(): void {
    this.onComparator(this.csr.updateComparator());
    this.progress.interruptsChanged = true;
  }

  /**
   * Instructions executed since reset, exact at all times, even during a device access (which itself does not count
   * yet). Instructions that end in an exception count, too, so that time advances whatever the guest does; the guest's
   * own `minstret` excludes them.
   */
  get retired(): number {
    return this.progress.retired;
  }

  /** Instructions that ended in an exception, since reset. */
  get exceptions(): number {
    return this.progress.trapped;
  }

  /** In WFI, and nothing that would end it is pending. */
  get waiting(): boolean {
    return this.progress.sleeping && !this.csr.wakes;
  }

  /** Makes `run` return "exit" after the current instruction; called outside, makes the next `run` return at once. */
  requestExit(): void {
    this.progress.exitRequested = true;
  }

  /** Drives a line of mip. The interrupt is taken before the next instruction, if enabled. */
  setInterrupt(cause: InterruptCause, level: boolean): void {
    // The supervisor clears its software interrupt itself, so a device sets the bit that software does.
    const word = cause === Interrupt.SupervisorSoftware ? csrWord.mipSoftware : csrWord.mipLines;
    const { words } = this.state;
    const old = words[word] ?? 0;
    words[word] = level ? old | (1 << cause) : old & ~(1 << cause);
    this.progress.interruptsChanged = true;
  }

  /** Executes at most `maxInstructions`: a whole number, or infinity. None if it is not positive. */
  run(maxInstructions: number): RunExit {
    const { state } = this;
    if (maxInstructions !== Number.POSITIVE_INFINITY && !Number.isInteger(maxInstructions)) {
      throw new RangeError(`run of ${maxInstructions} instructions: must be a whole number or infinity`);
    }
    state.refreshViews();
    const { progress } = this;
    const end = progress.retired + maxInstructions;
    for (;;) {
      if (progress.exitRequested) {
        progress.exitRequested = false;
        return "exit";
      }
      if (progress.mapChanged) this.followMap();
      if (progress.sleeping) {
        if (!this.csr.wakes) return "wfi";
        progress.sleeping = false;
      }
      if (progress.interruptsChanged) {
        progress.interruptsChanged = false;
        this.traps.interrupt();
      }
      const now = progress.retired;
      if (now >= end) return "budget";
      progress.allow(now, Math.min(end - now, SLICE));
      if (this.clock !== undefined) this.followClock(this.clock);
      this.runSlice();
    }
  }

  /** Tells generated code how the time counter follows from `remaining`, for this slice. */
  private followClock(clock: HartClock): void {
    const { state } = this;
    const { nanosecondsPerInstruction, nanosecondsPerTick } = clock;
    const now = clock.now();
    const offset = this.time() - Math.floor(now / nanosecondsPerTick);
    const left = state.low(WORD.remaining) * nanosecondsPerInstruction;
    const atLimit = now + offset * nanosecondsPerTick + left;
    state.setNumber(WORD.timeAtLimit, Number.isSafeInteger(atLimit) ? atLimit : 0);
    state.setNumber(WORD.timePerInstruction, nanosecondsPerInstruction);
    state.setNumber(WORD.timePerTick, nanosecondsPerTick);
  }

  private followMap(): void {
    this.progress.mapChanged = false;
    this.flushTlb();
    this.cache.mapChanged();
  }

  /** Runs until the slice is used up or something must be handled between two instructions. */
  private runSlice(): void {
    const { host, progress } = this;
    const interpret = this.interpret ?? this.makeInterpreter();
    let record = 0;
    do {
      const exit = interpret(record);
      record = 0;
      if (exit >= Exit.Load) host.access(exit);
      else if (exit === Exit.Fetch) record = this.handleFetch();
      else if (exit === Exit.Hot) record = this.handleHot();
      else if (exit !== Exit.Budget) host.system(exit);
    } while (progress.goesOn);
    if (!progress.mapChanged) this.translator?.advance();
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

  /** Requests a translation, and returns the record to continue with meanwhile. */
  private handleHot(): number {
    const record = this.state.low(WORD.record);
    this.translator?.request(record);
    if (!this.translateAll) return record;
    this.translator?.translate();
    return this.translator?.enters(record) ? 0 : record;
  }

  private handleFetch(): number {
    if (this.debug.active && this.debug.stopsAt(this.state.low(WORD.pc), this.state.high(WORD.pc))) {
      this.progress.exitRequested = true;
      return 0;
    }
    const cause = this.fetch.fetch();
    if (cause === NO_FAULT) return this.translateAll && this.fetch.inPage ? 0 : this.fetch.record;
    this.host.raise(cause, this.fetch.faultLow, this.fetch.faultHigh);
    return 0;
  }

  /** State for a snapshot, between two runs only. */
  save(): SavedHart {
    const { state } = this;
    const { retired, trapped, sleeping } = this.progress;
    state.refreshViews();
    return { slots: saveSlots(state), retired, trapped, sleeping };
  }

  /** Restores a saved hart. Guest memory may have changed, so translations and decoded code are dropped. */
  load(saved: SavedHart): void {
    const { state } = this;
    state.refreshViews();
    loadSlots(state, saved.slots);
    state.setPrivilege(state.privilege); // recomputes the modes
    state.flushTlb();
    this.pmp.update();
    this.cache.dropAll();
    const { progress } = this;
    progress.allow(saved.retired, 0);
    progress.trapped = saved.trapped;
    progress.sleeping = saved.sleeping;
    progress.interruptsChanged = true;
  }

  /** Drops all translations; decoded code stays. */
  flushTlb(): void {
    this.state.refreshViews();
    this.state.flushTlb();
  }

  /**
   * To be called after anything but a hart has written guest memory: `length` bytes at `offset` in the WebAssembly
   * memory. Drops the code decoded from there; cheap if there is none.
   */
  invalidate(offset: number, length: number): void {
    this.state.refreshViews();
    this.codePages.written(offset, length);
  }

  /** Makes the next store-conditional fail, for a machine that switches from one hart to another. */
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
    this.progress.interruptsChanged = true;
  }

  /** A control register, regardless of privilege, unsigned; undefined if it does not exist. */
  readCsr(number: number): bigint | undefined {
    if (!this.csr.read(number)) return undefined;
    return (BigInt(this.csr.high >>> 0) << 32n) | BigInt(this.csr.low >>> 0);
  }

  /** Writes the writable bits of a control register, with all effects; false if it does not exist or is read-only. */
  writeCsr(number: number, value: bigint): boolean {
    const low = Number(BigInt.asIntN(32, value));
    const high = Number(BigInt.asIntN(32, value >> 32n));
    const effects = this.csr.write(number, low, high);
    if (effects === ILLEGAL) return false;
    this.host.attend(effects);
    return true;
  }
}

function checkedRegister(index: number): number {
  if (!Number.isInteger(index) || index < 0 || index > 31) {
    throw new RangeError(`register ${index}: must be 0 to 31`);
  }
  return index;
}
