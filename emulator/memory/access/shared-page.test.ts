import { describe, expect, it } from "vitest";
import { MemoryRegion, type MemoryRegionOps, MemTxResult } from "#memory";
import { testMemory } from "../testing.ts";

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
