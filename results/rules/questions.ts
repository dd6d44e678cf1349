/** Names that what measures, what judges and what checks share. A change of one is a change of the format. */
import type { Role, Suite } from "../schema.ts";

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

/** How slices become a figure: by quotients within a turn. What was measured so is looked at more than once. */
export const SLICE_ESTIMATOR = "median over turns of the quotient of two slices";

/** The accesses whose reads of region fields are counted, by the names that the report shows. */
export const COUNTED_ACCESSES = {
  readHit: "read, section hit",
  writeHit: "write, section hit",
  byTurns: "read, sections by turns",
  firstRead: "first read after a commit",
  split: "read of 8 bytes, split in two",
  guestLoad: "load from the UART, by a guest",
  uncopied: "uncopied read",
} as const;

/** A question of dispatch, and the counted access that answers it where that reads no field of the region. */
export interface ReadQuestion {
  readonly suite: Extract<Suite, "dispatch">;
  readonly workload: string;
  readonly name: string;
  readonly role: Role;
  readonly access: string;
}

export const READ_QUESTIONS: readonly ReadQuestion[] = (
  [
    [PROBES, SECTION_HIT, "headline", COUNTED_ACCESSES.readHit],
    [PROBES, SECTION_HIT_WRITE, "headline", COUNTED_ACCESSES.writeHit],
    [PROBES, FIRST_READ, "headline", COUNTED_ACCESSES.firstRead],
    [PROBES, SECTIONS_BY_TURNS, "detail", COUNTED_ACCESSES.byTurns],
    [MACHINE_SUBJECT, GUEST_READ, "headline", COUNTED_ACCESSES.guestLoad],
  ] as const
).map(([workload, name, role, access]) => ({ suite: "dispatch", workload, name, role, access }));
