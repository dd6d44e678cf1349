import { CODE_PAGE_BYTES, ENTRIES_OFFSET, LAYOUT, UNIT_ENTRY } from "../hart/layout.ts";
import type { HartState } from "../hart/state.ts";
import { type BatchRequest, type CodePage, generateBatch, type Place, type UnitCode } from "./batch.ts";
import type { CompiledBatch, ThreadReply, TranslationThread } from "./translation-thread.ts";

/** Initial and maximum number of elements in the table of units: an entry of a page names one in 15 bits. */
const FIRST_ELEMENTS = 256;
const MOST_ELEMENTS = 0x8000;
/**
 * Places that wait for each other at most, and how long they do: slices for each module that there is. A module costs the
 * engine more than its units do, but in a short run the first unit may be all that counts.
 */
const MOST_WAITING = 128;
const SLICES_PER_MODULE = 6;
/** Orders that the thread may be behind; with more, it could not keep up, or is lost. */
const MOST_ORDERS = 4;
const PAGE_BYTES = 4096;
const PAGE_HALFWORDS = PAGE_BYTES / 2;

/** What the translator asks of the cache of decoded pages. */
export interface DecodedPages {
  /** WebAssembly offset of the page whose records begin at this address, or -1 if there is no longer one. */
  checkedPage(records: number): number;
  /** Decodes the instruction at an offset of a page, and possibly more. */
  decodeAt(page: number, records: number, offset: number): number;
}

/** Counts of a translator's work since its creation. */
export interface TranslatorStatistics {
  /** Units translated, and those dropped since because their code changed or space was needed. */
  translated: number;
  dropped: number;
  /** Guest instructions in them, and bytes of WebAssembly. */
  instructions: number;
  bytes: number;
  /** Milliseconds spent generating, compiling and linking, in whichever thread (the engine's optimiser runs in its own). */
  generateMilliseconds: number;
  compileMilliseconds: number;
}

export interface TranslatorOptions {
  /** Maximum size of the WebAssembly kept; the engine's machine code is several times as large. */
  readonly mostBytes: number;
  /** Translates beside the processor; null: the processor waits for each translation. */
  readonly thread: Pick<TranslationThread, "request" | "collect"> | null;
}

interface Unit {
  readonly element: number;
  readonly records: number;
  /** Where it begins: an offset in the page. */
  readonly entry: number;
  readonly code: UnitCode;
  readonly batch: Batch;
}

/** Units of one module, which the engine can free only together. */
interface Batch {
  readonly bytes: number;
  readonly units: Set<Unit>;
}

interface Wanted {
  readonly records: number;
  readonly page: number;
  readonly offset: number;
}

/** Places that are translated together, and what has become of their code meanwhile. */
class Order {
  /** By the address of their records, in the order of the request. */
  readonly wanted: Map<number, Wanted>;
  /** By page, named by its records: the range of bytes that covers all changes. */
  private readonly changed = new Map<number, { readonly first: number; readonly end: number }>();

  constructor(wanted: Map<number, Wanted>) {
    this.wanted = wanted;
  }

  change(records: number, first: number, end: number): void {
    const known = this.changed.get(records) ?? { first, end };
    this.changed.set(records, { first: Math.min(known.first, first), end: Math.max(known.end, end) });
  }

  hasChanged(records: number, unit: UnitCode): boolean {
    const change = this.changed.get(records);
    return change !== undefined && covers(unit, change.first, change.end);
  }
}

/**
 * Translates code that has become hot, and maintains the table through which translated code goes from unit to unit.
 * The oldest units are dropped when the size limit is reached.
 */
export class Translator {
  /** Where the interpreter finds units. Only its module imports the table: every module that did would keep a copy. */
  readonly table: WebAssembly.Table;
  readonly statistics: TranslatorStatistics = {
    translated: 0,
    dropped: 0,
    instructions: 0,
    bytes: 0,
    generateMilliseconds: 0,
    compileMilliseconds: 0,
  };
  private readonly state: HartState;
  private readonly pages: DecodedPages;
  private readonly mostBytes: number;
  /** By the address of their records. */
  private wanted = new Map<number, Wanted>();
  /** Slices that the first of them has waited. */
  private waited = 0;
  private readonly orders = new Set<Order>();
  private readonly arrived: { readonly order: Order; readonly reply: ThreadReply }[] = [];
  private readonly thread: TranslatorOptions["thread"];
  private readonly batches = new Set<Batch>();
  private readonly unitsOfPage = new Map<number, Set<Unit>>();
  private readonly freeElements: number[] = [];
  private nextElement = 0;
  private bytes = 0;
  private interpreter: WebAssembly.ModuleImports = {};

  constructor(state: HartState, pages: DecodedPages, options: TranslatorOptions) {
    this.state = state;
    this.pages = pages;
    this.mostBytes = options.mostBytes;
    this.thread = options.thread;
    this.table = new WebAssembly.Table({ element: "anyfunc", initial: FIRST_ELEMENTS });
  }

  /** Sets the exports of the interpreter in which units continue where nothing is translated. */
  link(interpreter: WebAssembly.ModuleImports): void {
    this.interpreter = interpreter;
  }

  /** Whether a unit begins at the place whose record is at this address. */
  enters(record: number): boolean {
    const records = this.recordsOf(record);
    return this.isUnit(records, (record - records) / 4);
  }

  /** Address of the first record of the page that a record is in. */
  private recordsOf(record: number): number {
    return record - ((record - this.state.offset - LAYOUT.code) % CODE_PAGE_BYTES);
  }

  /** Requests the translation of the place whose record is at this address. */
  request(record: number): void {
    const records = this.recordsOf(record);
    const page = this.pages.checkedPage(records);
    if (page < 0 || this.isOrdered(record)) return;
    this.wanted.set(record, { records, page, offset: (record - records) / 4 });
    if (this.wanted.size >= MOST_WAITING) this.translate();
  }

  private isOrdered(record: number): boolean {
    for (const { wanted } of this.orders) if (wanted.has(record)) return true;
    return false;
  }

  /** Goes on with what was requested: to be called after each slice, if the memory map has not changed in it. */
  advance(): void {
    this.thread?.collect();
    if (this.arrived.length > 0) this.installArrived();
    if (this.wanted.size > 0 && this.waited++ >= SLICES_PER_MODULE * this.batches.size) this.translate();
  }

  /** Translates what was requested, or has it translated. */
  translate(): void {
    const order = new Order(this.wanted);
    this.wanted = new Map();
    this.waited = 0;
    const request = this.requestOf(order);
    if (request.places.length > 0 && !this.translateThere(order, request)) this.translateHere(order, request);
  }

  private translateHere(order: Order, request: BatchRequest): void {
    const started = performance.now();
    const made = generateBatch(request);
    const generated = performance.now();
    this.statistics.generateMilliseconds += generated - started;
    if (made === undefined) return;
    const module = new WebAssembly.Module(made.code);
    this.install(order, { module, units: made.units, bytes: made.code.length });
    this.statistics.compileMilliseconds += performance.now() - generated;
  }

  /** False if there is no thread that could do it soon. */
  private translateThere(order: Order, request: BatchRequest): boolean {
    const { thread, orders } = this;
    if (thread === null || orders.size >= MOST_ORDERS) return false;
    const isSent = thread.request(request, (reply) => {
      if (reply === null) orders.delete(order);
      else this.arrived.push({ order, reply }); // whichever machine has collected it
    });
    if (isSent) orders.add(order);
    return isSent;
  }

  private installArrived(): void {
    for (const { order, reply } of this.arrived.splice(0)) {
      this.orders.delete(order);
      const started = performance.now();
      if (reply.batch !== undefined) this.install(order, reply.batch);
      this.statistics.generateMilliseconds += reply.generateMilliseconds;
      this.statistics.compileMilliseconds += reply.compileMilliseconds + performance.now() - started;
    }
  }

  /** What is to be translated of an order, of which the rest is given up: units have come, or pages have gone meanwhile. */
  private requestOf(order: Order): BatchRequest {
    const copies = new Map<number, CodePage>();
    const places: Place[] = [];
    for (const [record, place] of order.wanted) {
      if (!this.isAbsent(place)) {
        order.wanted.delete(record);
        continue;
      }
      const { records, page, offset } = place;
      const copy = copies.get(page) ?? this.copyOf(page, records);
      copies.set(page, copy);
      places.push({ page: copy, offset });
    }
    return { stateOffset: this.state.offset, places };
  }

  private copyOf(page: number, records: number): CodePage {
    const { halfwords } = this.state;
    const reached = new Uint8Array(PAGE_HALFWORDS);
    for (let at = 0; at < PAGE_HALFWORDS; at++) {
      const record = halfwords[(records >>> 1) + 4 * at];
      const entry = halfwords[((records + ENTRIES_OFFSET) >>> 1) + at];
      if (record !== 0 || entry !== 0) reached[at] = 1;
    }
    const first = page >>> 1;
    return { records, halfwords: halfwords.slice(first, first + PAGE_HALFWORDS), reached };
  }

  /** Links the units of a batch whose code is still what was translated. */
  private install(order: Order, { module, units, bytes }: CompiledBatch): void {
    const { exports } = new WebAssembly.Instance(module, {
      guest: { memory: this.state.memory },
      interpreter: this.interpreter,
    });
    const batch: Batch = { bytes, units: new Set() };
    this.batches.add(batch);
    this.bytes += batch.bytes;
    const places = [...order.wanted.values()];
    for (const unit of units) {
      const place = places[unit.place];
      if (place === undefined || !this.isAbsent(place) || order.hasChanged(place.records, unit)) continue;
      // The host reads the record of an instruction that a unit leaves to it.
      for (const offset of unit.instructions) this.pages.decodeAt(place.page, place.records, offset);
      this.enter(batch, place, unit, exports[unit.place] as () => number); // exported under its index
    }
    if (batch.units.size === 0) this.forgetBatch(batch);
    while (this.bytes > this.mostBytes) this.dropOldest();
    this.statistics.bytes += bytes;
  }

  /** Whether a place is still in the same page, and is no unit. */
  private isAbsent({ records, page, offset }: Wanted): boolean {
    return this.pages.checkedPage(records) === page && !this.isUnit(records, offset);
  }

  private enter(batch: Batch, { records, offset }: Wanted, code: UnitCode, run: () => number): void {
    while (this.freeElements.length === 0 && this.nextElement === MOST_ELEMENTS) this.dropOldest();
    const element = this.freeElements.pop() ?? this.nextElement++;
    if (element === this.table.length) this.table.grow(element);
    const unit: Unit = { element, records, entry: offset, code, batch };
    this.table.set(element, run);
    batch.units.add(unit);
    const neighbours = this.unitsOfPage.get(records);
    if (neighbours === undefined) this.unitsOfPage.set(records, new Set([unit]));
    else neighbours.add(unit);
    this.setEntry(unit, UNIT_ENTRY + element);
    this.statistics.translated++;
    this.statistics.instructions += code.instructions.length;
  }

  private isUnit(records: number, offset: number): boolean {
    return (this.state.halfwords[(records + ENTRIES_OFFSET + offset) >>> 1] ?? 0) >= UNIT_ENTRY;
  }

  private setEntry({ records, entry }: Unit, value: number): void {
    this.state.halfwords[(records + ENTRIES_OFFSET + entry) >>> 1] = value;
  }

  private dropOldest(): void {
    const [oldest] = this.batches;
    if (oldest === undefined) return;
    for (const unit of oldest.units) this.drop(unit);
    this.forgetBatch(oldest);
  }

  private forgetBatch(batch: Batch): void {
    if (this.batches.delete(batch)) this.bytes -= batch.bytes;
  }

  private drop(unit: Unit): void {
    this.setEntry(unit, 0);
    this.table.set(unit.element, null);
    this.freeElements.push(unit.element);
    this.unitsOfPage.get(unit.records)?.delete(unit);
    unit.batch.units.delete(unit);
    if (unit.batch.units.size === 0) this.forgetBatch(unit.batch);
    this.statistics.dropped++;
  }

  /** The page whose records begin here is no longer decoded. */
  forgetPage(records: number): void {
    for (const order of this.orders) order.change(records, 0, PAGE_BYTES);
    const units = this.unitsOfPage.get(records);
    if (units === undefined) return;
    for (const unit of units) this.drop(unit);
    this.unitsOfPage.delete(records);
  }

  /** Instructions with a byte in this range of a page, from `first` to before `end`, have changed. */
  forgetBytes(records: number, first: number, end: number): void {
    for (const order of this.orders) order.change(records, first, end);
    for (const unit of this.unitsOfPage.get(records) ?? []) {
      if (covers(unit.code, first, end)) this.drop(unit);
    }
  }
}

function covers({ extents }: UnitCode, first: number, end: number): boolean {
  for (let block = 0; block < extents.length; block += 2)
    if ((extents[block] ?? 0) < end && (extents[block + 1] ?? 0) > first) return true;
  return false;
}
