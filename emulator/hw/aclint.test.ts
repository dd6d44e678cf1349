import { describe, expect, test } from "vitest";
import { MemTxResult } from "#memory";
import { loadTrees } from "./differential/trees.ts";
import { Probe, Rig } from "./testing/rig.ts";

const MTIME = 0x7ff8;
/** Nanoseconds per tick. */
const TICK = 100;
const NEVER = 2n ** 64n - 1n;

const trees = await loadTrees();

describe.each(trees)("riscv.aclint.swi, $name", ({ tree }) => {
  function softwareInterrupts(properties = {}): { rig: Rig; harts: Probe[] } {
    const rig = new Rig(tree);
    const device = rig.plug("riscv.aclint.swi", { "num-harts": 2, ...properties });
    const harts = [new Probe(), new Probe()];
    harts.forEach((hart, index) => {
      device.connectGpioOut(index, hart);
    });
    return { rig, harts };
  }

  test("drives each hart's interrupt from the lowest bit of its register", () => {
    const { rig, harts } = softwareInterrupts();
    rig.write(4, 0xffff_ffff);
    expect(harts.map((hart) => hart.level)).toEqual([false, true]);
    expect([rig.read(0), rig.read(4)]).toEqual([0, 1]);
    rig.write(4, 0xffff_fffe);
    expect(harts.map((hart) => hart.level)).toEqual([false, false]);
    expect(rig.read(4)).toBe(0);
  });

  test("has registers only for its harts", () => {
    const { rig } = softwareInterrupts();
    rig.write(8, 1);
    expect(rig.read(8)).toBe(0);
    expect(rig.guestErrors).toHaveLength(2);
    rig.read(0, 1);
    expect(rig.result).toBe(MemTxResult.DecodeError);
  });

  test("as SSWI only raises interrupts, and reads as zero", () => {
    const { rig, harts } = softwareInterrupts({ sswi: 1 });
    rig.write(0, 1);
    rig.write(0, 0);
    expect(harts[0]).toMatchObject({ level: true, calls: 1 });
    expect(rig.read(0)).toBe(0);
  });

  test("withdraws every interrupt at reset", () => {
    const { rig, harts } = softwareInterrupts();
    rig.write(0, 1);
    rig.model.systemBus.reset();
    expect(harts[0]?.level).toBe(false);
  });
});

describe.each(trees)("riscv.aclint.mtimer, $name", ({ tree }) => {
  function timer(properties = {}): { rig: Rig; harts: Probe[] } {
    const rig = new Rig(tree);
    const device = rig.plug("riscv.aclint.mtimer", { "num-harts": 2, ...properties });
    const harts = [new Probe(), new Probe()];
    harts.forEach((hart, index) => {
      device.connectGpioOut(index, hart);
    });
    return { rig, harts };
  }

  test("counts ten million ticks per second", () => {
    const { rig } = timer();
    rig.advance(1_000_000_050);
    expect(rig.read64(MTIME)).toBe(10_000_000n);
    expect([rig.read(MTIME), rig.read(MTIME + 4)]).toEqual([10_000_000, 0]);
  });

  test("carries into the high half", () => {
    const { rig } = timer();
    rig.write64(MTIME, 0xffff_ffffn);
    rig.advance(TICK);
    expect([rig.read(MTIME), rig.read(MTIME + 4)]).toEqual([0, 1]);
    expect(rig.read64(MTIME)).toBe(0x1_0000_0000n);
  });

  test("can be set, at once or by halves, and wraps around", () => {
    const { rig } = timer();
    rig.advance(12_345);
    rig.write64(MTIME, 0x1122_3344_5566_7788n);
    expect(rig.read64(MTIME)).toBe(0x1122_3344_5566_7788n);
    rig.write(MTIME, 5);
    expect(rig.read64(MTIME)).toBe(0x1122_3344_0000_0005n);
    rig.write(MTIME + 4, 7);
    expect(rig.read64(MTIME)).toBe(0x7_0000_0005n);
    rig.write64(MTIME, NEVER);
    rig.advance(TICK);
    expect(rig.read64(MTIME)).toBe(0n);
  });

  test("interrupts every hart at power-on, as both comparators and the counter are 0", () => {
    const { harts } = timer();
    expect(harts.map((hart) => hart.level)).toEqual([true, true]);
  });

  test("interrupts a hart when the counter reaches its comparator", () => {
    const { rig, harts } = timer();
    rig.write64(0, 1000n);
    rig.write64(8, 2000n);
    expect(harts.map((hart) => hart.level)).toEqual([false, false]);
    rig.advance(1000 * TICK - 1);
    expect(harts.map((hart) => hart.level)).toEqual([false, false]);
    rig.advance(1);
    expect(harts.map((hart) => hart.level)).toEqual([true, false]);
    rig.advance(1000 * TICK);
    expect(harts.map((hart) => hart.level)).toEqual([true, true]);
  });

  test("fires on a whole tick even when it was set between two", () => {
    const { rig, harts } = timer();
    rig.advance(150); // one tick and a half
    rig.write64(0, 3n);
    rig.advance(149);
    expect(harts[0]?.level).toBe(false);
    rig.advance(101);
    expect(harts[0]?.level).toBe(true);
  });

  test("keeps whole nanoseconds at frequencies that do not divide a second", () => {
    const { rig, harts } = timer({ "timebase-freq": 3_000_000 });
    rig.write64(0, 1n);
    expect(rig.model.clock.deadline).toBe(334);
    rig.advance(333);
    expect(harts[0]?.level).toBe(false);
    rig.advance(1);
    expect([harts[0]?.level, rig.read(MTIME)]).toEqual([true, 1]);
  });

  test("follows comparators written by halves", () => {
    const { rig, harts } = timer();
    rig.write(4, 0xffff_ffff);
    rig.write(0, 50);
    expect(harts[0]?.level).toBe(false);
    rig.write(4, 0);
    rig.advance(50 * TICK);
    expect(harts[0]?.level).toBe(true);
    expect(rig.read64(0)).toBe(50n);
  });

  test("checks every comparator again when the counter is set", () => {
    const { rig, harts } = timer();
    rig.write64(0, 1000n);
    rig.write64(8, 5000n);
    rig.write64(MTIME, 1000n);
    expect(harts.map((hart) => hart.level)).toEqual([true, false]);
    rig.write64(MTIME, 0n);
    expect(harts.map((hart) => hart.level)).toEqual([false, false]);
    rig.advance(1000 * TICK);
    expect(harts[0]?.level).toBe(true);
  });

  test("compares unsigned values", () => {
    const { rig, harts } = timer();
    rig.write64(0, NEVER);
    expect(harts[0]?.level).toBe(false);
    rig.write64(MTIME, NEVER - 1n);
    expect(harts[0]?.level).toBe(false);
    rig.write64(MTIME, NEVER);
    expect(harts[0]?.level).toBe(true);
  });

  test("restarts from 0 at reset and keeps the comparators", () => {
    const { rig, harts } = timer();
    rig.write64(0, 500n);
    rig.advance(1000 * TICK);
    expect(harts[0]?.level).toBe(true);
    rig.model.systemBus.reset();
    expect(rig.read64(MTIME)).toBe(0n);
    expect(rig.read64(0)).toBe(500n);
    expect(harts[0]?.level).toBe(false);
    rig.advance(500 * TICK);
    expect(harts[0]?.level).toBe(true);
  });

  test("has nothing between the last comparator and the counter", () => {
    const { rig } = timer();
    rig.write64(16, 5n);
    expect(rig.read64(16)).toBe(0n);
    expect(rig.read(MTIME - 4)).toBe(0);
    expect(rig.guestErrors.length).toBeGreaterThan(0);
    rig.read(0, 2);
    expect(rig.result).toBe(MemTxResult.DecodeError);
  });
});
