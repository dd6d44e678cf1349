import type { FlatRange } from "../map/flat-range.ts";
import type { FlatView } from "../map/flat-view.ts";
import type { MemoryModel } from "../memory-model.ts";
import { type AccessSize, MemTxResult } from "./bus.ts";
import { CallbackAccesses } from "./callbacks.ts";
import { type Access, truncate } from "./dispatch.ts";
import { type MemTxAttrs, UNSPECIFIED_ATTRS } from "./ops.ts";
import { NOWHERE, type PageMap } from "./page-map.ts";
import { refusal } from "./protection.ts";
import type { RamBlock } from "./ram.ts";
import type { Section } from "./section.ts";
import { sharesPage, takesPieces } from "./shared-page.ts";
import { type TransferPath, transferFrom, transferTo } from "./transfer.ts";
import { translate } from "./translate.ts";

/**
 * Accesses to whatever one flat view shows.
 *
 * `read` and `write` are single accesses of 1, 2, 4 or 8 bytes, as a processor makes them; `readBytes` and `writeBytes`
 * are transfers of any length. After each, `result` is the outcome, and `high` the upper half of an 8-byte value read.
 */
export abstract class Accessor implements TransferPath {
  readonly model: MemoryModel;
  readonly callbacks = new CallbackAccesses();
  private currentView: FlatView;
  private pages: PageMap;
  /** The section of the latest access in this view; {@link NOWHERE} unless the page map had one. */
  private hit = NOWHERE;
  /** The latest access. */
  private readonly access: Access = this.callbacks.access;

  constructor(model: MemoryModel, view: FlatView) {
    this.model = model;
    this.currentView = view;
    this.pages = view.pages;
  }

  get view(): FlatView {
    return this.currentView;
  }

  /** Outcome of the latest access. */
  get result(): MemTxResult {
    return this.access.result;
  }

  /** High 32 bits, unsigned, of the latest 8-byte read. */
  get high(): number {
    return this.access.high;
  }

  /**
   * Reads 1, 2, 4 or 8 bytes; returns the low 32 bits, unsigned.
   *
   * Fast path: a plain access to a section already seen returns here. It repeats what {@link Section.callRead} does,
   * which saves a twentieth of its instructions.
   */
  read(address: number, size: AccessSize, attrs: MemTxAttrs = UNSPECIFIED_ATTRS): number {
    let section = this.hit;
    if (address < section.start || address >= section.end) {
      section = this.pages.find(address);
      this.hit = section;
    }
    const offset = address - section.origin;
    const { guard } = section;
    if (
      (section.plainReads & size) !== 0 &&
      (offset & (size - 1)) === 0 &&
      (guard === null || !guard.engaged)
    ) {
      if (guard !== null) guard.engaged = true;
      const { read } = section;
      const value = read(section.opaque, offset, size);
      if (guard !== null) guard.engaged = false;
      this.access.result = MemTxResult.Ok;
      return truncate(value, size);
    }
    return this.readMissed(address, size, attrs);
  }

  /** Writes 1, 2, 4 or 8 bytes; `high` matters for 8 only. */
  write(
    address: number,
    size: AccessSize,
    low: number,
    high = 0,
    attrs: MemTxAttrs = UNSPECIFIED_ATTRS,
  ): void {
    let section = this.hit;
    if (address < section.start || address >= section.end) {
      section = this.pages.find(address);
      this.hit = section;
    }
    const offset = address - section.origin;
    const { guard } = section;
    if (
      (section.plainWrites & size) !== 0 &&
      (offset & (size - 1)) === 0 &&
      (guard === null || !guard.engaged)
    ) {
      if (guard !== null) guard.engaged = true;
      const { write } = section;
      write(section.opaque, offset, truncate(low, size), size);
      if (guard !== null) guard.engaged = false;
      this.access.result = MemTxResult.Ok;
      return;
    }
    this.writeMissed(address, size, low, high, attrs);
  }

  /** Fills `into` from `address` on, with zeroes where regions refuse the access. Returns the combined outcome. */
  readBytes(address: number, into: Uint8Array, attrs: MemTxAttrs = UNSPECIFIED_ATTRS): MemTxResult {
    return transferFrom(this, address, into, attrs);
  }

  /** Writes all of `from`, continuing after regions that refuse the access. Returns the combined outcome. */
  writeBytes(address: number, from: Uint8Array, attrs: MemTxAttrs = UNSPECIFIED_ATTRS): MemTxResult {
    return transferTo(this, address, from, attrs);
  }

  /** The range that contains `address`, if any. */
  find(address: number): FlatRange | undefined {
    return this.currentView.find(address);
  }

  onRamWritten(bytes: Uint8Array, offset: number, length: number): void {
    const { onRamWritten } = this.model;
    if (onRamWritten !== null) onRamWritten(bytes, offset, length);
  }

  /** Makes accesses go to another view. */
  protected show(view: FlatView): void {
    this.currentView = view;
    this.pages = view.pages;
    this.hit = NOWHERE;
  }

  /** A read that missed the fast path: not a plain call, or the page map did not have the section yet. */
  private readMissed(address: number, size: AccessSize, attrs: MemTxAttrs): number {
    const view = this.currentView;
    const range = view.find(address);
    const { access } = this;
    if (range === undefined) {
      access.result = MemTxResult.DecodeError;
      access.high = 0;
      return 0;
    }
    const { section } = range;
    const offset = address - range.start + range.offset;
    if (takes(section, section.plainReads, offset, size)) {
      view.pages.note(address, section);
      const value = section.callRead(offset, size);
      access.result = MemTxResult.Ok;
      return value;
    }
    const { region } = range;
    access.attrs = attrs;
    if (region.readsDirectly) return this.load(range, address, size);
    if (region.isIommu) return this.readTranslated(range, address, size, attrs);
    if (sharesPage(range, address)) {
      if (takesPieces(view, address, size, false, attrs)) return this.readAcross(address, size);
      access.result = MemTxResult.DecodeError;
      access.high = 0;
      return 0;
    }
    this.callbacks.read(region, offset, size);
    return access.low;
  }

  private writeMissed(address: number, size: AccessSize, low: number, high: number, attrs: MemTxAttrs): void {
    const view = this.currentView;
    const range = view.find(address);
    const { access } = this;
    if (range === undefined) {
      access.result = MemTxResult.DecodeError;
      return;
    }
    const { section } = range;
    const offset = address - range.start + range.offset;
    if (takes(section, section.plainWrites, offset, size)) {
      view.pages.note(address, section);
      section.callWrite(offset, size, low);
      access.result = MemTxResult.Ok;
      return;
    }
    const { region } = range;
    access.attrs = attrs;
    const refused = refusal(range, address, attrs);
    if (refused !== null) {
      access.result = refused;
    } else if (region.writesDirectly) {
      this.store(range, address, size, low, high);
    } else if (region.isIommu) {
      this.writeTranslated(range, address, size, low, high, attrs);
    } else if (sharesPage(range, address)) {
      if (takesPieces(view, address, size, true, attrs)) this.writeAcross(address, size, low, high);
      else access.result = MemTxResult.DecodeError;
    } else {
      access.low = truncate(low, size);
      access.high = high >>> 0;
      this.callbacks.write(region, offset, size);
    }
  }

  private load(range: FlatRange, address: number, size: AccessSize): number {
    const { access } = this;
    access.result = MemTxResult.Ok;
    if (address + size > range.end) return this.readAcross(address, size);
    const offset = address - range.start + range.offset;
    const ram = (range.region.ram as RamBlock).view; // regions that read directly have RAM
    if (size === 4) return ram.getUint32(offset, true);
    if (size === 1) return ram.getUint8(offset);
    if (size === 2) return ram.getUint16(offset, true);
    access.high = ram.getUint32(offset + 4, true);
    return ram.getUint32(offset, true);
  }

  private store(range: FlatRange, address: number, size: AccessSize, low: number, high: number): void {
    this.access.result = MemTxResult.Ok;
    if (address + size > range.end) {
      this.writeAcross(address, size, low, high);
      return;
    }
    const offset = address - range.start + range.offset;
    const ram = (range.region.ram as RamBlock).view; // regions that write directly have RAM
    if (size === 4) ram.setUint32(offset, low, true);
    else if (size === 1) ram.setUint8(offset, low);
    else if (size === 2) ram.setUint16(offset, low, true);
    else {
      ram.setUint32(offset, low, true);
      ram.setUint32(offset + 4, high, true);
    }
    this.onRamWritten((range.region.ram as RamBlock).bytes, offset, size);
    range.region.dirtyLog?.mark(offset, size);
  }

  private readTranslated(range: FlatRange, address: number, size: AccessSize, attrs: MemTxAttrs): number {
    const { access } = this;
    const to = translate(range, address, size, false, attrs);
    access.attrs = attrs; // the IOMMU may have made accesses of its own
    if (to === null) {
      access.result = MemTxResult.DecodeError;
      access.high = 0;
      return 0;
    }
    const { space } = to;
    if (to.length < size) return this.readAcross(address, size);
    const value = space.read(to.address, size, attrs);
    access.result = space.result;
    access.high = space.high;
    return value;
  }

  private writeTranslated(
    range: FlatRange,
    address: number,
    size: AccessSize,
    low: number,
    high: number,
    attrs: MemTxAttrs,
  ): void {
    const { access } = this;
    const to = translate(range, address, size, true, attrs);
    access.attrs = attrs; // as above
    if (to === null) {
      access.result = MemTxResult.DecodeError;
      return;
    }
    if (to.length < size) {
      this.writeAcross(address, size, low, high);
      return;
    }
    to.space.write(to.address, size, low, high, attrs);
    access.result = to.space.result;
  }

  /** An access that is split: it crosses the end of a RAM range or of an IOMMU's page, or is to a shared page. */
  private readAcross(address: number, size: AccessSize): number {
    const bytes = new DataView(new ArrayBuffer(8));
    this.readBytes(address, new Uint8Array(bytes.buffer, 0, size), this.access.attrs);
    this.access.high = bytes.getUint32(4, true);
    return bytes.getUint32(0, true);
  }

  private writeAcross(address: number, size: AccessSize, low: number, high: number): void {
    const bytes = new DataView(new ArrayBuffer(8));
    bytes.setUint32(0, low, true);
    bytes.setUint32(4, high, true);
    this.writeBytes(address, new Uint8Array(bytes.buffer, 0, size), this.access.attrs);
  }
}

/** Whether an access takes one plain call now, which it does not while the device handles another access. */
function takes({ guard }: Section, plainSizes: number, offset: number, size: number): boolean {
  return (plainSizes & size) !== 0 && (offset & (size - 1)) === 0 && (guard === null || !guard.engaged);
}
