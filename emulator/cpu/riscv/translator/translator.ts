import { CODE_PAGE_BYTES, ENTRIES_OFFSET, LAYOUT, UNIT_ENTRY } from "../hart/layout.ts";
import type { HartState } from "../hart/state.ts";
import { ModuleBuilder } from "../wasm/index.ts";
import { analyseFlow } from "./flow.ts";
import { generateUnit, importLinks } from "./generate-unit.ts";
import { type CodeSource, findRegion, type Region } from "./region.ts";

/** Initial and maximum number of elements in the table of units: an entry of a page names one in 15 bits. */
const FIRST_ELEMENTS = 256;
const MOST_ELEMENTS = 0x8000;
/** Number of waiting units that are compiled together; a module for each would cost more than the units. */
const BATCH = 32;

/** What the translator asks of the cache of decoded pages. */
export interface DecodedPages {
  /** WebAssembly offset of the page whose records begin at this address, or -1 if there is no longer one. */
  pageOfRecords(records: number): number;
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
  /** Milliseconds spent generating, and compiling and linking (the engine's optimiser runs elsewhere). */
  generateMilliseconds: number;
  compileMilliseconds: number;
}

interface Unit {
  readonly element: number;
  readonly records: number;
  readonly region: Region;
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
  private readonly wanted = new Map<number, Wanted>();
  private readonly batches = new Set<Batch>();
  private readonly unitsOfPage = new Map<number, Set<Unit>>();
  private readonly freeElements: number[] = [];
  private nextElement = 0;
  private bytes = 0;
  private interpreter: WebAssembly.ModuleImports = {};

  /** @param mostBytes maximum size of the WebAssembly kept; the engine's machine code is several times as large */
  constructor(state: HartState, pages: DecodedPages, mostBytes: number) {
    this.state = state;
    this.pages = pages;
    this.mostBytes = mostBytes;
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
    const page = this.pages.pageOfRecords(records);
    if (page < 0) return;
    this.wanted.set(record, { records, page, offset: (record - records) / 4 });
    if (this.wanted.size >= BATCH) this.translate();
  }

  /** Whether something waits to be translated. */
  get waiting(): boolean {
    return this.wanted.size > 0;
  }

  /** Translates what was requested. */
  translate(): void {
    const started = performance.now();
    const module = new ModuleBuilder();
    module.importMemory("guest", "memory", 1);
    const links = importLinks(module);
    const made: { wanted: Wanted; region: Region }[] = [];
    for (const wanted of this.wanted.values()) {
      const { records, page, offset } = wanted;
      if (this.pages.pageOfRecords(records) !== page || this.isUnit(records, offset)) continue;
      const region = findRegion(offset, this.sourceOf(page, records));
      if (region === undefined) continue;
      this.decodeAll(page, records, region);
      const place = { stateOffset: this.state.offset, records };
      generateUnit(module, links, String(made.length), analyseFlow(region), place);
      made.push({ wanted, region });
    }
    this.wanted.clear();
    if (made.length === 0) return;
    const code = module.encode();
    const generated = performance.now();
    const { exports } = new WebAssembly.Instance(new WebAssembly.Module(code), {
      guest: { memory: this.state.memory },
      interpreter: this.interpreter,
    });
    const batch: Batch = { bytes: code.length, units: new Set() };
    this.batches.add(batch);
    this.bytes += batch.bytes;
    made.forEach(({ wanted, region }, index) => {
      this.enter(batch, wanted, region, exports[index] as () => number); // exported under its index, just above
    });
    while (this.bytes > this.mostBytes) this.dropOldest();
    this.statistics.bytes += code.length;
    this.statistics.generateMilliseconds += generated - started;
    this.statistics.compileMilliseconds += performance.now() - generated;
  }

  private enter(batch: Batch, { records }: Wanted, region: Region, code: () => number): void {
    while (this.freeElements.length === 0 && this.nextElement === MOST_ELEMENTS) this.dropOldest();
    const element = this.freeElements.pop() ?? this.nextElement++;
    if (element === this.table.length) this.table.grow(element);
    const unit: Unit = { element, records, region, batch };
    this.table.set(element, code);
    batch.units.add(unit);
    const neighbours = this.unitsOfPage.get(records);
    if (neighbours === undefined) this.unitsOfPage.set(records, new Set([unit]));
    else neighbours.add(unit);
    this.setEntry(unit, UNIT_ENTRY + element);
    this.statistics.translated++;
    this.statistics.instructions += region.instructions;
  }

  private isUnit(records: number, offset: number): boolean {
    return (this.state.halfwords[(records + ENTRIES_OFFSET + offset) >>> 1] ?? 0) >= UNIT_ENTRY;
  }

  private setEntry({ records, region }: Unit, entry: number): void {
    this.state.halfwords[(records + ENTRIES_OFFSET + region.entry) >>> 1] = entry;
  }

  private sourceOf(page: number, records: number): CodeSource {
    const { halfwords } = this.state;
    return {
      halfword: (offset) => halfwords[(page + offset) >>> 1] ?? 0,
      reached: (offset) =>
        halfwords[(records + 4 * offset) >>> 1] !== 0 ||
        halfwords[(records + ENTRIES_OFFSET + offset) >>> 1] !== 0,
    };
  }

  /** Decodes all instructions of a region: the host reads the record of an instruction that a unit leaves to it. */
  private decodeAll(page: number, records: number, { blocks }: Region): void {
    for (const { instructions } of blocks.values()) {
      for (const { offset } of instructions) this.pages.decodeAt(page, records, offset);
    }
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
    const units = this.unitsOfPage.get(records);
    if (units === undefined) return;
    for (const unit of units) this.drop(unit);
    this.unitsOfPage.delete(records);
  }

  /** Instructions with a byte in this range of a page, from `first` to before `end`, have changed. */
  forgetBytes(records: number, first: number, end: number): void {
    for (const unit of this.unitsOfPage.get(records) ?? []) {
      if (covers(unit.region, first, end)) this.drop(unit);
    }
  }
}

function covers({ blocks }: Region, first: number, end: number): boolean {
  for (const { instructions } of blocks.values()) {
    const begin = instructions[0]?.offset ?? 0;
    const last = instructions.at(-1);
    if (last === undefined) continue;
    if (begin < end && last.offset + last.decoded.instruction.length > first) return true;
  }
  return false;
}
