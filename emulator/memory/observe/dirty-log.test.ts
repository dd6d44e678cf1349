import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { CpuBus, GuestMemory, MemoryRegion } from "#memory";
import { testMemory } from "../testing.ts";

const PAGE = 4096;
const PAGES = 8;

describe("a dirty log", () => {
  it("has the pages that writes of any kind touched since it was last asked, and no others", () => {
    const write = fc.record({
      how: fc.constantFrom("store", "transfer", "mapping", "take"),
      at: fc.nat({ max: PAGES * PAGE - 1 }),
      length: fc.integer({ min: 1, max: 3 * PAGE }),
    });
    fc.assert(
      fc.property(fc.array(write, { maxLength: 20 }), (writes) => {
        const { model, root, space } = testMemory();
        const ram = MemoryRegion.newRam(model.noOwner, "ram", PAGES * PAGE);
        root.addSubregion(PAGE, MemoryRegion.newAlias(model.noOwner, "alias", ram, 0, PAGES * PAGE));
        space.writeBytes(PAGE, new Uint8Array(PAGES * PAGE)); // not logged yet
        ram.setLog(true);
        const naive = new Set<number>();
        for (const { how, at, length } of writes) {
          const end = Math.min(at + length, PAGES * PAGE);
          const touched = (from: number, to: number) => {
            for (let byte = from; byte < to; byte++) naive.add(byte - (byte % PAGE));
          };
          if (how === "store") {
            space.write(PAGE + (at & ~3), 4, 1);
            touched(at & ~3, (at & ~3) + 4);
          } else if (how === "transfer") {
            space.writeBytes(PAGE + at, new Uint8Array(end - at));
            touched(at, end);
          } else if (how === "mapping") {
            const mapping = space.map(PAGE + at, end - at, true);
            const written = Math.floor((end - at) / 2);
            if (mapping !== null) space.unmap(mapping, written);
            touched(at, at + written);
          } else {
            const dirty = [...naive].filter((page) => page < end && page + PAGE > at).sort((a, b) => a - b);
            expect(ram.takeDirty(at, end - at)).toEqual(dirty);
            for (const page of dirty) naive.delete(page);
          }
        }
        expect(ram.takeDirty(0, PAGES * PAGE)).toEqual([...naive].sort((a, b) => a - b));
      }),
      { numRuns: 50 },
    );
  });

  it("makes a processor's stores take the slow path, and no longer when it ends", () => {
    const guest = new GuestMemory(64 * PAGE);
    const { model, root, space } = testMemory({ ram: guest });
    const ram = MemoryRegion.newRam(model.noOwner, "ram", PAGES * PAGE);
    root.addSubregion(0, ram);
    const bus = new CpuBus(space, guest);
    let flushes = 0;
    bus.onMapChange(() => flushes++);
    expect(bus.directPage(0, "write")).toBeGreaterThanOrEqual(0);
    const before = flushes;
    ram.setLog(true);
    expect(flushes).toBe(before + 1);
    expect(bus.directPage(0, "write")).toBe(-1);
    expect(bus.directPage(0, "read")).toBeGreaterThanOrEqual(0);
    bus.write(2 * PAGE + 8, 4, 1, 0);
    expect(ram.takeDirty(0, PAGES * PAGE)).toEqual([2 * PAGE]);
    ram.setLog(false);
    expect(flushes).toBe(before + 2);
    expect(bus.directPage(0, "write")).toBeGreaterThanOrEqual(0);
  });

  it("is refused for a region without RAM, and must be on to be asked", () => {
    const { model } = testMemory();
    expect(() => MemoryRegion.new(model.noOwner, "container", PAGE).setLog(true)).toThrow(/has no RAM/);
    expect(() => MemoryRegion.newRam(model.noOwner, "ram", PAGE).takeDirty(0, PAGE)).toThrow(/not logged/);
  });
});
