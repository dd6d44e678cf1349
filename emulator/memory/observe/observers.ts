import type { AddressSpace } from "../address-space.ts";
import type { FlatView } from "../map/flat-view.ts";
import { EVERYTHING, type Interval } from "../map/interval.ts";
import type { CoalescedRange, MemoryRegion } from "../map/region.ts";
import { type Order, SortedTree } from "../map/sorted-tree.ts";
import { announce, announceCoalesced, announceEnd, announceStart, followsRanges } from "./announce.ts";
import { compareIoEventFds } from "./ioeventfd.ts";
import type { MemoryListener, PlacedIoEventFd } from "./listener.ts";

const placedOrder: Order<PlacedIoEventFd> = {
  compare,
  start: ({ address }) => address,
  end: ({ address }) => address + 1,
};

/** Those who follow the map of one address space, and what they have been told of event notifiers. */
export class Observers {
  private readonly space: AddressSpace;
  /** The listeners of this space, by priority. */
  private mine: readonly MemoryListener[] = [];
  private eventFds = SortedTree.of(placedOrder);

  constructor(space: AddressSpace) {
    this.space = space;
  }

  /** Whether anyone is left. */
  get any(): boolean {
    return this.mine.length > 0;
  }

  /** Adds a listener, and tells it about everything currently mapped. */
  add(listener: MemoryListener): void {
    const { listeners } = this.space.model;
    const place = listeners.findIndex((other) => other.priority > listener.priority);
    listeners.splice(place === -1 ? listeners.length : place, 0, listener);
    this.mine = listeners.filter((each) => each.space === this.space);
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
    this.mine = this.mine.filter((each) => each !== listener);
  }

  /** Tells listeners the differences between two views. */
  viewChanges(old: FlatView, now: FlatView): void {
    const mine = this.mine.filter(followsRanges);
    if (mine.length > 0) announce(old, now, mine);
  }

  /**
   * Tells listeners which event notifiers were added and removed, after a change of the map or of the notifiers.
   * @param places where there was a change, disjoint and ascending
   */
  updateIoEventFds(places: readonly Interval[] = EVERYTHING): void {
    if (this.eventFds.size === 0 && this.space.model.ioEventFdCount === 0) return;
    for (const { low, high } of places) {
      const before = (placed: PlacedIoEventFd) => placed.address < low;
      const after = (placed: PlacedIoEventFd) => placed.address >= high;
      const had: PlacedIoEventFd[] = [];
      for (const placed of this.eventFds.from(before)) {
        if (after(placed)) break;
        had.push(placed);
      }
      const now = this.placedWithin(low, high);
      this.eventFds = this.eventFds.replace(before, after, now);
      this.announceIoEventFds(had, now);
    }
  }

  /** The event notifiers that are visible at addresses from `low` to `high`, in order. */
  private placedWithin(low: number, high: number): PlacedIoEventFd[] {
    const placed: PlacedIoEventFd[] = [];
    for (const { region, start, end, offset } of this.space.view.within(low, high)) {
      if (!region.hasIoEventFds) continue;
      for (const fd of region.ioEventFdsFrom(offset + Math.max(low - start, 0))) {
        const address = fd.offset - offset + start;
        if (address >= Math.min(end, high)) break;
        placed.push({ address, fd });
      }
    }
    return placed;
  }

  private announceIoEventFds(had: readonly PlacedIoEventFd[], placed: readonly PlacedIoEventFd[]): void {
    const { mine } = this;
    const backwards = mine.toReversed();
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
    const mine = hook === "coalescedDel" ? this.mine.toReversed() : this.mine;
    for (const range of this.space.view.ranges) {
      if (range.region !== region) continue;
      for (const listener of mine) announceCoalesced(range, part, listener, hook);
    }
  }
}

function compare(a: PlacedIoEventFd, b: PlacedIoEventFd): number {
  return a.address - b.address || compareIoEventFds(a.fd, b.fd);
}
