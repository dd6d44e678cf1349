import type { AddressSpace } from "../address-space.ts";
import type { FlatRange } from "../map/flat-range.ts";
import type { CoalescedRange } from "../map/region.ts";
import type { IoEventFd } from "./ioeventfd.ts";

/** An event notifier and its address in an address space. */
export interface PlacedIoEventFd {
  readonly address: number;
  readonly fd: IoEventFd;
}

/**
 * Follows the map of one address space. During a commit: `begin`, then, for each changed space, removals and then
 * additions, both from the lowest address up, then `commit`. All views are rendered before `begin`. Old regions stay alive until `commit` returns.
 */
export interface MemoryListener {
  readonly space: AddressSpace;
  /** Listeners with lower numbers are told of additions first and of removals last. */
  readonly priority: number;
  begin?(): void;
  regionAdd?(section: FlatRange): void;
  regionDel?(section: FlatRange): void;
  /** A section that has not changed. */
  regionNop?(section: FlatRange): void;
  eventFdAdd?(placed: PlacedIoEventFd): void;
  eventFdDel?(placed: PlacedIoEventFd): void;
  /** `range` is the part of the region's coalesced range that is visible in the section. */
  coalescedAdd?(section: FlatRange, range: CoalescedRange): void;
  coalescedDel?(section: FlatRange, range: CoalescedRange): void;
  /** Delivers batched writes before the map changes. */
  flushCoalesced?(): void;
  commit?(): void;
}
