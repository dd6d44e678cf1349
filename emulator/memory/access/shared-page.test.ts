import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type AccessSize, MemoryRegion, type MemoryRegionOps, MemTxResult } from "#memory";
import { Owner, recordingOps, testMemory } from "../testing.ts";

interface Registers {
  readonly words: number[];
  readonly accesses: string[];
}

const ops: MemoryRegionOps<Registers> = {
  read: ({ words, accesses }, offset, size) => {
    accesses.push(`read ${offset}/${size}`);
    return words[offset >> 2] ?? 0;
  },
  write: ({ words, accesses }, offset, value, size) => {
    accesses.push(`write ${offset}/${size}`);
    words[offset >> 2] = value;
  },
  endianness: "little",
  valid: { minAccessSize: 4, maxAccessSize: 4 },
};

/** A device of `bytes` bytes at 0x1000 that accepts word accesses. */
function board(bytes: number) {
  const { model, root, space } = testMemory();
  const registers: Registers = { words: [1, 2, 3], accesses: [] };
  root.addSubregion(0x1000, MemoryRegion.newIo(model.noOwner, ops, registers, "device", bytes));
  return { space, registers };
}

describe("a processor's access to a page that a device covers partly", () => {
  it("is split into pieces that the device accepts", () => {
    const { space, registers } = board(12);
    expect(space.read(0x1000, 8)).toBe(1);
    expect(space.high).toBe(2);
    expect(space.result).toBe(MemTxResult.Ok);
    space.write(0x1000, 8, 10, 20);
    expect(space.result).toBe(MemTxResult.Ok);
    expect(registers.words).toEqual([10, 20, 3]);
    expect(registers.accesses).toEqual(["read 0/4", "read 4/4", "write 0/4", "write 4/4"]);
  });

  it("is refused as a whole when one piece hits nothing or is not accepted", () => {
    const { space, registers } = board(12);
    for (const [address, size] of [
      [0x1008, 8],
      [0x1000, 2],
      [0x1002, 4],
    ] as const) {
      expect(space.read(address, size)).toBe(0);
      expect(space.result).toBe(MemTxResult.DecodeError);
      space.write(address, size, 7, 7);
      expect(space.result).toBe(MemTxResult.DecodeError);
    }
    expect(registers.accesses).toEqual([]);
  });

  it("is not split where the device has the page to itself, which may refuse it", () => {
    const { space, registers } = board(0x1000);
    space.read(0x1000, 8);
    expect(space.result).toBe(MemTxResult.DecodeError);
    space.write(0x1000, 8, 1, 1);
    expect(space.result).toBe(MemTxResult.DecodeError);
    expect(registers.accesses).toEqual([]);
  });
});

/** Cells of four bytes in two pages. */
const CELLS = 2048;
const regions = fc.array(
  fc.record({
    ram: fc.boolean(),
    start: fc.nat({ max: CELLS - 1 }),
    cells: fc.oneof(fc.integer({ min: 1, max: 8 }), fc.integer({ min: 1, max: CELLS })),
    priority: fc.integer({ min: -1, max: 1 }),
  }),
  { minLength: 1, maxLength: 6 },
);
const accesses = fc.array(
  fc.record({
    near: fc.nat(),
    off: fc.integer({ min: -12, max: 12 }),
    size: fc.constantFrom<AccessSize>(1, 2, 4, 8),
    length: fc.integer({ min: 1, max: 64 }),
  }),
  { minLength: 1, maxLength: 20 },
);

it("random maps with bounds anywhere in a page are rendered and dispatched as cell by cell", () => {
  fc.assert(
    fc.property(regions, accesses, (list, wanted) => {
      const { model, root, space } = testMemory();
      const owner = model.create(Owner);
      /** What each cell shows: the byte that all of the region has; 0 if there is none. */
      const shown = new Uint8Array(CELLS * 4);
      const rank = new Int32Array(CELLS * 4);
      for (const [index, { ram, start, cells, priority }] of list.entries()) {
        const fill = index + 1;
        const size = 4 * Math.min(cells, CELLS - start);
        const ops = recordingOps([], { valid: { unaligned: true }, impl: { maxAccessSize: 1 } }, () => fill);
        const region = ram
          ? MemoryRegion.newRamPtr(owner, "ram", new Uint8Array(size).fill(fill))
          : MemoryRegion.newIo(owner, ops, null, "registers", size);
        root.addSubregion(4 * start, region, priority);
        for (let at = 4 * start; at < 4 * start + size; at++) {
          if (priority < (rank[at] ?? 0) && shown[at] !== 0) continue;
          rank[at] = priority;
          shown[at] = fill;
        }
      }
      const names = [...owner.children()].map(([, child]) => child);
      for (let at = 0; at < shown.length; at += 4)
        expect(names.indexOf(space.find(at)?.region as MemoryRegion) + 1).toBe(shown[at]);
      const bounds = list.flatMap(({ start, cells }) => [4 * start, 4 * Math.min(start + cells, CELLS)]);
      for (const { near, off, size, length } of wanted) {
        const at = Math.max(0, Math.min(4 * CELLS - 64, (bounds[near % bounds.length] ?? 0) + off));
        const part = shown.subarray(at, at + length);
        const bytes = new Uint8Array(length).fill(0xff);
        const result = space.readBytes(at, bytes);
        expect([...bytes]).toEqual([...part]);
        expect(result === MemTxResult.Ok).toBe(!part.includes(0));
        const aligned = at - (at % size);
        const single = shown.subarray(aligned, aligned + size);
        const low = space.read(aligned, size);
        const value = new DataView(new ArrayBuffer(8));
        value.setUint32(0, low, true);
        value.setUint32(4, size === 8 ? space.high : 0, true);
        expect(space.result === MemTxResult.Ok).toBe(!single.includes(0));
        if (space.result === MemTxResult.Ok)
          expect([...new Uint8Array(value.buffer, 0, size)]).toEqual([...single]);
      }
    }),
    { numRuns: 60 },
  );
});
