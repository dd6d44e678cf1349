/** Memory core: regions, flat views, address spaces, dispatch, listeners and RCU. */
export { AddressSpace } from "./address-space.ts";
export { type AccessSize, MemTxResult, type PageUse, type PhysicalBus } from "./bus.ts";
export { CpuBus } from "./cpu-bus.ts";
export { FlatRange } from "./flat-range.ts";
export { FlatView } from "./flat-view.ts";
export { GuestMemory, PAGE_BYTES } from "./guest-memory.ts";
export { checkAddress, checkSize, formatAddress, type hwaddr, WHOLE_ADDRESS_SPACE } from "./hwaddr.ts";
export type { IoEventFd } from "./ioeventfd.ts";
export type { MemoryListener, PlacedIoEventFd } from "./listener.ts";
export { Mapping } from "./mapping.ts";
export { MemoryModel, type MemoryModelOptions, type NoOwner } from "./memory-model.ts";
export { formatFlatViews, formatMtree } from "./mtree.ts";
export {
  type AccessLimits,
  type Endianness,
  type MemoryRegionOps,
  type MemTxAttrs,
  type Transaction,
  UNSPECIFIED_ATTRS,
} from "./ops.ts";
export { HostRam, type RamAllocator, RamBlock } from "./ram.ts";
export { Rcu, RcuNode } from "./rcu.ts";
export { type CoalescedRange, MemoryRegion, MemReentrancyGuard, type RegionOwner } from "./region.ts";
