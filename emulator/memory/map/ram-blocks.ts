import { QomAbort, type QomObject } from "#qom";
import type { MemoryRegion } from "./region.ts";

/**
 * The RAM of a machine by identity: the region's name, after the path of its device if that is on a bus with paths, such
 * as PCI. It depends neither on the region's form nor on its place among its owner's children. Source: QEMU 10.2.2,
 * system/physmem.c (qemu_ram_set_idstr).
 */
export class RamBlocks {
  private readonly regions = new Map<string, MemoryRegion>();
  private readonly pathOf: (owner: QomObject) => string | null;

  /** @param pathOf the path of an owner that is a device on such a bus; null for others */
  constructor(pathOf: (owner: QomObject) => string | null) {
    this.pathOf = pathOf;
  }

  /** @throws QomAbort when other RAM has the same identity */
  add(region: MemoryRegion): void {
    const { name, owner, ram } = region;
    if (ram === null) return;
    const path = owner === null ? null : this.pathOf(owner);
    const id = path === null ? `${name}` : `${path}/${name}`;
    const other = this.regions.get(id);
    if (other !== undefined)
      throw new QomAbort(
        `the RAM of ${region.describe()} is called ${id}, as that of ${other.describe()}: give each a name of its own`,
      );
    this.regions.set(id, region);
    ram.id = id;
  }

  /** Forgets a region that ends; does nothing if it has no identity. */
  remove({ ram }: MemoryRegion): void {
    if (ram?.id != null) this.regions.delete(ram.id);
  }

  get(id: string): MemoryRegion | undefined {
    return this.regions.get(id);
  }
}
