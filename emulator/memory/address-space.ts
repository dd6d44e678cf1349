import { type Block, QomAbort } from "#qom";
import { type AccessSize, MemTxResult } from "./access/bus.ts";
import { Access, dispatchRead, dispatchWrite, transferSize, truncate } from "./access/dispatch.ts";
import { type Mapping, MappingLedger } from "./access/mapping.ts";
import { type MemTxAttrs, UNSPECIFIED_ATTRS } from "./access/ops.ts";
import { NOWHERE, type PageMap } from "./access/page-map.ts";
import type { RamBlock } from "./access/ram.ts";
import type { Section } from "./access/section.ts";
import { sharesPage, takesPieces } from "./access/shared-page.ts";
import { checkAddress } from "./hwaddr.ts";
import type { FlatRange } from "./map/flat-range.ts";
import type { FlatView } from "./map/flat-view.ts";
import type { CoalescedRange, MemoryRegion } from "./map/region.ts";
import type { MemoryModel } from "./memory-model.ts";
import {
  announce,
  announceCoalesced,
  announceEnd,
  announceStart,
  followsRanges,
} from "./observe/announce.ts";
import type { MemoryListener, PlacedIoEventFd } from "./observe/listener.ts";
import { RcuNode } from "./rcu.ts";

/** Modelled bytes of the C structure. */
const ADDRESS_SPACE_BYTES = 176;
/**
 * Memory as one observer (a processor, a bus master) sees it: the tree below a root region, as a flat view.
 *
 * `read` and `write` are single accesses of 1, 2, 4 or 8 bytes, as a processor makes them; `readBytes` and `writeBytes`
 * are transfers of any length, split into accesses that each region accepts. After each, `result` is the outcome, and
 * `high` the upper half of an 8-byte value read.
 */
export class AddressSpace {
  readonly model: MemoryModel;
  readonly name: string;
  readonly mappings: MappingLedger;
  private rootRegion: MemoryRegion | null;
  private currentView: FlatView;
  private pages: PageMap;
  /** The section of the latest access in this view; {@link NOWHERE} unless the page map had one. */
  private hit = NOWHERE;
  private eventFds: PlacedIoEventFd[] = [];
  /** The latest access. */
  private readonly access = new Access();
  /** Record for the next access through callbacks, which may make accesses of their own. */
  private idle = new Access();
  private readonly block: Block;
  private readonly node = new RcuNode();
  private destroyed = false;

  constructor(model: MemoryModel, root: MemoryRegion, name: string) {
    this.model = model;
    this.name = name;
    this.block = model.heap.allocate("address-space", ADDRESS_SPACE_BYTES);
    this.mappings = new MappingLedger(this);
    root.takeRef();
    this.rootRegion = root;
    model.addressSpaces.push(this);
    this.currentView = model.flatViewOf(root);
    this.currentView.ref();
    this.pages = this.currentView.pages;
    this.updateIoEventFds();
  }

  /** Null once the space is being destroyed. */
  get root(): MemoryRegion | null {
    return this.rootRegion;
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
   * Fast path: a plain access to a section already seen returns here. Callbacks do not throw, as nothing that a guest
   * does is an exception. One that throws ends the machine and leaves its guard engaged; catching it here would make
   * every access a third slower.
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
    return this.transfer(address, into, attrs, this.readPiece);
  }

  /** Writes all of `from`, continuing after regions that refuse the access. Returns the combined outcome. */
  writeBytes(address: number, from: Uint8Array, attrs: MemTxAttrs = UNSPECIFIED_ATTRS): MemTxResult {
    return this.transfer(address, from, attrs, this.writePiece);
  }

  /**
   * Gives a device direct access to guest memory: RAM itself, or a bounce buffer for anything else. May be shorter than
   * requested; null when nothing can be mapped now. Holds a reference on the region's owner until `unmap`.
   */
  map(
    address: number,
    length: number,
    isWrite: boolean,
    attrs: MemTxAttrs = UNSPECIFIED_ATTRS,
  ): Mapping | null {
    checkAddress(address, `address mapped in ${this.name}`);
    return this.mappings.map(address, length, isWrite, attrs);
  }

  /** Ends a mapping; the first `written` bytes of a bounce buffer are written to the device now. */
  unmap(mapping: Mapping, written: number): void {
    this.mappings.unmap(mapping, written);
  }

  /** The range that contains `address`, if any. */
  find(address: number): FlatRange | undefined {
    return this.currentView.find(address);
  }

  /** Adds a listener, and tells it about everything currently mapped. */
  addListener(listener: MemoryListener): void {
    const { listeners } = this.model;
    const place = listeners.findIndex((other) => other.priority > listener.priority);
    listeners.splice(place === -1 ? listeners.length : place, 0, listener);
    listener.begin?.();
    for (const range of this.currentView.ranges) announceStart(range, listener);
    for (const placed of this.eventFds) listener.eventFdAdd?.(placed);
    listener.commit?.();
  }

  /** Removes a listener after telling it that everything is removed; does nothing if it is not registered. */
  removeListener(listener: MemoryListener): void {
    const place = this.model.listeners.indexOf(listener);
    if (place === -1) return;
    listener.begin?.();
    for (const placed of this.eventFds) listener.eventFdDel?.(placed);
    for (const range of [...this.currentView.ranges].reverse()) announceEnd(range, listener);
    listener.commit?.();
    this.model.listeners.splice(place, 1);
  }

  /** Switches to another view, when a transaction is committed. */
  setView(view: FlatView): void {
    const old = this.currentView;
    if (view === old) return;
    view.ref();
    const mine = this.listeners().filter(followsRanges);
    if (mine.length > 0) announce(old, view, mine);
    this.currentView = view;
    this.pages = view.pages;
    this.hit = NOWHERE;
    old.unref();
  }

  /** Tells listeners which event notifiers were added and removed, after a change of the map or of the notifiers. */
  updateIoEventFds(): void {
    const placed: PlacedIoEventFd[] = [];
    for (const range of this.currentView.ranges) {
      for (const fd of range.region.ioEventFds) {
        const address = fd.offset - range.offset + range.start;
        if (address >= range.start && address < range.end) placed.push({ address, fd });
      }
    }
    const had = this.eventFds;
    if (had.length === 0 && placed.length === 0) return;
    this.eventFds = placed;
    const same = (a: PlacedIoEventFd) => (b: PlacedIoEventFd) => a.fd === b.fd && a.address === b.address;
    const mine = this.listeners();
    const backwards = [...mine].reverse();
    for (const old of had) {
      if (!placed.some(same(old))) for (const listener of backwards) listener.eventFdDel?.(old);
    }
    for (const now of placed) {
      if (!had.some(same(now))) for (const listener of mine) listener.eventFdAdd?.(now);
    }
  }

  /** Tells listeners that part of a region is now coalesced, or no longer, wherever the region is visible. */
  updateCoalesced(region: MemoryRegion, part: CoalescedRange, hook: "coalescedAdd" | "coalescedDel"): void {
    const mine = this.listeners();
    if (hook === "coalescedDel") mine.reverse();
    for (const range of this.currentView.ranges) {
      if (range.region !== region) continue;
      for (const listener of mine) announceCoalesced(range, part, listener, hook);
    }
  }

  /**
   * Ends the space: tells listeners at once that everything is removed; drops its reference on the root after a grace
   * period.
   * @throws QomAbort then, if bounce buffers, waiters for them, or listeners are left.
   */
  destroy(): void {
    if (this.destroyed) throw new QomAbort(`address space ${this.name} is destroyed twice`);
    this.destroyed = true;
    const root = this.rootRegion;
    this.model.transaction(() => {
      this.rootRegion = null;
      this.model.updatePending = true;
    });
    this.model.addressSpaces.splice(this.model.addressSpaces.indexOf(this), 1);
    this.model.rcu.call(this.node, () => {
      if (this.mappings.bounceBytes > 0) throw new QomAbort(`${this.name} ends with bounce buffers in use`);
      if (this.mappings.waiting > 0) throw new QomAbort(`${this.name} ends with waiters for bounce buffers`);
      if (this.listeners().length > 0) throw new QomAbort(`${this.name} ends with listeners attached`);
      this.currentView.unref();
      root?.dropRef();
      this.model.heap.free(this.block);
    });
  }

  private listeners(): MemoryListener[] {
    return this.model.listeners.filter((each) => each.space === this);
  }

  /** A plain read that missed the fast path; the caller has made the same checks as `read`. */
  private callRead(section: Section, offset: number, size: AccessSize): number {
    const { guard, read } = section;
    if (guard !== null) guard.engaged = true;
    const value = read(section.opaque, offset, size);
    if (guard !== null) guard.engaged = false;
    this.access.result = MemTxResult.Ok;
    return truncate(value, size);
  }

  private callWrite(section: Section, offset: number, size: AccessSize, low: number): void {
    const { guard, write } = section;
    if (guard !== null) guard.engaged = true;
    write(section.opaque, offset, truncate(low, size), size);
    if (guard !== null) guard.engaged = false;
    this.access.result = MemTxResult.Ok;
  }

  /** Reads through callbacks, leaving the value in `access`. A callback that throws loses its record. */
  private readThrough(region: MemoryRegion, offset: number, size: AccessSize): void {
    const { access, idle } = this;
    idle.inner ??= new Access();
    this.idle = idle.inner;
    idle.attrs = access.attrs;
    dispatchRead(region, offset, size, idle);
    this.idle = idle;
    access.low = idle.low;
    access.high = idle.high;
    access.result = idle.result;
  }

  /** Writes the value in `access` through callbacks. */
  private writeThrough(region: MemoryRegion, offset: number, size: AccessSize): void {
    const { access, idle } = this;
    idle.inner ??= new Access();
    this.idle = idle.inner;
    idle.attrs = access.attrs;
    idle.low = access.low;
    idle.high = access.high;
    dispatchWrite(region, offset, size, idle);
    this.idle = idle;
    access.result = idle.result;
  }

  /** A read that missed the fast path: not a plain call, or the page map did not have the section yet. */
  private readMissed(address: number, size: AccessSize, attrs: MemTxAttrs): number {
    const view = this.currentView;
    const index = view.indexOf(address);
    const { access } = this;
    if (index < 0) {
      access.result = MemTxResult.DecodeError;
      access.high = 0;
      return 0;
    }
    const section = view.sections[index] as Section;
    const offset = address - (view.origins[index] as number);
    if ((section.plainReads & size) !== 0 && (offset & (size - 1)) === 0) {
      const { guard } = section;
      if (guard === null || !guard.engaged) {
        view.pages.note(address, section);
        return this.callRead(section, offset, size);
      }
    }
    const { region } = view.ranges[index] as FlatRange;
    access.attrs = attrs;
    if (region.readsDirectly) return this.load(view, index, address, size);
    if (sharesPage(view.ranges[index] as FlatRange, address)) {
      if (takesPieces(view, address, size, false, attrs)) return this.readAcross(address, size);
      access.result = MemTxResult.DecodeError;
      access.high = 0;
      return 0;
    }
    this.readThrough(region, offset, size);
    return access.low;
  }

  private writeMissed(address: number, size: AccessSize, low: number, high: number, attrs: MemTxAttrs): void {
    const view = this.currentView;
    const index = view.indexOf(address);
    const { access } = this;
    if (index < 0) {
      access.result = MemTxResult.DecodeError;
      return;
    }
    const section = view.sections[index] as Section;
    const offset = address - (view.origins[index] as number);
    if ((section.plainWrites & size) !== 0 && (offset & (size - 1)) === 0) {
      const { guard } = section;
      if (guard === null || !guard.engaged) {
        view.pages.note(address, section);
        this.callWrite(section, offset, size, low);
        return;
      }
    }
    const { region } = view.ranges[index] as FlatRange;
    access.attrs = attrs;
    if (region.isMemory && (view.ranges[index] as FlatRange).readOnly) {
      access.result = MemTxResult.DecodeError;
    } else if (region.writesDirectly) {
      this.store(view, index, address, size, low, high);
    } else if (sharesPage(view.ranges[index] as FlatRange, address)) {
      if (takesPieces(view, address, size, true, attrs)) this.writeAcross(address, size, low, high);
      else access.result = MemTxResult.DecodeError;
    } else {
      access.low = truncate(low, size);
      access.high = high >>> 0;
      this.writeThrough(region, offset, size);
    }
  }

  private load(view: FlatView, index: number, address: number, size: AccessSize): number {
    const range = view.ranges[index] as FlatRange;
    const { access } = this;
    access.result = MemTxResult.Ok;
    if (address + size > range.end) return this.readAcross(address, size);
    const offset = address - (view.origins[index] as number);
    const ram = (range.region.ram as RamBlock).view; // regions that read directly have RAM
    if (size === 4) return ram.getUint32(offset, true);
    if (size === 1) return ram.getUint8(offset);
    if (size === 2) return ram.getUint16(offset, true);
    access.high = ram.getUint32(offset + 4, true);
    return ram.getUint32(offset, true);
  }

  private store(
    view: FlatView,
    index: number,
    address: number,
    size: AccessSize,
    low: number,
    high: number,
  ): void {
    const range = view.ranges[index] as FlatRange;
    this.access.result = MemTxResult.Ok;
    if (address + size > range.end) {
      this.writeAcross(address, size, low, high);
      return;
    }
    const offset = address - (view.origins[index] as number);
    const ram = (range.region.ram as RamBlock).view; // regions that write directly have RAM
    if (size === 4) ram.setUint32(offset, low, true);
    else if (size === 1) ram.setUint8(offset, low);
    else if (size === 2) ram.setUint16(offset, low, true);
    else {
      ram.setUint32(offset, low, true);
      ram.setUint32(offset + 4, high, true);
    }
    const { onRamWritten } = this.model;
    if (onRamWritten !== null) onRamWritten((range.region.ram as RamBlock).bytes, offset, size);
  }

  /** An access that is split: it crosses the end of a RAM range, or is to a shared page. */
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

  private transfer(
    address: number,
    bytes: Uint8Array,
    attrs: MemTxAttrs,
    piece: (range: FlatRange, at: number, bytes: Uint8Array, done: number) => number,
  ): MemTxResult {
    let result: MemTxResult = MemTxResult.Ok;
    for (let done = 0; done < bytes.length; ) {
      this.access.attrs = attrs; // accesses made by a callback may have changed them
      const at = address + done;
      const range = this.currentView.find(at);
      if (range === undefined) {
        // At least one byte: at the top of the address space the gap's end may not be above `at`.
        const gap = Math.max(1, Math.min(bytes.length - done, this.currentView.gapEnd(at) - at));
        if (piece === this.readPiece) bytes.fill(0, done, done + gap);
        result |= MemTxResult.DecodeError;
        done += gap;
        continue;
      }
      this.access.result = MemTxResult.Ok;
      done += piece.call(this, range, at, bytes, done);
      result |= this.access.result;
    }
    this.access.result = result;
    return result;
  }

  private readPiece(range: FlatRange, at: number, bytes: Uint8Array, done: number): number {
    const { region } = range;
    const offset = at - range.start + range.offset;
    const length = Math.min(bytes.length - done, range.end - at);
    if (region.readsDirectly) {
      bytes.set((region.ram as RamBlock).bytes.subarray(offset, offset + length), done);
      return length;
    }
    const size = transferSize(region, offset, bytes.length - done); // not clipped at the end of the range
    const { access } = this;
    this.readThrough(region, offset, size);
    for (let i = 0; i < size; i++)
      bytes[done + i] = i < 4 ? access.low >>> (i * 8) : access.high >>> ((i - 4) * 8);
    return size;
  }

  private writePiece(range: FlatRange, at: number, bytes: Uint8Array, done: number): number {
    const { region } = range;
    const offset = at - range.start + range.offset;
    const length = Math.min(bytes.length - done, range.end - at);
    const { access } = this;
    if (region.isMemory && range.readOnly) {
      access.result = MemTxResult.DecodeError;
      return length;
    }
    if (region.writesDirectly) {
      const ram = (region.ram as RamBlock).bytes; // regions that write directly have RAM
      ram.set(bytes.subarray(done, done + length), offset);
      this.model.onRamWritten?.(ram, offset, length);
      return length;
    }
    const size = transferSize(region, offset, bytes.length - done); // not clipped at the end of the range
    access.low = 0;
    access.high = 0;
    for (let i = 0; i < size; i++) {
      const byte = bytes[done + i] as number;
      if (i < 4) access.low = (access.low | (byte << (i * 8))) >>> 0;
      else access.high = (access.high | (byte << ((i - 4) * 8))) >>> 0;
    }
    this.writeThrough(region, offset, size);
    return size;
  }
}
