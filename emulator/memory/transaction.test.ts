import { describe, expect, it } from "vitest";
import { AddressSpace, type MemoryModel, MemoryRegion, MemTxResult } from "#memory";
import { ObjectState, QomObject } from "#qom";
import { Owner, recordingOps, testMemory } from "./testing.ts";

describe("a transaction", () => {
  it("renders nothing and notifies no listener when nothing changed", () => {
    const { model, root, space } = testMemory();
    const ram = MemoryRegion.newRam(model.noOwner, "ram", 16);
    const flash = MemoryRegion.newRomDevice(model.noOwner, recordingOps([]), null, "flash", 16);
    const alias = MemoryRegion.newAlias(model.noOwner, "alias", ram, 4, 8);
    for (const [i, region] of [ram, flash, alias].entries()) root.addSubregion(i * 0x100, region);
    let commits = 0;
    space.addListener({ space, priority: 0, commit: () => commits++ });
    const before = [commits, model.renders];
    model.transaction(() => {
      ram.setAddress(0);
      ram.setEnabled(true);
      ram.setSize(16);
      ram.setReadOnly(false);
      ram.setNonvolatile(false);
      ram.setUnmergeable(false);
      flash.setRomdMode(true);
      alias.setAliasOffset(4);
    });
    expect([commits, model.renders]).toEqual(before);
    const hidden = MemoryRegion.newRam(model.noOwner, "hidden", 16);
    hidden.setEnabled(false); // this alone is a change
    const changed = [commits, model.renders];
    root.addSubregion(0x1000, hidden);
    root.delSubregion(hidden);
    expect([commits, model.renders]).toEqual(changed);
  });

  it("renders once at its outermost end, and shows the changes made before an error", () => {
    const { model, root, space } = testMemory();
    const ram = MemoryRegion.newRam(model.noOwner, "ram", 16);
    const before = model.renders;
    const edit = () =>
      model.transaction(() => {
        model.transaction(() => root.addSubregion(0, ram));
        expect(space.find(0)).toBeUndefined();
        throw new Error("edit failed");
      });
    expect(edit).toThrow("edit failed");
    expect([model.transactionDepth, model.renders - before]).toEqual([0, 1]);
    expect(space.find(0)?.region).toBe(ram);
    expect(() => model.commit()).toThrow(/without a transaction/);
  });

  it("keeps removed regions alive until listeners have been told", () => {
    const { model, root, space } = testMemory({ checked: "throw" });
    const owner = model.create(Owner);
    const ram = MemoryRegion.newRam(owner, "ram", 16);
    root.addSubregion(0, ram);
    model.rcu.drain();
    const states: ObjectState[] = [];
    space.addListener({
      space,
      priority: 0,
      regionDel: ({ region }) => states.push(region.state),
      commit: () => states.push(owner.state),
    });
    states.length = 0;
    root.delSubregion(ram);
    owner.unref();
    expect(states).toEqual([ObjectState.Live, ObjectState.Live]);
    model.rcu.drain();
    expect(owner.state).toBe(ObjectState.Freed);
  });
});

describe("the view of a root", () => {
  it("that is disabled or empty is the shared empty view", () => {
    const { model, root, space } = testMemory();
    const empty = space.view;
    root.addSubregion(0, MemoryRegion.newRam(model.noOwner, "ram", 16));
    expect(space.view).not.toBe(empty);
    root.setEnabled(false);
    expect(space.view).toBe(empty);
    expect(new AddressSpace(model, MemoryRegion.new(model.noOwner, "nothing", 16), "other").view).toBe(empty);
  });

  it("merges no ranges that must stay apart, and applies what containers pass on", () => {
    const { model, root, space } = testMemory();
    const ram = MemoryRegion.newRam(model.noOwner, "ram", 0x20);
    const window = MemoryRegion.new(model.noOwner, "window", 0x20);
    for (const half of [0, 0x10]) {
      window.addSubregion(half, MemoryRegion.newAlias(model.noOwner, `half${half}`, ram, half, 0x10));
    }
    root.addSubregion(0, window);
    const spans = () => space.view.ranges.map(({ start, end, nonvolatile }) => [start, end, nonvolatile]);
    expect(spans()).toEqual([[0, 0x20, false]]);
    ram.setUnmergeable(true);
    window.setNonvolatile(true);
    expect(spans()).toEqual([
      [0, 0x10, true],
      [0x10, 0x20, true],
    ]);
  });
});

describe("references on the owner", () => {
  it("of a foreign subregion are dropped when its container is finalized", () => {
    const { model } = testMemory();
    const [outer, inner] = [model.create(Owner), model.create(Owner)];
    const container = MemoryRegion.new(outer, "container", 32);
    const region = MemoryRegion.newRam(inner, "ram", 16);
    container.addSubregion(0, region);
    expect(inner.refCount).toBe(2);
    outer.unref();
    expect([inner.refCount, region.container, outer.state]).toEqual([1, null, ObjectState.Freed]);
  });

  it("of a device that maps its own registers keep it until the mapping ends", () => {
    const { model, root, space } = testMemory();
    const owner = model.create(Owner);
    const region = MemoryRegion.newIo(owner, recordingOps([]), null, "io", 16);
    root.addSubregion(0, region);
    const mapping = space.map(0, 4, true);
    root.delSubregion(region);
    owner.unref();
    model.rcu.drain();
    expect(owner.state).toBe(ObjectState.Live);
    if (mapping !== null) space.unmap(mapping, 4);
    model.rcu.drain();
    expect(owner.state).toBe(ObjectState.Freed);
  });

  it("are counted twice per range, once per root of a view and of a space, and not without an owner", () => {
    const { model } = testMemory();
    const owner = model.create(Owner);
    const top = MemoryRegion.new(owner, "top", 0x100);
    top.addSubregion(0, MemoryRegion.newRam(owner, "one", 0x10));
    top.addSubregion(0x80, MemoryRegion.newRam(model.noOwner, "two", 0x10));
    const space = new AddressSpace(model, top, "space");
    model.rcu.drain();
    expect(owner.refCount).toBe(1 + 2 + 1 + 1); // creator, range and section, view's root, space's root
    space.destroy();
    model.rcu.drain();
    expect(owner.refCount).toBe(1);
  });
});

describe("the re-entrancy guard of a device", () => {
  class GuardedOwner extends QomObject {
    static override readonly typeName = "test-guarded-device";
    declare readonly model: MemoryModel;
    readonly memReentrancyGuard = { engaged: false };
  }

  it("is one for all its regions, but not for memory and ROM devices", () => {
    const { model, root, space } = testMemory();
    const owner = model.create(GuardedOwner);
    const results: number[] = [];
    const first = MemoryRegion.newIo(
      owner,
      {
        read: () => {
          for (const at of [0x1000, 0x2000, 0x3000]) {
            space.write(at, 4, 1);
            results.push(space.result);
          }
          return 0;
        },
        endianness: "little",
      },
      null,
      "first",
      0x1000,
    );
    root.addSubregion(0, first);
    root.addSubregion(0x1000, MemoryRegion.newIo(owner, recordingOps([]), null, "second", 0x1000));
    root.addSubregion(0x2000, MemoryRegion.newRam(owner, "ram", 0x1000));
    root.addSubregion(0x3000, MemoryRegion.newRomDevice(owner, recordingOps([]), null, "flash", 0x1000));
    space.read(0, 4);
    expect(results).toEqual([MemTxResult.AccessError, MemTxResult.Ok, MemTxResult.Ok]);
    space.write(0x1000, 4, 1);
    expect(space.result).toBe(MemTxResult.Ok);
  });
});
