import type { Order } from "../map/sorted-tree.ts";

/** A guest write that signals an event: the host is notified, and the device's callbacks are not called. */
export interface IoEventFd {
  /** Offset within the region. */
  readonly offset: number;
  /** Size of the write in bytes; 0 matches every size. */
  readonly size: 0 | 1 | 2 | 4 | 8;
  /** The only value that matches, unsigned; undefined matches every value. Above 2^53 only a bigint is exact. */
  readonly match?: number | bigint;
  notify(): void;
}

/** The order in which notifiers are kept and listeners are told of them: by offset, size, and value. */
export function compareIoEventFds(a: IoEventFd, b: IoEventFd): number {
  return a.offset - b.offset || a.size - b.size || compareMatches(a.match ?? -1, b.match ?? -1);
}

export const ioEventFdOrder: Order<IoEventFd> = {
  compare: compareIoEventFds,
  start: ({ offset }) => offset,
  end: ({ offset }) => offset + 1,
};

function compareMatches(a: number | bigint, b: number | bigint): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/**
 * The notifier that a write triggers, if any.
 * @param fds those from `offset` on
 * @param low and `high`: halves of the value, unsigned
 */
export function matchingIoEventFd(
  fds: Iterable<IoEventFd>,
  offset: number,
  size: number,
  low: number,
  high: number,
): IoEventFd | undefined {
  for (const fd of fds) {
    if (fd.offset !== offset) return undefined;
    if (fd.size !== 0 && fd.size !== size) continue;
    if (fd.match === undefined) return fd;
    if (BigInt(fd.match) === ((BigInt(size === 8 ? high : 0) << 32n) | BigInt(low))) return fd;
  }
  return undefined;
}
