import type { AccessSize } from "#memory/bus";
import { Cause, NO_FAULT } from "./causes.ts";
import type { CodePages } from "./code-pages.ts";
import { LAYOUT, WORD } from "./layout.ts";
import { Access, accessFault, type Mmu } from "./mmu.ts";
import type { PhysicalMemory } from "./physical.ts";
import type { HartState } from "./state.ts";

/** Generated code can now repeat the access: its page is in the translation buffer. */
export const REPEAT = -1;
/** The same, but only once: the entry must be dropped after the instruction. */
export const REPEAT_ONCE = -2;

/**
 * Handles loads and stores that missed the translation buffers: fills the buffers where allowed, and performs the
 * accesses that they cannot serve: to devices, across pages, stores to code, in pages that memory protection divides.
 *
 * Misaligned accesses work everywhere, and are split as in QEMU: an access that crosses pages or hits a device is
 * loaded as two aligned accesses of the same size, or stored byte by byte.
 *
 * Methods return NO_FAULT when the access is done, REPEAT, or the cause of an exception, whose address is then in
 * `faultLow` and `faultHigh`.
 */
export class SlowAccess {
  /** Value loaded. Narrow ones are zero-extended. */
  low = 0;
  high = 0;
  faultLow = 0;
  faultHigh = 0;
  private readonly state: HartState;
  private readonly mmu: Mmu;
  private readonly memory: PhysicalMemory;
  private readonly codePages: CodePages;
  /** The two aligned values that a misaligned load is made of. */
  private readonly pair = new DataView(new ArrayBuffer(16));

  constructor(state: HartState, mmu: Mmu, memory: PhysicalMemory, codePages: CodePages) {
    this.state = state;
    this.mmu = mmu;
    this.memory = memory;
    this.codePages = codePages;
  }

  private fault(cause: number, low: number, high: number): number {
    this.faultLow = low;
    this.faultHigh = high;
    return cause;
  }

  private translate(low: number, high: number, access: Access, bytes: number): number {
    const cause = this.mmu.translate(low, high, access, bytes);
    return cause === NO_FAULT ? NO_FAULT : this.fault(cause, low, high);
  }

  private directPage(access: Access): number {
    const { physical } = this.mmu;
    return this.memory.directPage(physical - (physical % 4096), access === Access.Read ? "read" : "write");
  }

  /** Loads from the address that generated code left. */
  load(bytes: AccessSize): number {
    const low = this.state.low(WORD.address);
    const high = this.state.high(WORD.address);
    const device = this.state.devicePage(LAYOUT.readTlb, low, high);
    if (device >= 0 && (low & (bytes - 1)) === 0) {
      return this.loadFromBus(low, high, device + (low & 0xfff), bytes);
    }
    const inFirst = Math.min(bytes, 4096 - (low & 0xfff));
    const cause = this.translate(low, high, Access.Read, inFirst);
    if (cause !== NO_FAULT) return cause;
    if (inFirst < bytes) return this.loadSplit(low, high, bytes);
    const direct = this.directPage(Access.Read);
    if (direct < 0) {
      if ((low & (bytes - 1)) !== 0) return this.loadSplit(low, high, bytes);
      const { physical } = this.mmu;
      this.rememberDevice(LAYOUT.readTlb, low, high);
      return this.loadFromBus(low, high, physical, bytes);
    }
    if (this.mmu.wholePage) {
      this.state.fillTlb(LAYOUT.readTlb, low, high, direct, this.mmu.global);
      return REPEAT;
    }
    this.low = this.memory.readDirect(direct + (low & 0xfff), bytes);
    this.high = this.memory.high;
    return NO_FAULT;
  }

  /** Remembers a device page, so that the next access to it needs no translation. */
  private rememberDevice(buffer: number, low: number, high: number): void {
    const { physical, wholePage, global } = this.mmu;
    if (wholePage) this.state.fillDeviceTlb(buffer, low, high, physical - (physical % 4096), global);
  }

  private loadFromBus(low: number, high: number, physical: number, bytes: AccessSize): number {
    this.low = this.memory.readBus(physical, bytes);
    this.high = this.memory.high;
    return this.memory.failed ? this.fault(accessFault(Access.Read), low, high) : NO_FAULT;
  }

  private loadSplit(low: number, high: number, bytes: AccessSize): number {
    const { pair } = this;
    const first = low & -bytes;
    for (let part = 0; part < 2; part++) {
      const partLow = (first + part * bytes) | 0;
      const partHigh = part === 1 && partLow === 0 ? (high + 1) | 0 : high;
      const cause = this.loadAligned(partLow, partHigh, bytes);
      if (cause !== NO_FAULT) return cause;
      pair.setInt32(part * bytes, this.low, true);
      if (bytes === 8) pair.setInt32(part * bytes + 4, this.high, true);
    }
    const offset = low & (bytes - 1);
    this.high = 0;
    if (bytes === 2) {
      this.low = pair.getUint16(offset, true);
    } else {
      this.low = pair.getInt32(offset, true);
      if (bytes === 8) this.high = pair.getInt32(offset + 4, true);
    }
    return NO_FAULT;
  }

  private loadAligned(low: number, high: number, bytes: AccessSize): number {
    const cause = this.translate(low, high, Access.Read, bytes);
    if (cause !== NO_FAULT) return cause;
    const direct = this.directPage(Access.Read);
    if (direct < 0) return this.loadFromBus(low, high, this.mmu.physical, bytes);
    this.low = this.memory.readDirect(direct + (low & 0xfff), bytes);
    this.high = this.memory.high;
    return NO_FAULT;
  }

  /** Stores to the address that generated code left. */
  store(bytes: AccessSize, valueLow: number, valueHigh: number): number {
    const low = this.state.low(WORD.address);
    const high = this.state.high(WORD.address);
    const device = this.state.devicePage(LAYOUT.writeTlb, low, high);
    if (device >= 0 && (low & (bytes - 1)) === 0) {
      return this.storeToBus(low, high, device + (low & 0xfff), bytes, valueLow, valueHigh);
    }
    const crossing = (low & 0xfff) + bytes > 4096;
    const inFirst = crossing ? 4096 - (low & 0xfff) : bytes;
    const cause = this.translate(low, high, Access.Write, inFirst);
    if (cause !== NO_FAULT) return cause;
    if (crossing) return this.storeCrossing(low, high, bytes, valueLow, valueHigh);
    const direct = this.directPage(Access.Write);
    if (direct < 0) {
      if ((low & (bytes - 1)) !== 0) {
        return this.storeBytes(low, high, this.mmu.physical, valueLow, valueHigh, 0, bytes);
      }
      const { physical } = this.mmu;
      this.rememberDevice(LAYOUT.writeTlb, low, high);
      return this.storeToBus(low, high, physical, bytes, valueLow, valueHigh);
    }
    if (this.mmu.wholePage && !this.codePages.isCode(direct)) {
      this.state.fillTlb(LAYOUT.writeTlb, low, high, direct, this.mmu.global);
      return REPEAT;
    }
    this.memory.writeDirect(direct + (low & 0xfff), bytes, valueLow, valueHigh);
    return NO_FAULT;
  }

  private storeToBus(
    low: number,
    high: number,
    physical: number,
    bytes: AccessSize,
    valueLow: number,
    valueHigh: number,
  ): number {
    this.memory.writeBus(physical, bytes, valueLow, valueHigh);
    return this.memory.failed ? this.fault(accessFault(Access.Write), low, high) : NO_FAULT;
  }

  /** Both pages must be writable before either is written. */
  private storeCrossing(
    low: number,
    high: number,
    bytes: AccessSize,
    valueLow: number,
    valueHigh: number,
  ): number {
    const firstPhysical = this.mmu.physical;
    const inFirst = 4096 - (low & 0xfff);
    const nextLow = (low + inFirst) | 0;
    const nextHigh = nextLow === 0 ? (high + 1) | 0 : high;
    const cause = this.translate(nextLow, nextHigh, Access.Write, bytes - inFirst);
    if (cause !== NO_FAULT) return cause;
    const nextPhysical = this.mmu.physical;
    const firstCause = this.storeBytes(low, high, firstPhysical, valueLow, valueHigh, 0, inFirst);
    if (firstCause !== NO_FAULT) return firstCause;
    return this.storeBytes(nextLow, nextHigh, nextPhysical, valueLow, valueHigh, inFirst, bytes);
  }

  /**
   * Stores bytes `first` to before `end` of a value, one by one; xtval is the address of the byte that failed
   * (privileged ISA, section 3.1.16).
   */
  private storeBytes(
    low: number,
    high: number,
    physical: number,
    valueLow: number,
    valueHigh: number,
    first: number,
    end: number,
  ): number {
    for (let index = first; index < end; index++) {
      const byte = ((index < 4 ? valueLow : valueHigh) >>> (8 * (index & 3))) & 0xff;
      this.memory.write(physical + index - first, 1, byte, 0);
      if (!this.memory.succeeded)
        return this.fault(accessFault(Access.Write), (low + index - first) | 0, high);
    }
    return NO_FAULT;
  }

  /**
   * Prepares the translation buffer for an atomic. Atomics must be aligned and work only in RAM; elsewhere they are
   * access faults. Never returns NO_FAULT: generated code performs the access.
   */
  atomic(bytes: AccessSize, reads: boolean): number {
    const access = reads ? Access.Read : Access.Write;
    const low = this.state.low(WORD.address);
    const high = this.state.high(WORD.address);
    if ((low & (bytes - 1)) !== 0) {
      return this.fault(reads ? Cause.LoadMisaligned : Cause.StoreMisaligned, low, high);
    }
    const cause = this.translate(low, high, access, bytes);
    if (cause !== NO_FAULT) return cause;
    const direct = this.directPage(access);
    if (direct < 0) return this.fault(accessFault(access), low, high);
    this.state.fillTlb(reads ? LAYOUT.readTlb : LAYOUT.writeTlb, low, high, direct, this.mmu.global);
    return this.mmu.wholePage && (reads || !this.codePages.isCode(direct)) ? REPEAT : REPEAT_ONCE;
  }

  /** To be called after an instruction for which `atomic` returned REPEAT_ONCE. */
  endAtomic(bytes: AccessSize, reads: boolean): void {
    const low = this.state.low(WORD.address);
    this.state.dropTlbEntry(reads ? LAYOUT.readTlb : LAYOUT.writeTlb, low);
    if (reads) return;
    const { physical } = this.mmu;
    const direct = this.directPage(Access.Write);
    this.codePages.written(direct + (physical % 4096), bytes);
  }
}
