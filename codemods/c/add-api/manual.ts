/** The section of `docs/devel/memory.rst` that says which form to use. */
import { CommandError } from "#host";

/** Form that the manual recommends. */
export type Recommended = "owned" | "embedded";

const TITLE = "Storage of regions";
const BEFORE = "Overlapping regions and priority";

const COMMON = [
  "The storage of a region comes from one of two places:",
  "",
  "- memory_region_new*() allocates the region as a QOM child of its owner. The",
  "  child property holds the only reference, and the storage is freed together",
  "  with it: when the owner is destroyed, before the owner's instance_finalize",
  "  runs, or when the region is unparented. The caller keeps a borrowed pointer,",
  "  or none at all if a bus, a container or the composition tree leads to it.",
  "",
  "- memory_region_init*() initializes storage that the caller provides, usually a",
  "  field of the owner's state. QOM never frees it; it goes with the structure",
  "  that contains it, after instance_finalize.",
  "",
  "Never pass storage from g_new() to memory_region_init*(): nobody frees it.  The",
  "two forms do not differ in what the guest sees, nor in who is counted: a",
  "reference to a region is a reference to its owner in either form.",
  "",
];

const TEXTS: Readonly<Record<Recommended, readonly string[]>> = {
  owned: [
    ...COMMON,
    "New code uses memory_region_new*().  Keep a pointer in the state only if a later",
    "function needs the region, and none otherwise; set it once, where the region is",
    "created.  Code that may run without the region having been created must test",
    "the pointer, because a NULL pointer is not a region of size zero.  The RAM and",
    "ROM variants return NULL if they fail.",
    "",
    "Aliases and containers may be unparented at any time, and are freed then: forget",
    "the pointer.  The rule that other regions are never unparented while the device",
    "lives holds more strictly than for embedded regions, for what a flat view still",
    "refers to would be freed.",
    "",
    "memory_region_init*() stays for regions whose storage another language or a",
    "fixed layout dictates.",
  ],
  embedded: [
    ...COMMON,
    "New code embeds its regions in the state and uses memory_region_init*(): that",
    "the region lives exactly as long as its owner's storage can then be read off the",
    "declaration, and no pointer can be NULL.",
    "",
    "memory_region_new*() is for regions whose number or size is known only at run",
    "time, such as a list of aliases, where otherwise g_new() would be needed, and for",
    "owners that have no state of their own.",
  ],
};

/** The manual with the section. The section of the other direction, or an older one, is replaced. */
export function addSection(text: string, recommended: Recommended, file: string): string {
  const at = titleOffset(text, BEFORE);
  if (at === undefined) {
    throw new CommandError(`${file} has no section "${BEFORE}", before which the new one goes`);
  }
  const from = titleOffset(text, TITLE) ?? at;
  if (from > at)
    throw new CommandError(`${file}: section "${TITLE}" comes after "${BEFORE}"; move it before`);
  const section = [TITLE, "-".repeat(TITLE.length), "", ...TEXTS[recommended], "", ""].join("\n");
  return text.slice(0, from) + section + text.slice(at);
}

function titleOffset(text: string, title: string): number | undefined {
  const found = new RegExp(`^${title}\\n-+$`, "m").exec(text);
  return found?.index;
}
