/** Names that the suites, the counts and the assembly of their results share. */

/** What dispatch is measured against. */
export const FLOOR = "bare indirect call";
export const SECTION_HIT = "read 4 bytes, last section hit";
export const SECTION_HIT_WRITE = "write 4 bytes, last section hit";
export const FIRST_READ = "first read after a commit";
export const GUEST_READ = "read of the UART, from the guest";
export const SECTIONS_BY_TURNS = "read 4 bytes, sections by turns";
export const TEN_THOUSAND = "read 4 bytes, 10 000 regions at random";
/** The floor of that: the callbacks of the same devices, in an order as random. */
export const TEN_THOUSAND_FLOOR = "bare indirect calls, 10 000 devices at random";
/** What the dispatch cases go to unless they say otherwise. */
export const PROBES = "probes";

/** What of the boot suite starts no guest. */
export const MACHINE_SUBJECT = "virt board";
/** Everything that a machine is made of: board, processors, host memory. */
export const MACHINE_CREATION = "machine creation";
/** Of that, what can differ between the forms. */
export const BOARD_CREATION = "objects and first flat view";
export const TEAR_DOWN = "tear-down";
/** A guest's boot. */
export const BOOT = "reset to milestone";

/** Parts of the retention suite. */
export const PLUG_AND_UNPLUG = "plug and unplug";
export const UNPLUG_TO_RELEASE = "unplug to release";
export const HEAP_GROWTH = "heap growth";
