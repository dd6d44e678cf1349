/** Cache-block management and zeroing (CMO specification 1.0, chapters 2 to 4). */
import { Exit } from "../codegen/exits.ts";
import { Cause, NO_FAULT } from "./causes.ts";
import type { CodePages } from "./code-pages.ts";
import { CACHE_BLOCK_BYTES, LAYOUT, WORD } from "./layout.ts";
import { Access, accessFault, type Mmu } from "./mmu.ts";
import type { PhysicalMemory } from "./physical.ts";
import { EnvironmentConfig, type HartState } from "./state.ts";

/** Methods return NO_FAULT or the cause of an exception. */
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

  /** Executes the instruction for which generated code left with `exit`, on the block at an address. */
  execute(exit: number, low: number, high: number): number {
    switch (exit) {
      case Exit.CacheBlockZero:
        return this.state.low(WORD.blockZeroing) !== 0 ? this.zero(low, high) : Cause.IllegalInstruction;
      case Exit.CacheBlockClean:
        return this.state.environmentGrants(EnvironmentConfig.CBCFE)
          ? this.manage(low, high)
          : Cause.IllegalInstruction;
      default:
        return this.state.environmentGrants(EnvironmentConfig.CBIE)
          ? this.manage(low, high)
          : Cause.IllegalInstruction;
    }
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
    if (this.mmu.wholePage && !this.codePages.isCode(direct)) {
      // Lets generated code zero the next block of the page.
      this.state.fillTlb(LAYOUT.writeTlb, low, high, direct, this.mmu.global);
    }
    return NO_FAULT;
  }

  /** Permitted if a load or a store is; faults like a store otherwise (section 2.5.2). Has no other effect. */
  private manage(low: number, high: number): number {
    const block = low & -CACHE_BLOCK_BYTES;
    if (this.mmu.translate(block, high, Access.Read, CACHE_BLOCK_BYTES) === NO_FAULT) return NO_FAULT;
    return this.mmu.translate(block, high, Access.Write, CACHE_BLOCK_BYTES);
  }
}
