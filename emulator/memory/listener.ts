import type { AddressSpace } from "./address-space.ts";
import type { FlatRange } from "./flat-range.ts";
import type { IoEventFd } from "./ioeventfd.ts";
import type { CoalescedRange } from "./region.ts";

/** An event notifier at its place in an address space. */
export interface PlacedIoEventFd {
  readonly address: number;
  readonly fd: IoEventFd;
}

/**
 * Follows the map of one address space. Within a commit: `begin`, then per changed space removals from the highest
 * address down and additions from the lowest up, then `commit`. Old regions are alive until `commit` has returned.
 */
export interface MemoryListener {
  readonly space: AddressSpace;
  /** Listeners with smaller numbers hear of additions first and of removals last. */
  readonly priority: number;
  begin?(): void;
  regionAdd?(section: FlatRange): void;
  regionDel?(section: FlatRange): void;
  /** A section that stays as it was. */
  regionNop?(section: FlatRange): void;
  eventFdAdd?(placed: PlacedIoEventFd): void;
  eventFdDel?(placed: PlacedIoEventFd): void;
  /** `range` lies in the section: the part of the region's coalesced range that is seen there. */
  coalescedAdd?(section: FlatRange, range: CoalescedRange): void;
  coalescedDel?(section: FlatRange, range: CoalescedRange): void;
  /** Delivers writes that were batched, before the map changes under them. */
  flushCoalesced?(): void;
  commit?(): void;
}
