/** Outcome of an access; the outcomes of a split access are combined by bitwise OR. */
export const MemTxResult = {
  Ok: 0,
  /** The device reported an error. */
  Error: 1,
  /** No region responds at this address, or it does not accept this size or alignment. */
  DecodeError: 2,
  /** The device was already handling an access (re-entrancy guard). */
  AccessError: 4,
} as const;
export type MemTxResult = number;

/** Bytes of one access. */
export type AccessSize = 1 | 2 | 4 | 8;

/** The kind of access that a processor wants to make to a page. */
export type PageUse = "read" | "write" | "execute";

/**
 * The processor's interface to the memory core.
 *
 * Values are unsigned numbers of at most 32 bits; an 8-byte access carries its high half separately, so that no access
 * allocates. `high` and `result` describe only the latest access.
 */
export interface PhysicalBus {
  /** High 32 bits (unsigned) of the latest 8-byte read. */
  readonly high: number;
  /** Outcome of the latest access. */
  readonly result: MemTxResult;
  /** Reads `size` bytes, little-endian; returns the low 32 bits, unsigned. Guest errors never throw. */
  read(address: number, size: AccessSize): number;
  /** Writes `size` bytes, little-endian; `high` matters only when `size` is 8. Guest errors never throw. */
  write(address: number, size: AccessSize, low: number, high: number): void;
  /**
   * Byte offset, within the guest's WebAssembly memory, of the 4 KiB page that contains `address`, or -1 if accesses of
   * this kind must go through `read` and `write` (devices, writes to ROM, pages that belong only partly to a region).
   */
  directPage(address: number, use: PageUse): number;
  /** Calls `flush` after every change of the memory map, which invalidates cached results of `directPage`. */
  onMapChange(flush: () => void): void;
}
