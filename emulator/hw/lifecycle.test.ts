/** Devices are added to and removed from a running machine, and leave nothing behind. */

import { describe, expect, test } from "vitest";
import { Clock, type Device, DeviceModel, SysBusDevice } from "#qdev";
import type { HeapUsage, PropertyValue } from "#qom";
import { loadTestTrees } from "./differential/trees.ts";
import { RELEASE_ORDER, WALL_CLOCK } from "./testing/rig.ts";

const MIB = 2 ** 20;
/** The board has nothing at this address. */
const FREE = 0x5000_0000;

/** Every type that can be plugged, and an access that starts some activity. */
const DEVICES: readonly [string, Record<string, PropertyValue>, offset: number, value: number][] = [
  ["riscv.sifive.test", {}, 0, 0x1234],
  ["goldfish_rtc", {}, 0x08, 0xffff_ffff], // an alarm
  ["riscv.aclint.swi", { "num-harts": 4 }, 0, 1],
  ["riscv.aclint.mtimer", { "num-harts": 4 }, 4, 1], // a comparator in the far future
  ["riscv.sifive.plic", { "hart-config": "MS,MS" }, 4, 7],
  ["serial-mm", {}, 0, 0x41],
  ["fw_cfg_mem", {}, 0, 0x1900],
  ["virtio-mmio", {}, 0x30, 1],
  ["linear-iommu", {}, 0x1c, 1], // a copy of nothing
  ["host-window", {}, 0, 1],
  ["growing-memory", {}, 0, 2],
  ["memory-card", {}, 0, 2],
  ["cfi.pflash01", { "num-blocks": 2, name: "more" }, 0, 0x70],
];

describe.each(await loadTestTrees())("life of devices, $name", ({ tree }) => {
  function machine() {
    const model = new DeviceModel({
      checked: "throw",
      releaseOrder: RELEASE_ORDER,
      clock: new Clock(() => 0, WALL_CLOCK),
    });
    tree.registerTypes(model.types);
    const board = model.createMachine("virt-machine", { ramBytes: MIB, hartCount: 1 });
    model.rcu.drain();
    return { model, space: board.hartSpace(0) };
  }

  function plug(model: DeviceModel, type: string, properties: Record<string, PropertyValue>): Device {
    const device = model.createPeripheral(type, "extra");
    for (const [name, value] of Object.entries(properties)) device.setProperty(name, value);
    if (device instanceof SysBusDevice) device.plugIntoSystemBus();
    else device.plug();
    return device;
  }

  const live = (usage: HeapUsage) => ({ blocks: usage.live, bytes: usage.liveBytes });

  test.each(DEVICES)(
    "%s is plugged, used, unplugged and gone, again and again",
    (type, properties, at, value) => {
      const { model, space } = machine();
      const deleted: string[] = [];
      model.onDeviceDeleted = (path) => deleted.push(path);
      // The board's own timers are set while it runs; only new ones are of interest.
      const deadline = model.clock.deadline;
      const before = live(model.heap.usage());
      for (let round = 0; round < 3; round++) {
        const device = plug(model, type, properties) as SysBusDevice; // all types in the table are
        device.mapMmio(0, FREE);
        space.write(FREE + at, 4, value);
        expect(space.find(FREE)?.region.owner).toBe(device);
        device.unmapAll();
        device.remove();
        expect(space.find(FREE)).toBeUndefined();
        model.rcu.drain();
        expect(live(model.heap.usage())).toEqual(before);
        expect(model.clock.deadline).toBe(deadline);
      }
      const itself = deleted.filter((path) => path === "/machine/peripheral/extra"); // its parts are reported, too
      expect(itself).toHaveLength(3);
      model.destroy();
      expect(model.heap.leaks()).toEqual([]);
    },
  );

  test.each(["riscv.hart_array", "rv64-riscv-cpu", "serial"])("%s is plugged, unplugged and gone", (type) => {
    const { model } = machine();
    const before = live(model.heap.usage());
    const spaces = model.addressSpaces.length;
    for (let round = 0; round < 3; round++) {
      plug(model, type, {}).remove();
      model.rcu.drain();
      expect(live(model.heap.usage())).toEqual(before);
      expect(model.addressSpaces).toHaveLength(spaces);
    }
  });

  test("a device that a reader may still see keeps its storage until the grace period ends", () => {
    const { model, space } = machine();
    const before = live(model.heap.usage());
    const device = plug(model, "goldfish_rtc", {}) as SysBusDevice; // by its type name
    device.mapMmio(0, FREE);
    const endOfRead = model.rcu.read();
    device.unmapAll();
    device.remove();
    model.rcu.poll();
    expect(space.find(FREE)).toBeUndefined();
    expect(live(model.heap.usage()).blocks).toBeGreaterThan(before.blocks);
    endOfRead();
    model.rcu.drain();
    expect(live(model.heap.usage())).toEqual(before);
  });

  test("a device that is unplugged while it is mapped stays until it is unmapped", () => {
    const { model, space } = machine();
    const before = live(model.heap.usage());
    const device = plug(model, "riscv.aclint.swi", {}) as SysBusDevice; // by its type name
    device.mapMmio(0, FREE);
    device.remove();
    model.rcu.drain();
    space.write(FREE, 4, 1);
    expect(space.read(FREE, 4)).toBe(1); // still visible to the guest: it was not unmapped
    device.unmapAll();
    model.rcu.drain();
    expect(live(model.heap.usage())).toEqual(before);
  });

  test("machines come and go in one process", () => {
    const sizes = new Set<number>();
    for (let round = 0; round < 5; round++) {
      const { model } = machine();
      sizes.add(model.heap.usage().liveBytes);
      model.destroy();
      expect(model.heap.leaks()).toEqual([]);
      expect(model.detector?.found).toEqual([]);
    }
    expect(sizes.size).toBe(1);
  });

  test("two machines live side by side without affecting each other", () => {
    const one = machine();
    const other = machine();
    one.space.write(0x1000_0007, 1, 5);
    one.space.write(0x8000_0000, 4, 5);
    expect([other.space.read(0x1000_0007, 1), other.space.read(0x8000_0000, 4)]).toEqual([0, 0]);
    one.model.destroy();
    other.space.write(0x1000_0007, 1, 6);
    expect(other.space.read(0x1000_0007, 1)).toBe(6);
    other.model.destroy();
    expect(other.model.heap.leaks()).toEqual([]);
  });
});
