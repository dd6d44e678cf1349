/** Control and status registers (privileged ISA 1.12, chapters 2 to 4; Zicntr; Sstc; Svadu). */

import { Interrupt } from "./causes.ts";
import { type CsrSlot, csrWord, WORD } from "./layout.ts";
import { ENVCFG_ADUE_HIGH, isTranslationMode } from "./mmu.ts";
import { PMP_ENTRIES, type Pmp } from "./pmp.ts";
import { EnvironmentConfig, type HartState, MPP_SHIFT, Privilege, Status } from "./state.ts";

/** The sources of the counters, all exact to 2^53. */
export interface CounterSource {
  /** Instructions executed, trapped ones included: these serve as cycles. */
  readonly executed: number;
  /** Instructions retired. */
  readonly retired: number;
  /** Ticks of the machine's timer. */
  readonly ticks: number;
  readonly hartId: number;
}

const bit = (interrupt: number): number => 1 << interrupt;
const SUPERVISOR_INTERRUPTS =
  bit(Interrupt.SupervisorSoftware) | bit(Interrupt.SupervisorTimer) | bit(Interrupt.SupervisorExternal);
const ALL_INTERRUPTS =
  SUPERVISOR_INTERRUPTS |
  bit(Interrupt.MachineSoftware) |
  bit(Interrupt.MachineTimer) |
  bit(Interrupt.MachineExternal);
/** Every exception except machine mode's own ecall and the reserved codes. */
const DELEGABLE_EXCEPTIONS = 0xb3ff;

const STATUS_WRITABLE =
  Status.SIE |
  Status.MIE |
  Status.SPIE |
  Status.MPIE |
  Status.SPP |
  Status.MPP |
  Status.FS |
  Status.MPRV |
  Status.SUM |
  Status.MXR |
  Status.TVM |
  Status.TW |
  Status.TSR;
export const SSTATUS_WRITABLE = Status.SIE | Status.SPIE | Status.SPP | Status.FS | Status.SUM | Status.MXR;
/** UXL and SXL, in the high word: 64 bits, fixed. sstatus shows UXL only. */
const MSTATUS_HIGH = 0x0a;
export const SSTATUS_HIGH = 0x02;
/** SD, in the high word: some state is dirty. */
export const STATUS_DIRTY = 0x80000000;

/** RV64 with A, C, D, F, I, M, S and U (section 3.1.1). */
const MISA_LOW = 0x14112d;
const MISA_HIGH = 0x80000000 | 0;

/** FIOM has no effect: all fences are total. */
const ENVCFG_FIOM = 1;
const ENVCFG_WRITABLE =
  ENVCFG_FIOM | EnvironmentConfig.CBIE | EnvironmentConfig.CBCFE | EnvironmentConfig.CBZE;
const CBIE_RESERVED = 2 << 4;
/** In the high word of menvcfg: supervisors have a comparator of their own (Sstc). */
const ENVCFG_STCE_HIGH = 0x80000000 | 0;
const MENVCFG_WRITABLE_HIGH = ENVCFG_STCE_HIGH | ENVCFG_ADUE_HIGH;
const STIMECMP = 0x14d;
const MENVCFG = 0x30a;
const SENVCFG = 0x10a;
/** The bit of mcounteren that also grants stimecmp. */
const TIME_COUNTER = 1;
/** Cycle, time and instret can be granted; cycle and instret can be inhibited. */
const COUNTERS = 7;
const INHIBITABLE = 5;

/** Registers that are plain storage, with the bits that are writable. */
const STORAGE: readonly (readonly [number: number, slot: CsrSlot, low: number, high: number])[] = [
  [0x105, "stvec", -1, -1],
  [0x106, "scounteren", COUNTERS, 0],
  [SENVCFG, "senvcfg", ENVCFG_WRITABLE, 0],
  [0x140, "sscratch", -1, -1],
  [0x141, "sepc", -2, -1],
  [0x142, "scause", -1, -1],
  [0x143, "stval", -1, -1],
  [STIMECMP, "stimecmp", -1, -1],
  [0x302, "medeleg", DELEGABLE_EXCEPTIONS, 0],
  [0x303, "mideleg", SUPERVISOR_INTERRUPTS, 0],
  [0x304, "mie", ALL_INTERRUPTS, 0],
  [0x305, "mtvec", -1, -1],
  [0x306, "mcounteren", COUNTERS, 0],
  [MENVCFG, "menvcfg", ENVCFG_WRITABLE, MENVCFG_WRITABLE_HIGH],
  [0x340, "mscratch", -1, -1],
  [0x341, "mepc", -2, -1],
  [0x342, "mcause", -1, -1],
  [0x343, "mtval", -1, -1],
];

/** By number: word index of a storage register, 0 for others; and the writable bits. */
const storageWord = new Int16Array(4096);
const writableLow = new Int32Array(4096);
const writableHigh = new Int32Array(4096);
for (const [number, slot, low, high] of STORAGE) {
  storageWord[number] = csrWord[slot];
  writableLow[number] = low;
  writableHigh[number] = high;
}

/** Word index of a register that is plain storage, and its writable bits. @throws Error if it is not one */
export function storageOf(number: number): { word: number; low: number; high: number } {
  const word = storageWord[number] ?? 0;
  if (word === 0) throw new Error(`control register ${number.toString(16)} is not plain storage`);
  return { word, low: writableLow[number] ?? 0, high: writableHigh[number] ?? 0 };
}

/** Effects of a write that the hart must handle. */
export const CsrEffect = {
  None: 0,
  /** Translations may have changed. */
  Translation: 1,
  /** An interrupt may have become deliverable. */
  Interrupts: 2,
  /** The comparator, or whether it is on, has changed. */
  Comparator: 4,
  /** Translations have changed, except global ones. */
  AddressSpace: 8,
} as const;

/** Result of `write` for a register that does not exist or is read-only. */
export const ILLEGAL = -1;

export class CsrFile {
  /** Value of the latest read, in words. */
  low = 0;
  high = 0;
  private readonly state: HartState;
  private readonly pmp: Pmp;
  private readonly source: CounterSource;

  constructor(state: HartState, pmp: Pmp, source: CounterSource) {
    this.state = state;
    this.pmp = pmp;
    this.source = source;
  }

  /** Sets what is not zero after a reset: hardware updates accessed and dirty bits, as older software expects. */
  reset(): void {
    this.state.set(csrWord.menvcfg, 0, ENVCFG_ADUE_HIGH);
  }

  /** Value of mip: the bits set by software, and the lines of the devices and of the comparator. */
  get pending(): number {
    return this.softwarePending | this.state.low(csrWord.mipLines);
  }

  /** Whether an interrupt is pending that ends WFI, whether or not it is enabled in mstatus (section 3.3.3). */
  get wakes(): boolean {
    return (this.pending & this.state.low(csrWord.mie)) !== 0;
  }

  /** While the comparator is on, it alone drives the supervisor's timer interrupt; the software bit is hidden. */
  private get softwarePending(): number {
    const software = this.state.low(csrWord.mipSoftware);
    return this.comparatorOn ? software & ~bit(Interrupt.SupervisorTimer) : software;
  }

  private get comparatorOn(): boolean {
    return (this.state.high(csrWord.menvcfg) & ENVCFG_STCE_HIGH) !== 0;
  }

  /**
   * Drives the supervisor's timer interrupt from stimecmp (Sstc, section 1.1). Returns the ticks until it is raised: 0
   * if it is raised now, infinity if the comparator is off or further away than a number represents exactly.
   */
  updateComparator(): number {
    const { state } = this;
    const at = csrWord.stimecmp;
    // Rounded above 2^53, which no timer reaches.
    const compare = (state.high(at) >>> 0) * 2 ** 32 + (state.low(at) >>> 0);
    const ahead = this.comparatorOn ? Math.max(compare - this.source.ticks, 0) : Number.POSITIVE_INFINITY;
    const lines = state.low(csrWord.mipLines);
    const line = bit(Interrupt.SupervisorTimer);
    state.words[csrWord.mipLines] = ahead === 0 ? lines | line : lines & ~line;
    return ahead <= Number.MAX_SAFE_INTEGER ? ahead : Number.POSITIVE_INFINITY;
  }

  /** Whether a register may be accessed at this privilege, by its number (section 2.1) and by controlling fields. */
  accessible(number: number, write: boolean): boolean {
    const { privilege } = this.state;
    if ((number >> 8) % 4 > privilege) return false;
    if (write && number >> 10 === 3) return false;
    if (number <= 0x003) return (this.state.mstatus & Status.FS) !== 0;
    if (number === 0x180)
      return privilege !== Privilege.Supervisor || (this.state.mstatus & Status.TVM) === 0;
    if (number === STIMECMP) return this.comparatorGranted();
    if (number >= 0xc00 && number < 0xc20) return this.counterGranted(number & 31);
    return true;
  }

  private comparatorGranted(): boolean {
    if (this.state.privilege === Privilege.Machine) return true;
    return this.comparatorOn && ((this.state.low(csrWord.mcounteren) >>> TIME_COUNTER) & 1) === 1;
  }

  private counterGranted(counter: number): boolean {
    const { privilege } = this.state;
    const granted = (slot: number): boolean => ((this.state.low(slot) >>> counter) & 1) === 1;
    if (privilege === Privilege.Machine) return true;
    if (!granted(csrWord.mcounteren)) return false;
    return privilege === Privilege.Supervisor || granted(csrWord.scounteren);
  }

  /** Reads into `low` and `high`; false if there is no such register. Does not check privilege. */
  read(number: number): boolean {
    const { state } = this;
    const storage = storageWord[number] ?? 0;
    if (storage !== 0) return this.answerSlot(storage);
    switch (number) {
      case 0x001:
        return this.answer(state.low(WORD.fflags), 0);
      case 0x002:
        return this.answer(state.low(WORD.frm), 0);
      case 0x003:
        return this.answer((state.low(WORD.frm) << 5) | state.low(WORD.fflags), 0);
      case 0x100:
        return this.answer(state.mstatus & SSTATUS_WRITABLE, SSTATUS_HIGH | this.dirty);
      case 0x104:
        return this.answer(state.low(csrWord.mie) & state.low(csrWord.mideleg), 0);
      case 0x144:
        return this.answer(this.pending & state.low(csrWord.mideleg), 0);
      case 0x180:
        return this.answerSlot(csrWord.satp);
      case 0x300:
        return this.answer(state.mstatus, MSTATUS_HIGH | this.dirty);
      case 0x301:
        return this.answer(MISA_LOW, MISA_HIGH);
      case 0x320:
        return this.answerSlot(csrWord.mcountinhibit);
      case 0x344:
        return this.answer(this.pending, 0);
      case 0xb00:
      case 0xc00:
        return this.answerCounter(this.source.executed, csrWord.cycleOffset, 0);
      case 0xb02:
      case 0xc02:
        return this.answerCounter(this.source.retired, csrWord.instretOffset, 2);
      case 0xc01:
        return this.answerCount(this.source.ticks);
      case 0xf14:
        return this.answer(this.source.hartId, 0);
      case 0xf11: // mvendorid, marchid, mimpid: not a commercial implementation; no configuration structure
      case 0xf12:
      case 0xf13:
      case 0xf15:
        return this.answer(0, 0);
    }
    if (number >= 0x3b0 && number < 0x3b0 + PMP_ENTRIES) {
      return this.answerSlot(WORD.pmpaddr + 2 * (number - 0x3b0));
    }
    if (number === 0x3a0) return this.answerSlot(csrWord.pmpcfgLow);
    if (number === 0x3a2) return this.answerSlot(csrWord.pmpcfgHigh);
    return isZeroCounter(number) && this.answer(0, 0);
  }

  /**
   * Low word that set and clear instructions start from. For mip these are the bits set by software: a device's line
   * must not stick because another bit was changed (section 3.1.9).
   */
  updateBase(number: number): number {
    return number === 0x144 || number === 0x344 ? this.softwarePending : this.low;
  }

  private get dirty(): number {
    return (this.state.mstatus & Status.FS) === Status.FS ? STATUS_DIRTY : 0;
  }

  private answer(low: number, high: number): boolean {
    this.low = low | 0;
    this.high = high | 0;
    return true;
  }

  /** A whole number below 2^53. */
  private answerCount(count: number): boolean {
    const high = Math.floor(count / 2 ** 32);
    return this.answer(count - high * 2 ** 32, high);
  }

  private answerSlot(index: number): boolean {
    return this.answer(this.state.low(index), this.state.high(index));
  }

  /** A counter is its source plus an offset; while inhibited, the offset alone. */
  private answerCounter(count: number, offset: number, counter: number): boolean {
    const { state } = this;
    const inhibited = ((state.low(csrWord.mcountinhibit) >>> counter) & 1) === 1;
    if (inhibited) return this.answerSlot(offset);
    if (state.low(offset) === 0 && state.high(offset) === 0) {
      return this.answerCount(count);
    }
    const sum = BigInt.asIntN(64, state.getBigInt(offset) + BigInt(count));
    return this.answer(Number(sum & 0xffffffffn), Number(sum >> 32n));
  }

  /** Writes the writable bits of a register. Returns the effects as bits of `CsrEffect`, or ILLEGAL. */
  write(number: number, low: number, high: number): number {
    const { state } = this;
    if (storageWord[number] !== 0) return this.writeStorage(number, low, high);
    switch (number) {
      case 0x001:
        return this.writeFloat(low, state.low(WORD.frm));
      case 0x002:
        return this.writeFloat(state.low(WORD.fflags), low);
      case 0x003:
        return this.writeFloat(low, low >> 5);
      case 0x100:
        return this.writeStatus(low, SSTATUS_WRITABLE);
      case 0x104:
        return this.writeMasked(csrWord.mie, low, state.low(csrWord.mideleg));
      case 0x144:
        return this.writeMasked(
          csrWord.mipSoftware,
          low,
          state.low(csrWord.mideleg) & bit(Interrupt.SupervisorSoftware),
        );
      case 0x180:
        return this.writeSatp(low, high);
      case 0x300:
        return this.writeStatus(low, STATUS_WRITABLE);
      case 0x301: // no extension can be switched off
        return CsrEffect.None;
      case 0x320:
        return this.writeInhibit(low);
      case 0x344:
        return this.writeMasked(
          csrWord.mipSoftware,
          low,
          this.comparatorOn ? SUPERVISOR_INTERRUPTS & ~bit(Interrupt.SupervisorTimer) : SUPERVISOR_INTERRUPTS,
        );
      case 0xb00:
        return this.writeCounter(this.source.executed, csrWord.cycleOffset, 0, low, high);
      case 0xb02:
        // The write takes effect after this instruction, which is therefore not counted.
        return this.writeCounter(this.source.retired + 1, csrWord.instretOffset, 2, low, high);
      case 0x3a0:
        this.pmp.writeConfig(0, low, high);
        return CsrEffect.Translation;
      case 0x3a2:
        this.pmp.writeConfig(8, low, high);
        return CsrEffect.Translation;
    }
    if (number >= 0x3b0 && number < 0x3b0 + PMP_ENTRIES) {
      this.pmp.writeAddress(number - 0x3b0, low, high);
      return CsrEffect.Translation;
    }
    return isZeroCounter(number) && number < 0xc00 ? CsrEffect.None : ILLEGAL;
  }

  private writeStorage(number: number, low: number, high: number): number {
    // Trap vector modes from 2 on are reserved; such a write changes nothing.
    if ((number === 0x105 || number === 0x305) && (low & 2) !== 0) return CsrEffect.None;
    const maskLow = writableLow[number] ?? 0;
    const maskHigh = writableHigh[number] ?? 0;
    if (number === MENVCFG || number === SENVCFG)
      return this.writeEnvironment(number, low & maskLow, high & maskHigh);
    this.state.set(storageWord[number] ?? 0, low & maskLow, high & maskHigh);
    if (number === STIMECMP) return CsrEffect.Comparator;
    return number === 0x303 || number === 0x304 ? CsrEffect.Interrupts : CsrEffect.None;
  }

  /** Writing the reserved value of CBIE leaves that field unchanged. */
  private writeEnvironment(number: number, low: number, high: number): number {
    const { CBIE } = EnvironmentConfig;
    const word = storageWord[number] ?? 0;
    const invalidate = (low & CBIE) === CBIE_RESERVED ? this.state.low(word) & CBIE : low & CBIE;
    this.state.set(word, (low & ~CBIE) | invalidate, high);
    this.state.updateBlockZeroing();
    return number === MENVCFG ? CsrEffect.Comparator | CsrEffect.Translation : CsrEffect.None;
  }

  /** A reserved rounding mode can be written; instructions that would use it are illegal. */
  private writeFloat(fflags: number, frm: number): number {
    this.state.setFloatControl(fflags & 0x1f, frm & 7);
    this.state.setFloatDirty();
    return CsrEffect.None;
  }

  private writeMasked(index: number, low: number, mask: number): number {
    this.state.words[index] = (this.state.low(index) & ~mask) | (low & mask);
    return CsrEffect.Interrupts;
  }

  private writeStatus(low: number, mask: number): number {
    const old = this.state.mstatus;
    let status = (old & ~mask) | (low & mask);
    // There is no privilege 2: the field keeps its value.
    if ((status & Status.MPP) >> MPP_SHIFT === 2) status = (status & ~Status.MPP) | (old & Status.MPP);
    this.state.setStatus(status);
    return CsrEffect.Interrupts;
  }

  /** Writing an unsupported mode has no effect at all (section 4.1.11). */
  private writeSatp(low: number, high: number): number {
    if (!isTranslationMode(high >>> 28)) return CsrEffect.None;
    const oldHigh = this.state.high(csrWord.satp);
    // As in QEMU: writing the same value drops no translations. A guest that changed its tables executes sfence.vma.
    if (high === oldHigh && low === this.state.low(csrWord.satp)) return CsrEffect.None;
    this.state.set(csrWord.satp, low, high);
    return high >>> 28 === oldHigh >>> 28 ? CsrEffect.AddressSpace : CsrEffect.Translation;
  }

  private writeInhibit(low: number): number {
    const wanted = low & INHIBITABLE;
    const changed = wanted ^ this.state.low(csrWord.mcountinhibit);
    if ((changed & 1) !== 0) this.toggleCounter(this.source.executed, csrWord.cycleOffset, 0);
    if ((changed & 4) !== 0) this.toggleCounter(this.source.retired, csrWord.instretOffset, 2);
    this.state.words[csrWord.mcountinhibit] = wanted;
    return CsrEffect.None;
  }

  /** Keeps a counter's value when its inhibition changes. */
  private toggleCounter(count: number, offset: number, counter: number): void {
    const inhibited = ((this.state.low(csrWord.mcountinhibit) >>> counter) & 1) === 1;
    const change = BigInt(count);
    this.state.setBigInt(offset, this.state.getBigInt(offset) + (inhibited ? -change : change));
  }

  private writeCounter(count: number, offset: number, counter: number, low: number, high: number): number {
    this.state.set(offset, low, high);
    const inhibited = ((this.state.low(csrWord.mcountinhibit) >>> counter) & 1) === 1;
    if (!inhibited) this.state.setBigInt(offset, this.state.getBigInt(offset) - BigInt(count));
    return CsrEffect.None;
  }
}

/** Counters 3 to 31 and their event selectors: they exist, and are always zero. */
function isZeroCounter(number: number): boolean {
  const index = number & 0x1f;
  const bank = number & ~0x1f;
  return index >= 3 && (bank === 0x320 || bank === 0xb00 || bank === 0xc00);
}
