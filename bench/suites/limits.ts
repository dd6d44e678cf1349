/** Names that the suites and the assembly of their results share. */

/** What dispatch is measured against. */
export const FLOOR = "bare indirect call";
export const SECTION_HIT = "read 4 bytes, last section hit";
export const TEN_THOUSAND = "read 4 bytes, 10 000 regions at random";
/** The floor of that: the callbacks of the same devices, in an order as random. */
export const TEN_THOUSAND_FLOOR = "bare indirect calls, 10 000 devices at random";
export const MACHINE_CREATION = "machine creation";
/** Wall time of a guest's boot. */
export const BOOT = "reset to milestone";

/** Name of the boot task that starts no guest. */
export const BARE_MACHINE = "machine";

/** Parts of the retention suite: how long releases take, and how the heap grows. */
export const RELEASES = "releases";
export const HEAP_GROWTH = "heap growth";
