import { QomAbort, type QomObject } from "#qom";
import type { MemoryRegion } from "./region.ts";

/**
 * The path of the device that `ram` is identified with, if its bus has paths; null if not.
 * @throws QomAbort for an object that is no device
 */
type PathOf = (device: QomObject, ram: MemoryRegion) => string | null;

/**
 * The RAM of a machine by identity: the region's name, after the path of its device if that is on a bus with paths, such
 * as PCI. It depends neither on the region's form nor on its place among its owner's children. Source: QEMU 10.2.2,
 * system/physmem.c (qemu_ram_set_idstr).
 */
export class RamBlocks {
  private readonly regions = new Map<string, MemoryRegion>();
  private readonly pathOf: PathOf;

  constructor(pathOf: PathOf) {
    this.pathOf = pathOf;
  }

  /** @throws QomAbort when other RAM has the same identity, or `device` is none */
  add(region: MemoryRegion, device: QomObject | null): void {
    const { name, ram } = region;
    if (ram === null) return;
    const path = device === null ? null : this.pathOf(device, region);
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
