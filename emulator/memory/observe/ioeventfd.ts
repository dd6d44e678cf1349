/** A guest write that signals an event: the host is notified, and the device's callbacks are not called. */
export interface IoEventFd {
  /** Offset within the region. */
  readonly offset: number;
  /** Size of the write in bytes; 0 matches every size. */
  readonly size: 0 | 1 | 2 | 4;
  /** The only value that matches; undefined matches every value. */
  readonly match?: number;
  notify(): void;
}

/** Sorts by offset, size and value, the order in which listeners are told of them. */
export function sortedIoEventFds(fds: readonly IoEventFd[]): IoEventFd[] {
  return [...fds].sort((a, b) => a.offset - b.offset || a.size - b.size || (a.match ?? -1) - (b.match ?? -1));
}

/** The notifier that a write triggers, if any. */
export function matchingIoEventFd(
  fds: readonly IoEventFd[],
  offset: number,
  size: number,
  value: number,
): IoEventFd | undefined {
  return fds.find(
    (fd) =>
      fd.offset === offset &&
      (fd.size === 0 || fd.size === size) &&
      (fd.match === undefined || fd.match === value),
  );
}
