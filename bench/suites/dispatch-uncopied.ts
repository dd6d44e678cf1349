/**
 * Dispatch as QEMU does it: every access goes from the section to the region, its ops and opaque, and the callback, and
 * loads each of them from memory. The emulator's own dispatcher copies all of this into the section and never touches a
 * region, so only here can the location of a region in memory make a difference. Only for the benchmark.
 */
import { AddressSpace, type FlatRange, type FlatView, MemoryRegion } from "#memory";
import { type Form, UNCOPIED } from "#results";
import { Random } from "#results/statistics";
import type { Case } from "./dispatch-loops.ts";
import { CONTAINER_REGIONS, emptyMachine, type ProbeMap, walk } from "./dispatch-maps.ts";
import { EmbeddedProbe, OwnedProbe, PROBE_BYTES, type Probe, VARIANTS } from "./probe.ts";

/** Numbers of regions of the maps. */
export const UNCOPIED_SIZES = [10, 100, 1_000, 10_000, 100_000] as const;

/** Reads 4 bytes from one of `count` devices at random; devices and regions are scattered in memory. */
export function uncopiedCase(form: Form, count: number): Case {
  const map = scatteredMap(form, count);
  const dispatcher = new UncopiedDispatcher(map);
  // Every map has devices of all kinds, visited at random, so V8 sees all targets of the call from the start.
  const addresses = walk(map.addresses, 4, "uncopied");
  const mask = addresses.length - 1;
  return {
    name: `${UNCOPIED}, ${formatCount(count)} regions scattered`,
    role: "detail",
    description:
      "Dispatch that copies nothing, as in QEMU: section, region, ops and opaque are each loaded from where they lie in memory.",
    loop: (accesses) => {
      let sum = 0;
      for (let i = 0; i < accesses; i++) sum = (sum + dispatcher.read(addresses[i & mask] as number, 4)) | 0;
      return sum;
    },
  };
}

export interface ScatteredMap extends ProbeMap {
  /** Objects in the heap between the devices and their regions; to be kept as long as the map. */
  readonly filler: readonly unknown[];
}

/**
 * A map of `count` probes, one page each, in a heap like that of a long-running machine: the devices are created in an
 * order unrelated to their addresses and realized in another, with allocations of all sizes in between. An embedded
 * region is then close to its device, and an owned one close to what was allocated when the device was realized.
 */
export function scatteredMap(form: Form, count: number): ScatteredMap {
  const { model, root } = emptyMachine();
  const random = Random.seeded(1, `scattered ${count}`);
  const places = Array.from({ length: count }, (_, place) => place);
  const filler: unknown[] = [];
  const probes: Probe[] = Array.from({ length: count });
  for (const place of random.shuffled(places)) {
    const probe = model.create<Probe>(form === "embedded" ? EmbeddedProbe : OwnedProbe);
    probe.variant = place % VARIANTS;
    probes[place] = probe;
    fill(filler, random);
  }
  for (const place of random.shuffled(places)) {
    const probe = probes[place] as Probe;
    const bank = Math.floor(place / CONTAINER_REGIONS);
    model.childContainer(model.unattached, `bank-${bank}`).addChild(`probe-${place}`, probe);
    probe.unref(); // its container holds the reference now
    probe.plug();
    fill(filler, random);
  }
  model.transaction(() => {
    for (let first = 0; first < count; first += CONTAINER_REGIONS) {
      const size = CONTAINER_REGIONS * 2 * PROBE_BYTES;
      const container = MemoryRegion.new(model.noOwner, `window-${first}`, size);
      root.addSubregion(first * 2 * PROBE_BYTES, container);
      for (const [i, probe] of probes.slice(first, first + CONTAINER_REGIONS).entries())
        container.addSubregion(i * 2 * PROBE_BYTES, probe.window);
    }
  });
  const space = new AddressSpace(model, root, "bench");
  return { space, addresses: places.map((place) => place * 2 * PROBE_BYTES), probes, filler };
}

/** Largest filler, in fields of eight bytes; a region takes 34 in C. */
const FILLER_FIELDS = 40;

/** Allocates twice and keeps only the second: the first leaves a gap until the collector closes it. */
function fill(kept: unknown[], random: Random): void {
  kept.push(Array<number>(1 + random.below(FILLER_FIELDS)).fill(0));
  kept[kept.length - 1] = Array<number>(1 + random.below(FILLER_FIELDS)).fill(0);
}

const PAGE_BITS = Math.log2(PROBE_BYTES);
const LEAF_BITS = 9;
const LEAF_PAGES = 2 ** LEAF_BITS;

/**
 * A dispatcher for devices that have pages of their own. It refers to sections and regions without copying their
 * fields.
 */
export class UncopiedDispatcher {
  /** Sections by page, in two levels. */
  private readonly leaves: (FlatRange | undefined)[][] = [];
  /** The section of the last access, which QEMU's dispatcher also tries first. */
  private hit: FlatRange;
  /** Keeps the sections and regions of the dispatcher alive, and the filler between them. */
  readonly map: ScatteredMap;

  /** @throws RangeError for an empty map */
  constructor(map: ScatteredMap) {
    this.map = map;
    const { view } = map.space;
    const [first] = view.ranges;
    if (first === undefined) throw new RangeError("uncopied reads need a map with at least one device");
    this.hit = first;
    this.enter(view);
  }

  /**
   * Reads 1, 2 or 4 bytes and returns them as an unsigned value.
   * @throws RangeError when nothing is mapped at the address, or when the access is not one plain call of the device's
   *   callback
   */
  read(address: number, size: 1 | 2 | 4): number {
    let section = this.hit;
    if (address < section.start || address >= section.end) {
      section = this.find(address);
      this.hit = section;
    }
    const { region } = section;
    const offset = address - section.start + section.offset;
    if (region.ram !== null || (region.plainReads & size) === 0 || (offset & (size - 1)) !== 0)
      throw refused(address, size);
    const { guard } = region;
    if (guard !== null) {
      if (guard.engaged) throw refused(address, size);
      guard.engaged = true;
    }
    const { ops, opaque } = region;
    if (ops.read === undefined) throw refused(address, size);
    const value = ops.read(opaque as never, offset, size); // `opaque` belongs to these ops
    if (guard !== null) guard.engaged = false;
    return size === 4 ? value >>> 0 : value & ((1 << (size * 8)) - 1);
  }

  private find(address: number): FlatRange {
    const section =
      this.leaves[address >>> (PAGE_BITS + LEAF_BITS)]?.[(address >>> PAGE_BITS) & (LEAF_PAGES - 1)];
    if (section === undefined || address < section.start || address >= section.end)
      throw new RangeError(`nothing answers at 0x${address.toString(16)}`);
    return section;
  }

  private enter({ ranges }: FlatView): void {
    for (const range of ranges) {
      for (let page = range.start >>> PAGE_BITS; page << PAGE_BITS < range.end; page++) {
        const slot = page >>> LEAF_BITS;
        while (this.leaves.length <= slot) this.leaves.push(Array.from({ length: LEAF_PAGES }));
        const leaf = this.leaves[slot];
        if (leaf !== undefined) leaf[page & (LEAF_PAGES - 1)] = range;
      }
    }
  }
}

function refused(address: number, size: number): RangeError {
  return new RangeError(
    `a read of ${size} bytes at 0x${address.toString(16)} is not a plain call of a device's callback`,
  );
}

/** Groups digits by three, as the names of metrics do. */
export function formatCount(count: number): string {
  return String(count).replace(/\B(?=(\d{3})+$)/g, " ");
}
