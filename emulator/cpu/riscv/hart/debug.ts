/** Debugger support of a hart: breakpoints, watchpoints, and address translation that the guest does not notice. */
import type { PhysicalBus } from "#memory/bus";
import { csrWord } from "./layout.ts";
import { Access } from "./mmu.ts";
import { type HartState, Privilege } from "./state.ts";

/** Which accesses end the run. */
export type WatchKind = "read" | "write" | "access";

export interface Watchpoint {
  readonly kind: WatchKind;
  /** Virtual address, unsigned. */
  readonly address: bigint;
  readonly length: number;
}

/**
 * Why a run returned "exit" early. In both cases the instruction has not been executed; GDB expects that of watchpoints
 * on RISC-V, too.
 */
export type DebugHit =
  | { readonly kind: "breakpoint" }
  | { readonly kind: "watchpoint"; readonly watchpoint: Watchpoint };

/** Levels of page tables by the mode in satp: Sv39, Sv48, Sv57 (privileged ISA, section 4.1.11). */
const LEVELS: Readonly<Record<number, number>> = { 8: 3, 9: 4, 10: 5 };
const VALID = 1n;
const READ_OR_EXECUTE = 0xan;
const PAGE = 4096;

/**
 * Breakpoints and watchpoints are virtual addresses, whatever they translate to. A page that has one never enters a
 * translation buffer or the cache of decoded pages (see `Mmu.wholePage`), so that each of its instructions or accesses
 * passes through TypeScript, which compares the address. Other pages, and harts without points, run at full speed.
 */
export class HartDebug {
  /** There are breakpoints or watchpoints. */
  active = false;
  /** What ended the latest run; the caller of `run` resets it. */
  hit: DebugHit | null = null;
  private readonly state: HartState;
  private readonly bus: PhysicalBus;
  private readonly flush: () => void;
  /** Number of breakpoints that have been set at each address. */
  private readonly breakpoints = new Map<bigint, number>();
  private watchpoints: Watchpoint[] = [];
  /** Numbers of virtual pages that have breakpoints or watchpoints. */
  private readonly codePages = new Set<number>();
  private readonly dataPages = new Set<number>();

  /** @param flush drops all translations. */
  constructor(state: HartState, bus: PhysicalBus, flush: () => void) {
    this.state = state;
    this.bus = bus;
    this.flush = flush;
  }

  addBreakpoint(address: bigint): void {
    this.breakpoints.set(address, (this.breakpoints.get(address) ?? 0) + 1);
    this.changed();
  }

  /** False if there is none. */
  removeBreakpoint(address: bigint): boolean {
    const count = this.breakpoints.get(address) ?? 0;
    if (count > 1) this.breakpoints.set(address, count - 1);
    else this.breakpoints.delete(address);
    this.changed();
    return count > 0;
  }

  addWatchpoint(watchpoint: Watchpoint): void {
    this.watchpoints.push(watchpoint);
    this.changed();
  }

  /** False if there is none. */
  removeWatchpoint({ kind, address, length }: Watchpoint): boolean {
    const index = this.watchpoints.findIndex(
      (each) => each.kind === kind && each.address === address && each.length === length,
    );
    if (index < 0) return false;
    this.watchpoints.splice(index, 1);
    this.changed();
    return true;
  }

  removeAll(): void {
    this.breakpoints.clear();
    this.watchpoints = [];
    this.changed();
  }

  private changed(): void {
    this.codePages.clear();
    for (const address of this.breakpoints.keys()) this.codePages.add(pageNumber(address));
    this.dataPages.clear();
    for (const { address, length } of this.watchpoints) {
      const last = pageNumber(address + BigInt(length - 1));
      for (let page = pageNumber(address); page <= last; page++) this.dataPages.add(page);
    }
    this.active = this.breakpoints.size > 0 || this.watchpoints.length > 0;
    this.flush();
  }

  /** Whether a page must be kept out of the buffers that serve this kind of access. */
  observes(low: number, high: number, access: Access): boolean {
    const page = (high >>> 0) * 2 ** 20 + (low >>> 12);
    return access === Access.Execute ? this.codePages.has(page) : this.dataPages.has(page);
  }

  /** Called before the instruction at this address is executed. True, with `hit` set, if it must not be. */
  stopsAt(low: number, high: number): boolean {
    if (!this.breakpoints.has(unsigned(low, high))) return false;
    this.hit = { kind: "breakpoint" };
    return true;
  }

  /** Called before an instruction accesses these bytes. True, with `hit` set, if the access is watched. */
  watches(low: number, high: number, bytes: number, reads: boolean, writes: boolean): boolean {
    const address = unsigned(low, high);
    const watchpoint = this.watchpoints.find(
      (each) =>
        address < each.address + BigInt(each.length) &&
        each.address < address + BigInt(bytes) &&
        (each.kind === "access" || (each.kind === "read" ? reads : writes)),
    );
    if (watchpoint === undefined) return false;
    this.hit = { kind: "watchpoint", watchpoint };
    return true;
  }

  /**
   * Physical address to which a virtual one currently translates for loads, or -1. Permissions are not checked, no
   * accessed bit is set, and page tables are read from memory only.
   */
  translate(address: bigint): number {
    return this.walk(address, this.state.dataPrivilege);
  }

  /** The same for fetches, which MPRV does not affect. */
  translateFetch(address: bigint): number {
    return this.walk(address, this.state.privilege);
  }

  private walk(address: bigint, privilege: number): number {
    const { state, bus } = this;
    const satp = state.getBigInt(csrWord.satp);
    const levels = LEVELS[Number(satp >> 60n)];
    if (privilege === Privilege.Machine || levels === undefined)
      return address < 2n ** 53n ? Number(address) : -1;
    const bits = 12 + 9 * levels;
    if (BigInt.asUintN(64, BigInt.asIntN(bits, address)) !== address) return -1;
    let table = (satp & (2n ** 44n - 1n)) * 4096n;
    for (let level = levels - 1; level >= 0; level--) {
      const shift = BigInt(12 + 9 * level);
      const entryAddress = Number(table + ((address >> shift) & 511n) * 8n);
      const direct = bus.directPage(entryAddress - (entryAddress % PAGE), "read");
      if (direct < 0) return -1;
      const entry = state.view.getBigUint64(direct + (entryAddress % PAGE), true);
      if ((entry & VALID) === 0n) return -1;
      const base = ((entry >> 10n) & (2n ** 44n - 1n)) * 4096n;
      if ((entry & READ_OR_EXECUTE) !== 0n) return Number(base | (address & (2n ** shift - 1n)));
      table = base;
    }
    return -1;
  }
}

function unsigned(low: number, high: number): bigint {
  return (BigInt(high >>> 0) << 32n) | BigInt(low >>> 0);
}

function pageNumber(address: bigint): number {
  return Number(address >> 12n);
}
