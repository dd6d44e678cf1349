/**
 * Address translation: bare, Sv39, Sv48 and Sv57 (privileged ISA 1.12, sections 4.3 to 4.6), and the check of the
 * result against physical memory protection.
 */
import { Cause, NO_FAULT } from "./causes.ts";
import type { HartDebug } from "./debug.ts";
import { csrWord } from "./layout.ts";
import type { PhysicalMemory } from "./physical.ts";
import { MIXED, PMP_EXECUTE, PMP_READ, PMP_WRITE, type Pmp } from "./pmp.ts";
import { type HartState, Privilege, Status } from "./state.ts";

/** What a translation is for. */
export const Access = { Read: 0, Write: 1, Execute: 2 } as const;
export type Access = (typeof Access)[keyof typeof Access];

const PAGE_FAULT = [Cause.LoadPageFault, Cause.StorePageFault, Cause.InstructionPageFault] as const;
const ACCESS_FAULT = [Cause.LoadAccessFault, Cause.StoreAccessFault, Cause.InstructionAccessFault] as const;
const RIGHT = [PMP_READ, PMP_WRITE, PMP_EXECUTE] as const;

export const accessFault = (access: Access): number => ACCESS_FAULT[access];

/** Page table entry bits (figure 4.18). */
const Pte = { V: 1, R: 2, W: 4, X: 8, U: 16, G: 32, A: 64, D: 128 } as const;
/** In the high word: N, PBMT and reserved bits, none of which are supported. */
const PTE_RESERVED_HIGH = 0xffc00000 | 0;
/** In the high word of menvcfg: accessed and dirty bits are set by hardware (Svadu). */
export const ENVCFG_ADUE_HIGH = 1 << 29;
/** Values of satp's mode: 8, 9 and 10 for tables of three, four and five levels. */
const SATP_SV39 = 8;
const SATP_SV57 = 10;
const LEVELS_LESS_MODE = 3 - SATP_SV39;
/** Bytes that a leaf of each level maps. */
const LEAF_BYTES = [2 ** 12, 2 ** 21, 2 ** 30, 2 ** 39, 2 ** 48] as const;

/** Whether satp supports this mode. */
export function isTranslationMode(mode: number): boolean {
  return mode === 0 || (mode >= SATP_SV39 && mode <= SATP_SV57);
}

export class Mmu {
  /** Physical address of the latest translation that succeeded. */
  physical = 0;
  /** Whether a translation buffer may hold the page: its rights are uniform, and no debugger observes it. */
  wholePage = false;
  /** Whether it holds in every address space: satp was not involved, or an entry is global (section 4.3.1). */
  global = false;
  /** Breakpoints and watchpoints, whose pages no buffer may hold. */
  debug: HartDebug | null = null;
  private readonly state: HartState;
  private readonly pmp: Pmp;
  private readonly memory: PhysicalMemory;

  constructor(state: HartState, pmp: Pmp, memory: PhysicalMemory) {
    this.state = state;
    this.pmp = pmp;
    this.memory = memory;
  }

  /**
   * Translates and checks an access that lies in one page. Returns NO_FAULT, with `physical`, `wholePage` and `global`
   * set, or the cause of the exception. Sets accessed and dirty bits, or faults on clear ones if menvcfg.ADUE is off.
   */
  translate(low: number, high: number, access: Access, bytes: number): number {
    const privilege = access === Access.Execute ? this.state.privilege : this.state.dataPrivilege;
    const mode = this.state.high(csrWord.satp) >>> 28;
    if (privilege !== Privilege.Machine && mode !== 0) {
      const fault = this.walk(low, high, access, privilege, mode + LEVELS_LESS_MODE);
      if (fault !== NO_FAULT) return fault;
    } else {
      // Numbers are exact to 2^53, and nothing is mapped beyond that.
      if (high >>> 0 >= 1 << 21) return ACCESS_FAULT[access];
      this.physical = (high >>> 0) * 2 ** 32 + (low >>> 0);
      this.global = true;
    }
    const right = RIGHT[access];
    const rights = this.pmp.pageRights(this.physical - (this.physical % 4096), privilege);
    this.wholePage = rights !== MIXED && !(this.debug?.active && this.debug.observes(low, high, access));
    const allowed =
      rights === MIXED ? this.pmp.allows(this.physical, bytes, right, privilege) : (rights & right) !== 0;
    return allowed ? NO_FAULT : ACCESS_FAULT[access];
  }

  /** Walks the page tables (section 4.3.2), with as many levels as the mode has. Sets `physical` and `global`. */
  private walk(low: number, high: number, access: Access, privilege: number, levels: number): number {
    // All bits from the highest translated one up must be equal.
    const upper = high >> (9 * levels - 21);
    if (upper !== 0 && upper !== -1) return PAGE_FAULT[access];
    const { state, memory } = this;
    let table = ((state.high(csrWord.satp) & 0xfff) * 2 ** 32 + (state.low(csrWord.satp) >>> 0)) * 4096;
    let global = 0;
    for (let level = levels - 1; level >= 0; level--) {
      const entryAddress = table + 8 * pageNumber(low, high, level);
      if (!this.pmp.allows(entryAddress, 8, PMP_READ, Privilege.Supervisor)) return ACCESS_FAULT[access];
      const entry = memory.read(entryAddress, 8);
      const entryHigh = memory.high;
      if (!memory.succeeded) return ACCESS_FAULT[access];
      if ((entry & Pte.V) === 0 || (entry & (Pte.R | Pte.W)) === Pte.W) return PAGE_FAULT[access];
      if ((entryHigh & PTE_RESERVED_HIGH) !== 0) return PAGE_FAULT[access];
      global |= entry & Pte.G; // for a table, of all that it maps
      const base = ((entryHigh & 0x3fffff) * 2 ** 22 + (entry >>> 10)) * 4096;
      if ((entry & (Pte.R | Pte.X)) === 0) {
        if ((entry & (Pte.A | Pte.D | Pte.U)) !== 0) return PAGE_FAULT[access];
        table = base;
        continue;
      }
      if (!this.permits(entry, access, privilege)) return PAGE_FAULT[access];
      const size = LEAF_BYTES[level] ?? 0;
      if (base % size !== 0) return PAGE_FAULT[access];
      const wanted = access === Access.Write ? Pte.A | Pte.D : Pte.A;
      if ((entry & wanted) !== wanted) {
        if ((state.high(csrWord.menvcfg) & ENVCFG_ADUE_HIGH) === 0) return PAGE_FAULT[access];
        if (!this.pmp.allows(entryAddress, 8, PMP_WRITE, Privilege.Supervisor)) return ACCESS_FAULT[access];
        memory.write(entryAddress, 8, entry | wanted, entryHigh);
        if (!memory.succeeded) return ACCESS_FAULT[access];
      }
      this.global = global !== 0;
      if (level > 0) state.noteLargePage(low, high, level);
      this.physical = base + offsetInLeaf(low, high, level);
      // Physical addresses have 56 bits; numbers are exact to 2^53 only.
      return this.physical < 2 ** 53 ? NO_FAULT : ACCESS_FAULT[access];
    }
    return PAGE_FAULT[access];
  }

  /** Steps 6 and 7: permission bits, SUM and MXR. */
  private permits(entry: number, access: Access, privilege: number): boolean {
    const { mstatus } = this.state;
    const userPage = (entry & Pte.U) !== 0;
    if (privilege === Privilege.User) {
      if (!userPage) return false;
    } else if (userPage && (access === Access.Execute || (mstatus & Status.SUM) === 0)) {
      return false;
    }
    switch (access) {
      case Access.Execute:
        return (entry & Pte.X) !== 0;
      case Access.Write:
        return (entry & Pte.W) !== 0;
      case Access.Read:
        return (entry & Pte.R) !== 0 || ((mstatus & Status.MXR) !== 0 && (entry & Pte.X) !== 0);
    }
  }
}

/** Nine bits of the virtual address per level, from bit 12 on. */
function pageNumber(low: number, high: number, level: number): number {
  if (level < 2) return (low >>> (12 + 9 * level)) & 511;
  if (level === 2) return ((low >>> 30) | (high << 2)) & 511;
  return (high >>> (9 * level - 20)) & 511;
}

/** The address bits below those that select the leaf. */
function offsetInLeaf(low: number, high: number, level: number): number {
  if (level < 3) return low & ((1 << (12 + 9 * level)) - 1);
  return (high & ((1 << (9 * level - 20)) - 1)) * 2 ** 32 + (low >>> 0);
}
