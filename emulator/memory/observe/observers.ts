import type { AddressSpace } from "../address-space.ts";
import type { FlatView } from "../map/flat-view.ts";
import type { CoalescedRange, MemoryRegion } from "../map/region.ts";
import { announce, announceCoalesced, announceEnd, announceStart, followsRanges } from "./announce.ts";
import { compareIoEventFds } from "./ioeventfd.ts";
import type { MemoryListener, PlacedIoEventFd } from "./listener.ts";

/** Those who follow the map of one address space, and what they have been told of event notifiers. */
export class Observers {
  private readonly space: AddressSpace;
  private eventFds: PlacedIoEventFd[] = [];

  constructor(space: AddressSpace) {
    this.space = space;
  }

  /** Whether anyone is left. */
  get any(): boolean {
    return this.listeners().length > 0;
  }

  /** Adds a listener, and tells it about everything currently mapped. */
  add(listener: MemoryListener): void {
    const { listeners } = this.space.model;
    const place = listeners.findIndex((other) => other.priority > listener.priority);
    listeners.splice(place === -1 ? listeners.length : place, 0, listener);
    listener.begin?.();
    for (const range of this.space.view.ranges) announceStart(range, listener);
    for (const placed of this.eventFds) listener.eventFdAdd?.(placed);
    listener.commit?.();
  }

  /** Removes a listener after telling it that everything is removed; does nothing if it is not registered. */
  remove(listener: MemoryListener): void {
    const { listeners } = this.space.model;
    const place = listeners.indexOf(listener);
    if (place === -1) return;
    listener.begin?.();
    for (const range of this.space.view.ranges) announceEnd(range, listener);
    for (const placed of this.eventFds) listener.eventFdDel?.(placed);
    listener.commit?.();
    listeners.splice(place, 1);
  }

  /** Tells listeners the differences between two views. */
  viewChanges(old: FlatView, now: FlatView): void {
    const mine = this.listeners().filter(followsRanges);
    if (mine.length > 0) announce(old, now, mine);
  }

  /** Tells listeners which event notifiers were added and removed, after a change of the map or of the notifiers. */
  updateIoEventFds(): void {
    const placed: PlacedIoEventFd[] = [];
    for (const range of this.space.view.ranges) {
      for (const fd of range.region.ioEventFds) {
        const address = fd.offset - range.offset + range.start;
        if (address >= range.start && address < range.end) placed.push({ address, fd });
      }
    }
    const had = this.eventFds;
    if (had.length === 0 && placed.length === 0) return;
    placed.sort(compare);
    this.eventFds = placed;
    const mine = this.listeners();
    const backwards = [...mine].reverse();
    // Both are sorted: in one pass, whatever only one of them has is removed or added.
    for (let i = 0, j = 0; i < had.length || j < placed.length; ) {
      const [old, now] = [had[i], placed[j]];
      const order = old === undefined ? 1 : now === undefined ? -1 : compare(old, now);
      if (old !== undefined && order <= 0) i++;
      if (now !== undefined && order >= 0) j++;
      const replaced = order === 0 && old?.fd.notify !== now?.fd.notify;
      if (old !== undefined && (order < 0 || replaced))
        for (const listener of backwards) listener.eventFdDel?.(old);
      if (now !== undefined && (order > 0 || replaced))
        for (const listener of mine) listener.eventFdAdd?.(now);
    }
  }

  /** Tells listeners that part of a region is now coalesced, or no longer, wherever the region is visible. */
  updateCoalesced(region: MemoryRegion, part: CoalescedRange, hook: "coalescedAdd" | "coalescedDel"): void {
    const mine = this.listeners();
    if (hook === "coalescedDel") mine.reverse();
    for (const range of this.space.view.ranges) {
      if (range.region !== region) continue;
      for (const listener of mine) announceCoalesced(range, part, listener, hook);
    }
  }

  private listeners(): MemoryListener[] {
    return this.space.model.listeners.filter((each) => each.space === this.space);
  }
}

function compare(a: PlacedIoEventFd, b: PlacedIoEventFd): number {
  return a.address - b.address || compareIoEventFds(a.fd, b.fd);
}
