import { describe, expect, test } from "vitest";
import { MemTxResult } from "#memory";
import { loadTestTrees } from "./differential/trees.ts";
import { Rig } from "./testing/rig.ts";

const MEMORY = 0x9000_0000;
const PAGE = 0x1000;

describe.each(await loadTestTrees())("growing-memory, $name", ({ tree }) => {
  function memory(maxPages = 4) {
    const rig = new Rig(tree);
    const device = rig.plug("growing-memory", { "max-pages": maxPages });
    device.mapMmio(1, MEMORY);
    return { rig, device };
  }

  test("has as much memory as the guest asks for, up to its limit", () => {
    const { rig } = memory();
    expect([rig.read(0), rig.read(4)]).toEqual([0, 4]);
    rig.space.write(MEMORY, 4, 1);
    expect(rig.space.result).toBe(MemTxResult.DecodeError);
    rig.write(0, 2);
    rig.space.write(MEMORY + 2 * PAGE - 4, 4, 77);
    expect([rig.space.read(MEMORY + 2 * PAGE - 4, 4), rig.space.result]).toEqual([77, MemTxResult.Ok]);
    rig.write(0, 5);
    expect([rig.read(0), rig.guestErrors]).toEqual([2, ["5 pages, of at most 4"]]);
    expect(rig.space.find(MEMORY + 2 * PAGE)).toBeUndefined();
  });

  test("starts without any after a reset", () => {
    const { rig, device } = memory();
    rig.write(0, 1);
    device.reset();
    expect([rig.read(0), rig.space.find(MEMORY)]).toEqual([0, undefined]);
  });

  test("needs a limit", () => {
    expect(() => memory(0)).toThrow(/max-pages of a growing-memory is 0/);
  });
});
