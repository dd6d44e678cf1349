import { describe, expect, it } from "vitest";
import { AddressSpace, MemoryRegion } from "#memory";
import { Bus, Device, DeviceModel, SysBusDevice } from "#qdev";
import { ObjectState, QomError } from "#qom";

class Lane extends Bus {
  static override readonly typeName = "test-lane";
}

/** Records its lifecycle; fails to realize when told to. */
class Part extends Device {
  static override readonly typeName: string = "test-part";
  readonly events: string[] = [];
  broken = false;

  protected override realize(): void {
    if (this.broken) throw new QomError("broken part");
    this.events.push("realize");
  }
  protected override unrealize(): void {
    this.events.push(`unrealize, realized ${this.realized}`);
  }
  override reset(): void {
    this.events.push(`reset, realized ${this.realized}`);
  }
}

/** A device with a bus of its own, on which a part sits. */
class Bridge extends Part {
  static override readonly typeName = "test-bridge";
  lane: Lane | null = null;

  protected override instanceInit(): void {
    this.lane = this.model.create(Lane);
    this.addChild("lane", this.lane);
    this.lane.unref();
  }

  seat(): Part {
    const part = this.model.create(Part);
    this.addChild("part[*]", part);
    part.unref();
    this.lane?.add(part);
    return part;
  }
}

class Window extends SysBusDevice {
  static override readonly typeName = "test-window";

  protected override instanceInit(): void {
    this.initMmio(MemoryRegion.newRam(this, "ram", 0x100));
  }
}

function withMemory() {
  const model = new DeviceModel({ checked: "throw", releaseOrder: 1 });
  model.systemMemory = MemoryRegion.new(model.noOwner, "system", 2 ** 32);
  const space = new AddressSpace(model, model.systemMemory, "memory");
  return { model, space };
}

describe("realizing a device", () => {
  it("gives it a parent, realizes devices on its buses, resets it if hotplugged, and only then marks it realized", () => {
    const { model } = withMemory();
    const bridge = model.create(Bridge);
    const part = bridge.seat();
    bridge.hotplugged = true;
    bridge.plug();
    expect(bridge.canonicalPath()).toBe("/machine/unattached/device[0]");
    expect(bridge.events).toEqual(["realize", "reset, realized false"]);
    expect([part.events, part.realized, bridge.realized]).toEqual([["realize"], true, true]);
    expect(() => bridge.plug()).toThrow(/already realized/);
  });

  it("may be repeated after unrealizing, children first each time", () => {
    const { model } = withMemory();
    const bridge = model.create(Bridge);
    const part = bridge.seat();
    for (let round = 0; round < 2; round++) {
      bridge.plug();
      bridge.unplug();
      bridge.unplug();
    }
    const life = ["realize", "unrealize, realized false"];
    expect([bridge.events, part.events]).toEqual([
      [...life, ...life],
      [...life, ...life],
    ]);
    expect(part.parentBus).toBe(bridge.lane);
  });

  it("leaves nothing of a device without a parent behind when it fails", () => {
    const { model } = withMemory();
    const lane = model.create(Lane);
    const before = model.heap.usage().live;
    const part = model.create(Part);
    part.broken = true;
    expect(() => part.plug(lane)).toThrow("broken part");
    model.rcu.drain();
    expect([part.state, lane.devices.length]).toEqual([ObjectState.Freed, 0]);
    expect(model.heap.usage().live).toBeLessThanOrEqual(before + 2); // /machine and /machine/unattached
  });

  it("is undone when it fails on the device's own bus, and can be retried", () => {
    const { model } = withMemory();
    const bridge = model.create(Bridge);
    model.root.addChild("bridge", bridge);
    const good = bridge.seat();
    const bad = bridge.seat();
    bad.broken = true;
    expect(() => bridge.plug()).toThrow("broken part");
    expect([bridge.realized, good.realized]).toEqual([false, false]);
    expect(bridge.events).toEqual(["realize", "unrealize, realized false"]);
    expect(good.events).toEqual(["realize", "unrealize, realized false"]);
    bad.broken = false;
    bridge.plug();
    expect([bridge.realized, good.realized, bad.realized]).toEqual([true, true, true]);
  });
});

describe("a bus", () => {
  it("refuses a device that already sits on another bus or on itself", () => {
    const { model } = withMemory();
    const part = model.create(Part);
    const lane = model.create(Lane);
    part.plug(lane);
    for (const bus of [lane, model.create(Lane)]) {
      expect(() => bus.add(part)).toThrow(/already sits on a bus/);
    }
    expect([part.refCount, lane.devices]).toEqual([2, [part]]);
  });
});

describe("the end of a device", () => {
  it("comes a grace period after it left its bus, which it kept alive, and is announced only then", () => {
    const { model } = withMemory();
    const deleted: string[] = [];
    model.onDeviceDeleted = (path) => deleted.push(path);
    const lane = model.create(Lane);
    const part = model.create(Part);
    part.plug(lane);
    expect([part.refCount, lane.refCount]).toEqual([2, 2]);
    part.remove();
    expect(part.events.at(-1)).toBe("unrealize, realized false");
    expect([part.state, part.parentBus, lane.refCount, deleted]).toEqual([ObjectState.Live, null, 1, []]);
    model.rcu.drain();
    expect([part.state, deleted]).toEqual([ObjectState.Freed, ["/machine/unattached/device[0]"]]);
  });

  it("includes its buses and the devices on them", () => {
    const { model } = withMemory();
    const bridge = model.create(Bridge);
    const part = bridge.seat();
    bridge.plug();
    bridge.ref();
    bridge.remove();
    expect([bridge.lane?.state, part.realized, part.parent]).toEqual([ObjectState.Freed, false, null]);
    bridge.unref();
    model.rcu.drain();
    expect([bridge.state, part.state]).toEqual([ObjectState.Freed, ObjectState.Freed]);
  });

  it("is not announced for one that was never realized", () => {
    const { model } = withMemory();
    const deleted: string[] = [];
    model.onDeviceDeleted = (path) => deleted.push(path);
    model.create(Part).unref();
    expect(deleted).toEqual([]);
  });
});

describe("register windows", () => {
  it("stay in place when mapped to the same address, and move otherwise", () => {
    const { model, space } = withMemory();
    const window = model.create(Window);
    window.plugIntoSystemBus();
    window.mapMmio(0, 0x1000);
    const renders = model.renders;
    window.mapMmio(0, 0x1000);
    expect(model.renders).toBe(renders);
    window.mapMmio(0, 0x3000);
    expect([space.find(0x1000), space.find(0x3000)?.region.owner]).toEqual([undefined, window]);
    window.unmapAll();
    window.unmapAll();
    expect(space.view.ranges).toEqual([]);
  });

  it("count as unmapped when mapping fails", () => {
    const { model } = withMemory();
    const window = model.create(Window);
    window.plugIntoSystemBus();
    expect(() => window.mapMmio(0, -4)).toThrow(/addresses are whole numbers/);
    expect(window.mmioWindows[0]?.address).toBe(2 ** 64);
    window.unmapAll();
    window.mapMmio(0, 0x1000);
    expect(() => window.mapMmio(1, 0)).toThrow(/no register window 1/);
  });
});

describe("devices plugged in by name", () => {
  it("are refused, with nothing left behind, when their id is taken", () => {
    const { model } = withMemory();
    model.types.register(Part);
    model.createPeripheral("test-part", "one");
    const before = model.heap.usage().live;
    expect(() => model.createPeripheral("test-part", "one")).toThrow(QomError);
    expect(() => model.createPeripheral("test-part", "one")).toThrow(/"one" is taken/);
    expect(model.heap.usage().live).toBe(before);
  });
});
