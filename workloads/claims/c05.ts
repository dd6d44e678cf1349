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
      observe: () =>
        ofUnheld((unheld) => {
          const lost = unheld.filter(
            ([owner, region]) =>
              owner instanceof SysBusDevice && !owner.mmioWindows.some((window) => window.region === region),
          );
          return lost.length === 0 ? "all of sysbus devices" : `not ${typesOf(lost)}`;
        }),
      agrees: (observed) => observed === "all of sysbus devices",
    },
    {
      name: "other owners",
      rule: "Owners on virt with regions that neither a field nor a list refers to, only the composition tree. The board's main memory is an object of its own without any base class for regions [5.4]; every region is a child of its owner [4.3].",
      predicted: "memory-backend-ram",
      observe: () =>
        ofUnheld((unheld) => typesOf(unheld.filter(([owner]) => !(owner instanceof SysBusDevice)))),
      agrees: (observed) => observed === "none",
    },
    {
      name: "regions without a field that their parent does not lead to",
      rule: "A region with a name is a child of its owner, whoever else knows it [4.3]; unparenting it takes that away [2.4], but then nothing is left to be found.",
      predicted: 0,
      observe: () =>
        ofUnheld(
          (unheld) =>
            unheld.filter(([owner, region]) => owner.child(region.nameInParent ?? "") !== region).length,
        ),
      agrees: (observed) => observed === 0,
    },
    {
      name: "whether the list of the base class is enough to use such a region: the guest finds each",
      rule: "The board maps windows that it gets from the list, without a field of the device.",
      predicted: "yes",
      observe: async () => {
        const emulation = await boardWithOwned();
        const space = emulation.board.memorySpace;
        const listed = unheldOf(emulation).filter(([owner]) => owner instanceof SysBusDevice);
        const shown = new Set(space.view.ranges.map(({ region }) => region));
        const found = listed.filter(([, region]) => shown.has(region));
        emulation.destroy();
        return listed.length > 0 && found.length === listed.length ? "yes" : "no";
      },
      agrees: (observed) => observed === "yes",
    },
  ],
  notes: [
    "Predicted was that the guest finds each such region at the address that the list has for it. The UART's was not: the board takes it from the list and adds it to system memory itself, so the list has no address. The prediction had asked for more than the claim says; the map is asked now.",
    "True of devices on a bus that keeps the list. For others the composition tree has the region, by name.",
  ],
};

const boardWithOwned = async () =>
  new Emulation({ hardware: await loadHardware("owned"), ramBytes: 2 ** 20 });

/** Regions that no field of their owner refers to, with that owner. */
function unheldOf({ model }: Emulation): [QomObject, MemoryRegion][] {
  const found: [QomObject, MemoryRegion][] = [];
  for (const object of model.root.descendants()) {
    if (!(object instanceof MemoryRegion) || object.owner === null) continue;
    const fields: unknown[] = Object.values(object.owner).flat();
    if (!fields.includes(object)) found.push([object.owner, object]);
  }
  return found;
}

/** What `look` finds about those of a board with owned regions. */
async function ofUnheld<T>(look: (unheld: readonly [QomObject, MemoryRegion][]) => T): Promise<T> {
  const emulation = await boardWithOwned();
  const found = look(unheldOf(emulation));
  emulation.destroy();
  return found;
}

function typesOf(found: readonly (readonly [QomObject, MemoryRegion])[]): string {
  const types = [...new Set(found.map(([owner]) => owner.qomType.typeName))].sort();
  return types.length === 0 ? "none" : types.join(", ");
}
