import { PAGE_BYTES } from "./guest-memory.ts";
import { Section, SMALL } from "./section.ts";

const PAGE_BITS = Math.log2(PAGE_BYTES);
const LEAF_BITS = 9;
const LEAF_PAGES = 2 ** LEAF_BITS;
const LEAVES = SMALL / PAGE_BYTES / LEAF_PAGES;

/** The sections of 2 MiB of address space, by page. */
type Leaf = Section[];

/** A section that accepts no access. */
export const NOWHERE = new Section(null);

const EMPTY_LEAF: Leaf = Array.from({ length: LEAF_PAGES }, () => NOWHERE);
const EMPTY: readonly Leaf[] = Array.from({ length: LEAVES }, () => EMPTY_LEAF);

/**
 * The sections of a view that plain accesses have hit so far, by page: a two-level table for addresses below 2 GiB,
 * where boards have most of their devices. The entry of a page shared by several regions is the section hit last.
 *
 * Filled lazily, because some devices change the map with every other access.
 */
export class PageMap {
  private leaves = EMPTY as Leaf[]; // copied before the first write

  /** The recorded section that contains `address`, or {@link NOWHERE}. */
  find(address: number): Section {
    if (address >= SMALL) return NOWHERE;
    const leaf = this.leaves[address >>> (PAGE_BITS + LEAF_BITS)] as Leaf;
    const section = leaf[(address >>> PAGE_BITS) & (LEAF_PAGES - 1)] as Section;
    return address >= section.start && address < section.end ? section : NOWHERE;
  }

  /** Records the section that contains `address` for later accesses. */
  note(address: number, section: Section): void {
    if (address >= section.end) return; // an empty section: its bounds are not small
    if (this.leaves === EMPTY) this.leaves = [...EMPTY];
    const slot = address >>> (PAGE_BITS + LEAF_BITS);
    let leaf = this.leaves[slot] as Leaf;
    if (leaf === EMPTY_LEAF) {
      leaf = [...EMPTY_LEAF];
      this.leaves[slot] = leaf;
    }
    leaf[(address >>> PAGE_BITS) & (LEAF_PAGES - 1)] = section;
  }
}
