import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { AddressSpace, type FlatView, type Mapping, MemoryModel, MemoryRegion } from "#memory";
import { ObjectState, type QomObject } from "#qom";
import { EmbeddingOwner, Owner, recordingOps } from "./testing.ts";

/** A device with one register window and one RAM window in a container of its own. */
interface Plugged {
  readonly owner: EmbeddingOwner;
  readonly window: MemoryRegion;
  readonly ram: MemoryRegion;
  mapped: boolean;
  readonly mappings: Mapping[];
}

const slot = fc.nat({ max: 3 });
const step = fc.oneof(
  fc.record({ do: fc.constant("plug" as const), slot, owned: fc.boolean() }),
  fc.record({ do: fc.constant("unplug" as const), slot }),
  fc.record({ do: fc.constant("map" as const), slot }),
  fc.record({ do: fc.constant("unmap" as const), slot }),
  fc.record({ do: fc.constant("lend" as const), slot }),
  fc.record({ do: fc.constant("return" as const), slot }),
  fc.record({ do: fc.constant("toggle" as const), slot }),
  fc.record({ do: fc.constant("move" as const), slot, by: fc.nat({ max: 0x40 }) }),
  fc.record({ do: fc.constant("reader comes" as const) }),
  fc.record({ do: fc.constant("reader goes" as const) }),
  fc.record({ do: fc.constant("grace period" as const) }),
  fc.record({ do: fc.constant("access" as const), slot }),
);

const SLOT_BYTES = 0x1000;

/** Checks at every commit that no view was rendered twice (I6); the test's address spaces share one root. */
class CheckedModel extends MemoryModel {
  override commit(): void {
    const before = this.renders;
    super.commit();
    expect(this.renders - before).toBeLessThanOrEqual(1);
  }
}

function plug(model: MemoryModel, owned: boolean): Plugged {
  const owner = model.create(EmbeddingOwner);
  const ops = recordingOps([], {}, () => 0x5a);
  const window = MemoryRegion.new(owner, "window", 0x200);
  let registers: MemoryRegion;
  if (owned) registers = MemoryRegion.newIo(owner, ops, null, "registers", 0x10);
  else {
    owner.region.initIo(owner, ops, null, "registers", 0x10);
    registers = owner.region;
  }
  const ram = MemoryRegion.newRam(owner, "ram", 0x100);
  window.addSubregion(0, registers);
  window.addSubregion(0x100, ram);
  return { owner, window, ram, mapped: false, mappings: [] };
}

/** References that I4 of the lifecycle rules accounts for, once no RCU callback is pending. */
function accounted(model: MemoryModel, root: MemoryRegion, owner: QomObject, mappings: number): number {
  const views = new Set<FlatView>(model.addressSpaces.map((space) => space.view));
  let count = 1 + mappings; // its creator's, and one per mapping
  for (const view of views) {
    if (view.root?.owner === owner) count++;
    count += 2 * view.ranges.filter((range) => range.region.owner === owner).length;
  }
  count += model.addressSpaces.filter((space) => space.root?.owner === owner).length;
  return count + root.subregions.filter((each) => each.owner === owner).length;
}

describe("random schedules of plug, unplug, map and read", () => {
  it("keep the lifecycle invariants, and leave nothing behind", () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), fc.nat(), (steps, releaseOrder) => {
        const model = new CheckedModel({ checked: "throw", releaseOrder, migratable: false });
        const root = MemoryRegion.new(model.noOwner, "root", 2 ** 64);
        const spaces = [new AddressSpace(model, root, "one"), new AddressSpace(model, root, "two")];
        const [space] = spaces as [AddressSpace, AddressSpace];
        const slots: (Plugged | null)[] = [null, null, null, null];
        const gone: Plugged[] = [];
        const readers: (() => void)[] = [];
        const unplug = (at: number) => {
          const plugged = slots[at];
          if (!plugged) return;
          if (plugged.mapped) root.delSubregion(plugged.window);
          plugged.mapped = false;
          slots[at] = null;
          gone.push(plugged);
          plugged.owner.unref();
        };
        const giveBack = (plugged: Plugged) => {
          const mapping = plugged.mappings.pop();
          if (mapping !== undefined) space.unmap(mapping, 0);
        };
        for (const each of steps) {
          const at = "slot" in each ? each.slot : 0;
          const plugged = slots[at] ?? null;
          const address = at * SLOT_BYTES;
          if (each.do === "plug") slots[at] ??= plug(model, each.owned);
          else if (each.do === "unplug") unplug(at);
          else if (each.do === "reader comes") readers.push(model.rcu.read());
          else if (each.do === "reader goes") readers.pop()?.();
          else if (each.do === "grace period") model.rcu.poll();
          else if (plugged === null) continue;
          else if (each.do === "map" && !plugged.mapped) {
            root.addSubregion(address, plugged.window);
            plugged.mapped = true;
          } else if (each.do === "unmap" && plugged.mapped) {
            root.delSubregion(plugged.window);
            plugged.mapped = false;
          } else if (each.do === "lend" && plugged.mapped) {
            const mapping = space.map(plugged.window.address + 0x100, 16, true);
            if (mapping?.region === plugged.ram) plugged.mappings.push(mapping);
            else if (mapping) space.unmap(mapping, 0);
          } else if (each.do === "return") giveBack(plugged);
          else if (each.do === "toggle") plugged.window.setEnabled(!plugged.window.enabled);
          else if (each.do === "move" && plugged.mapped) plugged.window.setAddress(address + each.by);
          else if (each.do === "access" && plugged.mapped && plugged.window.enabled) {
            expect(space.read(plugged.window.address, 1)).toBe(0x5a);
          }
          expect(model.transactionDepth).toBe(0); // I6
          for (const live of [...slots, ...gone]) {
            if (live === null || live.owner.state !== ObjectState.Live) continue;
            for (const [, child] of live.owner.children()) expect(child.refCount).toBe(1); // I1
          }
          for (const { view } of spaces) {
            for (const { region } of view.ranges) expect(region.state).toBe(ObjectState.Live); // I3
          }
          if (readers.length === 0 && each.do === "grace period") {
            model.rcu.drain();
            for (const live of slots) {
              if (live === null) continue;
              expect(live.owner.refCount).toBe(accounted(model, root, live.owner, live.mappings.length)); // I2, I4
            }
          }
        }
        for (const reader of readers) reader();
        for (let at = 0; at < slots.length; at++) unplug(at);
        model.rcu.drain();
        for (const each of gone) {
          const held = each.mappings.length > 0;
          expect(each.owner.state).toBe(held ? ObjectState.Live : ObjectState.Freed);
          while (each.mappings.length > 0) giveBack(each);
          expect(each.owner.state).toBe(ObjectState.Freed);
        }
        expect(spaces.every(({ view }) => view.ranges.length === 0)).toBe(true); // I5
        model.destroy();
        expect(model.heap.leaks()).toEqual([]); // I7
      }),
      { numRuns: 300 },
    );
  });
});

describe("an address space whose root belongs to its own owner", () => {
  it("keeps the owner alive until it is destroyed and a grace period has passed", () => {
    const model = new MemoryModel();
    const owner = model.create(Owner);
    const space = new AddressSpace(model, MemoryRegion.new(owner, "bus master", 2 ** 64), "bus master");
    owner.unref();
    model.rcu.drain();
    expect(owner.state).toBe(ObjectState.Live);
    space.destroy();
    expect(owner.state).toBe(ObjectState.Live);
    model.rcu.drain();
    expect(owner.state).toBe(ObjectState.Freed);
    expect(() => space.destroy()).toThrow(/destroyed twice/);
  });
});

describe("unplugging under a reader", () => {
  it("frees the device only after the reader has left", () => {
    const model = new MemoryModel();
    const root = MemoryRegion.new(model.noOwner, "root", 2 ** 64);
    new AddressSpace(model, root, "memory");
    const { owner, window } = plug(model, true);
    root.addSubregion(0, window);
    model.rcu.drain();
    const leave = model.rcu.read();
    root.delSubregion(window);
    owner.unref();
    expect(model.rcu.poll()).toBe(0);
    expect(owner.state).toBe(ObjectState.Live);
    expect(() => model.rcu.drain()).toThrow(/inside a read-side section/);
    leave();
    expect(() => leave()).toThrow(/ends twice/);
    model.rcu.drain();
    expect(owner.state).toBe(ObjectState.Freed);
  });
});
