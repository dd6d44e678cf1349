import { describe, expect, test } from "vitest";
import { CpuBus, GuestMemory, MemTxResult } from "#memory";
import { loadTestTrees } from "./differential/trees.ts";
import { type HostMemory, Rig } from "./testing/rig.ts";

const [SHARED, VIEW, REGISTERS] = [0x2000_0000, 0x2100_0000, 0x2200_0000];

describe.each(await loadTestTrees())("host-window, $name", ({ tree }) => {
  function plugged() {
    const rig = new Rig(tree);
    const device = rig.create("host-window", { size: 0x800 }) as ReturnType<Rig["create"]> & HostMemory;
    return { rig, device };
  }

  function map({ rig, device }: ReturnType<typeof plugged>): Rig {
    device.plugIntoSystemBus();
    for (const [index, address] of [SHARED, VIEW, REGISTERS].entries()) device.mapMmio(index, address);
    return rig;
  }

  test("shares memory, which the guest may write in one place and only read in the other", () => {
    const { rig, device } = plugged();
    device.memory = new Uint8Array(0x1000);
    map({ rig, device });
    rig.space.write(SHARED + 0xffc, 4, 0x0403_0201);
    expect([...device.memory.subarray(0xffc)]).toEqual([1, 2, 3, 4]);
    expect(rig.space.read(VIEW + 0xffc, 4)).toBe(0x0403_0201);
    const processor = new CpuBus(rig.space, new GuestMemory(1 << 16));
    processor.write(VIEW + 0xffc, 4, 0, 0);
    expect([processor.result, rig.space.read(SHARED + 0xffc, 4)]).toEqual([MemTxResult.Ok, 0x0403_0201]);
    device.memory[0xfff] = 9;
    expect(rig.space.read(SHARED + 0xffc, 4)).toBe(0x0903_0201);
  });

  test("passes registers of the host through, each access as it is", () => {
    const { rig, device } = plugged();
    map({ rig, device });
    rig.space.write(REGISTERS + 5, 4, 0x1234_5678); // not aligned, not split
    expect([...device.hostRegisters.subarray(5, 9)]).toEqual([0x78, 0x56, 0x34, 0x12]);
    expect(rig.space.map(REGISTERS, 4, true)?.bounce).not.toBeNull();
    expect(device.memory?.length).toBe(0x800);
  });

  test("needs memory", () => {
    const rig = new Rig(tree);
    expect(() => rig.plug("host-window", { size: 0 })).toThrow(/size of a host-window is 0/);
  });
});
