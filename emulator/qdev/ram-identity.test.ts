import { expect, it } from "vitest";
import { MemoryRegion } from "#memory";
import { Bus, Device, DeviceModel } from "#qdev";

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
