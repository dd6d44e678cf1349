/** Memory core: regions, flat views, address spaces, dispatch, listeners and RCU. */

export { type AccessSize, MemTxResult, type PageUse, type PhysicalBus } from "./access/bus.ts";
export { CpuBus } from "./access/cpu-bus.ts";
export { DmaView } from "./access/dma-view.ts";
export { GuestMemory, PAGE_BYTES } from "./access/guest-memory.ts";
export { Mapping } from "./access/mapping.ts";
export {
  type AccessLimits,
  type Endianness,
  type MemoryRegionOps,
  type MemTxAttrs,
  type Transaction,
  UNSPECIFIED_ATTRS,
} from "./access/ops.ts";
export { HostRam, type RamAllocator, RamBlock } from "./access/ram.ts";
export type { OpenRamFile, RamFile, RamFileOptions } from "./access/ram-file.ts";
export { iotlbEntry } from "./access/translate.ts";
export { AddressSpace, AddressSpaceStorage } from "./address-space.ts";
export { checkAddress, checkSize, formatAddress, type hwaddr, WHOLE_ADDRESS_SPACE } from "./hwaddr.ts";
export { FlatRange } from "./map/flat-range.ts";
export { FlatView } from "./map/flat-view.ts";
export { FoundRange } from "./map/found-range.ts";
export {
  IommuAccess,
  IommuAttribute,
  IommuEvent,
  IommuMemoryRegion,
  type IommuNotifier,
  type IommuTlbEntry,
  iommuOf,
} from "./map/iommu.ts";
export { formatFlatViews, formatMtree } from "./map/mtree.ts";
export { type ReferencePolicy, type ReferenceRules, referencePolicies } from "./map/references.ts";
export {
  type CoalescedRange,
  MemoryRegion,
  MemReentrancyGuard,
  type RegionOwner,
} from "./map/region.ts";
export { MemoryModel, type MemoryModelOptions, type NoOwner } from "./memory-model.ts";
export type { IoEventFd } from "./observe/ioeventfd.ts";
export type { MemoryListener, PlacedIoEventFd } from "./observe/listener.ts";
export { Rcu, RcuNode } from "./rcu.ts";
