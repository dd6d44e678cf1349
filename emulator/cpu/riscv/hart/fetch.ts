import { instructionLength } from "../instructions/decode.ts";
import { NO_FAULT } from "./causes.ts";
import type { CodeCache } from "./code-cache.ts";
import { WORD } from "./layout.ts";
import { Access, accessFault, type Mmu } from "./mmu.ts";
import type { PhysicalMemory } from "./physical.ts";
import type { HartState } from "./state.ts";

/**
 * Instruction fetch for generated code that reached an address where nothing is decoded. Pages of RAM are decoded into
 * the cache; instructions that cross pages, or are in devices or pages that protection divides, one at a time.
 */
export class Fetch {
  /** Address of the part that could not be fetched. */
  faultLow = 0;
  faultHigh = 0;
  /** Record to continue at. */
  record = 0;
  /** Whether that record is one of its page's. */
  inPage = false;
  private readonly state: HartState;
  private readonly mmu: Mmu;
  private readonly memory: PhysicalMemory;
  private readonly cache: CodeCache;
  private halfword = 0;
  /** Offset of the latest page in the WebAssembly memory, or -1. */
  private direct = -1;
  /** Where its records begin if that is known without a translation, or -1. */
  private records = -1;

  constructor(state: HartState, mmu: Mmu, memory: PhysicalMemory, cache: CodeCache) {
    this.state = state;
    this.mmu = mmu;
    this.memory = memory;
    this.cache = cache;
  }

  /** Finds or creates the record of the instruction at pc. Returns NO_FAULT, with `record` set, or a cause. */
  fetch(): number {
    const { state, cache } = this;
    const low = state.low(WORD.pc);
    const high = state.high(WORD.pc);
    const cause = this.fetchHalfword(low, high);
    if (cause !== NO_FAULT) return cause;
    let { records } = this;
    if (records < 0) {
      if (this.direct < 0 || !this.mmu.wholePage) return this.fetchSingle(low, high);
      records = cache.recordsOf(this.direct);
      state.fillJumpCache(low, high, records, this.mmu.global);
    }
    this.record = cache.decodeAt(this.direct, records, low & 0xffe);
    state.words[WORD.page] = records;
    this.inPage = this.record !== 0;
    return this.inPage ? NO_FAULT : this.fetchSingle(low, high);
  }

  private fetchHalfword(low: number, high: number): number {
    this.records = this.state.decodedPage(low, high);
    if (this.records >= 0) {
      this.direct = this.cache.pageOfRecords(this.records);
      this.halfword = this.memory.readDirect(this.direct + (low & 0xfff), 2);
      return NO_FAULT;
    }
    const cause = this.mmu.translate(low, high, Access.Execute, 2);
    if (cause !== NO_FAULT) return this.fault(cause, low, high);
    const { physical } = this.mmu;
    const inPage = physical % 4096;
    this.direct = this.memory.directPage(physical - inPage, "execute");
    if (this.direct >= 0) {
      this.halfword = this.memory.readDirect(this.direct + inPage, 2);
      return NO_FAULT;
    }
    this.halfword = this.memory.readBus(physical, 2);
    return this.memory.failed ? this.fault(accessFault(Access.Execute), low, high) : NO_FAULT;
  }

  /** Decodes an instruction whose first halfword has been fetched, outside its page. */
  private fetchSingle(low: number, high: number): number {
    let word = this.halfword;
    if (instructionLength(word) === 4) {
      const nextLow = (low + 2) | 0;
      const cause = this.fetchHalfword(nextLow, nextLow === 0 ? (high + 1) | 0 : high);
      if (cause !== NO_FAULT) return cause;
      word |= this.halfword << 16;
    }
    this.inPage = false;
    this.record = this.cache.decodeSingle(word);
    return NO_FAULT;
  }

  /** The instruction word at pc, which has been fetched before; 0 if it can no longer be fetched. */
  currentWord(): number {
    const low = this.state.low(WORD.pc);
    const high = this.state.high(WORD.pc);
    if (this.fetchHalfword(low, high) !== NO_FAULT) return 0;
    const first = this.halfword;
    if (instructionLength(first) === 2) return first;
    const nextLow = (low + 2) | 0;
    if (this.fetchHalfword(nextLow, nextLow === 0 ? (high + 1) | 0 : high) !== NO_FAULT) return 0;
    return first | (this.halfword << 16);
  }

  private fault(cause: number, low: number, high: number): number {
    this.faultLow = low;
    this.faultHigh = high;
    return cause;
  }
}
