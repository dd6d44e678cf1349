import { describe, expect, it } from "vitest";
import { HostRam, MemoryModel, MemoryRegion } from "#memory";
import { ObjectState, QomAbort, QomError, UseAfterFinalize, UseAfterFree } from "#qom";
import { EmbeddingOwner, Owner, recordingOps, testMemory } from "../testing.ts";

describe("creation", () => {
  it("makes the region a child of its owner, which holds its only reference", () => {
    const { model } = testMemory();
    const owner = model.create(Owner);
    const first = MemoryRegion.new(owner, "bar", 16);
    const second = MemoryRegion.newRam(owner, "bar", 16);
    expect([first.refCount, second.refCount]).toEqual([1, 1]);
    expect([...owner.children()].map(([name]) => name)).toEqual(["bar[0]", "bar[1]"]);
    expect(owner.refCount).toBe(1);
  });

  it("escapes characters that have a meaning in paths", () => {
    const { model } = testMemory();
    const owner = model.create(Owner);
    expect(MemoryRegion.new(owner, "IOCS[0]", 16).nameInParent).toBe("IOCS\\x5b0\\x5d[0]");
    expect(MemoryRegion.new(owner, "a/b\\c", 16).nameInParent).toBe("a\\x2fb\\x5cc[0]");
  });

  it("puts a region without an owner in /machine/unattached, uncounted and unguarded", () => {
    const { model } = testMemory();
    const region = MemoryRegion.newIo(model.noOwner, recordingOps([]), null, "stray", 16);
    expect(region.canonicalPath()).toBe("/machine/unattached/stray[0]");
    expect([region.owner, region.guard]).toEqual([null, null]);
    region.takeRef();
    region.dropRef();
    expect(region.refCount).toBe(1);
  });

  it("leaves an unnamed region to its creator", () => {
    const { model } = testMemory();
    const owner = model.create(EmbeddingOwner);
    owner.region.init(owner, null, 16);
    expect([owner.region.parent, owner.region.refCount]).toEqual([null, 1]);
  });

  it("charges 272 bytes to the owner's block when embedded, and to a block of its own when owned", () => {
    const { model } = testMemory();
    const embedding = model.create(EmbeddingOwner);
    expect(embedding.block.bytes).toBe(40 + 272);
    const before = model.heap.usage().live;
    const region = MemoryRegion.new(embedding, "own", 16);
    expect(model.heap.usage().live).toBe(before + 1);
    expect(region.block.bytes).toBe(272);
  });

  it("refuses sizes and offsets that a number cannot represent exactly", () => {
    const { model, root } = testMemory();
    expect(() => MemoryRegion.new(model.noOwner, "odd", 0.5)).toThrow(QomAbort);
    expect(() => MemoryRegion.new(model.noOwner, "huge", 2 ** 60)).toThrow(/2\^53, or 2\^64/);
    expect(() => root.addSubregion(2 ** 53, MemoryRegion.new(model.noOwner, "far", 16))).toThrow(QomAbort);
  });

  it("leaves nothing behind when RAM cannot be allocated", () => {
    class NoRam extends HostRam {
      override allocate(): Uint8Array {
        throw new QomError("no RAM today");
      }
    }
    const model = new MemoryModel({ ram: new NoRam() });
    const owner = model.create(EmbeddingOwner);
    const before = model.heap.usage().live;
    expect(() => owner.region.initRam(owner, "ram", 16)).toThrow("no RAM today");
    expect([owner.region.state, owner.region.size]).toEqual([ObjectState.Finalized, 0]);
    expect(() => MemoryRegion.newRom(owner, "rom", 16)).toThrow("no RAM today");
    expect([...owner.children()]).toEqual([]);
    expect(model.heap.usage().live).toBe(before);
  });
});

describe("containers and references", () => {
  it("count on the owner of a foreign subregion, not on their own", () => {
    const { model, root } = testMemory();
    const owner = model.create(Owner);
    const outer = MemoryRegion.new(owner, "outer", 32);
    const inner = MemoryRegion.new(owner, "inner", 16); // an empty container renders to nothing
    outer.addSubregion(0, inner);
    expect(owner.refCount).toBe(1);
    root.addSubregion(0, outer);
    model.rcu.drain();
    expect(owner.refCount).toBe(2);
    root.delSubregion(outer);
    model.rcu.drain();
    expect(owner.refCount).toBe(1);
  });

  it("without the same-owner exemption, a device that contains its own region never dies", () => {
    for (const references of ["owner", "owner-7.2"] as const) {
      const { model } = testMemory({ references });
      const owner = model.create(Owner);
      MemoryRegion.new(owner, "outer", 32).addSubregion(0, MemoryRegion.new(owner, "inner", 16));
      owner.unref();
      model.rcu.drain();
      expect(owner.state).toBe(references === "owner" ? ObjectState.Freed : ObjectState.Live);
    }
  });

  it("refuse a subregion that is already in a container, and removal of one that is not", () => {
    const { model, root } = testMemory();
    const region = MemoryRegion.new(model.noOwner, "region", 16);
    root.addSubregion(0, region);
    expect(() => root.addSubregion(32, region)).toThrow(/already in a container/);
    root.delSubregion(region);
    expect(() => root.delSubregion(region)).toThrow(/is not in/);
    expect(model.transactionDepth).toBe(0);
  });

  it("stay ordered by priority, the most recent first among equals", () => {
    const { model, root } = testMemory();
    const add = (name: string, priority: number) =>
      root.addSubregion(0, MemoryRegion.new(model.noOwner, name, 16), priority);
    add("a", 0);
    add("b", 1);
    add("c", 0);
    add("d", -1);
    expect(root.subregions.map((each) => each.name)).toEqual(["b", "c", "a", "d"]);
  });
});

describe("invalid changes of a region", () => {
  it("leave a region at its address, and its owner's count unchanged, when the new address is invalid", () => {
    const { model, root, space } = testMemory();
    const owner = model.create(Owner);
    const region = MemoryRegion.newRam(owner, "ram", 16);
    root.addSubregion(0x100, region);
    model.rcu.drain();
    const counted = owner.refCount;
    expect(() => region.setAddress(-1)).toThrow(QomAbort);
    model.rcu.drain();
    expect([region.container, region.address]).toEqual([root, 0x100]);
    expect(space.find(0x100)?.region).toBe(region);
    expect(owner.refCount).toBe(counted);
  });

  it("refuse an alias offset for a region that is not an alias", () => {
    const { model } = testMemory();
    expect(() => MemoryRegion.newRam(model.noOwner, "ram", 16).setAliasOffset(4)).toThrow(/is not an alias/);
  });

  it("refuse to make RAM larger than its bytes, but let it shrink and grow back", () => {
    const { model, root, space } = testMemory();
    const ram = MemoryRegion.newRam(model.noOwner, "ram", 16);
    root.addSubregion(0, ram);
    expect(() => ram.setSize(17)).toThrow(/has 16 bytes of RAM/);
    ram.setSize(8);
    expect(space.view.ranges.map(({ end }) => end)).toEqual([8]);
    ram.setSize(16);
    expect(space.view.ranges.map(({ end }) => end)).toEqual([16]);
  });
});

describe("finalization", () => {
  it("detaches a region from its container and its subregions from it, in any order", () => {
    const { model } = testMemory();
    const owner = model.create(Owner);
    const outer = MemoryRegion.new(owner, "outer", 32);
    const inner = MemoryRegion.new(owner, "inner", 16);
    outer.addSubregion(0, inner);
    inner.unparent();
    expect([outer.subregions, inner.container]).toEqual([[], null]);
    outer.addSubregion(0, MemoryRegion.new(owner, "other", 16));
    owner.unref();
    expect(model.transactionDepth).toBe(0);
  });

  it("aborts inside a container of another owner", () => {
    const { model, root } = testMemory();
    const owner = model.create(Owner);
    const region = MemoryRegion.new(owner, "region", 16);
    root.addSubregion(0, region);
    expect(() => region.unparent()).toThrow(/container of another owner/);
  });

  it("frees an owned region before, and an embedded one after, the owner's own finalizer", () => {
    const states: ObjectState[] = [];
    class Witness extends EmbeddingOwner {
      static override readonly typeName = "test-witness";
      owned: MemoryRegion | null = null;
      protected override instanceFinalize(): void {
        states.push(this.region.state, this.owned?.state ?? ObjectState.Uninitialised);
      }
    }
    const { model } = testMemory();
    const owner = model.create(Witness);
    owner.region.init(owner, "embedded", 16);
    owner.owned = MemoryRegion.new(owner, "owned", 16);
    owner.unref();
    expect(states).toEqual([ObjectState.Finalized, ObjectState.Freed]);
    expect(owner.region.state).toBe(ObjectState.Freed);
  });

  it("returns RAM after a grace period", () => {
    const released: number[] = [];
    class CountingRam extends HostRam {
      override release(): void {
        released.push(1);
      }
    }
    const { model } = testMemory({ ram: new CountingRam() });
    const ram = MemoryRegion.newRam(model.noOwner, "ram", 16);
    ram.unparent();
    expect(released).toEqual([]);
    model.rcu.drain();
    expect(released).toEqual([1]);
  });
});

describe("a live leaf region that is unparented at run time", () => {
  function unparentUnderView(form: "embedded" | "owned") {
    const { model, root, space } = testMemory({ checked: "throw" });
    const owner = model.create(EmbeddingOwner);
    const ops = recordingOps([]);
    let { region } = owner;
    if (form === "owned") region = MemoryRegion.newIo(owner, ops, null, "io", 16);
    else region.initIo(owner, ops, null, "io", 16);
    root.addSubregion(0, region);
    model.rcu.drain();
    const hold = model.rcu.read(); // a reader keeps the old view
    root.delSubregion(region);
    region.unparent();
    hold();
    return { model, space };
  }

  it("is used after finalization by the old view if embedded", () => {
    const { model } = unparentUnderView("embedded");
    expect(() => model.rcu.drain()).toThrow(UseAfterFinalize);
  });

  it("is used after free by the old view if owned", () => {
    const { model } = unparentUnderView("owned");
    expect(() => model.rcu.drain()).toThrow(UseAfterFree);
  });
});

describe("storage allocated by hand", () => {
  it("leaks one region per initialisation in place; embedded and owned ones do not", () => {
    const { model } = testMemory();
    for (let round = 0; round < 3; round++) {
      const owner = model.create(Owner);
      model.allocate(MemoryRegion).init(owner, "by hand", 16);
      MemoryRegion.new(owner, "owned", 16);
      owner.unref();
    }
    const leaked = model.heap.leaks().filter((leak) => leak.typeName === "memory-region");
    const root = 1;
    expect(leaked[0]?.blocks).toBe(3 + root);
  });
});

it("refuses to own a region without a name, which nothing would hold", () => {
  const { model } = testMemory();
  const nameless = null as unknown as string; // as JavaScript may pass
  expect(() => MemoryRegion.new(model.noOwner, nameless, 16)).toThrow(/needs a name/);
  expect(() => MemoryRegion.newRamPtr(model.noOwner, nameless, new Uint8Array(16))).toThrow(/needs a name/);
});
