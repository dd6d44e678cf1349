import { decode, instructionLength } from "../instructions/decode.ts";
import {
  illegalRecord,
  operationLength,
  pairOperation,
  recordOf,
  singleOperation,
} from "../interpreter/records.ts";
import type { CodePages } from "./code-pages.ts";
import { CODE_PAGE_BYTES, CODE_PAGES, LAYOUT, RECORD_BYTES, RECORDS_PER_PAGE } from "./layout.ts";
import type { HartState } from "./state.ts";

/** Halfwords of the longest instruction. */
const LONGEST = 2;
const PAGE_WORDS = 4096 / 4;

/**
 * Stores to a page of code before it is treated as data. Stores mostly mean that the guest uses the page for something
 * else now. If the page turns out to hold code again, the limit is doubled.
 */
const FIRST_STORES = 32;
const MOST_STORES = 1 << 20;

/** Instructions that end a run of decoding: what follows them is often data. */
const ENDS_RUN = new Set(["jal", "jalr", "mret", "sret"]);

/** Code made from decoded instructions, which must be dropped with them. */
export interface TranslatedCode {
  /** The page whose records begin here is no longer decoded. */
  forgetPage(records: number): void;
  /** Bytes of that page, from `first` to before `end`, have changed. */
  forgetBytes(records: number, first: number, end: number): void;
}

/**
 * Decoded instructions of the pages that a hart executes: for every page a block of records, one per halfword, filled
 * as execution reaches them. Pages are identified by their offset in the WebAssembly memory, so translations do not
 * matter.
 */
export class CodeCache {
  private readonly state: HartState;
  private readonly codePages: CodePages;
  /** Slot of each page held. */
  private readonly slots = new Map<number, number>();
  /** Page in each slot, or -1. */
  private readonly pages = new Float64Array(CODE_PAGES).fill(-1);
  private nextSlot = 0;
  /** By slot: what the page contained when it was decoded, updated with the changes that were reported. */
  private readonly contents: Int32Array[] = [];
  /** Number of changes of the memory map, and by slot, the number at which the slot was last verified. */
  private mapChanges = 0;
  private readonly checkedAt = new Int32Array(CODE_PAGES);
  private translated: TranslatedCode | undefined;
  /** By slot, stores left before the page is treated as data; and by page, the limit for the next time. */
  private readonly stores = new Int32Array(CODE_PAGES);
  private readonly sufferance = new Map<number, number>();

  constructor(state: HartState, codePages: CodePages) {
    this.state = state;
    this.codePages = codePages;
  }

  /** Notifies `translated` of what is dropped from now on. */
  attach(translated: TranslatedCode): void {
    this.translated = translated;
  }

  /** Page whose records begin at this WebAssembly address, or -1 if there is none. */
  pageOfRecords(records: number): number {
    return this.pages[(records - this.slotAddress(0)) / CODE_PAGE_BYTES] ?? -1;
  }

  /** The same, or -1 also if the memory map has changed since the page was last executed. */
  checkedPage(records: number): number {
    const slot = (records - this.slotAddress(0)) / CODE_PAGE_BYTES;
    return this.checkedAt[slot] === this.mapChanges ? this.pageOfRecords(records) : -1;
  }

  /** WebAssembly address of the records of the page at `direct`. Reuses the oldest slot if the page is new. */
  recordsOf(direct: number): number {
    const known = this.slots.get(direct);
    if (known !== undefined) {
      if (this.checkedAt[known] !== this.mapChanges) this.check(known, direct);
      return this.slotAddress(known);
    }
    const slot = this.nextSlot;
    this.nextSlot = (slot + 1) % CODE_PAGES;
    this.drop(slot);
    this.pages[slot] = direct;
    this.slots.set(direct, slot);
    this.stores[slot] = this.sufferance.get(direct) ?? FIRST_STORES;
    this.codePages.hold(direct);
    this.copy(slot, direct);
    return this.slotAddress(slot);
  }

  private copy(slot: number, direct: number): void {
    const { memoryWords } = this.state;
    this.contents[slot] ??= new Int32Array(PAGE_WORDS); // slots are taken in order: no holes
    this.contents[slot].set(memoryWords.subarray(direct / 4, direct / 4 + PAGE_WORDS));
    this.checkedAt[slot] = this.mapChanges;
  }

  /** Drops the records of a slot if the contents of its page have changed. */
  private check(slot: number, direct: number): void {
    const { memoryWords } = this.state;
    const contents = this.contents[slot];
    for (let word = 0; word < PAGE_WORDS; word++) {
      if (memoryWords[direct / 4 + word] !== contents?.[word]) {
        this.clear(slot);
        this.copy(slot, direct);
        return;
      }
    }
    this.checkedAt[slot] = this.mapChanges;
  }

  /**
   * The memory map has changed: pages may have been removed and added again with other contents, as flash is while it
   * is written. Each is compared when it is executed next; the caller must flush the translations to make that happen.
   */
  mapChanged(): void {
    this.mapChanges++;
  }

  private slotAddress(slot: number): number {
    return this.state.offset + LAYOUT.code + slot * CODE_PAGE_BYTES;
  }

  private drop(slot: number): void {
    const page = this.pages[slot] ?? -1;
    if (page < 0) return;
    this.pages[slot] = -1;
    this.slots.delete(page);
    this.codePages.release(page);
    this.clear(slot);
    this.state.flushJumpCache();
  }

  /** Treats the page as data, so that stores to it are fast again. */
  private becomeData(slot: number, page: number): void {
    const suffered = this.sufferance.get(page) ?? FIRST_STORES;
    this.sufferance.set(page, Math.min(2 * suffered, MOST_STORES));
    this.drop(slot);
  }

  private clear(slot: number): void {
    this.translated?.forgetPage(this.slotAddress(slot));
    const first = (LAYOUT.code + slot * CODE_PAGE_BYTES) / 4;
    this.state.words.fill(0, first, first + CODE_PAGE_BYTES / 4);
  }

  dropAll(): void {
    for (let slot = 0; slot < CODE_PAGES; slot++) this.drop(slot);
  }

  /**
   * Decodes from `pageOffset` up to a jump, decoded code or the end of the page. Returns the address of the first
   * record, or 0 if its instruction crosses into the next page and cannot be cached.
   */
  decodeAt(direct: number, records: number, pageOffset: number): number {
    const { halfwords } = this.state;
    const first = records + (pageOffset / 2) * RECORD_BYTES;
    if (halfwords[first >>> 1] !== 0) return first;
    let previous = 0;
    for (let offset = pageOffset; offset < 4096; ) {
      const at = (direct + offset) >>> 1;
      const halfword = halfwords[at] ?? 0;
      const length = instructionLength(halfword);
      if (offset + length > 4096) return offset === pageOffset ? 0 : first;
      const address = records + (offset / 2) * RECORD_BYTES;
      const word = length === 2 ? halfword : halfword | ((halfwords[at + 1] ?? 0) << 16);
      const ends = halfwords[address >>> 1] !== 0 || this.put(address, word, length, offset);
      if (previous !== 0) this.join(previous, address);
      if (ends) break;
      previous = address;
      offset += length;
    }
    return first;
  }

  /** Fuses a record with the next one if there is an operation for the pair. */
  private join(address: number, next: number): void {
    const { halfwords } = this.state;
    const pair = pairOperation(halfwords[address >>> 1] ?? 0, halfwords[next >>> 1] ?? 0);
    if (pair !== 0) halfwords[address >>> 1] = pair;
  }

  /** Decodes one instruction outside all pages, with nothing after it. Returns the address of its record. */
  decodeSingle(word: number): number {
    const address = this.state.offset + LAYOUT.single;
    this.put(address, word, instructionLength(word), undefined);
    return address;
  }

  /** Writes a record; true if nothing should be decoded after it. */
  private put(address: number, word: number, length: 2 | 4, pageOffset: number | undefined): boolean {
    const decoded = decode(word);
    const record = decoded === undefined ? illegalRecord(word, length) : recordOf(decoded, pageOffset);
    const { memoryWords } = this.state;
    memoryWords[address >>> 2] = record.low;
    memoryWords[(address >>> 2) + 1] = record.high;
    return decoded === undefined || ENDS_RUN.has(decoded.full.name);
  }

  /**
   * Drops the instructions that have a byte in the range, which must lie in one page. Those before them stay, but are
   * no longer fused with the next: the record of a dropped instruction must not be executed.
   */
  invalidate(direct: number, length: number): void {
    const pageOffset = direct % 4096;
    const slot = this.slots.get(direct - pageOffset);
    if (slot === undefined) return;
    const storesLeft = (this.stores[slot] ?? 0) - 1;
    if (storesLeft < 0) {
      this.becomeData(slot, direct - pageOffset);
      return;
    }
    this.stores[slot] = storesLeft;
    const { memoryWords } = this.state;
    const firstWord = pageOffset >> 2;
    const endWord = (pageOffset + length + 3) >> 2;
    const page = (direct - pageOffset) / 4;
    this.contents[slot]?.set(memoryWords.subarray(page + firstWord, page + endWord), firstWord);
    const records = this.slotAddress(slot);
    const { halfwords } = this.state;
    const first = pageOffset >> 1;
    const last = Math.min(RECORDS_PER_PAGE - 1, (pageOffset + length - 1) >> 1);
    for (let index = Math.max(0, first - 2 * LONGEST + 1); index <= last; index++) {
      const record = records + index * RECORD_BYTES;
      const operation = halfwords[record >>> 1] ?? 0;
      if (index + (operationLength[operation] ?? 0) / 2 > first) memoryWords[record >>> 2] = 0;
      else halfwords[record >>> 1] = singleOperation(operation);
    }
    this.translated?.forgetBytes(records, pageOffset, pageOffset + length);
  }
}
