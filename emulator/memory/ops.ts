import type { AccessSize, MemTxResult } from "./bus.ts";

/** Who makes an access. */
export interface MemTxAttrs {
  readonly secure: boolean;
  readonly user: boolean;
  /** Bus-specific identity of the requester (PCI: bus, device, function). */
  readonly requesterId: number;
}

/** Attributes of an access whose maker does not matter. */
export const UNSPECIFIED_ATTRS: MemTxAttrs = Object.freeze({ secure: false, user: false, requesterId: 0 });

/** The access in progress, handed to callbacks that look at attributes or answer with an error. */
export interface Transaction {
  readonly attrs: MemTxAttrs;
  /** Set by the callback to refuse the access; `Ok` when it is called. */
  result: MemTxResult;
}

export interface AccessLimits {
  /** Smallest access in bytes; default 1. */
  readonly minAccessSize?: AccessSize;
  /** Largest access in bytes; default: `valid` has no limit, `impl` takes 4. */
  readonly maxAccessSize?: AccessSize;
  /** Whether addresses need not be multiples of the access size; default false. */
  readonly unaligned?: boolean;
}

export type Endianness = "little" | "big";

/**
 * The callbacks of a region and what they can take.
 *
 * `valid` says what the guest may do: everything else is a decode error. `impl` says what the callbacks can do: a valid
 * access outside of it is split or widened. Offsets are relative to the region. Values are unsigned; those of 8 bytes
 * reach only `read64` and `write64`, and are split in two for devices without them.
 */
export interface MemoryRegionOps<T> {
  read?(opaque: T, offset: number, size: number): number;
  write?(opaque: T, offset: number, value: number, size: number): void;
  readWithAttrs?(opaque: T, offset: number, size: number, transaction: Transaction): number;
  writeWithAttrs?(opaque: T, offset: number, value: number, size: number, transaction: Transaction): void;
  read64?(opaque: T, offset: number): bigint;
  write64?(opaque: T, offset: number, value: bigint): void;
  readonly endianness: Endianness;
  readonly valid?: AccessLimits & {
    accepts?(opaque: T, offset: number, size: number, isWrite: boolean, attrs: MemTxAttrs): boolean;
  };
  readonly impl?: AccessLimits;
}

/** The callbacks of a plain access, whatever their opaque is. */
export type ReadCallback = (opaque: unknown, offset: number, size: number) => number;
export type WriteCallback = (opaque: unknown, offset: number, value: number, size: number) => void;

export const unassignedRead: ReadCallback = () => 0;
export const unassignedWrite: WriteCallback = () => {};

/** Operations of a region that nothing answers for: every access is a decode error. */
export const unassignedOps: MemoryRegionOps<unknown> = {
  endianness: "little",
  valid: { accepts: () => false },
};

/** Sizes (as a bit set: 1, 2, 4) for which one aligned access is one call of `ops.read` or `ops.write`, unaltered. */
export function plainSizes(ops: MemoryRegionOps<never>, direction: "read" | "write"): number {
  if (ops.endianness !== "little" || ops.valid?.accepts !== undefined || ops[direction] === undefined)
    return 0;
  if (direction === "read" ? ops.readWithAttrs !== undefined : ops.writeWithAttrs !== undefined) return 0;
  const least = Math.max(ops.valid?.minAccessSize ?? 1, ops.impl?.minAccessSize ?? 1);
  const most = Math.min(ops.valid?.maxAccessSize ?? 4, ops.impl?.maxAccessSize ?? 4);
  return [1, 2, 4].filter((size) => size >= least && size <= most).reduce((set, size) => set | size, 0);
}
