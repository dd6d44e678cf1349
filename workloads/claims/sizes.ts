/** `sizeof(MemoryRegion)` on 64-bit hosts, recompiled from QEMU's layout: not taken from our own class. */
export const REGION_BYTES = 272;
