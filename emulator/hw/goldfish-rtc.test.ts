import { describe, expect, test } from "vitest";
import { MemTxResult } from "#memory";
import { loadTrees } from "./differential/trees.ts";
import { Probe, Rig, WALL_CLOCK } from "./testing/rig.ts";

const TIME_LOW = 0x00;
const TIME_HIGH = 0x04;
const ALARM_LOW = 0x08;
const ALARM_HIGH = 0x0c;
const IRQ_ENABLED = 0x10;
const CLEAR_ALARM = 0x14;
const ALARM_STATUS = 0x18;
const CLEAR_INTERRUPT = 0x1c;

const SECOND = 1_000_000_000;

describe.each(await loadTrees())("goldfish_rtc, $name", ({ tree }) => {
  function clock(): { rig: Rig; irq: Probe } {
    const rig = new Rig(tree);
    const irq = new Probe();
    rig.plug("goldfish_rtc").connectIrq(0, irq);
    return { rig, irq };
  }

  function time(rig: Rig): bigint {
    const low = rig.read(TIME_LOW);
    return (BigInt(rig.read(TIME_HIGH)) << 32n) | BigInt(low);
  }

  function setAlarm(rig: Rig, at: bigint): void {
    rig.write(ALARM_HIGH, Number(at >> 32n));
    rig.write(ALARM_LOW, Number(at & 0xffff_ffffn));
  }

  test("shows the wall clock in nanoseconds", () => {
    const { rig } = clock();
    expect(time(rig)).toBe(WALL_CLOCK);
    rig.advance(5 * SECOND + 7);
    expect(time(rig)).toBe(WALL_CLOCK + 5_000_000_007n);
  });

  test("holds the high half from the read of the low half until the next", () => {
    const { rig } = clock();
    const before = Number(WALL_CLOCK >> 32n);
    rig.read(TIME_LOW);
    rig.advance(SECOND); // carries into the high half
    expect(rig.read(TIME_HIGH)).toBe(before);
    rig.read(TIME_LOW);
    expect(rig.read(TIME_HIGH)).toBe(before + 1);
  });

  test("can be set, each half on its own", () => {
    const { rig } = clock();
    rig.write(TIME_HIGH, 0x1234);
    rig.write(TIME_LOW, 0x5678_9abc);
    expect(time(rig)).toBe(0x1234_5678_9abcn);
    rig.advance(0x100);
    expect(time(rig)).toBe(0x1234_5678_9bbcn);
  });

  test("interrupts at the time of the alarm", () => {
    const { rig, irq } = clock();
    rig.write(IRQ_ENABLED, 1);
    setAlarm(rig, WALL_CLOCK + 1000n);
    expect(rig.read(ALARM_STATUS)).toBe(1);
    rig.advance(999);
    expect(irq.level).toBe(false);
    rig.advance(1);
    expect(irq.level).toBe(true);
    expect(rig.read(ALARM_STATUS)).toBe(0);
    rig.write(CLEAR_INTERRUPT, 1);
    expect(irq.level).toBe(false);
  });

  test("interrupts at once for an alarm in the past", () => {
    const { rig, irq } = clock();
    rig.write(IRQ_ENABLED, 1);
    setAlarm(rig, WALL_CLOCK);
    expect(irq.level).toBe(true);
    expect(rig.read(ALARM_STATUS)).toBe(0);
  });

  test("arms the alarm by a write of the low half alone", () => {
    const { rig } = clock();
    rig.write(ALARM_HIGH, 0xffff_ffff);
    expect(rig.read(ALARM_STATUS)).toBe(0);
    rig.write(ALARM_LOW, 5);
    expect(rig.read(ALARM_STATUS)).toBe(1);
    expect([rig.read(ALARM_LOW), rig.read(ALARM_HIGH)]).toEqual([5, 0xffff_ffff]);
  });

  test("keeps a pending interrupt behind the enable bit", () => {
    const { rig, irq } = clock();
    setAlarm(rig, 0n);
    expect(irq.level).toBe(false);
    rig.write(IRQ_ENABLED, 0xffff_ffff);
    expect(rig.read(IRQ_ENABLED)).toBe(1);
    expect(irq.level).toBe(true);
    rig.write(IRQ_ENABLED, 2);
    expect(rig.read(IRQ_ENABLED)).toBe(0);
    expect(irq.level).toBe(false);
  });

  test("drops a cleared alarm", () => {
    const { rig, irq } = clock();
    rig.write(IRQ_ENABLED, 1);
    setAlarm(rig, WALL_CLOCK + 1000n);
    rig.write(CLEAR_ALARM, 0);
    expect(rig.read(ALARM_STATUS)).toBe(0);
    rig.advance(2000);
    expect(irq.level).toBe(false);
  });

  test("keeps the alarm running when the time is set past it", () => {
    const { rig, irq } = clock();
    rig.write(IRQ_ENABLED, 1);
    setAlarm(rig, WALL_CLOCK + 1000n);
    rig.write(TIME_HIGH, 0xffff_ffff);
    expect(rig.read(ALARM_STATUS)).toBe(1);
    expect(irq.level).toBe(false);
    rig.advance(1000);
    expect(irq.level).toBe(true);
  });

  test("drops the alarm and keeps the time at reset", () => {
    const { rig, irq } = clock();
    rig.write(IRQ_ENABLED, 1);
    setAlarm(rig, WALL_CLOCK + 1000n);
    rig.write(TIME_HIGH, 5);
    rig.model.systemBus.reset();
    rig.advance(2000);
    expect(time(rig)).toBe((5n << 32n) | ((WALL_CLOCK + 2000n) & 0xffff_ffffn));
    for (const register of [ALARM_LOW, ALARM_HIGH, IRQ_ENABLED, ALARM_STATUS]) {
      expect(rig.read(register)).toBe(0);
    }
    expect(irq.level).toBe(false);
  });

  test("accepts words, and pairs of them", () => {
    const { rig } = clock();
    rig.read(TIME_LOW, 2);
    expect(rig.result).toBe(MemTxResult.DecodeError);
    expect(rig.read64(TIME_LOW)).toBe(WALL_CLOCK);
    expect(rig.result).toBe(MemTxResult.Ok);
    expect(rig.read(0x20)).toBe(0);
    expect(rig.guestErrors).toHaveLength(1);
  });
});
