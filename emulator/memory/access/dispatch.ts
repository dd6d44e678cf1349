import type { MemoryRegion } from "../map/region.ts";
import { matchingIoEventFd } from "../observe/ioeventfd.ts";
import { MemTxResult } from "./bus.ts";
import { type MemTxAttrs, UNSPECIFIED_ATTRS } from "./ops.ts";

/**
 * One access on its way to a device, in values of at most 32 bits. Each address space keeps a few and reuses them, so
 * that accesses do not allocate.
 */
export class Access {
  attrs: MemTxAttrs = UNSPECIFIED_ATTRS;
  result: MemTxResult = MemTxResult.Ok;
  low = 0;
  /** High half of an 8-byte value. */
  high = 0;
  /** The record of an access that a callback makes during this one; kept for reuse. */
  inner: Access | null = null;
}

/** Whether the region accepts this access at all. */
export function isValid(
  region: MemoryRegion,
  offset: number,
  size: number,
  isWrite: boolean,
  attrs: MemTxAttrs,
): boolean {
  const limits = region.ops.valid;
  if (limits === undefined) return isAligned(offset, size);
  if (limits.accepts?.(region.opaque as never, offset, size, isWrite, attrs) === false) return false;
  if (limits.unaligned !== true && !isAligned(offset, size)) return false;
  return size >= (limits.minAccessSize ?? 1) && size <= (limits.maxAccessSize ?? 8);
}

function isAligned(offset: number, size: number): boolean {
  return (offset & (size - 1)) === 0;
}

/**
 * Makes a call under the guard of the region's device. A device that is already handling an access is not called: the
 * access fails.
 */
function guarded(
  region: MemoryRegion,
  offset: number,
  size: number,
  access: Access,
  call: (region: MemoryRegion, offset: number, size: number, access: Access) => void,
): void {
  const guard = region.activeGuard;
  if (guard === null) {
    call(region, offset, size, access);
    return;
  }
  if (guard.engaged) {
    access.result = MemTxResult.AccessError;
    region.model.reportReentrancy(region);
    return;
  }
  guard.engaged = true;
  try {
    call(region, offset, size, access);
  } finally {
    guard.engaged = false;
  }
}

/** Reads `size` bytes at `offset` of a region through its callbacks; leaves value and outcome in `access`. */
export function dispatchRead(region: MemoryRegion, offset: number, size: number, access: Access): void {
  access.low = 0;
  access.high = 0;
  access.result = MemTxResult.Ok;
  if (isValid(region, offset, size, false, access.attrs)) guarded(region, offset, size, access, callRead);
  else access.result = MemTxResult.DecodeError;
}

/** Writes the value in `access`, and leaves the outcome there. */
export function dispatchWrite(region: MemoryRegion, offset: number, size: number, access: Access): void {
  access.result = MemTxResult.Ok;
  if (!isValid(region, offset, size, true, access.attrs)) {
    access.result = MemTxResult.DecodeError;
    return;
  }
  if (region.hasIoEventFds) {
    const fd = matchingIoEventFd(region.ioEventFdsFrom(offset), offset, size, access.low, access.high);
    if (fd !== undefined) {
      fd.notify();
      return;
    }
  }
  guarded(region, offset, size, access, callWrite);
}

function callRead(region: MemoryRegion, offset: number, size: number, access: Access): void {
  const { ops } = region;
  if (size !== 8 || ops.read64 === undefined) {
    readParts(region, offset, size, access);
    return;
  }
  const value = ops.read64(region.opaque as never, offset);
  access.low = Number(BigInt.asUintN(32, value));
  access.high = Number(BigInt.asUintN(32, value >> 32n));
  if (ops.endianness === "big") swapBytes(access, 8);
}

function callWrite(region: MemoryRegion, offset: number, size: number, access: Access): void {
  const { ops } = region;
  if (size !== 8 || ops.write64 === undefined) {
    writeParts(region, offset, size, access);
    return;
  }
  if (ops.endianness === "big") swapBytes(access, 8);
  ops.write64(region.opaque as never, offset, (BigInt(access.high) << 32n) | BigInt(access.low));
}

/** Bytes per callback for an access of `size`, within the limits that the device implements. */
function partSize(region: MemoryRegion, size: number): number {
  const { minAccessSize = 1, maxAccessSize = 4 } = region.ops.impl ?? {};
  return Math.max(Math.min(size, maxAccessSize, 4), minAccessSize);
}

function readParts(region: MemoryRegion, offset: number, size: number, access: Access): void {
  const part = partSize(region, size);
  const big = region.ops.endianness === "big";
  for (let done = 0; done < size; done += part) {
    const value = truncate(readOnce(region, offset + done, part, access), part);
    // If the callback is wider than the access, its lowest bytes count, or its highest if it is big-endian.
    place(access, value, big ? size - part - done : done, part);
  }
  if (size < 4) access.low = truncate(access.low, size);
  if (big) swapBytes(access, size);
}

/** Places a part's value `at` bytes into the access; if negative, the part's low bytes fall outside. */
function place(access: Access, value: number, at: number, part: number): void {
  if (at < 0) access.low = (access.low | (value >>> (-at * 8))) >>> 0;
  else if (at >= 4) access.high = (access.high | (value << ((at - 4) * 8))) >>> 0;
  else {
    access.low = (access.low | (value << (at * 8))) >>> 0;
    if (at + part > 4) access.high = (access.high | (value >>> ((4 - at) * 8))) >>> 0;
  }
}

function writeParts(region: MemoryRegion, offset: number, size: number, access: Access): void {
  const part = partSize(region, size);
  const big = region.ops.endianness === "big";
  if (big) swapBytes(access, size);
  const { low, high } = access;
  for (let done = 0; done < size; done += part) {
    const at = big ? size - part - done : done;
    const value = at < 0 ? low << (-at * 8) : at >= 4 ? high >>> ((at - 4) * 8) : low >>> (at * 8);
    writeOnce(region, offset + done, truncate(value, part), part, access);
  }
}

function readOnce(region: MemoryRegion, offset: number, size: number, access: Access): number {
  const { ops } = region;
  const opaque = region.opaque as never;
  if (ops.readWithAttrs !== undefined) {
    const before = access.result;
    access.result = MemTxResult.Ok;
    const value = ops.readWithAttrs(opaque, offset, size, access);
    access.result |= before;
    return value;
  }
  if (ops.read !== undefined) return ops.read(opaque, offset, size);
  access.result |= MemTxResult.DecodeError;
  return 0;
}

function writeOnce(region: MemoryRegion, offset: number, value: number, size: number, access: Access): void {
  const { ops } = region;
  const opaque = region.opaque as never;
  if (ops.writeWithAttrs !== undefined) {
    const before = access.result;
    access.result = MemTxResult.Ok;
    ops.writeWithAttrs(opaque, offset, value, size, access);
    access.result |= before;
  } else if (ops.write !== undefined) {
    ops.write(opaque, offset, value, size);
  } else {
    access.result |= MemTxResult.DecodeError;
  }
}

/** Reverses the bytes of the access, between the little-endian guest and a big-endian device. */
function swapBytes(access: Access, size: number): void {
  const { low } = access;
  if (size === 2) access.low = swap32(low) >>> 16;
  else if (size === 4) access.low = swap32(low);
  else if (size === 8) {
    access.low = swap32(access.high);
    access.high = swap32(low);
  }
}

function swap32(value: number): number {
  return ((value << 24) | ((value & 0xff00) << 8) | ((value >>> 8) & 0xff00) | (value >>> 24)) >>> 0;
}

/** The low `size` bytes as an unsigned number. */
export function truncate(value: number, size: number): number {
  return size >= 4 ? value >>> 0 : value & ((1 << (size * 8)) - 1);
}

/**
 * Size of the next access of a transfer with `length` bytes left: at most what the region accepts, and naturally
 * aligned unless the device implements unaligned accesses.
 */
export function transferSize(region: MemoryRegion, offset: number, length: number): 1 | 2 | 4 | 8 {
  let most = region.ops.valid?.maxAccessSize ?? 4;
  if (region.ops.impl?.unaligned !== true) {
    while (most > 1 && !isAligned(offset, most)) most >>= 1;
  }
  while (most > length) most >>= 1;
  return most as 1 | 2 | 4 | 8; // a power of two of at most 8, halved some times
}
