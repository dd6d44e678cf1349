import { PAGE_BYTES } from "./guest-memory.ts";
import { Section, SMALL } from "./section.ts";

const PAGE_BITS = Math.log2(PAGE_BYTES);
const LEAF_BITS = 9;
const LEAF_PAGES = 2 ** LEAF_BITS;
const LEAVES = SMALL / PAGE_BYTES / LEAF_PAGES;

/** The sections of 2 MiB, by page. */
type Leaf = Section[];

/** Takes no access. */
export const NOWHERE = new Section(null);

const EMPTY_LEAF: Leaf = Array.from({ length: LEAF_PAGES }, () => NOWHERE);
const EMPTY: readonly Leaf[] = Array.from({ length: LEAVES }, () => EMPTY_LEAF);

/**
 * The sections of a view that plain accesses have met, by page: a table of two levels for addresses below 2 GiB, where
 * boards have most of their devices. A page of several regions holds the section met last.
 *
 * Filled as accesses come, because some devices change the map with every other access.
 */
export class PageMap {
  private leaves = EMPTY as Leaf[]; // replaced before it is written to

  /** The section kept that holds `address`, or {@link NOWHERE}. */
  find(address: number): Section {
    if (address >= SMALL) return NOWHERE;
    const leaf = this.leaves[address >>> (PAGE_BITS + LEAF_BITS)] as Leaf;
    const section = leaf[(address >>> PAGE_BITS) & (LEAF_PAGES - 1)] as Section;
    return address >= section.start && address < section.end ? section : NOWHERE;
  }

  /** Keeps the section that holds `address` for accesses to come. */
  note(address: number, section: Section): void {
    if (address >= section.end) return; // its bounds are no small numbers
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
