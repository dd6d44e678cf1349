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

function compareMatches(a: number | bigint, b: number | bigint): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** The notifier that a write triggers, if any. @param low and `high`: halves of the value, unsigned */
export function matchingIoEventFd(
  fds: readonly IoEventFd[],
  offset: number,
  size: number,
  low: number,
  high: number,
): IoEventFd | undefined {
  return fds.find(
    (fd) =>
      fd.offset === offset &&
      (fd.size === 0 || fd.size === size) &&
      (fd.match === undefined || BigInt(fd.match) === ((BigInt(size === 8 ? high : 0) << 32n) | BigInt(low))),
  );
}
