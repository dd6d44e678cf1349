import { describe, expect, it } from "vitest";
import { AddressSpace, MemoryRegion } from "#memory";
import { Bus, completeUnplug, Device, DeviceModel, type HotplugHandler, requestUnplug } from "#qdev";
import { ObjectState, QomError } from "#qom";

const WINDOW = 0x1000;

/** A bus with slots that the guest ejects. */
class SlotBus extends Bus {
  static override readonly typeName = "test-slot-bus";
}

class Card extends Device {
  static override readonly typeName: string = "test-card";
  override readonly busType = SlotBus.typeName;
  window: MemoryRegion | null = null;
  faulty = false;

  protected override realize(): void {
    if (this.faulty) throw new QomError("the card is faulty");
    this.window = MemoryRegion.newRam(this, "window", WINDOW);
  }
}

class Soldered extends Card {
  static override readonly typeName = "test-soldered";
  static override readonly hotpluggable = false;
}

function slots() {
  const model = new DeviceModel({ checked: "throw", releaseOrder: 1, migratable: false });
  model.types.register(SlotBus, Card, Soldered);
  model.systemMemory = MemoryRegion.new(model.noOwner, "system", 2 ** 64);
  const space = new AddressSpace(model, model.systemMemory, "memory");
  const bus = model.create(SlotBus);
  model.unattached.addChild("slots", bus);
  bus.unref();
  const events: string[] = [];
  model.onDeviceDeleted = (path) => events.push(`deleted ${path}`);
  const card = (Type: typeof Card = Card) => {
    const device = model.create(Type);
    model.root.addChild("card", device);
    device.unref();
    return device;
  };
  return { model, space, bus, events, card };
}

/** Maps a card's window for as long as it is in its slot. */
function mapping(
  model: DeviceModel,
  events: string[],
): Required<Pick<HotplugHandler, "prePlug" | "plug" | "unplug">> {
  return {
    prePlug: (device) => events.push(`pre-plug, realized ${device.realized}`),
    plug: (device) => {
      events.push("plug");
      if (device instanceof Card && device.window !== null)
        model.systemMemory.addSubregion(WINDOW, device.window);
    },
    unplug: (device) => {
      events.push("unplug");
      if (device instanceof Card && device.window !== null) model.systemMemory.delSubregion(device.window);
      device.unplug();
    },
  };
}

describe("a hot-plug handler", () => {
  it("sees a device before and after it is realized, and unplugs it at once if it does not ask the guest", () => {
    const { model, space, bus, events, card } = slots();
    bus.hotplugHandler = mapping(model, events);
    const device = card();
    device.plug(bus);
    expect(space.find(WINDOW)?.region.owner).toBe(device);
    requestUnplug(device);
    expect(space.find(WINDOW)).toBeUndefined();
    expect(events).toEqual(["pre-plug, realized false", "plug", "unplug"]);
    model.rcu.drain();
    expect(events.at(-1)).toBe("deleted /card");
    expect(device.state).toBe(ObjectState.Freed);
  });

  it("that asks the guest leaves the device visible until the guest has released it", () => {
    const { model, space, bus, events, card } = slots();
    const asked: Device[] = [];
    bus.hotplugHandler = { ...mapping(model, events), unplugRequest: (device) => asked.push(device) };
    const device = card();
    device.plug(bus);
    requestUnplug(device);
    model.rcu.drain();
    expect([asked, device.realized, device.unplugPending]).toEqual([[device], true, true]);
    expect(space.find(WINDOW)?.region.owner).toBe(device);
    expect(() => requestUnplug(device)).toThrow(/already in the process of unplug/);
    completeUnplug(device);
    model.rcu.drain();
    expect([device.state, events.at(-1)]).toEqual([ObjectState.Freed, "deleted /card"]);
  });

  it("may refuse either way, which leaves everything as it was", () => {
    const { model, bus, events, card } = slots();
    const refuse = () => {
      throw new QomError("not now");
    };
    const device = card();
    bus.hotplugHandler = { prePlug: refuse };
    expect(() => device.plug(bus)).toThrow("not now");
    expect([device.realized, device.window]).toEqual([false, null]);
    bus.hotplugHandler = { plug: refuse };
    expect(() => device.plug(bus)).toThrow("not now");
    expect(device.realized).toBe(false);
    bus.hotplugHandler = { ...mapping(model, events), unplugRequest: refuse };
    device.plug(bus);
    expect(() => requestUnplug(device)).toThrow("not now");
    expect([device.realized, device.unplugPending]).toEqual([true, false]);
  });

  it("of the machine takes precedence over that of the bus", () => {
    const { model, bus, events, card } = slots();
    bus.hotplugHandler = { plug: () => events.push("bus") };
    model.machineHotplugHandler = (device) =>
      device instanceof Soldered ? null : { plug: () => events.push("machine") };
    card().plug(bus);
    model.resolvePath("/card").unparent();
    card(Soldered).plug(bus);
    expect(events).toEqual(["machine", "bus"]);
  });

  it("is needed: other devices cannot be unplugged on request", () => {
    const { model, bus, events, card } = slots();
    const device = card();
    device.plug(bus);
    expect(() => requestUnplug(device)).toThrow(/does not support hot-plugging/);
    device.remove();
    bus.hotplugHandler = mapping(model, events);
    const soldered = card(Soldered);
    soldered.plug(bus);
    expect(() => requestUnplug(soldered)).toThrow(/does not support hot-plugging/);
  });
});

it("device listeners hear of realizing in order and of unrealizing in the opposite order, but not of failures", () => {
  const { model, bus, card } = slots();
  const heard: string[] = [];
  for (const name of ["first", "second"]) {
    model.deviceListeners.push({
      realize: (device) => heard.push(`${name} realize ${device.canonicalPath()}`),
      unrealize: (device) => heard.push(`${name} unrealize ${device.canonicalPath()}`),
    });
  }
  const device = card();
  device.faulty = true;
  expect(() => device.plug(bus)).toThrow("the card is faulty");
  device.faulty = false;
  device.plug(bus);
  device.remove();
  expect(heard).toEqual([
    "first realize /card",
    "second realize /card",
    "second unrealize /card",
    "first unrealize /card",
  ]);
});
