import { type AccessSize, MemTxResult, type PageUse, type PhysicalBus } from "#memory/bus";
import type { CodePages } from "./code-pages.ts";
import type { HartState } from "./state.ts";

/** Pages of RAM whose location a hart remembers, per use. */
const REMEMBERED_PAGES = 1024;

/** Locations of RAM pages, direct-mapped by page number: saves page walks a search of the memory map at every level. */
class PagePlaces {
  private readonly pages = new Float64Array(REMEMBERED_PAGES).fill(-1);
  private readonly places = new Float64Array(REMEMBERED_PAGES);

  /** Offset in the WebAssembly memory, or -1 if it is not remembered. */
  find(page: number): number {
    const index = (page / 4096) % REMEMBERED_PAGES;
    return this.pages[index] === page ? (this.places[index] ?? -1) : -1;
  }

  remember(page: number, place: number): void {
    const index = (page / 4096) % REMEMBERED_PAGES;
    this.pages[index] = page;
    this.places[index] = place;
  }

  forgetAll(): void {
    this.pages.fill(-1);
  }
}

/**
 * Physical memory as one hart accesses it outside generated code: RAM directly, everything else over the bus. 8-byte
 * values are two words, to avoid allocations.
 */
export class PhysicalMemory {
  /** High word of the latest 8-byte read. */
  high = 0;
  private readonly bus: PhysicalBus;
  private readonly state: HartState;
  private readonly codePages: CodePages;
  private readonly readable = new PagePlaces();
  private readonly writable = new PagePlaces();

  constructor(bus: PhysicalBus, state: HartState, codePages: CodePages) {
    this.bus = bus;
    this.state = state;
    this.codePages = codePages;
  }

  /** Offset of a page in the WebAssembly memory, or -1: see `PhysicalBus.directPage`. */
  directPage(page: number, use: PageUse): number {
    const places = use === "write" ? this.writable : this.readable;
    const known = places.find(page);
    if (known >= 0) return known;
    const place = this.bus.directPage(page, use);
    if (place >= 0) places.remember(page, place);
    return place;
  }

  /** To be called when the memory map has changed. */
  forgetPages(): void {
    this.readable.forgetAll();
    this.writable.forgetAll();
  }

  /** Whether the latest access over the bus failed. */
  get failed(): boolean {
    return this.bus.result !== MemTxResult.Ok;
  }

  /** Reads over the bus: the low word, and `high`. */
  readBus(physical: number, bytes: AccessSize): number {
    const low = this.bus.read(physical, bytes);
    this.high = bytes === 8 ? this.bus.high : 0;
    return low | 0;
  }

  writeBus(physical: number, bytes: AccessSize, low: number, high: number): void {
    this.bus.write(physical, bytes, low >>> 0, high >>> 0);
  }

  /** Reads RAM at an offset in the WebAssembly memory: the low word, unsigned if narrower, and `high`. */
  readDirect(offset: number, bytes: AccessSize): number {
    const { view } = this.state;
    this.high = 0;
    switch (bytes) {
      case 1:
        return this.state.bytes[offset] ?? 0;
      case 2:
        return view.getUint16(offset, true);
      case 4:
        return view.getInt32(offset, true);
      case 8:
        this.high = view.getInt32(offset + 4, true);
        return view.getInt32(offset, true);
    }
  }

  writeDirect(offset: number, bytes: AccessSize, low: number, high: number): void {
    const { view } = this.state;
    switch (bytes) {
      case 1:
        view.setUint8(offset, low);
        break;
      case 2:
        view.setUint16(offset, low, true);
        break;
      case 4:
        view.setInt32(offset, low, true);
        break;
      case 8:
        view.setInt32(offset, low, true);
        view.setInt32(offset + 4, high, true);
        break;
    }
    this.codePages.written(offset, bytes);
  }

  /** Reads RAM or over the bus, naturally aligned. Check `succeeded` afterwards. */
  read(physical: number, bytes: AccessSize): number {
    const inPage = physical % 4096;
    const direct = this.directPage(physical - inPage, "read");
    this.succeeded = true;
    if (direct >= 0) return this.readDirect(direct + inPage, bytes);
    const low = this.readBus(physical, bytes);
    this.succeeded = !this.failed;
    return low;
  }

  write(physical: number, bytes: AccessSize, low: number, high: number): void {
    const inPage = physical % 4096;
    const direct = this.directPage(physical - inPage, "write");
    this.succeeded = true;
    if (direct >= 0) {
      this.writeDirect(direct + inPage, bytes, low, high);
      return;
    }
    this.writeBus(physical, bytes, low, high);
    this.succeeded = !this.failed;
  }

  /** Outcome of the latest `read` or `write`. */
  succeeded = true;
}
