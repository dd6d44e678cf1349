import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  type AccessSize,
  AddressSpace,
  type MemoryModelOptions,
  MemoryRegion,
  type MemoryRegionOps,
  MemTxResult,
} from "#memory";
import { type Call, recordingOps, testMemory } from "../testing.ts";

interface Piece {
  readonly limits: Partial<MemoryRegionOps<unknown>>;
  readonly at: number;
  readonly size: number;
  /** Bytes of the device before the visible ones. */
  readonly skipped: number;
}

interface Step {
  readonly do: string;
  readonly at: number;
  readonly size: AccessSize;
  readonly which: number;
}

/** A device that returns `answer` on every read, and the calls that it received. */
function device(memory: ReturnType<typeof testMemory>, answer: number, size = 0x1000) {
  const calls: Call[] = [];
  const ops = recordingOps(calls, {}, () => answer);
  return { calls, region: MemoryRegion.newIo(memory.model.noOwner, ops, null, `device-${answer}`, size) };
}

describe("an access to a section already seen", () => {
  it("finds each of the devices that share a page, and nothing between them", () => {
    const memory = testMemory();
    const one = device(memory, 1, 0x10);
    const two = device(memory, 2, 0x10);
    memory.root.addSubregion(0x1000, one.region);
    memory.root.addSubregion(0x1020, two.region);
    for (let turn = 0; turn < 3; turn++) {
      expect(memory.space.read(0x1004, 4)).toBe(1);
      expect(memory.space.read(0x1024, 4)).toBe(2);
      expect(memory.space.read(0x1010, 4)).toBe(0);
      expect(memory.space.result).toBe(MemTxResult.DecodeError);
    }
    expect(one.calls).toEqual(Array(3).fill({ kind: "read", offset: 4, size: 4 }));
    expect(two.calls).toEqual(Array(3).fill({ kind: "read", offset: 4, size: 4 }));
  });

  it("distinguishes addresses that are equal modulo 2 MiB, 2 GiB and 4 GiB", () => {
    const memory = testMemory();
    const places = [0x1000, 0x20_1000, 0x7fff_f000, 0x8000_1000, 0x1_0000_1000, 0x40_0000_1000];
    const devices = places.map((_, i) => device(memory, i + 1));
    devices.forEach(({ region }, i) => {
      memory.root.addSubregion(places[i] as number, region);
    });
    for (let turn = 0; turn < 3; turn++) {
      places.forEach((place, i) => {
        expect(memory.space.read(place + 8, 4)).toBe(i + 1);
        memory.space.write(place + 8, 2, turn);
        expect(devices[i]?.calls.splice(0)).toEqual([
          { kind: "read", offset: 8, size: 4 },
          { kind: "write", offset: 8, size: 2, value: turn },
        ]);
      });
    }
  });

  it("passes the offset within the region to its device, whichever part is mapped at whatever address", () => {
    const memory = testMemory();
    const { calls, region } = device(memory, 1, 0x9000_0000);
    const window = MemoryRegion.newAlias(memory.model.noOwner, "window", region, 0x8fff_f000, 0x1000);
    memory.root.addSubregion(0x3000, window);
    for (let turn = 0; turn < 2; turn++) memory.space.read(0x3010, 4);
    expect(calls).toEqual(Array(2).fill({ kind: "read", offset: 0x8fff_f010, size: 4 }));
  });

  it("sees every change of the map", () => {
    const memory = testMemory();
    const below = device(memory, 1);
    const above = device(memory, 2);
    memory.root.addSubregion(0x1000, below.region);
    const other = new AddressSpace(memory.model, memory.root, "other");
    const answers = () => [memory.space.read(0x1000, 4), other.read(0x1000, 4)];
    expect([answers(), answers()]).toEqual([
      [1, 1],
      [1, 1],
    ]);
    memory.root.addSubregion(0x1000, above.region, 1);
    expect([answers(), answers()]).toEqual([
      [2, 2],
      [2, 2],
    ]);
    above.region.setEnabled(false);
    expect(answers()).toEqual([1, 1]);
    memory.root.delSubregion(below.region);
    expect(answers()).toEqual([0, 0]);
    expect(memory.space.result).toBe(MemTxResult.DecodeError);
  });

  it("sees event notifiers at once, in every space", () => {
    const memory = testMemory();
    const { calls, region } = device(memory, 1);
    memory.root.addSubregion(0x1000, region);
    const other = new AddressSpace(memory.model, region, "other");
    let notified = 0;
    const fd = { offset: 4, size: 4, notify: () => void notified++ } as const;
    const write = () => {
      memory.space.write(0x1004, 4, 7);
      other.write(4, 4, 7);
      return [calls.splice(0).length, notified];
    };
    expect([write(), write()]).toEqual([
      [2, 0],
      [2, 0],
    ]);
    memory.model.transaction(() => {
      region.addIoEventFd(fd);
      expect(write()).toEqual([0, 2]);
    });
    expect(write()).toEqual([0, 4]);
    region.delIoEventFd(fd);
    expect(write()).toEqual([2, 4]);
  });

  it("sees an exemption from the re-entrancy guard", () => {
    const memory = testMemory();
    const results: number[] = [];
    const region: MemoryRegion = MemoryRegion.newIo(
      memory.model.noOwner,
      {
        read: (_, offset) => {
          if (offset === 0) {
            memory.space.read(0x1008, 4);
            results.push(memory.space.result);
          }
          return 0;
        },
        endianness: "little",
      },
      null,
      "device",
      0x1000,
    );
    region.guard = { engaged: false };
    memory.root.addSubregion(0x1000, region);
    memory.space.read(0x1000, 4);
    region.disableReentrancyGuard();
    memory.space.read(0x1000, 4);
    expect(results).toEqual([MemTxResult.AccessError, MemTxResult.Ok]);
  });
});

describe("checked mode", () => {
  const limits = fc.constantFrom<Partial<MemoryRegionOps<unknown>>>(
    {},
    { valid: { minAccessSize: 2, maxAccessSize: 4 } },
    { impl: { maxAccessSize: 1 } },
    { valid: { unaligned: true, maxAccessSize: 8 }, impl: { minAccessSize: 2 } },
    { endianness: "big" },
  );
  const place = fc.oneof(
    fc.nat({ max: 0x3000 }),
    fc.nat({ max: 0x300 }).map((page) => page * 0x10),
  );
  const piece = fc.record({
    limits,
    at: place,
    size: fc.integer({ min: 1, max: 0x2000 }),
    skipped: fc.nat({ max: 9 }),
  });
  const step = fc.record({
    do: fc.constantFrom("read", "read", "read", "write", "write", "toggle"),
    at: fc.oneof(place, fc.nat({ max: 12 })),
    size: fc.constantFrom<AccessSize>(1, 2, 4, 8),
    which: fc.nat(),
  });

  /** Everything observable of `steps` on a map of `pieces`, which overlap and are partly visible. */
  function observe(pieces: Piece[], steps: Step[], options: MemoryModelOptions): unknown[] {
    const memory = testMemory(options);
    const seen: unknown[] = [];
    const windows = pieces.map(({ limits, at, size, skipped }, i) => {
      const calls: Call[] = [];
      const ops = recordingOps(calls, limits, (offset, size) => offset * 0x01010101 + size * i);
      const region = MemoryRegion.newIo(memory.model.noOwner, ops, null, `device-${i}`, size + skipped);
      const window = MemoryRegion.newAlias(memory.model.noOwner, `window-${i}`, region, skipped, size);
      memory.root.addSubregion(at, window);
      return { at, window, calls };
    });
    for (const { do: kind, at, size, which } of steps) {
      const target = windows[which % windows.length];
      if (!target) continue;
      if (kind === "toggle") target.window.setEnabled(!target.window.enabled);
      else if (kind === "write") memory.space.write(target.at + at, size, at * 77, which);
      else seen.push(memory.space.read(target.at + at, size), size === 8 ? memory.space.high : 0);
      seen.push(memory.space.result, ...windows.map(({ calls }) => calls.splice(0)));
    }
    return seen;
  }

  it("gives the same result as fast mode for every access, though none is a plain call", () => {
    fc.assert(
      fc.property(
        fc.array(piece, { minLength: 1, maxLength: 4 }),
        fc.array(step, { minLength: 1, maxLength: 40 }),
        (pieces, steps) => {
          expect(observe(pieces, steps, {})).toEqual(observe(pieces, steps, { checked: "throw" }));
        },
      ),
      { numRuns: 300 },
    );
  });

  it("detects an access through a section whose region has ended", () => {
    const memory = testMemory({ checked: "count" });
    const found = () => memory.model.detector?.found.splice(0).map(({ name }) => name);
    const { region } = device(memory, 1);
    // An alias takes no reference: its target must outlive it, but here does not.
    memory.root.addSubregion(0x1000, MemoryRegion.newAlias(memory.model.noOwner, "alias", region, 0, 0x1000));
    for (let turn = 0; turn < 3; turn++) expect(memory.space.read(0x1000, 4)).toBe(1);
    expect(found()).toEqual([]);
    region.unparent();
    expect(found()).toEqual(["FinalizedInView"]);
    memory.space.read(0x1000, 4);
    expect(found()).toContain("UseAfterFree");
    memory.space.write(0x1000, 4, 1);
    expect(found()).toContain("UseAfterFree");
  });
});
