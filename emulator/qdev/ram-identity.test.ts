import { expect, it } from "vitest";
import { MemoryRegion } from "#memory";
import { Bus, Device, DeviceModel } from "#qdev";
import { ObjectState, QomObject } from "#qom";

const PAGE = 0x1000;

/** A bus whose devices have addresses. */
class AddressedBus extends Bus {
  static override readonly typeName = "addressed-bus";
  override pathOf(device: Device): string {
    return `0000:00:0${this.devices.indexOf(device)}.0`;
  }
}

class Card extends Device {
  static override readonly typeName = "card-with-ram";
  rom!: MemoryRegion;
  protected override realize(): void {
    this.rom = MemoryRegion.newRom(this, "card.rom", PAGE);
  }
}

it("RAM is identified by its name, after the path of its device where the bus gives one", () => {
  const model = new DeviceModel();
  model.types.register(AddressedBus, Card);
  const bus = model.create(AddressedBus);
  const cards = [0, 1].map(() => model.create(Card));
  for (const card of cards) card.plug(bus);
  expect(cards.map(({ rom }) => rom.ram?.id)).toEqual(["0000:00:00.0/card.rom", "0000:00:01.0/card.rom"]);
  const ram = MemoryRegion.newRam(model.noOwner, "board.ram", PAGE);
  expect(model.ramBlocks?.get("board.ram")).toBe(ram);
  expect(model.ramBlocks?.get("0000:00:01.0/card.rom")).toBe(cards[1]?.rom);
});

it("RAM of a machine that nobody migrates has none, and may share a name", () => {
  const model = new DeviceModel({ migratable: false });
  expect(model.ramBlocks).toBeNull();
  const rams = [0, 1].map(() => MemoryRegion.newRam(model.noOwner, "board.ram", PAGE));
  expect(rams.map(({ ram }) => ram?.id)).toEqual([null, null]);
});

/** As QEMU's memory backends: it owns RAM, and is no device. */
class Backend extends QomObject {
  static override readonly typeName = "backend-with-ram";
  declare readonly model: DeviceModel;
  readonly embedded = this.embed(MemoryRegion);
}

const registers = { endianness: "little" } as const;

// Each pair, and its variant that any object may own.
it.each([
  [
    "Ram",
    (of: Backend) => of.embedded.initRam(of, "ram", PAGE),
    (of: Backend) => void MemoryRegion.newRam(of, "ram", PAGE),
    (of: Backend) => MemoryRegion.newRamNomigrate(of, "ram", PAGE),
  ],
  [
    "Rom",
    (of: Backend) => of.embedded.initRom(of, "ram", PAGE),
    (of: Backend) => void MemoryRegion.newRom(of, "ram", PAGE),
    (of: Backend) => MemoryRegion.newRomNomigrate(of, "ram", PAGE),
  ],
  [
    "RomDevice",
    (of: Backend) => of.embedded.initRomDevice(of, registers, null, "ram", PAGE),
    (of: Backend) => void MemoryRegion.newRomDevice(of, registers, null, "ram", PAGE),
    (of: Backend) => MemoryRegion.newRomDeviceNomigrate(of, registers, null, "ram", PAGE),
  ],
])(
  "an owner that is no device cannot identify its RAM: init%s and its counterpart",
  (_, init, make, without) => {
    const model = new DeviceModel();
    const backend = model.create(Backend);
    model.root.addChild("backend", backend);
    for (const attempt of [init, make])
      expect(() => attempt(backend)).toThrow(
        /the RAM ram has as its owner backend-with-ram \(\/backend\), which is no device.*use.*Nomigrate.*registerRamGlobally/,
      );
    const region = without(backend);
    region.registerRamGlobally();
    expect(model.ramBlocks?.get("ram")).toBe(region);
    backend.unref();
    model.root.child("backend")?.unparent();
    expect(region.state).toBe(ObjectState.Freed);
    expect(model.ramBlocks?.get("ram")).toBeUndefined();
  },
);

it("a machine cannot either, nor a region; the objects of a machine that nobody migrates can", () => {
  for (const create of [
    (model: DeviceModel) => model.create(Backend),
    (model: DeviceModel) => MemoryRegion.new(model.noOwner, "container", PAGE),
  ]) {
    const owner = create(new DeviceModel());
    expect(() => MemoryRegion.newRam(owner, "ram", PAGE)).toThrow(/which is no device/);
    const free = create(new DeviceModel({ migratable: false }));
    expect(MemoryRegion.newRam(free, "ram", PAGE).ram?.id).toBeNull();
  }
});
