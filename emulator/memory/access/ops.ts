import type { AccessSize, MemTxResult } from "./bus.ts";

/** The originator of an access. */
export interface MemTxAttrs {
  readonly secure: boolean;
  readonly user: boolean;
  /** Bus-specific identity of the requester (PCI: bus, device, function). */
  readonly requesterId: number;
  /** Process that the requester works for (PCI: PASID; in QEMU, 8 bits); default 0. */
  readonly pid?: number;
  /** Whether the originator said nothing of itself, which is not the same as attributes that are all clear; default false. */
  readonly unspecified?: boolean;
}

/** Attributes of an access whose originator does not matter. */
export const UNSPECIFIED_ATTRS: MemTxAttrs = Object.freeze({
  secure: false,
  user: false,
  requesterId: 0,
  pid: 0,
  unspecified: true,
});

/** The access in progress, for callbacks that look at attributes or return errors. */
export interface Transaction {
  readonly attrs: MemTxAttrs;
  /** `Ok` on entry; the callback sets it to refuse the access. */
  result: MemTxResult;
}

export interface AccessLimits {
  /** Smallest access in bytes; default 1. */
  readonly minAccessSize?: AccessSize;
  /** Largest access in bytes; default: no limit in `valid`, 4 in `impl`. */
  readonly maxAccessSize?: AccessSize;
  /** Whether offsets need not be multiples of the access size; default false. */
  readonly unaligned?: boolean;
}

export type Endianness = "little" | "big";

/**
 * The callbacks of a region, and the accesses that they support.
 *
 * `valid` limits what the guest may do; everything else is a decode error. `impl` limits what the callbacks handle;
 * other valid accesses are split or widened. Offsets are relative to the region. Values are unsigned; 8-byte accesses
 * go to `read64` and `write64`, and are split for devices without them.
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

/** The callbacks of a plain access, for any type of opaque. */
export type ReadCallback = (opaque: unknown, offset: number, size: number) => number;
export type WriteCallback = (opaque: unknown, offset: number, value: number, size: number) => void;

export const unassignedRead: ReadCallback = () => 0;
export const unassignedWrite: WriteCallback = () => {};

/** Operations of a region without a handler: every access is a decode error. */
export const unassignedOps: MemoryRegionOps<unknown> = {
  endianness: "little",
  valid: { accepts: () => false },
};

/** Sizes (a bit set of 1, 2 and 4) whose aligned accesses are one call of `ops.read` or `ops.write`, unmodified. */
export function plainSizes(ops: MemoryRegionOps<never>, direction: "read" | "write"): number {
  if (ops.endianness !== "little" || ops.valid?.accepts !== undefined || ops[direction] === undefined)
    return 0;
  if (direction === "read" ? ops.readWithAttrs !== undefined : ops.writeWithAttrs !== undefined) return 0;
  const least = Math.max(ops.valid?.minAccessSize ?? 1, ops.impl?.minAccessSize ?? 1);
  const most = Math.min(ops.valid?.maxAccessSize ?? 4, ops.impl?.maxAccessSize ?? 4);
  return [1, 2, 4].filter((size) => size >= least && size <= most).reduce((set, size) => set | size, 0);
}

/** Registers of the host: an access of 1, 2, 4 or 8 bytes is one load or store. */
export const hostRegisters: MemoryRegionOps<DataView> = {
  read: (bytes, offset, size) =>
    size === 1
      ? bytes.getUint8(offset)
      : size === 2
        ? bytes.getUint16(offset, true)
        : bytes.getUint32(offset, true),
  write: (bytes, offset, value, size) => {
    if (size === 1) bytes.setUint8(offset, value);
    else if (size === 2) bytes.setUint16(offset, value, true);
    else bytes.setUint32(offset, value, true);
  },
  read64: (bytes, offset) => bytes.getBigUint64(offset, true),
  write64: (bytes, offset, value) => bytes.setBigUint64(offset, value, true),
  endianness: "little",
  valid: { minAccessSize: 1, maxAccessSize: 8, unaligned: true },
  impl: { minAccessSize: 1, maxAccessSize: 8, unaligned: true },
};
