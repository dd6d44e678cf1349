import { describe, expect, it } from "vitest";
import {
  AddressSpace,
  CpuBus,
  GuestMemory,
  IommuAccess,
  IommuMemoryRegion,
  MemoryRegion,
  MemTxResult,
} from "#memory";
import { testMemory } from "../testing.ts";

const PAGE = 0x1000;

/** Every page is the page of the same address of another space. */
class SameAddress extends IommuMemoryRegion {
  static override readonly typeName = "test-same-address-iommu";
  behind!: AddressSpace;
  override translate(iova: number) {
    const page = iova - (iova % PAGE);
    return { target: this.behind, iova: page, address: page, size: PAGE, access: IommuAccess.ReadWrite };
  }
}

/** RAM of two pages, ROM of one, and what others see of a region of theirs. */
function memories() {
  const guest = new GuestMemory(1 << 16);
  const memory = testMemory({ ram: guest });
  const { noOwner } = memory.model;
  const ram = MemoryRegion.newRam(noOwner, "ram", 2 * PAGE);
  const rom = MemoryRegion.newRom(noOwner, "rom", PAGE);
  const window = (size: number, readOnly: boolean) => {
    const alias = MemoryRegion.newAlias(noOwner, "window", ram, 0, size);
    alias.setReadOnly(readOnly);
    return alias;
  };
  /** Writes byte 7 at an address, in each way that a device or a processor can; returns outcomes and what RAM holds then. */
  const write = (space: AddressSpace, address: number) => {
    const bus = new CpuBus(space, guest);
    const mapped = (): number => {
      const mapping = space.map(address, 1, true);
      mapping?.bytes.fill(7);
      if (mapping) space.unmap(mapping, 1);
      return mapping === null || mapping.bounce !== null ? MemTxResult.DecodeError : MemTxResult.Ok;
    };
    const single = (by: AddressSpace | CpuBus) => {
      by.write(address, 1, 7, 0);
      return by.result;
    };
    return [
      () => space.writeBytes(address, Uint8Array.of(7)),
      () => single(space),
      mapped,
      () => single(bus),
    ].map((attempt) => {
      ram.ramBytes().fill(0);
      const outcome = attempt();
      return `${outcome} ${ram.ramBytes()[address % (2 * PAGE)]}`;
    });
  };
  return { ...memory, guest, ram, rom, window, write };
}

const [WRITTEN, DROPPED, REFUSED] = ["0 7", "0 0", "2 0"];

describe("a write", () => {
  it("through a read-only alias or container of RAM is a device's to make, and not a processor's", () => {
    const { model, root, space, window, write } = memories();
    const container = MemoryRegion.new(model.noOwner, "container", 2 * PAGE);
    container.setReadOnly(true);
    container.addSubregion(0, window(2 * PAGE, false));
    root.addSubregion(0, window(2 * PAGE, true));
    root.addSubregion(4 * PAGE, container);
    root.addSubregion(8 * PAGE, window(2 * PAGE, false));
    for (const start of [0, 4 * PAGE])
      expect(write(space, start + 5)).toEqual([WRITTEN, WRITTEN, WRITTEN, DROPPED]);
    expect(write(space, 8 * PAGE + 5)).toEqual([WRITTEN, WRITTEN, WRITTEN, WRITTEN]);
  });

  it("to ROM is refused, and a processor's dropped", () => {
    const { root, space, rom, write } = memories();
    root.addSubregion(0, rom);
    expect(write(space, 5)).toEqual([REFUSED, REFUSED, REFUSED, DROPPED]);
    expect(rom.ramBytes()[5]).toBe(0);
  });

  it("through the root of an address space is protected only if the root is not skipped: by an alias of a part", () => {
    const { model, guest, window, write } = memories();
    const whole = new AddressSpace(model, window(2 * PAGE, true), "whole");
    const part = new AddressSpace(model, window(PAGE, true), "part");
    expect([whole.find(0)?.readOnly, part.find(0)?.readOnly]).toEqual([false, true]);
    expect(write(whole, 5)).toEqual([WRITTEN, WRITTEN, WRITTEN, WRITTEN]);
    expect(write(part, 5)).toEqual([WRITTEN, WRITTEN, WRITTEN, DROPPED]);
    expect(new CpuBus(part, guest).directPage(0, "write")).toBe(-1);
    // The same through a read-only container that holds nothing else, and through aliases of aliases.
    const container = MemoryRegion.new(model.noOwner, "container", 2 * PAGE);
    container.setReadOnly(true);
    container.addSubregion(0, window(2 * PAGE, true));
    const over = MemoryRegion.newAlias(model.noOwner, "over", container, 0, 2 * PAGE);
    over.setReadOnly(true);
    expect(write(new AddressSpace(model, over, "over"), 5)).toEqual([WRITTEN, WRITTEN, WRITTEN, WRITTEN]);
    expect(new AddressSpace(model, over, "over again").view).toBe(whole.view);
  });

  it("of a processor is that of any other on a page with several regions", () => {
    const { model, root, space, rom, window, write } = memories();
    root.addSubregion(0, window(0x100, true));
    root.addSubregion(0x100, MemoryRegion.newAlias(model.noOwner, "some", rom, 0x100, 0x100));
    expect(write(space, 5)).toEqual([WRITTEN, WRITTEN, WRITTEN, WRITTEN]);
    expect(write(space, 0x105)).toEqual([REFUSED, REFUSED, REFUSED, REFUSED]);
  });

  it("through an IOMMU is as if made behind it", () => {
    const { model, root, space, rom, window, write } = memories();
    root.addSubregion(0, window(2 * PAGE, true));
    root.addSubregion(2 * PAGE, rom);
    const iommu = SameAddress.newIommu(model.noOwner, "iommu", 16 * PAGE);
    iommu.behind = space;
    const behind = new AddressSpace(model, iommu, "device");
    expect(write(behind, 5)).toEqual([WRITTEN, WRITTEN, WRITTEN, DROPPED]);
    expect(write(behind, 2 * PAGE + 5)).toEqual([REFUSED, REFUSED, REFUSED, DROPPED]);
  });
});
