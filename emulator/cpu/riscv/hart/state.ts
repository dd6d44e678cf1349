import { csrWord, LAYOUT, STATE_BYTES, TLB_ENTRIES, TLB_ENTRY_BYTES, WORD } from "./layout.ts";

/** Privilege levels (privileged ISA, table 1.1). */
export const Privilege = { User: 0, Supervisor: 1, Machine: 3 } as const;

/** Fields of mstatus below bit 32 (privileged ISA, section 3.1.6). */
export const Status = {
  SIE: 1 << 1,
  MIE: 1 << 3,
  SPIE: 1 << 5,
  MPIE: 1 << 7,
  SPP: 1 << 8,
  MPP: 3 << 11,
  FS: 3 << 13,
  MPRV: 1 << 17,
  SUM: 1 << 18,
  MXR: 1 << 19,
  TVM: 1 << 20,
  TW: 1 << 21,
  TSR: 1 << 22,
} as const;
export const MPP_SHIFT = 11;
export const FS_SHIFT = 13;
/** `rounding` while no mode is open to generated code, and with the mode of each rm field; rm 7 is the dynamic one. */
export const ROUNDING_CLOSED = 0x80808080 | 0;
export const ROUNDING_LOW = 0x03020100;
export const ROUNDING_HIGH = 0x00060504;
export const DYNAMIC_SHIFT = 24;
/** Value of the FS field when registers may have changed since they were saved. */
export const FLOAT_DIRTY = 3;
/** Accrued exceptions (unprivileged ISA, section 13.2). */
export const FloatFlag = { NX: 1, UF: 2, OF: 4, DZ: 8, NV: 16 } as const;
export const SPP_SHIFT = 8;

/** Bits in the low part of a data tag, in addition to the privilege. Different modes see different translations. */
const MODE_SUM = 1 << 2;
const MODE_MXR = 1 << 3;
/** In a tag: the page is a known device page. Generated code never matches it. */
const TAG_DEVICE = 1 << 4;
/** Fourth word of a global entry, which holds in every address space. */
const GLOBAL = 1;
/** Matches no address and mode. */
const INVALID_TAG = -1;

/** Fields of menvcfg and senvcfg (section 2.1): what less privileged modes may execute. */
export const EnvironmentConfig = {
  /** What cbo.inval does: 0 illegal, 1 flush, 3 invalidate. 2 is reserved. */
  CBIE: 3 << 4,
  /** cbo.clean and cbo.flush may be executed. */
  CBCFE: 1 << 6,
  /** cbo.zero may be executed. */
  CBZE: 1 << 7,
} as const;

/** The ASID field of satp, in its high word. */
const ASID_SHIFT = 12;
export const ASID_MASK = 0xffff;

/** Fills that are listed; with more, a flush visits all entries instead, which is then as fast. */
const MOST_FILLS = 4096;

/**
 * Lists the entries of the translation buffers that were filled. Clearing only those costs in proportion to the page
 * walks that filled them, whereas visiting all would cost a guest that changes its address space at every system call
 * the full price each time.
 */
class FillList {
  count = 0;
  overflown = false;
  private readonly indices = new Int32Array(MOST_FILLS);

  add(index: number): void {
    if (this.count < MOST_FILLS) this.indices[this.count++] = index;
    else this.overflown = true;
  }

  at(place: number): number {
    return this.indices[place] ?? 0;
  }

  clear(): void {
    this.count = 0;
    this.overflown = false;
  }
}

/** A hart's block of the WebAssembly memory, and views of it and of guest RAM. */
export class HartState {
  readonly memory: WebAssembly.Memory;
  readonly offset: number;
  /** The block as 32-bit words; see `WORD` and `csrWord`. */
  words: Int32Array;
  /** The whole WebAssembly memory: `view` for unaligned accesses, and by element, which is faster. */
  view: DataView;
  bytes: Uint8Array;
  halfwords: Uint16Array;
  memoryWords: Int32Array;
  /** Large pages, by `largePage`, that were translated since the buffers were last empty. */
  private readonly largePages = new Set<number>();
  /** Entries filled since the buffers were last empty: those of the current address space, and global ones. */
  private readonly localFills = new FillList();
  private readonly globalFills = new FillList();
  /** By translation buffer entry, in the order of the block: physical addresses, which do not fit in a word. */
  private readonly devicePages = new Float64Array(LAYOUT.jumpCache / TLB_ENTRY_BYTES);

  constructor(memory: WebAssembly.Memory, offset: number) {
    if (offset % 65_536 !== 0) throw new RangeError(`hart state at ${offset}: not a multiple of 65536`);
    if (offset + STATE_BYTES > memory.buffer.byteLength) {
      throw new RangeError(
        `hart state of ${STATE_BYTES} bytes at ${offset} reaches beyond the memory of ${memory.buffer.byteLength}; create the memory larger`,
      );
    }
    this.memory = memory;
    this.offset = offset;
    const { buffer } = memory;
    this.words = new Int32Array(buffer, offset, STATE_BYTES / 4);
    this.view = new DataView(buffer);
    this.bytes = new Uint8Array(buffer);
    this.halfwords = new Uint16Array(buffer);
    this.memoryWords = new Int32Array(buffer);
  }

  /** Recreates the views if the memory has grown. */
  refreshViews(): void {
    const { buffer } = this.memory;
    if (this.view.buffer === buffer) return;
    this.words = new Int32Array(buffer, this.offset, STATE_BYTES / 4);
    this.view = new DataView(buffer);
    this.bytes = new Uint8Array(buffer);
    this.halfwords = new Uint16Array(buffer);
    this.memoryWords = new Int32Array(buffer);
  }

  /** Sets the low word at `index`, and the high word after it. */
  set(index: number, low: number, high: number): void {
    this.words[index] = low;
    this.words[index + 1] = high;
  }

  /** A whole number from 0 to below 2^53. */
  number(index: number): number {
    return this.high(index) * 2 ** 32 + (this.low(index) >>> 0);
  }

  setNumber(index: number, value: number): void {
    this.set(index, (value % 2 ** 32) | 0, Math.floor(value / 2 ** 32));
  }

  low(index: number): number {
    return this.words[index] ?? 0;
  }

  high(index: number): number {
    return this.words[index + 1] ?? 0;
  }

  getBigInt(index: number): bigint {
    return this.view.getBigUint64(this.offset + 4 * index, true);
  }

  setBigInt(index: number, value: bigint): void {
    this.view.setBigUint64(this.offset + 4 * index, BigInt.asUintN(64, value), true);
  }

  get privilege(): number {
    return this.low(csrWord.privilege);
  }

  get mstatus(): number {
    return this.low(csrWord.mstatus);
  }

  /** Privilege of loads and stores: MPRV lets machine mode borrow another's (privileged ISA, section 3.1.6.3). */
  get dataPrivilege(): number {
    const { privilege, mstatus } = this;
    if (privilege !== Privilege.Machine || (mstatus & Status.MPRV) === 0) return privilege;
    return (mstatus & Status.MPP) >> MPP_SHIFT;
  }

  setPrivilege(privilege: number): void {
    this.words[csrWord.privilege] = privilege;
    this.updateModes();
  }

  setStatus(mstatus: number): void {
    this.words[csrWord.mstatus] = mstatus;
    this.updateModes();
  }

  private updateModes(): void {
    const { mstatus, dataPrivilege } = this;
    let mode = dataPrivilege;
    if (dataPrivilege !== Privilege.Machine) {
      if ((mstatus & Status.SUM) !== 0 && dataPrivilege === Privilege.Supervisor) mode |= MODE_SUM;
      if ((mstatus & Status.MXR) !== 0) mode |= MODE_MXR;
    }
    this.set(WORD.fetchMode, this.privilege, 0);
    this.set(WORD.dataMode, mode, 0);
    this.updateFloat();
    this.updateBlockZeroing();
  }

  /** Whether a field of `EnvironmentConfig` is granted: to supervisors by machine mode, to users by both. */
  environmentGrants(field: number): boolean {
    const { privilege } = this;
    if (privilege === Privilege.Machine) return true;
    if ((this.low(csrWord.menvcfg) & field) === 0) return false;
    return privilege === Privilege.Supervisor || (this.low(csrWord.senvcfg) & field) !== 0;
  }

  /** Tells generated code whether cbo.zero may be executed. */
  updateBlockZeroing(): void {
    this.words[WORD.blockZeroing] = Number(this.environmentGrants(EnvironmentConfig.CBZE));
  }

  /** Marks floating-point registers as dirty, so that generated code may write them. */
  setFloatDirty(): void {
    this.setStatus(this.mstatus | Status.FS);
  }

  /** Sets accrued exceptions and the dynamic rounding mode. */
  setFloatControl(fflags: number, frm: number): void {
    this.words[WORD.fflags] = fflags;
    this.words[WORD.frm] = frm;
    this.updateFloat();
  }

  /** Recomputes what generated code sees of this: whether it may use the registers, and how it may round. */
  private updateFloat(): void {
    const status = (this.mstatus & Status.FS) >> FS_SHIFT;
    const mayRound = status === FLOAT_DIRTY && (this.low(WORD.fflags) & FloatFlag.NX) !== 0;
    const closed = mayRound ? 0 : ROUNDING_CLOSED;
    const dynamic = this.low(WORD.frm) << DYNAMIC_SHIFT;
    this.words[WORD.floatStatus] = status;
    this.set(WORD.rounding, ROUNDING_LOW | closed, ROUNDING_HIGH | dynamic | closed);
  }

  /** Empties the translation buffers, whatever they hold. */
  resetTlb(): void {
    this.words.fill(INVALID_TAG, LAYOUT.readTlb / 4, LAYOUT.single / 4);
    this.localFills.clear();
    this.globalFills.clear();
    this.largePages.clear();
  }

  /** Drops every translation. */
  flushTlb(): void {
    const { localFills, globalFills } = this;
    if (localFills.overflown || globalFills.overflown) {
      this.resetTlb();
      return;
    }
    this.dropFills(localFills, false);
    this.dropFills(globalFills, false);
    if (this.largePages.size > 0) this.largePages.clear();
  }

  /** Drops the translations of the current address space, but not global ones. */
  leaveAddressSpace(): void {
    const { words, localFills } = this;
    if (localFills.overflown) {
      for (let index = LAYOUT.readTlb / 4; index < LAYOUT.single / 4; index += TLB_ENTRY_BYTES / 4) {
        if (words[index + 3] !== GLOBAL) words[index] = INVALID_TAG;
      }
      localFills.clear();
    } else {
      this.dropFills(localFills, true);
    }
  }

  /** Drops the listed entries, except, on request, global ones that have replaced what was listed; empties the list. */
  private dropFills(fills: FillList, keepGlobal: boolean): void {
    const { words } = this;
    for (let i = 0; i < fills.count; i++) {
      const index = fills.at(i);
      if (!keepGlobal || words[index + 3] !== GLOBAL) words[index] = INVALID_TAG;
    }
    fills.clear();
  }

  /** The current address space: the ASID field of satp. */
  get addressSpace(): number {
    return (this.high(csrWord.satp) >>> ASID_SHIFT) & ASID_MASK;
  }

  /** Notes that an address was translated by a leaf of a level above 0, any part of which the buffers may hold. */
  noteLargePage(virtualLow: number, virtualHigh: number, level: number): void {
    this.largePages.add(largePage(virtualLow, virtualHigh, level));
  }

  /** Drops the translation of one address. If that is in a large page, drops everything. */
  flushTlbPage(virtualLow: number, virtualHigh: number): void {
    if (this.largePages.size > 0) {
      for (let level = 1; level < 5; level++) {
        if (this.largePages.has(largePage(virtualLow, virtualHigh, level))) {
          this.flushTlb();
          return;
        }
      }
    }
    this.dropTlbEntry(LAYOUT.readTlb, virtualLow);
    this.dropTlbEntry(LAYOUT.writeTlb, virtualLow);
    this.dropTlbEntry(LAYOUT.jumpCache, virtualLow);
  }

  /** Drops the locations of decoded pages, but not what is decoded. */
  flushJumpCache(): void {
    this.words.fill(INVALID_TAG, LAYOUT.jumpCache / 4, LAYOUT.single / 4);
  }

  private entryIndex(buffer: number, virtualLow: number): number {
    return (buffer + ((virtualLow >>> 12) & (TLB_ENTRIES - 1)) * TLB_ENTRY_BYTES) / 4;
  }

  /** Index of the entry for a page in a mode, or -1. */
  private findEntry(buffer: number, virtualLow: number, virtualHigh: number, mode: number): number {
    const index = this.entryIndex(buffer, virtualLow);
    const tag = (virtualLow & ~0xfff) | mode;
    return this.words[index] === tag && this.words[index + 1] === virtualHigh ? index : -1;
  }

  /** Enters the page of a data access, which is at `direct` in the WebAssembly memory. */
  fillTlb(buffer: number, virtualLow: number, virtualHigh: number, direct: number, global: boolean): void {
    const index = this.entryIndex(buffer, virtualLow);
    const page = virtualLow & ~0xfff;
    this.set(index, page | this.low(WORD.dataMode), virtualHigh);
    this.set(index + 2, direct - page, global ? GLOBAL : 0);
    this.noteFill(index, global);
  }

  /** Enters the page of a data access to a device; its physical address is kept in `devicePages`. */
  fillDeviceTlb(
    buffer: number,
    virtualLow: number,
    virtualHigh: number,
    physicalPage: number,
    global: boolean,
  ): void {
    const index = this.entryIndex(buffer, virtualLow);
    this.set(index, (virtualLow & ~0xfff) | this.low(WORD.dataMode) | TAG_DEVICE, virtualHigh);
    this.words[index + 3] = global ? GLOBAL : 0;
    this.devicePages[index >> 2] = physicalPage;
    this.noteFill(index, global);
  }

  /** Physical address of the device page that a virtual address is known to map to, or -1. */
  devicePage(buffer: number, virtualLow: number, virtualHigh: number): number {
    const index = this.findEntry(buffer, virtualLow, virtualHigh, this.low(WORD.dataMode) | TAG_DEVICE);
    return index < 0 ? -1 : (this.devicePages[index >> 2] ?? -1);
  }

  dropTlbEntry(buffer: number, virtualLow: number): void {
    this.words[this.entryIndex(buffer, virtualLow)] = INVALID_TAG;
  }

  /** Enters the page of an instruction, which is decoded at the WebAssembly address `records`. */
  fillJumpCache(virtualLow: number, virtualHigh: number, records: number, global: boolean): void {
    const index = this.entryIndex(LAYOUT.jumpCache, virtualLow);
    this.set(index, (virtualLow & ~0xfff) | this.low(WORD.fetchMode), virtualHigh);
    this.set(index + 2, records, global ? GLOBAL : 0);
    this.noteFill(index, global);
  }

  private noteFill(index: number, global: boolean): void {
    if (global) this.globalFills.add(index);
    else this.localFills.add(index);
  }

  /** WebAssembly address of the records of an instruction's page, or -1 if it is not in the buffer. */
  decodedPage(virtualLow: number, virtualHigh: number): number {
    const index = this.findEntry(LAYOUT.jumpCache, virtualLow, virtualHigh, this.low(WORD.fetchMode));
    return index < 0 ? -1 : this.low(index + 2);
  }

  /** Drops every entry through which stores would reach the page at `direct` unnoticed. */
  protectPage(direct: number): void {
    const { words } = this;
    for (let entry = 0; entry < TLB_ENTRIES; entry++) {
      const index = (LAYOUT.writeTlb + entry * TLB_ENTRY_BYTES) / 4;
      const page = (words[index] ?? 0) & ~0xfff;
      if (((words[index + 2] ?? 0) + page) >>> 0 === direct) words[index] = INVALID_TAG;
    }
  }
}

/** A number for the page of a level above 0 that holds an address: exact, since the numbers have at most 43 bits. */
function largePage(virtualLow: number, virtualHigh: number, level: number): number {
  const page = (virtualHigh >>> 0) * 2 ** 20 + (virtualLow >>> 12);
  return Math.floor(page / 512 ** level) * 8 + level;
}
