/** The calls of QEMU's memory API: pairs of both forms, and how calls treat a region that was never initialised. */

export type Shape = "container" | "io" | "ram" | "rom" | "romdevice" | "alias" | "iommu";

export interface Pair {
  readonly init: string;
  readonly create: string;
  readonly shape: Shape;
  /** Number of the name among the arguments of `init`. */
  readonly name: number;
  /** True if `init` returns whether it succeeded: then the new form returns a null pointer if it failed. */
  readonly mayFail: boolean;
}

function pair(suffix: string, shape: Shape, name: number, mayFail = false): Pair {
  return { init: `memory_region_init${suffix}`, create: `memory_region_new${suffix}`, shape, name, mayFail };
}

export const pairs: readonly Pair[] = [
  pair("", "container", 2),
  pair("_io", "io", 4),
  pair("_alias", "alias", 2),
  pair("_ram", "ram", 2, true),
  pair("_ram_nomigrate", "ram", 2, true),
  pair("_ram_flags_nomigrate", "ram", 2, true),
  pair("_ram_guest_memfd", "ram", 2, true),
  pair("_resizeable_ram", "ram", 2, true),
  pair("_ram_from_file", "ram", 2, true),
  pair("_ram_from_fd", "ram", 2, true),
  pair("_ram_ptr", "ram", 2),
  pair("_ram_device_ptr", "ram", 2),
  pair("_rom", "rom", 2, true),
  pair("_rom_nomigrate", "rom", 2, true),
  pair("_rom_device", "romdevice", 4, true),
  pair("_rom_device_nomigrate", "romdevice", 4, true),
];

export const pairOfInit: ReadonlyMap<string, Pair> = new Map(pairs.map((each) => [each.init, each]));
export const pairOfCreate: ReadonlyMap<string, Pair> = new Map(pairs.map((each) => [each.create, each]));

/**
 * Calls that do nothing to storage that is all zeroes, and would follow a null pointer. Under a test for null they do the same as
 * before: `set_enabled` of a region that is in no container changes no flat view.
 */
export const tolerantStatements: ReadonlySet<string> = new Set([
  "memory_region_set_enabled",
  "memory_region_set_address",
  "memory_region_set_readonly",
  "memory_region_set_nonvolatile",
  "memory_region_set_dirty",
  "memory_region_rom_device_set_romd",
  "object_unparent",
]);

/** Calls that answer 0 for storage that is all zeroes. */
export const tolerantQuestions: ReadonlySet<string> = new Set([
  "memory_region_is_mapped",
  "memory_region_is_ram",
  "memory_region_is_rom",
  "memory_region_is_romd",
]);

/** Calls that take a null pointer. */
export const takesNull: ReadonlySet<string> = new Set(["memory_region_ref", "memory_region_unref"]);

/** Calls that abort or crash on storage that is all zeroes: a null pointer makes nothing worse. */
export const needsInitialised: ReadonlySet<string> = new Set([
  "memory_region_del_subregion",
  "memory_region_add_subregion",
  "memory_region_add_subregion_overlap",
  "memory_region_get_ram_ptr",
  "memory_region_set_alias_offset",
  "memory_region_add_eventfd",
  "memory_region_del_eventfd",
  "memory_region_find",
  "memory_region_owner",
  "memory_region_get_ram_addr",
  "memory_region_get_fd",
  "memory_region_ram_resize",
  "memory_region_snapshot_and_clear_dirty",
]);
