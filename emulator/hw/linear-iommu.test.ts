import { describe, expect, test } from "vitest";
import { IommuEvent, type IommuMemoryRegion, MemoryRegion, MemTxResult } from "#memory";
import { loadTestTrees } from "./differential/trees.ts";
import { BASE, Rig } from "./testing/rig.ts";

const PAGE = 0x1000;
const RAM = 0x8000_0000;
const TABLE = RAM;
/** Registers. */
const [CONTROL, TABLE_LOW, , PAGES, SOURCE, DESTINATION, LENGTH, COPY, INVALIDATE, PROCESS] = [
  0, 4, 8, 12, 16, 20, 24, 28, 32, 36,
];

describe.each(await loadTestTrees())("linear-iommu, $name", ({ tree }) => {
  function iommu() {
    const rig = new Rig(tree);
    rig.model.systemMemory.addSubregion(RAM, MemoryRegion.newRam(rig.model.noOwner, "ram", 8 * PAGE));
    const device = rig.plug("linear-iommu");
    /** Enters the page that a page of the engine's addresses is, with its permissions. */
    const enter = (page: number, address: number, access: number) =>
      rig.space.write(TABLE + 8 * page, 8, (address | access) >>> 0, 0);
    const copy = (source: number, destination: number, length: number) => {
      rig.write(SOURCE, source);
      rig.write(DESTINATION, destination);
      rig.write(LENGTH, length);
      rig.write(COPY, 1);
      return rig.read(COPY);
    };
    const on = () => {
      rig.write(TABLE_LOW, TABLE);
      rig.write(PAGES, 8);
      rig.write(CONTROL, 1);
    };
    return { rig, device, enter, copy, on };
  }

  test("copies from page to page as the table in guest memory says", () => {
    const { rig, enter, copy, on } = iommu();
    rig.space.write(RAM + 2 * PAGE + 0xffc, 4, 0x1122_3344);
    rig.space.write(RAM + 5 * PAGE, 4, 0x5566_7788);
    enter(0, RAM + 2 * PAGE, 1);
    enter(1, RAM + 5 * PAGE, 1);
    enter(2, RAM + 3 * PAGE, 2);
    on();
    expect(copy(0xffc, 2 * PAGE, 8)).toBe(MemTxResult.Ok);
    expect([rig.space.read(RAM + 3 * PAGE, 4), rig.space.read(RAM + 3 * PAGE + 4, 4)]).toEqual([
      0x1122_3344, 0x5566_7788,
    ]);
    expect(copy(2 * PAGE, 0, 8)).toBe(MemTxResult.DecodeError); // neither is permitted
    expect(copy(0, 3 * PAGE, 8)).toBe(MemTxResult.DecodeError); // not in the table
    expect(copy(0, 9 * PAGE, 8)).toBe(MemTxResult.DecodeError); // after the table
  });

  test("has a table for each process, which the engine works for and whose invalidations are heard", () => {
    const { rig, device, enter, copy, on } = iommu();
    on(); // with 8 pages for each process
    const [first, second] = [0, 8];
    enter(first, RAM + 2 * PAGE, 3);
    enter(second, RAM + 3 * PAGE, 3);
    enter(second + 1, RAM + 4 * PAGE, 3);
    rig.space.write(RAM + 2 * PAGE, 4, 0x11);
    rig.space.write(RAM + 3 * PAGE, 4, 0x22);
    rig.write(PROCESS, 1);
    expect([copy(0, PAGE, 4), rig.space.read(RAM + 4 * PAGE, 4)]).toEqual([MemTxResult.Ok, 0x22]);
    rig.write(PROCESS, 0);
    expect(copy(0, PAGE, 4)).toBe(MemTxResult.DecodeError); // process 0 has one page
    const region = device.child("linear-iommu-translation[0]") as IommuMemoryRegion;
    const told: (number | undefined)[] = [];
    const follow = (index: number) =>
      region.addNotifier({
        events: IommuEvent.Unmap,
        start: 0,
        end: PAGE,
        index,
        notify: ({ pasid }) => told.push(pasid),
      });
    for (const index of [0, 1, 255]) follow(index);
    for (const process of [1, 0, 255]) {
      rig.write(PROCESS, process);
      rig.write(INVALIDATE, 0);
    }
    expect(told).toEqual([1, 0, 255]);
    rig.write(PROCESS, 256);
    expect([rig.guestErrors, rig.read(PROCESS)]).toEqual([["process 256, of 256"], 255]);
  });

  test("leaves addresses as they are unless it is turned on", () => {
    const { rig, copy } = iommu();
    rig.space.write(RAM + 8, 4, 99);
    expect(copy(RAM + 8, RAM + 16, 4)).toBe(MemTxResult.Ok);
    expect(rig.space.read(RAM + 16, 4)).toBe(99);
  });

  test("does not let the engine reach its own registers, nor copy for ever", () => {
    const { rig, copy } = iommu();
    expect(copy(BASE, RAM, 4)).toBe(MemTxResult.AccessError);
    expect(copy(RAM, RAM, 0xffff_ffff)).toBe(MemTxResult.Error);
    expect(rig.guestErrors).toHaveLength(1);
  });

  test("tells those who cache translations which pages have changed", () => {
    const { rig, device, enter, on } = iommu();
    const region = device.child("linear-iommu-translation[0]") as IommuMemoryRegion;
    const told: [iova: number, address: number, access: number][] = [];
    region.addNotifier({
      events: IommuEvent.Map | IommuEvent.Unmap,
      start: PAGE,
      end: 3 * PAGE,
      index: 0,
      notify: ({ iova, address, access }) => told.push([iova, address, access]),
    });
    on();
    enter(1, RAM + 4 * PAGE, 3);
    for (const page of [1, 2, 3]) rig.write(INVALIDATE, page);
    expect(told).toEqual([
      [PAGE, RAM + 4 * PAGE, 0],
      [PAGE, RAM + 4 * PAGE, 3],
      [2 * PAGE, 0, 0],
    ]);
  });
});
