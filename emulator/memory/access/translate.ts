/** Accesses to the region of an IOMMU. Source: QEMU 10.2.2, system/physmem.c (address_space_translate_iommu). */
import type { AddressSpace } from "../address-space.ts";
import type { FlatRange } from "../map/flat-range.ts";
import { IommuAccess, type IommuMemoryRegion, type IommuTlbEntry } from "../map/iommu.ts";
import { PAGE_BYTES } from "./guest-memory.ts";
import { type MemTxAttrs, UNSPECIFIED_ATTRS } from "./ops.ts";

/** IOMMUs in a row; where QEMU would go round for ever, the access is refused. */
const MOST_IN_A_ROW = 16;

/** Where an access through IOMMUs ends. */
export interface Translated {
  readonly space: AddressSpace;
  readonly address: number;
  /** Bytes up to the end of the page, or of the access. */
  readonly length: number;
  /** Bytes of the page: of the smallest, if there are several IOMMUs in a row. */
  readonly pageSize: number;
}

/**
 * Follows an access of `length` bytes at `address`, which `range` contains, through IOMMUs.
 * @returns null if one of them does not permit it
 */
export function translate(
  range: FlatRange,
  address: number,
  length: number,
  isWrite: boolean,
  attrs: MemTxAttrs,
): Translated | null {
  const access = isWrite ? IommuAccess.Write : IommuAccess.Read;
  let [at, left] = [address, length];
  let pageSize = Number.POSITIVE_INFINITY;
  let next: FlatRange = range;
  for (let hops = 0; hops < MOST_IN_A_ROW; hops++) {
    const iommu = next.region as IommuMemoryRegion; // the caller has looked, and the end of this loop does
    const iova = at - next.start + next.offset;
    const entry = iommu.translate(iova, access, iommu.indexOf(attrs));
    if ((entry.access & access) === 0) return null;
    const { target, size } = entry;
    const within = iova % size;
    at = entry.address - (entry.address % size) + within;
    left = Math.min(left, size - within);
    pageSize = Math.min(pageSize, size);
    const found = target.find(at);
    if (found?.region.isIommu !== true) return { space: target, address: at, length: left, pageSize };
    next = found;
  }
  return null;
}

/**
 * What a device may cache of the page of `address` in a space: where it is in the end, through all IOMMUs in a row, and
 * how far that holds. QEMU: `address_space_get_iotlb_entry`, which does not say what else the page permits, either.
 * @returns null if the access is not permitted, or nothing is there
 */
export function iotlbEntry(
  space: AddressSpace,
  address: number,
  isWrite: boolean,
  attrs: MemTxAttrs = UNSPECIFIED_ATTRS,
): IommuTlbEntry | null {
  const range = space.find(address);
  if (range === undefined) return null;
  const to = range.region.isIommu
    ? translate(range, address, 1, isWrite, attrs)
    : { space, address, pageSize: PAGE_BYTES };
  if (to === null || to.space.find(to.address) === undefined) return null;
  const { space: target, pageSize: size } = to;
  return {
    target,
    iova: address - (address % size),
    address: to.address - (to.address % size),
    size,
    access: IommuAccess.ReadWrite,
  };
}
