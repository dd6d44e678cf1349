/** Pages that belong to several regions, or partly to none. Source: behaviour of QEMU 7.2's subpages. */

import type { FlatRange } from "../map/flat-range.ts";
import type { FlatView } from "../map/flat-view.ts";
import type { AccessSize } from "./bus.ts";
import { isValid, transferSize } from "./dispatch.ts";
import { PAGE_BYTES } from "./guest-memory.ts";
import type { MemTxAttrs } from "./ops.ts";
import { translate } from "./translate.ts";

/** Whether the page of `address` extends beyond the range that contains the address. */
export function sharesPage(range: FlatRange, address: number): boolean {
  const page = address - (address % PAGE_BYTES);
  return page < range.start || page + PAGE_BYTES > range.end;
}

/**
 * Whether a processor's access to a shared page is carried out: there it is split like a transfer, and each region must
 * accept its pieces. On a page of a single region an access is not split; the region accepts or refuses it as a whole.
 */
export function takesPieces(
  view: FlatView,
  address: number,
  size: AccessSize,
  isWrite: boolean,
  attrs: MemTxAttrs,
): boolean {
  return address % size === 0 && takesAll(view, address, size, isWrite, attrs);
}

function takesAll(
  view: FlatView,
  address: number,
  size: number,
  isWrite: boolean,
  attrs: MemTxAttrs,
): boolean {
  for (let done = 0; done < size; ) {
    const at = address + done;
    const range = view.find(at);
    if (range === undefined) return false;
    const { region } = range;
    const offset = at - range.start + range.offset;
    if (isWrite ? region.writesDirectly : region.readsDirectly) {
      done += Math.min(size - done, range.end - at);
      continue;
    }
    if (region.isIommu) {
      const to = translate(range, at, size - done, isWrite, attrs);
      if (to === null || !takesAll(to.space.view, to.address, to.length, isWrite, attrs)) return false;
      done += to.length;
      continue;
    }
    const piece = transferSize(region, offset, size - done);
    if (!isValid(region, offset, piece, isWrite, attrs)) return false;
    done += piece;
  }
  return true;
}
