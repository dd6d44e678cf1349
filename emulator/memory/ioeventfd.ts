/** A guest write that stands for an event: the host is notified, the device's callbacks are not called. */
export interface IoEventFd {
  /** Offset in the region. */
  readonly offset: number;
  /** Size of the write in bytes; 0 matches every size. */
  readonly size: 0 | 1 | 2 | 4;
  /** The one value that matches, or undefined: every value does. */
  readonly match?: number;
  notify(): void;
}

/** In order of offset, size and value, as listeners are told of them. */
export function sortedIoEventFds(fds: readonly IoEventFd[]): IoEventFd[] {
  return [...fds].sort((a, b) => a.offset - b.offset || a.size - b.size || (a.match ?? -1) - (b.match ?? -1));
}

/** The notifier that a write reaches, if any. */
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
