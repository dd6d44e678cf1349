import { describe, expect, it } from "vitest";
import { type MemoryModel, MemoryRegion, type MemoryRegionOps, MemTxResult } from "#memory";
import { QomObject } from "#qom";
import { testMemory } from "../testing.ts";

const NOWHERE = 0x9000;

/** A one-page device at 0x1000 whose callbacks can access memory. */
function withBusMaster(ops: Partial<MemoryRegionOps<null>>) {
  const memory = testMemory();
  const device = MemoryRegion.newIo(
    memory.model.noOwner,
    { endianness: "little", ...ops },
    null,
    "device",
    0x1000,
  );
  memory.root.addSubregion(0x1000, device);
  const other = MemoryRegion.newIo(
    memory.model.noOwner,
    { read: () => 0xeeeeeeee, readWithAttrs: () => 0xeeeeeeee, endianness: "little" },
    null,
    "other",
    0x1000,
  );
  memory.root.addSubregion(0x2000, other);
  return { ...memory, device };
}

describe("an access whose callback makes accesses of its own", () => {
  it("keeps its value, assembled from several calls, and its outcome", () => {
    const { space } = withBusMaster({
      read: (_, offset) => {
        space.read(0x2000, 4);
        space.read(NOWHERE, 8);
        return 0x10 + offset;
      },
      impl: { maxAccessSize: 1 },
    });
    expect(space.read(0x1000, 4)).toBe(0x13121110);
    expect(space.result).toBe(MemTxResult.Ok);
    expect([space.read(0x1000, 8), space.high]).toEqual([0x13121110, 0x17161514]);
    const bytes = new Uint8Array(4);
    expect(space.readBytes(0x1000, bytes)).toBe(MemTxResult.Ok);
    expect([...bytes]).toEqual([0x10, 0x11, 0x12, 0x13]);
  });

  it("keeps the value that it writes, and its outcome", () => {
    const written: number[] = [];
    const { space } = withBusMaster({
      write: (_, __, value) => {
        space.write(NOWHERE, 4, 0xffffffff);
        written.push(value);
      },
      impl: { maxAccessSize: 1 },
    });
    space.write(0x1000, 4, 0x44332211);
    expect(space.result).toBe(MemTxResult.Ok);
    expect(written).toEqual([0x11, 0x22, 0x33, 0x44]);
    expect(space.writeBytes(0x1000, Uint8Array.of(5, 6, 7, 8))).toBe(MemTxResult.Ok);
    expect(written.slice(4)).toEqual([5, 6, 7, 8]);
  });

  it("keeps its attributes, and the error that its callback returns", () => {
    const secure = { secure: true, user: false, requesterId: 7 };
    const seen: boolean[] = [];
    const { space } = withBusMaster({
      readWithAttrs: (_, offset, __, transaction) => {
        transaction.result = offset === 0 ? MemTxResult.Error : MemTxResult.Ok;
        space.read(0x2000, 4);
        seen.push(transaction.attrs.secure);
        return 1;
      },
    });
    space.read(0x1000, 8, secure);
    expect(space.result).toBe(MemTxResult.Error);
    expect(seen).toEqual([true, true]);
    space.readBytes(0x1000, new Uint8Array(8), secure);
    expect(seen).toEqual([true, true, true, true]);
  });

  it("shows its callback the outcome and high half of the inner access", () => {
    const inner: number[] = [];
    const { space } = withBusMaster({
      read: (_, offset) => {
        space.read(offset === 0 ? 0x2000 : NOWHERE, 8);
        inner.push(space.result, space.high);
        return 0;
      },
    });
    space.read(0x1000, 8);
    expect(inner).toEqual([MemTxResult.Ok, 0xeeeeeeee, MemTxResult.DecodeError, 0]);
  });
});

describe("a callback that throws", () => {
  class Busy extends QomObject {
    static override readonly typeName = "test-guarded-owner";
    declare readonly model: MemoryModel;
    readonly memReentrancyGuard = { engaged: false };
  }

  it("in a split access leaves the device usable for the next one", () => {
    const size = 8;
    const { model, root, space } = testMemory();
    const owner = model.create(Busy);
    let broken = true;
    const fail = (): number => {
      if (broken) throw new Error("broken device");
      return 7;
    };
    const region = MemoryRegion.newIo(
      owner,
      { read: fail, write: fail, endianness: "little" },
      null,
      "io",
      0x1000,
    );
    root.addSubregion(0, region);
    for (let again = 0; again < 3; again++) {
      expect(() => space.read(0, size)).toThrow("broken device");
      expect(() => space.write(0, size, 1)).toThrow("broken device");
    }
    expect(owner.memReentrancyGuard.engaged).toBe(false);
    broken = false;
    expect(space.read(0, size)).toBe(7);
    expect(space.result).toBe(MemTxResult.Ok);
  });
});
