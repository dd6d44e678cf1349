/** Cache-block management and zeroing (CMO specification 1.0, chapters 2 to 4). */
import { Exit } from "../interpreter/exits.ts";
import { Cause, NO_FAULT } from "./causes.ts";
import type { CodePages } from "./code-pages.ts";
import { csrWord } from "./layout.ts";
import { Access, accessFault, type Mmu } from "./mmu.ts";
import type { PhysicalMemory } from "./physical.ts";
import { type HartState, Privilege } from "./state.ts";

/** Bytes of a cache block, aligned to as much. */
export const CACHE_BLOCK_BYTES = 64;

/** Fields of menvcfg and senvcfg (section 2.1): who below machine mode may do what. */
export const EnvironmentConfig = {
  /** What cbo.inval does: 0 illegal, 1 flush, 3 invalidate. 2 is reserved. */
  CBIE: 3 << 4,
  /** cbo.clean and cbo.flush may be executed. */
  CBCFE: 1 << 6,
  /** cbo.zero may be executed. */
  CBZE: 1 << 7,
} as const;

/** Answers of methods are NO_FAULT or the cause of an exception. */
export class CacheBlocks {
  private readonly state: HartState;
  private readonly mmu: Mmu;
  private readonly memory: PhysicalMemory;
  private readonly codePages: CodePages;

  constructor(state: HartState, mmu: Mmu, memory: PhysicalMemory, codePages: CodePages) {
    this.state = state;
    this.mmu = mmu;
    this.memory = memory;
    this.codePages = codePages;
  }

  /** Executes the instruction that generated code left with `exit` for the block at an address. */
  execute(exit: number, low: number, high: number): number {
    switch (exit) {
      case Exit.CacheBlockZero:
        return this.granted(EnvironmentConfig.CBZE) ? this.zero(low, high) : Cause.IllegalInstruction;
      case Exit.CacheBlockClean:
        return this.granted(EnvironmentConfig.CBCFE) ? this.manage(low, high) : Cause.IllegalInstruction;
      default:
        return this.granted(EnvironmentConfig.CBIE) ? this.manage(low, high) : Cause.IllegalInstruction;
    }
  }

  /** Supervisors need the consent of machine mode, users that of both. */
  private granted(field: number): boolean {
    const { state } = this;
    const { privilege } = state;
    if (privilege === Privilege.Machine) return true;
    if ((state.low(csrWord.menvcfg) & field) === 0) return false;
    return privilege === Privilege.Supervisor || (state.low(csrWord.senvcfg) & field) !== 0;
  }

  /** A store of zeros, to main memory only. */
  private zero(low: number, high: number): number {
    const block = low & -CACHE_BLOCK_BYTES;
    const cause = this.mmu.translate(block, high, Access.Write, CACHE_BLOCK_BYTES);
    if (cause !== NO_FAULT) return cause;
    const { physical } = this.mmu;
    const inPage = physical % 4096;
    const direct = this.memory.directPage(physical - inPage, "write");
    if (direct < 0) return accessFault(Access.Write);
    this.state.bytes.fill(0, direct + inPage, direct + inPage + CACHE_BLOCK_BYTES);
    this.codePages.written(direct + inPage, CACHE_BLOCK_BYTES);
    return NO_FAULT;
  }

  /** May be done to what can be loaded or stored; is refused as a store (section 2.5.2). Nothing else happens. */
  private manage(low: number, high: number): number {
    const block = low & -CACHE_BLOCK_BYTES;
    if (this.mmu.translate(block, high, Access.Read, CACHE_BLOCK_BYTES) === NO_FAULT) return NO_FAULT;
    return this.mmu.translate(block, high, Access.Write, CACHE_BLOCK_BYTES);
  }
}
