import { describe, expect, test } from "vitest";
import { type AddressSpace, MemTxResult } from "#memory";
import { Clock, DeviceModel } from "#qdev";
import { loadTrees } from "./differential/trees.ts";
import { WALL_CLOCK } from "./testing/rig.ts";

const UART = 0x1000_0000;
const FLASH = 0x2000_0000;
const RAM = 0x8000_0000;
const MIB = 2 ** 20;

const words = (space: AddressSpace, address: number, count: number) =>
  Array.from({ length: count }, (_, index) => space.read(address + 4 * index, 4));

describe.each(await loadTrees())("virt-machine, $name", ({ tree }) => {
  function build(hartCount = 1, ramBytes = 16 * MIB) {
    let now = 0;
    const clock = new Clock(() => now, WALL_CLOCK);
    const model = new DeviceModel({ checked: "throw", clock });
    tree.registerTypes(model.types);
    const machine = model.createMachine("virt-machine", { hartCount, ramBytes });
    const interrupts: string[] = [];
    const advance = (to: number) => {
      now = to;
      clock.runExpired();
    };
    for (let hart = 0; hart < hartCount; hart++) {
      machine.connectHart(hart, {
        setInterrupt: (cause, level) => interrupts.push(`hart ${hart} ${level ? "+" : "-"}${cause}`),
      });
    }
    return { model, machine, space: machine.memorySpace, interrupts, advance };
  }

  test("shows every hart and every bus master the same memory", () => {
    const { model, machine, space } = build(2);
    expect(model.addressSpaces.map((each) => each.name)).toEqual([
      "memory",
      "I/O",
      "cpu-memory-0",
      "cpu-memory-1",
    ]);
    expect(machine.hartSpace(1).view).toBe(space.view);
    space.write(RAM, 4, 0x1234_5678);
    expect(machine.hartSpace(1).read(RAM, 4)).toBe(0x1234_5678);
    expect(() => machine.hartSpace(2)).toThrow(/harts 0 to 1, not 2/);
  });

  test("has RAM up to its last byte, and nothing after it", () => {
    const { space } = build(1, 16 * MIB);
    space.write(RAM + 16 * MIB - 4, 4, 7);
    expect([space.read(RAM + 16 * MIB - 4, 4), space.result]).toEqual([7, MemTxResult.Ok]);
    space.read(RAM + 16 * MIB, 4);
    expect(space.result).toBe(MemTxResult.DecodeError);
  });

  test("writes a boot ROM that guests cannot change", () => {
    const { machine, space } = build();
    machine.writeBootRom({ start: RAM, kernelEntry: 0x8020_0000, deviceTree: 0x8fe0_0000 });
    expect(machine.resetVector).toBe(0x1000);
    expect(words(space, 0x1018, 8)).toEqual([RAM, 0, 0x8fe0_0000, 0, 0x4942_534f, 0, 2, 0]);
    space.write(0x1000, 4, 0);
    expect(space.read(0x1000, 4)).toBe(0x0000_0297);
  });

  test("connects every device's interrupt to its cause", () => {
    const { space, interrupts, advance } = build(2);
    expect(interrupts).toEqual(["hart 0 +7", "hart 1 +7"]); // comparators and counter are 0
    space.write(0x200_4000, 8, 100, 0);
    space.write(0x200_4008, 8, 0xffff_ffff, 0xffff_ffff);
    space.write(0x200_0004, 4, 1);
    expect(interrupts.splice(0)).toEqual(["hart 0 +7", "hart 1 +7", "hart 0 -7", "hart 1 -7", "hart 1 +3"]);
    advance(10_000);
    expect(interrupts.splice(0)).toEqual(["hart 0 +7"]);

    const context = 3; // supervisor mode of hart 1
    space.write(0xc00_0000 + 4 * 10, 4, 1);
    space.write(0xc00_2000 + 0x80 * context, 4, 1 << 10);
    space.write(UART + 1, 1, 2);
    expect(interrupts.splice(0).filter((each) => each.includes("+"))).toEqual(["hart 1 +9"]);
    expect(space.read(0xc20_0004 + 0x1000 * context, 4)).toBe(10);

    space.write(0xc00_0000 + 4 * 11, 4, 1);
    space.write(0xc00_2000, 4, 1 << 11); // machine mode of hart 0
    space.write(0x10_1010, 4, 1);
    space.write(0x10_1008, 4, 0); // an alarm in the past
    expect(interrupts.filter((each) => each.includes("+"))).toEqual(["hart 0 +11"]);
  });

  test("tells a hart that is connected late which interrupts are pending", () => {
    const { machine } = build();
    const told: number[] = [];
    machine.connectHart(0, { setInterrupt: (cause) => told.push(cause) });
    expect(told).toEqual([7]);
  });

  test("counts time as its timer does", () => {
    const { machine, space, advance } = build();
    advance(12_345_678);
    expect(machine.readTime()).toBe(123_456);
    space.write(0x200_bff8, 8, 5, 1);
    expect(machine.readTime()).toBe(2 ** 32 + 5);
  });

  test("sends and receives through its serial line", () => {
    const { machine, space } = build();
    const sent: number[] = [];
    machine.serialLine.connect({ write: (byte) => sent.push(byte) });
    space.write(UART, 1, 0x41);
    machine.serialLine.receive(0x42);
    expect([sent, space.read(UART, 1)]).toEqual([[0x41], 0x42]);
  });

  test("loads flash banks, and refuses images that do not fit", () => {
    const { machine, space } = build();
    machine.loadFlash(1, Uint8Array.of(1, 2, 3, 4));
    expect(words(space, FLASH + 0x200_0000, 1)).toEqual([0x0403_0201]);
    expect(words(space, FLASH, 1)).toEqual([0]);
    expect(() => machine.loadFlash(0, new Uint8Array(0x200_0001))).toThrow(/holds 33554432 bytes.*33554433/);
    expect(() => machine.loadFlash(2, Uint8Array.of(1))).toThrow(/no flash bank 2/);
  });

  test("resets its devices, not its memory", () => {
    const { machine, space } = build();
    space.write(RAM, 4, 5);
    space.write(UART + 7, 1, 5);
    machine.reset();
    expect([space.read(RAM, 4), space.read(UART + 7, 1)]).toEqual([5, 0]);
  });

  test("refuses invalid options", () => {
    expect(() => build(0)).toThrow(/0 harts; give 1 to 8/);
    expect(() => build(9)).toThrow(/9 harts; give 1 to 8/);
    expect(() => build(1, 5000)).toThrow(/5000 bytes of RAM; give a multiple of 4096/);
    expect(() => build(1, MIB / 2).machine.deviceTreeAddress).toThrow(/no room for the device tree/);
  });

  test("is created by name, as only machines can be", () => {
    const make = (name: string) => () => {
      const model = new DeviceModel();
      tree.registerTypes(model.types);
      return model.createMachine(name, { hartCount: 1, ramBytes: MIB });
    };
    expect(make("virt-machine")().canonicalPath()).toBe("/machine");
    expect(make("goldfish_rtc")).toThrow(/goldfish_rtc is not a machine/);
    expect(make("spike-machine")).toThrow(/unknown device type "spike-machine"/);
  });

  test("generates the same device tree only from the same seed", () => {
    const { machine } = build();
    expect(machine.deviceTree({ seed: 1 })).toEqual(machine.deviceTree({ seed: 1 }));
    expect(machine.deviceTree({ seed: 1 })).not.toEqual(machine.deviceTree({ seed: 2 }));
  });

  test("renders the map once for all its devices", () => {
    const { model } = build();
    expect(model.renders).toBe(2 + 2); // two roots: when their first address space is created, and at the end
  });

  test("leaves nothing behind", () => {
    const { model } = build(8);
    expect(model.heap.usage().live).toBeGreaterThan(700);
    model.destroy();
    expect(model.heap.leaks()).toEqual([]);
    expect(model.detector?.found).toEqual([]);
  });
});
