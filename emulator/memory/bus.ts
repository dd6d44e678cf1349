/** Outcome of an access; outcomes of split accesses are combined by bitwise or. */
export const MemTxResult = {
  Ok: 0,
  /** The device answered with an error. */
  Error: 1,
  /** Nothing answers at this address, or not to this size or alignment. */
  DecodeError: 2,
  /** The device was busy with an access of its own (re-entrancy guard). */
  AccessError: 4,
} as const;
export type MemTxResult = number;

/** Bytes of one access. */
export type AccessSize = 1 | 2 | 4 | 8;

/** What a processor wants to do with a page. */
export type PageUse = "read" | "write" | "execute";

/**
 * All that a processor sees of the memory room.
 *
 * Values are unsigned numbers of at most 32 bits; an 8-byte access carries its high half beside the low one, so that
 * no access allocates. `high` and `result` describe the latest access only.
 */
export interface PhysicalBus {
  /** High 32 bits (unsigned) of the latest 8-byte read. */
  readonly high: number;
  /** Outcome of the latest access. */
  readonly result: MemTxResult;
  /** Reads `size` bytes, little-endian; answers the low 32 bits, unsigned. Never throws for a guest's mistake. */
  read(address: number, size: AccessSize): number;
  /** Writes `size` bytes, little-endian; `high` matters only when `size` is 8. Never throws for a guest's mistake. */
  write(address: number, size: AccessSize, low: number, high: number): void;
  /**
   * Byte offset, inside the guest's WebAssembly memory, of the 4 KiB page that holds `address`, or -1 when accesses of
   * this use must go through `read` and `write` (devices, ROM under write, pages that only partly belong to a region).
   */
  directPage(address: number, use: PageUse): number;
  /** Calls `flush` after every change of the memory map; cached answers of `directPage` are void from then on. */
  onMapChange(flush: () => void): void;
}
