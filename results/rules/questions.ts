/** Names shared by the code that measures, judges and checks. Changing one changes the format of stored runs. */
import type { Role, Suite } from "../schema.ts";

/** What a run is to answer. */
export const QUESTION =
  "Does it matter, in time or memory, whether a device embeds its memory regions or lets QOM own them?";

/** The floor that dispatch is compared with. */
export const FLOOR = "bare indirect call";
export const SECTION_HIT = "read 4 bytes, last section hit";
export const SECTION_HIT_WRITE = "write 4 bytes, last section hit";
export const FIRST_READ = "first read after a commit";
export const GUEST_READ = "read of the UART, from the guest";
export const SECTIONS_BY_TURNS = "read 4 bytes, sections by turns";
export const TEN_THOUSAND = "read 4 bytes, 10 000 regions at random";
/** Its floor: the callbacks of the same devices, called in an equally random order. */
export const TEN_THOUSAND_FLOOR = "bare indirect calls, 10 000 devices at random";
/** Accesses by a dispatcher that copies nothing, as QEMU's: followed by the number of regions. */
export const UNCOPIED = "uncopied read";
/** The workload of dispatch cases unless they name another. */
export const PROBES = "probes";

/** The workload of boot metrics that start no guest. */
export const MACHINE_SUBJECT = "virt board";
/** Creation of a whole machine: board, processors, host memory. */
export const MACHINE_CREATION = "machine creation";
/** The part of it that can differ between the forms. */
export const BOARD_CREATION = "objects and first flat view";
export const TEAR_DOWN = "tear-down";
/** A guest's boot. */
export const BOOT = "reset to milestone";

/** Parts of the retention suite. */
export const PLUG_AND_UNPLUG = "plug and unplug";
export const UNPLUG_TO_RELEASE = "unplug to release";
export const HEAP_GROWTH = "heap growth";

/** How slices become a figure: by quotients within a turn. Metrics measured this way are looked at more than once. */
export const SLICE_ESTIMATOR = "median over turns of the quotient of two slices";

/** The accesses whose reads of region fields are counted, with the names shown in the report. */
export const COUNTED_ACCESSES = {
  readHit: "read, section hit",
  writeHit: "write, section hit",
  byTurns: "read, sections by turns",
  firstRead: "first read after a commit",
  split: "read of 8 bytes, split in two",
  guestLoad: "load from the UART, by a guest",
  uncopied: UNCOPIED,
} as const;

/** A dispatch question, and the counted access that decides it if that access reads no field of the region. */
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
