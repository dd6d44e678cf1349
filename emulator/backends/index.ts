/** Host side of devices. */
export type { Disk, DiskResult } from "./block/disk.ts";
export { FileDisk } from "./block/file-disk.ts";
export { MemoryDisk } from "./block/memory-disk.ts";
export { OverlayDisk } from "./block/overlay-disk.ts";
export { attachTerminal, type Terminal, type TerminalEvents } from "./terminal.ts";
