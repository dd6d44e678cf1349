/** A split virtqueue, the device's side. Source: Virtual I/O Device (VIRTIO) 1.2, section 2.7; quirks as QEMU 7.2's. */
import type { AddressSpace } from "#memory";
import { VirtqueueElement } from "./virtqueue-element.ts";

/** Queues have at most so many descriptors. */
export const VIRTQUEUE_MAX_SIZE = 1024;

const DESCRIPTOR_BYTES = 16;
const DESCRIPTOR_NEXT = 1;
const DESCRIPTOR_WRITE = 2;
const DESCRIPTOR_INDIRECT = 4;

/** Flags and index come before the entries of both rings. */
const RING_HEADER_BYTES = 4;
const AVAILABLE_ENTRY_BYTES = 2;
const USED_ENTRY_BYTES = 8;
/** What a buffer costs at least, beside its bytes: chains of one byte each are work, too. */
const LEAST_COST = 4096;
const AVAILABLE_NO_INTERRUPT = 1;
const USED_NO_NOTIFY = 1;

/** What a queue needs to know of its device. */
export interface VirtqueueOwner {
  /** What the driver's addresses mean. */
  readonly dma: AddressSpace;
  /** The driver has done something that makes no sense: nothing goes on until it resets the device. */
  readonly broken: boolean;
  /** Features that were agreed on. */
  readonly usesEventIndex: boolean;
  readonly notifiesOnEmpty: boolean;
  /** Breaks the device. */
  fail(message: string): void;
}

/**
 * Buffers that the driver makes available, and that the device returns used. Whatever a driver writes into the rings, no
 * method throws: the device breaks, and says so in its status.
 */
export class Virtqueue {
  /** Number of the queue in its device. */
  readonly index: number;
  /** Handles what the driver made available; called when it says that it has. */
  readonly handle: (queue: Virtqueue) => void;
  /** Descriptors after a reset. */
  readonly defaultSize: number;
  /** Descriptors; the driver may ask for fewer, or more. */
  size: number;
  /** Where the driver keeps the descriptors, and the rings. No queue is at 0. */
  descriptors = 0;
  available = 0;
  used = 0;
  /** Alignment of the used ring, of drivers before version 1. */
  align = 4096;
  /** Buffers taken and not yet returned. */
  inUse = 0;
  /** Bytes that may be taken before the rest is left for later. */
  budget = Number.POSITIVE_INFINITY;
  /** Buffers were left for later. */
  postponed = false;
  private readonly owner: VirtqueueOwner;
  /** Counts of buffers taken and returned, modulo 2^16. */
  private lastAvailable = 0;
  private usedIndex = 0;
  /** What `usedIndex` was when the driver was last told. */
  private signalled = 0;
  private signalledIsValid = false;
  private notification = true;

  constructor(owner: VirtqueueOwner, index: number, size: number, handle: (queue: Virtqueue) => void) {
    this.owner = owner;
    this.index = index;
    this.defaultSize = size;
    this.size = size;
    this.handle = handle;
  }

  reset(): void {
    this.size = this.defaultSize;
    this.descriptors = 0;
    this.available = 0;
    this.used = 0;
    this.inUse = 0;
    this.postponed = false;
    this.lastAvailable = 0;
    this.usedIndex = 0;
    this.signalled = 0;
    this.signalledIsValid = false;
    this.notification = true;
  }

  /** All that changes, as a snapshot keeps it. */
  get state(): readonly number[] {
    return [
      ...[this.size, this.descriptors, this.available, this.used, this.align, this.inUse],
      ...[this.lastAvailable, this.usedIndex, this.signalled],
      ...[Number(this.signalledIsValid), Number(this.notification), Number(this.postponed)],
    ];
  }

  set state(state: readonly number[]) {
    const [size = 0, descriptors = 0, available = 0, used = 0, align = 0, inUse = 0, ...rest] = state;
    const [lastAvailable = 0, usedIndex = 0, signalled = 0, signalledIsValid, notification, postponed] = rest;
    Object.assign(this, { size, descriptors, available, used, align, inUse });
    this.lastAvailable = lastAvailable;
    this.usedIndex = usedIndex;
    this.signalled = signalled;
    this.signalledIsValid = signalledIsValid === 1;
    this.notification = notification === 1;
    this.postponed = postponed === 1;
  }

  /** Takes the driver's choice of a size; what is none is ignored. */
  setSize(size: number): void {
    if (size > 0 && size <= VIRTQUEUE_MAX_SIZE) this.size = size;
  }

  /** Places all three parts behind each other, as drivers before version 1 do. */
  setLegacyAddress(address: number): void {
    this.descriptors = address;
    this.updateLegacyRings();
  }

  /** After a change of size or alignment. */
  updateLegacyRings(): void {
    if (this.descriptors === 0) return;
    this.available = this.descriptors + this.size * DESCRIPTOR_BYTES;
    // With room for the index that event suppression puts behind the entries.
    const end = this.available + RING_HEADER_BYTES + this.size * AVAILABLE_ENTRY_BYTES + 2;
    this.used = Math.ceil(end / this.align) * this.align;
  }

  /** Whether the driver has made nothing available that was not taken, or is to be now. */
  get empty(): boolean {
    return (
      this.budget <= 0 ||
      this.owner.broken ||
      this.descriptors === 0 ||
      this.availableIndex() === this.lastAvailable
    );
  }

  /** Takes the next buffer; null: there is none, the device broke, or what is left is for later. */
  pop(): VirtqueueElement | null {
    const { owner } = this;
    if (owner.broken || this.descriptors === 0) return null;
    const index = this.availableIndex();
    if (index === this.lastAvailable) return null;
    if (((index - this.lastAvailable) & 0xffff) > this.size)
      return this.refuse(`the available index went from ${this.lastAvailable} to ${index}`);
    if (this.budget <= 0) {
      this.postponed = true;
      return null;
    }
    if (this.inUse >= this.size) return this.refuse(`more than ${this.size} buffers are in use`);
    const head = this.read16(this.entry(this.lastAvailable));
    if (head >= this.size) return this.refuse(`descriptor ${head} of ${this.size} is available`);
    this.lastAvailable = (this.lastAvailable + 1) & 0xffff;
    if (owner.usesEventIndex) this.writeAvailableEvent(this.lastAvailable);
    const element = new VirtqueueElement(head, owner.dma);
    const mistake = this.gather(element);
    if (mistake !== null) {
      element.release(0);
      return this.refuse(mistake);
    }
    this.inUse++;
    this.budget -= LEAST_COST + element.outBytes + element.inBytes;
    return element;
  }

  /** Returns a buffer of which the first `written` bytes were written. The driver is told by `VirtioDevice.notify`. */
  push(element: VirtqueueElement, written: number): void {
    element.release(written);
    this.inUse--;
    if (this.owner.broken || this.descriptors === 0) return;
    const entry = this.used + RING_HEADER_BYTES + (this.usedIndex % this.size) * USED_ENTRY_BYTES;
    this.owner.dma.write(entry, 4, element.head);
    this.owner.dma.write(entry + 4, 4, written);
    this.usedIndex = (this.usedIndex + 1) & 0xffff;
    this.write16(this.used + 2, this.usedIndex);
    if (this.usedIndex === this.signalled) this.signalledIsValid = false; // once around: the difference says nothing
  }

  /** Puts the buffer that was taken last back, as if it had not been. */
  unpop(element: VirtqueueElement): void {
    element.release(0);
    this.inUse--;
    this.lastAvailable = (this.lastAvailable - 1) & 0xffff;
  }

  /** Whether the driver wants to know of what was returned. Counts as telling it. */
  takeInterrupt(): boolean {
    if (this.descriptors === 0) return false;
    const { owner } = this;
    if (owner.notifiesOnEmpty && this.inUse === 0 && this.empty) return true;
    if (!owner.usesEventIndex) return (this.read16(this.available) & AVAILABLE_NO_INTERRUPT) === 0;
    const old = this.signalled;
    const wasValid = this.signalledIsValid;
    this.signalled = this.usedIndex;
    this.signalledIsValid = true;
    const event = this.read16(this.available + RING_HEADER_BYTES + this.size * AVAILABLE_ENTRY_BYTES);
    return !wasValid || passes(event, this.usedIndex, old);
  }

  /** Asks the driver to say when it makes buffers available, or not to. */
  setNotification(enabled: boolean): void {
    this.notification = enabled;
    if (this.descriptors === 0) return;
    if (this.owner.usesEventIndex) {
      if (enabled) this.writeAvailableEvent(this.availableIndex());
      return;
    }
    const flags = this.read16(this.used);
    this.write16(this.used, enabled ? flags & ~USED_NO_NOTIFY : flags | USED_NO_NOTIFY);
  }

  /** Adds the memory of all descriptors of a chain. Answers what is wrong with it; null: nothing. */
  private gather(element: VirtqueueElement): string | null {
    let table = this.descriptors;
    let length = this.size;
    let next = element.head;
    let isIndirect = false;
    for (let seen = 0; ; seen++) {
      if (seen >= length) return "a chain of descriptors has no end";
      const at = table + next * DESCRIPTOR_BYTES;
      const address = this.read64(at);
      const bytes = this.owner.dma.read(at + 8, 4);
      const flagsAndNext = this.owner.dma.read(at + 12, 4);
      const flags = flagsAndNext & 0xffff;
      if ((flags & DESCRIPTOR_INDIRECT) !== 0 && !isIndirect) {
        if (bytes === 0 || bytes % DESCRIPTOR_BYTES !== 0) return `an indirect table has ${bytes} bytes`;
        if (!Number.isSafeInteger(address + bytes)) return `no table is at 0x${address.toString(16)}`;
        isIndirect = true;
        table = address;
        length = bytes / DESCRIPTOR_BYTES;
        next = 0;
        seen = -1;
        continue;
      }
      const mistake = element.add(address, bytes, (flags & DESCRIPTOR_WRITE) !== 0);
      if (mistake !== null) return mistake;
      if ((flags & DESCRIPTOR_NEXT) === 0) return null;
      next = flagsAndNext >>> 16;
      if (next >= length) return `descriptor ${next} of ${length} is next`;
    }
  }

  private refuse(mistake: string): null {
    this.owner.fail(`queue ${this.index}: ${mistake}`);
    return null;
  }

  private availableIndex(): number {
    return this.read16(this.available + 2);
  }

  private entry(count: number): number {
    return this.available + RING_HEADER_BYTES + (count % this.size) * AVAILABLE_ENTRY_BYTES;
  }

  private writeAvailableEvent(index: number): void {
    if (this.notification) this.write16(this.used + RING_HEADER_BYTES + this.size * USED_ENTRY_BYTES, index);
  }

  private read16(address: number): number {
    return this.owner.dma.read(address, 2);
  }

  private write16(address: number, value: number): void {
    this.owner.dma.write(address, 2, value);
  }

  /** Exact to 2^53: larger ones are no memory, and are found out by whoever uses them. */
  private read64(address: number): number {
    const low = this.owner.dma.read(address, 4);
    return this.owner.dma.read(address + 4, 4) * 2 ** 32 + low;
  }
}

/** Whether a count that goes from `old` to `now` goes past `event`, all modulo 2^16 (VIRTIO 1.2, 2.7.7.1). */
function passes(event: number, now: number, old: number): boolean {
  return ((now - event - 1) & 0xffff) < ((now - old) & 0xffff);
}
