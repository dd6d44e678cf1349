/** Device side of a split virtqueue. Source: Virtual I/O Device (VIRTIO) 1.2, section 2.7; quirks as in QEMU 7.2. */
import type { DmaView } from "#memory";
import { VirtqueueElement } from "./virtqueue-element.ts";

/** Maximum number of descriptors in a queue. */
export const VIRTQUEUE_MAX_SIZE = 1024;

const DESCRIPTOR_BYTES = 16;
const DESCRIPTOR_NEXT = 1;
const DESCRIPTOR_WRITE = 2;
const DESCRIPTOR_INDIRECT = 4;

/** Flags and index, before the entries of both rings. */
const RING_HEADER_BYTES = 4;
const AVAILABLE_ENTRY_BYTES = 2;
const USED_ENTRY_BYTES = 8;
/** Cost of a buffer in addition to its bytes: chains of one byte each are work, too. */
const LEAST_COST = 4096;
const AVAILABLE_NO_INTERRUPT = 1;
const USED_NO_NOTIFY = 1;

/** What a queue needs to know about its device. */
export interface VirtqueueOwner {
  /** Guest memory, by the driver's addresses. */
  readonly dma: DmaView;
  /** Set by a driver error: nothing happens until the driver resets the device. */
  readonly broken: boolean;
  /** Negotiated features. */
  readonly usesEventIndex: boolean;
  readonly notifiesOnEmpty: boolean;
  /** Reports a driver error, which breaks the device. */
  fail(message: string): void;
}

/**
 * Buffers that the driver makes available, and that the device returns as used. Whatever a driver writes to the rings,
 * no method throws: invalid contents break the device, which reports that in its status.
 */
export class Virtqueue {
  /** Index of the queue in its device. */
  readonly index: number;
  /** Handles the available buffers; called when the driver notifies the queue. */
  readonly handle: (queue: Virtqueue) => void;
  /** Number of descriptors after a reset. */
  readonly defaultSize: number;
  /** Number of descriptors; the driver may choose fewer or more. */
  size: number;
  /** Addresses of the descriptor table and of the rings; `descriptors` is 0 while the queue is not set up. */
  descriptors = 0;
  available = 0;
  used = 0;
  /** Alignment of the used ring with legacy drivers. */
  align = 4096;
  /** Number of buffers taken and not yet returned. */
  inUse = 0;
  /** Number of bytes that may be taken before further buffers are postponed. */
  budget = Number.POSITIVE_INFINITY;
  /** Whether buffers were postponed. */
  postponed = false;
  private readonly owner: VirtqueueOwner;
  /** Counts of buffers taken and returned, modulo 2^16. */
  private lastAvailable = 0;
  private usedIndex = 0;
  /** Value of `usedIndex` when the driver was last notified. */
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

  /** All variable state, in the form kept in snapshots. */
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

  /** Sets the size chosen by the driver; ignores invalid ones. */
  setSize(size: number): void {
    if (size > 0 && size <= VIRTQUEUE_MAX_SIZE) this.size = size;
  }

  /** Places all three parts one after the other, as legacy drivers do. */
  setLegacyAddress(address: number): void {
    this.descriptors = address;
    this.updateLegacyRings();
  }

  /** Recomputes the ring addresses after a change of address, size or alignment. */
  updateLegacyRings(): void {
    if (this.descriptors === 0) return;
    this.available = this.descriptors + this.size * DESCRIPTOR_BYTES;
    // Including the index for event suppression, which follows the entries.
    const end = this.available + RING_HEADER_BYTES + this.size * AVAILABLE_ENTRY_BYTES + 2;
    this.used = Math.ceil(end / this.align) * this.align;
  }

  /** Whether no buffer can be taken now: none is available, the budget is used up, or the device is broken. */
  get empty(): boolean {
    return (
      this.budget <= 0 ||
      this.owner.broken ||
      this.descriptors === 0 ||
      this.availableIndex() === this.lastAvailable
    );
  }

  /** Takes the next buffer; null if there is none, the device broke, or further buffers are postponed. */
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
    if (head >= this.size)
      return this.refuse(`available descriptor ${head} is outside the table of ${this.size} descriptors`);
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

  /** Returns a buffer whose first `written` bytes were written. `VirtioDevice.notify` then tells the driver. */
  push(element: VirtqueueElement, written: number): void {
    element.release(written);
    this.inUse--;
    if (this.owner.broken || this.descriptors === 0) return;
    const entry = this.used + RING_HEADER_BYTES + (this.usedIndex % this.size) * USED_ENTRY_BYTES;
    this.owner.dma.write(entry, 4, element.head);
    this.owner.dma.write(entry + 4, 4, written);
    this.usedIndex = (this.usedIndex + 1) & 0xffff;
    this.write16(this.used + 2, this.usedIndex);
    if (this.usedIndex === this.signalled) this.signalledIsValid = false; // wrapped: the difference is meaningless
  }

  /** Puts back the buffer taken last, as if it had not been taken. */
  unpop(element: VirtqueueElement): void {
    element.release(0);
    this.inUse--;
    this.lastAvailable = (this.lastAvailable - 1) & 0xffff;
  }

  /** Whether the driver wants an interrupt for the returned buffers. Assumes that it then gets one. */
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

  /** Asks the driver to notify the device of available buffers, or not to. */
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

  /** Adds the memory of all descriptors of a chain. Returns null, or what is wrong. */
  private gather(element: VirtqueueElement): string | null {
    let table = this.descriptors;
    let length = this.size;
    let next = element.head;
    let isIndirect = false;
    for (let seen = 0; ; seen++) {
      if (seen >= length) return "a descriptor chain has no end";
      const at = table + next * DESCRIPTOR_BYTES;
      const address = this.read64(at);
      const bytes = this.owner.dma.read(at + 8, 4);
      const flagsAndNext = this.owner.dma.read(at + 12, 4);
      const flags = flagsAndNext & 0xffff;
      if ((flags & DESCRIPTOR_INDIRECT) !== 0 && !isIndirect) {
        if (bytes === 0 || bytes % DESCRIPTOR_BYTES !== 0)
          return `an indirect table has an invalid size of ${bytes} bytes`;
        if (!Number.isSafeInteger(address + bytes)) return `there is no memory at 0x${address.toString(16)}`;
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
      if (next >= length) return `next descriptor ${next} is outside the table of ${length} descriptors`;
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

  /** Exact up to 2^53; callers reject larger addresses, where there is no memory. */
  private read64(address: number): number {
    const low = this.owner.dma.read(address, 4);
    return this.owner.dma.read(address + 4, 4) * 2 ** 32 + low;
  }
}

/** Whether a counter that goes from `old` to `now` passes `event`, all modulo 2^16 (VIRTIO 1.2, section 2.7.7.1). */
function passes(event: number, now: number, old: number): boolean {
  return ((now - event - 1) & 0xffff) < ((now - old) & 0xffff);
}
