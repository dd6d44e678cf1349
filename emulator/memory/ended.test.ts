import { describe, expect, it } from "vitest";
import { AddressSpace, AddressSpaceStorage, type MemoryModel, MemoryRegion, MemTxResult } from "#memory";
import { ObjectState, QomAbort, QomObject } from "#qom";
import { EmbeddingOwner, Owner, recordingOps, testMemory } from "./testing.ts";

/** What the detector found since the last call: kind, type and use. */
function foundIn({ detector }: MemoryModel): string[] {
  const uses = detector?.found
    .splice(0)
    .map(({ name, typeName, touched }) => `${name} ${typeName} ${touched}`);
  return [...new Set(uses)];
}

describe("what is no object, when it is freed", () => {
  it("is trapped: a stale flat view", () => {
    const { model, root, space } = testMemory({ checked: "count" });
    root.addSubregion(0x1000, MemoryRegion.newRam(model.noOwner, "there before", 0x1000));
    const stale = space.view;
    root.addSubregion(0, MemoryRegion.newRam(model.noOwner, "ram", 0x1000));
    model.rcu.drain();
    expect(foundIn(model)).toEqual([]);
    expect(stale.find(0)).toBeUndefined();
    expect(foundIn(model)).toContain("UseAfterFree flat-view field store");
    expect(space.view.find(0)).toBeDefined();
    expect(foundIn(model)).toEqual([]);
  });

  it("is trapped: an address space, once its end is complete", () => {
    const { model } = testMemory({ checked: "count" });
    const top = MemoryRegion.newRam(model.noOwner, "ram", 0x1000);
    const space = new AddressSpace(model, top, "second");
    space.destroy();
    expect(space.read(0, 4)).toBe(0); // ended, but still allocated
    expect(foundIn(model)).toEqual([]);
    model.rcu.drain();
    space.read(0, 4);
    expect(foundIn(model)).toContain("UseAfterFree address-space field hit");
    expect(space.root).toBeNull();
    expect(foundIn(model)).toEqual(["UseAfterFree address-space field rootRegion"]);
  });

  it("is trapped: a bounce buffer, but not a mapping of RAM", () => {
    const { model, root, space } = testMemory({ checked: "count" });
    root.addSubregion(0, MemoryRegion.newIo(model.noOwner, recordingOps([]), null, "io", 0x1000));
    root.addSubregion(0x1000, MemoryRegion.newRam(model.noOwner, "ram", 0x1000));
    for (const [address, uses] of [
      [0, ["UseAfterFree bounce-buffer field bytes"]],
      [0x1000, []],
    ] as const) {
      const mapping = space.map(address, 16, false);
      if (mapping !== null) space.unmap(mapping, 0);
      expect(mapping?.bytes).toHaveLength(16);
      expect(foundIn(model)).toEqual(uses);
    }
  });

  it("is poisoned: RAM, where a later write is found when the machine ends", () => {
    for (const late of [true, false]) {
      const { model } = testMemory({ checked: "count" });
      const ram = MemoryRegion.newRam(model.noOwner, "ram", 0x1000);
      const bytes = ram.ramBytes();
      ram.unparent();
      bytes[7] = 1; // the region has ended, but its RAM waits for a grace period
      model.rcu.drain();
      if (late) bytes[8] = 1;
      model.destroy();
      expect(foundIn(model)).toEqual(late ? ["UseAfterFree ram byte 8"] : []);
    }
  });

  it("is given back when memory is short", () => {
    let left = 0x3000;
    const ram = {
      allocate(bytes: number): Uint8Array {
        left -= bytes;
        return new Uint8Array(bytes);
      },
      release(bytes: Uint8Array): void {
        left += bytes.length;
      },
    };
    const { model } = testMemory({ checked: "throw", ram });
    const region = MemoryRegion.newRam(model.noOwner, "ram", 0x2000);
    region.unparent();
    model.rcu.drain();
    expect(left).toBe(0x1000);
    model.destroy();
    expect(left).toBe(0x3000);
  });
});

describe("a region", () => {
  it("of an owner that was freed is reported", () => {
    const { model } = testMemory({ checked: "count" });
    const owner = model.create(Owner);
    owner.unref();
    MemoryRegion.newIo(owner, recordingOps([]), null, "io", 16);
    expect(foundIn(model)).toContain("UseAfterFree test-owner addChild()");
  });

  it("that was never initialised is reported as a subregion and as the target of an alias", () => {
    const { model, root, space } = testMemory({ checked: "count" });
    const { region } = model.create(EmbeddingOwner);
    root.addSubregion(0, region);
    MemoryRegion.newAlias(model.noOwner, "alias", region, 0, 16);
    expect(foundIn(model)).toEqual([
      "UseBeforeInit memory-region a subregion of memory-region (/machine/unattached/root[0])",
      "UseBeforeInit memory-region the target of alias alias",
    ]);
    expect(space.view.ranges).toEqual([]); // zeroed storage responds to nothing, as in C
  });

  it("that is initialised again inside a container is reported", () => {
    const { model, root } = testMemory({ checked: "count" });
    const owner = model.create(EmbeddingOwner);
    owner.region.init(owner, "region", 16);
    owner.region.init(owner, "region", 16);
    expect(foundIn(model)).toEqual([]); // C permits it; the first child property is what will dangle
    root.addSubregion(0, owner.region);
    owner.region.init(owner, "region", 16);
    expect(foundIn(model)).toEqual(["Overwritten memory-region container"]);
  });

  it("that is initialised twice has two child properties, and the release of the second aborts", () => {
    const { model } = testMemory({ checked: "count" });
    const owner = model.create(EmbeddingOwner);
    for (let round = 0; round < 2; round++) owner.region.init(owner, "region", 16);
    expect([...owner.children()]).toEqual([
      ["region[0]", owner.region],
      ["region[1]", owner.region],
    ]);
    expect(owner.region.refCount).toBe(1);
    expect(() => owner.unref()).toThrow(QomAbort);
    expect(foundIn(model)).toEqual(["UseAfterFinalize memory-region unref()"]);
  });

  it("that ends while a view shows it, through an alias, is reported", () => {
    const { model, root, space } = testMemory({ checked: "count" });
    const target = MemoryRegion.newRam(model.noOwner, "target", 16);
    root.addSubregion(0, MemoryRegion.newAlias(model.noOwner, "alias", target, 0, 16));
    expect(space.find(0)?.region).toBe(target);
    target.unparent();
    expect(foundIn(model)).toEqual(["FinalizedInView memory-region view of memory"]);
  });

  it.each(["embedded", "owned"] as const)(
    "unparented as the root of a view is read there later (%s)",
    (form) => {
      for (const kind of ["container", "leaf"]) {
        const { model } = testMemory({ checked: "count" });
        const owner = model.create(EmbeddingOwner);
        const size = 16;
        let { region } = owner;
        if (form === "owned" && kind === "leaf") region = MemoryRegion.newRam(owner, "root", size);
        else if (form === "owned") region = MemoryRegion.new(owner, "root", size);
        else if (kind === "leaf") region.initRam(owner, "root", size);
        else region.init(owner, "root", size);
        if (kind === "container") region.addSubregion(8, MemoryRegion.newRam(owner, "ram", size / 2));
        const space = new AddressSpace(model, region, "own");
        expect(space.view.root === region).toBe(true);
        space.destroy();
        region.unparent();
        model.rcu.drain();
        const harmless = model.detector?.harmless.map(({ touched }) => touched) ?? [];
        const found = foundIn(model);
        if (form === "owned") {
          expect([found, harmless]).toEqual([["UseAfterFree memory-region field owner"], []]);
        } else if (kind === "leaf") {
          expect([found, harmless]).toEqual([["UseAfterFinalize memory-region field owner"], []]);
        } else {
          expect(found).toEqual([]);
          expect(new Set(harmless)).toEqual(new Set(["field owner"]));
        }
        expect(owner.refCount).toBe(1);
      }
    },
  );
});

it("a region that is read-only has no guard, so its device may reach it during another access", () => {
  const { model, root, space } = testMemory();
  class Device extends Owner {
    static override readonly typeName = "test-guarded";
    readonly memReentrancyGuard = { engaged: false };
  }
  const device = model.create(Device);
  const results: number[] = [];
  const inner = MemoryRegion.newIo(device, recordingOps([]), null, "inner", 0x1000);
  const outer = MemoryRegion.newIo(
    device,
    recordingOps([], {}, () => {
      space.read(0x1000, 4);
      results.push(space.result);
      return 0;
    }),
    null,
    "outer",
    0x1000,
  );
  root.addSubregion(0, outer);
  root.addSubregion(0x1000, inner);
  for (const readOnly of [false, true, false]) {
    inner.setReadOnly(readOnly);
    for (let turn = 0; turn < 2; turn++) space.read(0, 4); // at first through the region, then the fast path
  }
  const { AccessError, Ok } = MemTxResult;
  expect(results).toEqual([AccessError, AccessError, Ok, Ok, AccessError, AccessError]);
});

describe("an address space that lies in an object", () => {
  class Holder extends QomObject {
    static override readonly typeName = "test-space-holder";
    declare readonly model: MemoryModel;
    readonly space = new AddressSpaceStorage(this);
  }

  it("adds to the object's bytes and needs no block of its own", () => {
    const { model, root } = testMemory();
    const holder = model.create(Holder);
    expect(holder.block.bytes).toBe(40 + 176);
    const before = model.heap.usage().byType.get("address-space")?.allocated;
    holder.space.init(root, "embedded");
    expect(model.heap.usage().byType.get("address-space")?.allocated).toBe(before);
    expect(() => new AddressSpaceStorage(holder)).toThrow(/after its construction/);
  });

  it("goes with the object: its deferred end is a use after free if the object does not wait for it", () => {
    for (const waits of [true, false]) {
      const { model, root } = testMemory({ checked: "count" });
      const holder = model.create(Holder);
      holder.space.init(root, "embedded").destroy();
      if (waits) model.rcu.drain();
      holder.unref();
      model.rcu.drain();
      const found = foundIn(model);
      if (waits) expect(found).toEqual([]);
      else expect(found).toContain("UseAfterFree address-space field mappings");
    }
  });

  it("keeps the object alive if its root belongs to the object", () => {
    const { model } = testMemory({ checked: "throw" });
    const holder = model.create(Holder);
    const space = holder.space.init(MemoryRegion.new(holder, "bus master", 16), "bus master");
    holder.unref();
    space.destroy();
    expect(holder.state).toBe(ObjectState.Live);
    model.rcu.drain();
    expect(holder.state).toBe(ObjectState.Freed);
  });

  it("can be initialised again after its end; before, that is reported, and a second pending end aborts", () => {
    const { model, root } = testMemory({ checked: "count" });
    const { space } = model.create(Holder);
    space.init(root, "first").destroy();
    model.rcu.drain();
    const second = space.init(root, "second");
    expect(foundIn(model)).toEqual([]);
    second.destroy();
    const third = space.init(root, "third");
    expect(foundIn(model)).toEqual(["Overwritten address-space initialisation"]);
    expect(() => third.destroy()).toThrow(/earlier callback has not run/);
  });
});
