/** Writes to memory that is read-only. Source: QEMU 10.2.2, memory_access_is_direct, tlb_set_page_full. */
import type { FlatRange } from "../map/flat-range.ts";
import { MemTxResult } from "./bus.ts";
import { type MemTxAttrs, UNSPECIFIED_ATTRS } from "./ops.ts";
import { sharesPage } from "./shared-page.ts";

/** Marks the accesses of a processor, which otherwise say no more of themselves than any. */
export const PROCESSOR_ATTRS: MemTxAttrs = Object.freeze({ ...UNSPECIFIED_ATTRS });

/**
 * How a write ends that changes nothing; null if it is carried out. A processor's stores are dropped wherever the map says
 * read-only, be it an alias or a container that does, unless they share the page with another region. To all others only
 * the region itself matters: they write to RAM through a read-only alias, and are refused by ROM.
 */
export function refusal(range: FlatRange, address: number, attrs: MemTxAttrs): MemTxResult | null {
  const { region } = range;
  if (!range.readOnly || !region.isMemory) return null;
  if (attrs === PROCESSOR_ATTRS && !sharesPage(range, address)) return MemTxResult.Ok;
  return region.readOnly ? MemTxResult.DecodeError : null;
}
