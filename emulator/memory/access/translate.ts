/** Accesses to the region of an IOMMU. Source: QEMU 10.2.2, system/physmem.c (address_space_translate_iommu). */
import type { AddressSpace } from "../address-space.ts";
import type { FlatRange } from "../map/flat-range.ts";
import { IommuAccess, type IommuMemoryRegion } from "../map/iommu.ts";
import type { MemTxAttrs } from "./ops.ts";

/** IOMMUs in a row; where QEMU would go round for ever, the access is refused. */
const MOST_IN_A_ROW = 16;

/** Where an access through IOMMUs ends. */
export interface Translated {
  readonly space: AddressSpace;
  readonly address: number;
  /** Bytes up to the end of the page, or of the access. */
  readonly length: number;
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
    const found = target.find(at);
    if (found?.region.isIommu !== true) return { space: target, address: at, length: left };
    next = found;
  }
  return null;
}
