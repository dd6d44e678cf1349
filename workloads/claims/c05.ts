import { Emulation, loadHardware } from "#machine";
import { MemoryRegion } from "#memory";
import { SysBusDevice } from "#qdev";
import type { QomObject } from "#qom";
import type { Claim } from "./claim.ts";

export const c05: Claim = {
  id: "C5",
  claim:
    "Base classes hold pointers to the regions of a device already, so the device needs no field for them.",
  by: ["Balaton"],
  context:
    "Sysbus and PCI devices register their regions with the class above, which finds them without the device.",
  scenarios: [],
  facts: [
    {
      name: "devices on a bus",
      rule: "Regions of virt's devices that no field refers to, and that are in the list of the base class. A sysbus device registers every window there.",
      predicted: "all of sysbus devices",
      observe: async () => {
        const lost = (await unheld()).filter(
          ([owner, region]) =>
            owner instanceof SysBusDevice && !owner.mmioWindows.some((window) => window.region === region),
        );
        return lost.length === 0 ? "all of sysbus devices" : `not ${typesOf(lost)}`;
      },
      agrees: (observed) => observed === "all of sysbus devices",
    },
    {
      name: "other owners",
      rule: "Owners on virt with regions that neither a field nor a list refers to, only the composition tree. The board's main memory is an object of its own without any base class for regions [5.4]; every region is a child of its owner [4.3].",
      predicted: "memory-backend-ram",
      observe: async () => typesOf((await unheld()).filter(([owner]) => !(owner instanceof SysBusDevice))),
      agrees: (observed) => observed === "none",
    },
  ],
  notes: [
    "True of devices on a bus that keeps the list. For others the composition tree has the region, by name.",
  ],
};

/** Regions of a board with owned regions that no field of their owner refers to, with that owner. */
async function unheld(): Promise<[QomObject, MemoryRegion][]> {
  const emulation = new Emulation({ hardware: await loadHardware("owned"), ramBytes: 2 ** 20 });
  const found: [QomObject, MemoryRegion][] = [];
  for (const object of emulation.model.root.descendants()) {
    if (!(object instanceof MemoryRegion) || object.owner === null) continue;
    const fields: unknown[] = Object.values(object.owner).flat();
    if (!fields.includes(object)) found.push([object.owner, object]);
  }
  emulation.destroy();
  return found;
}

function typesOf(found: readonly (readonly [QomObject, MemoryRegion])[]): string {
  const types = [...new Set(found.map(([owner]) => owner.qomType.typeName))].sort();
  return types.length === 0 ? "none" : types.join(", ");
}
