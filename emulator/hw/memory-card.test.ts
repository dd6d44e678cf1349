import { describe, expect, test } from "vitest";
import { MemTxResult } from "#memory";
import type { SysBusDevice } from "#qdev";
import { QomAbort } from "#qom";
import { loadTestTrees } from "./differential/trees.ts";
import { BASE, Rig } from "./testing/rig.ts";

const PROM = 0x9000_0000;
const FLASH = 0x9100_0000;

describe.each(await loadTestTrees())("memory-card, $name", ({ tree }) => {
  function card() {
    const rig = new Rig(tree);
    const device = rig.plug("memory-card");
    device.mapMmio(1, PROM);
    device.mapMmio(2, FLASH);
    return { rig, device };
  }

  test("has RAM, a PROM and flash, of which a guest can only clear bits", () => {
    const { space } = card().rig;
    space.write(BASE, 4, 0x1234_5678);
    expect(space.read(BASE, 4)).toBe(0x1234_5678);
    space.write(PROM, 4, 1);
    expect([space.result, space.read(PROM, 4)]).toEqual([MemTxResult.DecodeError, 0]);
    space.write(FLASH + 1, 1, 0x3c);
    space.write(FLASH + 1, 1, 0xf0);
    expect(space.read(FLASH, 4)).toBe(0xffff_30ff);
    space.write(FLASH, 4, 0);
    expect(space.result).toBe(MemTxResult.DecodeError);
  });

  test("gives each memory as much of an identity as its constructor says", () => {
    const { rig, device } = card();
    expect([0, 1, 2].map((index) => device.mmioRegion(index).ram?.id)).toEqual([
      "memory-card.ram",
      "memory-card.prom",
      null,
    ]);
    expect(rig.model.ramBlocks?.get("memory-card.flash")).toBeUndefined();
    const another = rig.model.createPeripheral("memory-card", "another") as SysBusDevice;
    expect(() => another.plugIntoSystemBus()).toThrow(QomAbort); // the bus has no paths: its RAM is called the same
  });
});
