/** Backends: the host side of devices. */
export type { Disk, DiskResult } from "./block/disk.ts";
export { FileDisk } from "./block/file-disk.ts";
export { FORMAT_BYTES, imageFormat } from "./block/image-format.ts";
export { MemoryDisk } from "./block/memory-disk.ts";
export { CLUSTER_BYTES, OverlayDisk } from "./block/overlay-disk.ts";
export { FileChar } from "./char/file-char.ts";
export { NullChar } from "./char/null-char.ts";
export { RingbufChar } from "./char/ringbuf-char.ts";
export { SocketChar, type SocketPlace } from "./char/socket-char.ts";
export { StdioChar } from "./char/stdio-char.ts";
export { StreamChar } from "./char/stream-char.ts";
export * from "./net/user/index.ts";
export { BackendOptionError } from "./option-error.ts";
export {
  attachTerminal,
  KeyDecoder,
  type Terminal,
  type TerminalEvents,
  type TerminalKeys,
  type TerminalMonitor,
} from "./terminal.ts";
