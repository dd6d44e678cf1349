/** Physical memory protection (privileged ISA 1.12, section 3.7): 16 entries, granularity of four bytes. */
import { csrWord, WORD } from "./layout.ts";
import { type HartState, Privilege } from "./state.ts";

export const PMP_ENTRIES = 16;

export const PMP_READ = 1;
export const PMP_WRITE = 2;
export const PMP_EXECUTE = 4;
const PMP_ALL = PMP_READ | PMP_WRITE | PMP_EXECUTE;
const MATCHING = 0x18;
const OFF = 0x00;
const TOR = 0x08;
const NA4 = 0x10;
const LOCK = 0x80;
/** Bits 5 and 6 are reserved. */
const CONFIG_BITS = LOCK | MATCHING | PMP_ALL;

/** Result of `pageRights` for a page whose accesses must be checked one by one. */
export const MIXED = -1;

export class Pmp {
  private readonly state: HartState;
  /** First byte of each entry, and the byte after its last; empty ranges match nothing. */
  private readonly starts = new Float64Array(PMP_ENTRIES);
  private readonly ends = new Float64Array(PMP_ENTRIES);
  /** No entry matches anything: machine mode may do everything, the others nothing. */
  private idle = true;

  constructor(state: HartState) {
    this.state = state;
  }

  private config(entry: number): number {
    const word = this.state.low(csrWord.pmpcfgLow + (entry >> 2));
    return (word >>> (8 * (entry & 3))) & 0xff;
  }

  /** pmpaddr in bytes. It is inexact beyond 2^53, but nothing is mapped there. */
  private address(entry: number): number {
    const index = WORD.pmpaddr + 2 * entry;
    return ((this.state.high(index) & 0x3fffff) * 2 ** 32 + (this.state.low(index) >>> 0)) * 4;
  }

  /** Recomputes the ranges; to be called after every change of a register. */
  update(): void {
    this.idle = true;
    for (let entry = 0; entry < PMP_ENTRIES; entry++) {
      const matching = this.config(entry) & MATCHING;
      let start = 0;
      let end = 0;
      const address = this.address(entry);
      if (matching === TOR) {
        start = entry === 0 ? 0 : this.address(entry - 1);
        end = address;
      } else if (matching === NA4) {
        start = address;
        end = address + 4;
      } else if (matching !== OFF) {
        const size = this.napotSize(entry);
        start = address - (address % size);
        end = start + size;
      }
      this.starts[entry] = start;
      this.ends[entry] = end;
      if (end > start) this.idle = false;
    }
  }

  /** Size of a NAPOT range: 8 bytes, doubled by each trailing one of the address (table 3.11). */
  private napotSize(entry: number): number {
    const index = WORD.pmpaddr + 2 * entry;
    const low = this.state.low(index);
    const high = this.state.high(index) & 0x3fffff;
    const trailing = low === -1 ? 32 + trailingOnes(high) : trailingOnes(low);
    return 2 ** (trailing + 3);
  }

  private rights(entry: number, privilege: number): number {
    const config = this.config(entry);
    return privilege === Privilege.Machine && (config & LOCK) === 0 ? PMP_ALL : config & PMP_ALL;
  }

  /** Whether an access of `bytes` bytes may be made. An entry that covers only part of it forbids it. */
  allows(physical: number, bytes: number, right: number, privilege: number): boolean {
    if (this.idle) return privilege === Privilege.Machine;
    const last = physical + bytes;
    for (let entry = 0; entry < PMP_ENTRIES; entry++) {
      const start = this.starts[entry] ?? 0;
      const end = this.ends[entry] ?? 0;
      if (last <= start || physical >= end) continue;
      if (physical < start || last > end) return false;
      return (this.rights(entry, privilege) & right) !== 0;
    }
    return privilege === Privilege.Machine;
  }

  /** The rights that hold throughout a 4 KiB page, or MIXED if they differ within it. */
  pageRights(page: number, privilege: number): number {
    const otherwise = privilege === Privilege.Machine ? PMP_ALL : 0;
    if (this.idle) return otherwise;
    const last = page + 4096;
    for (let entry = 0; entry < PMP_ENTRIES; entry++) {
      const start = this.starts[entry] ?? 0;
      const end = this.ends[entry] ?? 0;
      if (last <= start || page >= end) continue;
      if (page < start || last > end) return MIXED;
      return this.rights(entry, privilege);
    }
    return otherwise;
  }

  /** Writes the configurations of eight entries, from `first` up; locked ones are unchanged. */
  writeConfig(first: 0 | 8, low: number, high: number): void {
    for (let index = 0; index < 8; index++) {
      const entry = first + index;
      if ((this.config(entry) & LOCK) !== 0) continue;
      const byte = ((index < 4 ? low : high) >>> (8 * (index & 3))) & CONFIG_BITS;
      // Writable but not readable is reserved, and becomes neither.
      const legal = (byte & (PMP_READ | PMP_WRITE)) === PMP_WRITE ? byte & ~PMP_WRITE : byte;
      const word = csrWord.pmpcfgLow + (entry >> 2);
      const shift = 8 * (entry & 3);
      this.state.words[word] = (this.state.low(word) & ~(0xff << shift)) | (legal << shift);
    }
    this.update();
  }

  /** Ignored if the entry is locked, or is the lower bound of a locked one. */
  writeAddress(entry: number, low: number, high: number): void {
    if ((this.config(entry) & LOCK) !== 0) return;
    if (entry + 1 < PMP_ENTRIES) {
      const next = this.config(entry + 1);
      if ((next & LOCK) !== 0 && (next & MATCHING) === TOR) return;
    }
    this.state.set(WORD.pmpaddr + 2 * entry, low, high & 0x3fffff);
    this.update();
  }
}

function trailingOnes(value: number): number {
  return 31 - Math.clz32(~value & (value + 1));
}
