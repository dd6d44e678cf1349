import { describe, expect, it } from "vitest";
import { type AccessSize, formatFlatViews, MemoryRegion, type MemoryRegionOps, MemTxResult } from "#memory";
import { ObjectState, QomAbort, QomError } from "#qom";
import { EmbeddingOwner, Owner, recordingOps, testMemory } from "../testing.ts";

const FORMS = ["embedded", "owned"] as const;

describe.each(FORMS)("resizeable RAM, %s", (form) => {
  function resizeable() {
    const memory = testMemory();
    const owner = memory.model.create(EmbeddingOwner);
    const sizes: number[] = [];
    let { region } = owner;
    if (form === "embedded")
      region.initResizeableRam(owner, "tables", 0x1000, 0x3000, (size) => sizes.push(size));
    else region = MemoryRegion.newResizeableRam(owner, "tables", 0x1000, 0x3000, (size) => sizes.push(size));
    memory.root.addSubregion(0x1000, region);
    return { ...memory, owner, region, sizes };
  }

  it("shows as many bytes as it has now, and tells its device", () => {
    const { space, region, sizes } = resizeable();
    region.resizeRam(0x2000);
    expect(space.writeBytes(0x2ffc, Uint8Array.of(1, 2, 3, 4))).toBe(MemTxResult.Ok);
    region.resizeRam(0x1000);
    expect(space.find(0x2ffc)).toBeUndefined();
    region.resizeRam(0x3000);
    region.resizeRam(0x3000); // no change
    expect(space.read(0x2ffc, 4)).toBe(0x0403_0201);
    expect(sizes).toEqual([0x2000, 0x1000, 0x3000]);
  });

  it("has a limit", () => {
    const { region, owner } = resizeable();
    expect(() => region.resizeRam(0x3001)).toThrow(QomError);
    expect(region.size).toBe(0x1000);
    expect(() => MemoryRegion.newRam(owner, "fixed", 16).resizeRam(8)).toThrow(QomAbort);
    expect(() => MemoryRegion.newResizeableRam(owner, "wrong", 32, 16)).toThrow(/may have 16 at most/);
  });
});

describe.each(FORMS)("a device of the host, %s", (form) => {
  it("gets every access as one load or store of its own size, and is mapped for nobody", () => {
    const { model, root, space } = testMemory();
    const owner = model.create(EmbeddingOwner);
    const bytes = new Uint8Array(0x1000);
    const host = new DataView(bytes.buffer);
    let { region } = owner;
    if (form === "embedded") region.initRamDevicePtr(owner, "bar", bytes);
    else region = MemoryRegion.newRamDevicePtr(owner, "bar", bytes);
    root.addSubregion(0, region);
    for (const size of [1, 2, 4, 8] as AccessSize[]) {
      for (const at of [0x10, 0x23]) {
        space.write(at, size, 0x8765_4321, 0xcafe_f00d);
        expect(space.result).toBe(MemTxResult.Ok);
        const low =
          size === 1 ? host.getUint8(at) : size === 2 ? host.getUint16(at, true) : host.getUint32(at, true);
        expect(space.read(at, size)).toBe(low);
        expect(low).toBe(size === 1 ? 0x21 : size === 2 ? 0x4321 : 0x8765_4321);
        if (size === 8)
          expect([space.high, host.getUint32(at + 4, true)]).toEqual([0xcafe_f00d, 0xcafe_f00d]);
      }
    }
    const mapping = space.map(0, 16, true);
    expect(mapping?.bounce).not.toBeNull();
    if (mapping !== null) space.unmap(mapping, 0);
    expect(formatFlatViews(model)).toContain("(prio 0, ramd): bar");
  });
});

describe("a range that was found", () => {
  it("is the first that is visible there, clipped, wherever the region is; it keeps its owner until it is released", () => {
    const { model, root } = testMemory({ checked: "throw" });
    const owner = model.create(Owner);
    const outer = MemoryRegion.new(model.noOwner, "outer", 0x4000);
    root.addSubregion(0x10_0000, outer);
    const low = MemoryRegion.newRom(owner, "low", 0x1000);
    const high = MemoryRegion.newIo(owner, recordingOps([]), null, "high", 0x1000);
    outer.addSubregion(0x1000, low);
    outer.addSubregion(0x2000, high);
    model.rcu.drain();
    const counted = owner.refCount;
    const found = outer.find(0x1800, 0x1000);
    expect(found?.region).toBe(low);
    expect(found && [found.address, found.size, found.offset, found.readOnly]).toEqual([
      0x10_1800,
      0x800,
      0x800,
      true,
    ]);
    expect(high.find(0x10, 4)?.address).toBe(0x10_2010);
    expect(outer.find(0, 0x1000)).toBeUndefined();
    expect(owner.refCount).toBe(counted + 2);
    expect(model.finds.size).toBe(2);
    root.delSubregion(outer);
    outer.delSubregion(low);
    outer.delSubregion(high);
    owner.unref();
    model.rcu.drain();
    expect(owner.state).toBe(ObjectState.Live); // for the ranges that were found
    for (const each of [...model.finds]) each.release();
    expect(owner.state).toBe(ObjectState.Freed);
    expect(() => found?.release()).toThrow(/released twice/);
  });

  it("needs an address space that shows the region", () => {
    const { model } = testMemory();
    expect(MemoryRegion.newRam(model.noOwner, "nowhere", 16).find(0, 4)).toBeUndefined();
  });
});

describe("the identity of RAM", () => {
  const ops: MemoryRegionOps<null> = { endianness: "little" };

  it("is unique: two of a name abort, until the first has ended", () => {
    const { model } = testMemory();
    const first = model.create(EmbeddingOwner);
    const second = model.create(EmbeddingOwner);
    first.region.initRam(first, "ram", 0x1000);
    expect(() => MemoryRegion.newRom(second, "ram", 0x1000)).toThrow(QomAbort);
    first.unref();
    expect(MemoryRegion.newRom(second, "ram", 0x1000).ram?.id).toBe("ram");
  });

  it.each([
    ["initRam", (region: MemoryRegion, owner: EmbeddingOwner) => region.initRam(owner, "ram", 16)],
    ["initRom", (region: MemoryRegion, owner: EmbeddingOwner) => region.initRom(owner, "ram", 16)],
    [
      "initRomDevice",
      (region: MemoryRegion, owner: EmbeddingOwner) => region.initRomDevice(owner, ops, null, "ram", 16),
    ],
  ] as const)("is given by %s and by its counterpart", (_, init) => {
    const { model } = testMemory();
    const owner = model.create(EmbeddingOwner);
    init(owner.region, owner);
    expect(owner.region.ram?.id).toBe("ram");
    for (const make of [
      () => MemoryRegion.newRam(model.noOwner, "ram", 16),
      () => MemoryRegion.newRom(model.noOwner, "ram", 16),
      () => MemoryRegion.newRomDevice(model.noOwner, ops, null, "ram", 16),
    ])
      expect(make).toThrow(/is called ram, as that of .*: give each a name of its own/);
    owner.unref();
    expect(MemoryRegion.newRomDevice(model.noOwner, ops, null, "ram", 16).ram?.id).toBe("ram");
  });

  it("is not given by the Nomigrate variants, but on demand, as the name alone and once", () => {
    const { model } = testMemory();
    const owner = model.create(EmbeddingOwner);
    const { region } = owner;
    for (const [init, make] of [
      [() => region.initRamNomigrate(owner, "ram", 16), () => MemoryRegion.newRamNomigrate(owner, "ram", 16)],
      [() => region.initRomNomigrate(owner, "ram", 16), () => MemoryRegion.newRomNomigrate(owner, "ram", 16)],
      [
        () => region.initRomDeviceNomigrate(owner, ops, null, "ram", 16),
        () => MemoryRegion.newRomDeviceNomigrate(owner, ops, null, "ram", 16),
      ],
    ] as const) {
      init();
      const other = make();
      expect([region.ram?.id, other.ram?.id]).toEqual([null, null]);
      expect([region.readOnly, region.romDevice]).toEqual([other.readOnly, other.romDevice]);
      other.registerRamGlobally();
      expect([other.ram?.id, model.ramBlocks?.get("ram")]).toEqual(["ram", other]);
      expect(() => other.registerRamGlobally()).toThrow(/is called ram already/);
      expect(() => region.registerRamGlobally()).toThrow(/give each a name of its own/);
      other.unparent();
      region.registerRamGlobally();
      expect(region.ram?.id).toBe("ram");
      region.unparent();
    }
    expect(() => MemoryRegion.new(owner, "bus", 16).registerRamGlobally()).toThrow(/has no RAM/);
  });

  it("is not that of RAM that others allocated", () => {
    const { model } = testMemory();
    const bytes = new Uint8Array(0x1000);
    for (let i = 0; i < 2; i++) {
      expect(MemoryRegion.newRamPtr(model.noOwner, "lent", bytes).ram?.id).toBeNull();
      expect(MemoryRegion.newRamDevicePtr(model.noOwner, "lent", bytes).ram?.id).toBeNull();
      expect(MemoryRegion.newResizeableRam(model.noOwner, "lent", 0, 0x1000).ram?.id).toBeNull();
    }
  });
});
