import { describe, expect, it } from "vitest";
import { type IoEventFd, MemoryRegion, type MemoryRegionOps, MemTxResult } from "#memory";
import { type Call, recordingOps, testMemory } from "../testing.ts";

function withDevice(
  limits: Partial<MemoryRegionOps<unknown>>,
  answer?: (offset: number, size: number) => number,
) {
  const calls: Call[] = [];
  const memory = testMemory();
  const device = MemoryRegion.newIo(
    memory.model.noOwner,
    recordingOps(calls, limits, answer),
    null,
    "device",
    0x1000, // a page of its own: accesses to shared pages are split, see shared-page.ts
  );
  memory.root.addSubregion(0x1000, device);
  return { ...memory, device, calls };
}

const bytesOf = (offset: number, size: number): number =>
  Array.from({ length: size }, (_, i) => (offset + i) & 0xff).reduce(
    (value, byte, i) => value + byte * 2 ** (8 * i),
    0,
  );

describe("access sizes", () => {
  it("passes an access that fits directly to the callback, with unsigned values truncated to its size", () => {
    const { space, calls } = withDevice({}, () => -1);
    expect([space.read(0x1000, 1), space.read(0x1002, 2), space.read(0x1004, 4)]).toEqual([
      0xff, 0xffff, 0xffff_ffff,
    ]);
    space.write(0x1008, 2, 0x12345678);
    expect(calls.at(-1)).toEqual({ kind: "write", offset: 8, size: 2, value: 0x5678 });
    expect(space.result).toBe(MemTxResult.Ok);
  });

  it("splits accesses larger than the device implements", () => {
    const { space, calls } = withDevice({ impl: { maxAccessSize: 1 } }, bytesOf);
    expect(space.read(0x1004, 4)).toBe(0x07060504);
    expect(calls.map((call) => [call.offset, call.size])).toEqual([
      [4, 1],
      [5, 1],
      [6, 1],
      [7, 1],
    ]);
    space.write(0x1000, 2, 0xabcd);
    expect(calls.slice(4)).toEqual([
      { kind: "write", offset: 0, size: 1, value: 0xcd },
      { kind: "write", offset: 1, size: 1, value: 0xab },
    ]);
  });

  it("widens accesses smaller than the device implements, at the same offset", () => {
    const { space, calls } = withDevice({ impl: { minAccessSize: 4 } }, () => 0x44332211);
    expect(space.read(0x1001, 1)).toBe(0x11);
    expect(calls).toEqual([{ kind: "read", offset: 1, size: 4 }]);
  });

  it("splits 8 bytes into two of 4 unless there are 64-bit callbacks", () => {
    const { space, calls } = withDevice({}, bytesOf);
    expect([space.read(0x1010, 8), space.high]).toEqual([0x13121110, 0x17161514]);
    space.write(0x1020, 8, 0x11111111, 0x22222222);
    expect(calls.slice(2)).toEqual([
      { kind: "write", offset: 0x20, size: 4, value: 0x11111111 },
      { kind: "write", offset: 0x24, size: 4, value: 0x22222222 },
    ]);
    let written = 0n;
    const wide = withDevice({
      read64: () => 0x8899aabb_ccddeeffn,
      write64: (_, __, value) => {
        written = value;
      },
    });
    expect([wide.space.read(0x1000, 8), wide.space.high]).toEqual([0xccddeeff, 0x8899aabb]);
    wide.space.write(0x1000, 8, 0x01020304, 0xf5f6f7f8);
    expect(written).toBe(0xf5f6f7f8_01020304n);
    expect(wide.calls).toEqual([]);
  });

  it("swaps the bytes between a big-endian device and the little-endian guest", () => {
    const halves = (offset: number) => (offset === 0 ? 0x1122 : 0x3344);
    const { space, calls } = withDevice({ endianness: "big", impl: { maxAccessSize: 2 } }, halves);
    // In memory order the device holds 11 22 33 44, which the guest loads as:
    expect(space.read(0x1000, 4)).toBe(0x44332211);
    const bytes = new Uint8Array(4);
    space.readBytes(0x1000, bytes);
    expect([...bytes]).toEqual([0x11, 0x22, 0x33, 0x44]);
    calls.length = 0;
    space.write(0x1000, 4, 0xddccbbaa);
    expect(calls.map((call) => call.value)).toEqual([0xaabb, 0xccdd]);
    const wide = withDevice({ endianness: "big", read64: () => 0x1122334455667788n });
    expect([wide.space.read(0x1000, 8), wide.space.high]).toEqual([0x44332211, 0x88776655]);
  });
});

describe("validity", () => {
  it("reports a decode error for sizes, alignments and offsets that the device does not accept", () => {
    const { space, calls } = withDevice({ valid: { minAccessSize: 4, maxAccessSize: 4 } });
    for (const [address, size] of [
      [0x1000, 1],
      [0x1000, 2],
      [0x1000, 8],
      [0x1002, 4],
    ] as const) {
      expect(space.read(address, size)).toBe(0);
      expect(space.result).toBe(MemTxResult.DecodeError);
      space.write(address, size, 1);
      expect(space.result).toBe(MemTxResult.DecodeError);
    }
    expect(calls).toEqual([]);
    const choosy = withDevice({ valid: { accepts: (_, offset) => offset < 8 } });
    choosy.space.read(0x1004, 4);
    expect(choosy.space.result).toBe(MemTxResult.Ok);
    choosy.space.read(0x1008, 4);
    expect(choosy.space.result).toBe(MemTxResult.DecodeError);
  });

  it("passes unaligned accesses to a device that accepts them", () => {
    const { space, calls } = withDevice({ valid: { unaligned: true } });
    space.read(0x1001, 4);
    expect(calls).toEqual([{ kind: "read", offset: 1, size: 4 }]);
  });

  it("reports a decode error at unassigned addresses, and where a callback is missing", () => {
    const { space } = withDevice({});
    space.read(0x9000, 4);
    expect(space.result).toBe(MemTxResult.DecodeError);
    space.write(0x9000, 4, 0);
    expect(space.result).toBe(MemTxResult.DecodeError);
    const silent = testMemory();
    silent.root.addSubregion(
      0,
      MemoryRegion.newIo(silent.model.noOwner, { endianness: "little" }, null, "silent", 16),
    );
    silent.space.read(0, 4);
    expect(silent.space.result).toBe(MemTxResult.DecodeError);
  });

  it("passes attributes to callbacks that look at them, and returns their errors", () => {
    const secure = { secure: true, user: false, requesterId: 7 };
    const seen: unknown[] = [];
    const { space } = withDevice({
      readWithAttrs: (_, offset, __, transaction) => {
        seen.push(transaction.attrs);
        if (offset === 4) transaction.result = MemTxResult.Error;
        return 1;
      },
    });
    space.read(0x1000, 4, secure);
    expect(space.result).toBe(MemTxResult.Ok);
    space.read(0x1000, 8, secure); // the second half fails
    expect(space.result).toBe(MemTxResult.Error);
    expect(seen).toEqual([secure, secure, secure]);
  });
});

describe("re-entrancy guard", () => {
  function reentrant(guarded: boolean) {
    const memory = testMemory();
    const results: number[] = [];
    const ops: MemoryRegionOps<null> = {
      read: (_, offset) => {
        if (offset === 0) {
          memory.space.read(0x1008, 4);
          results.push(memory.space.result);
        }
        return 5;
      },
      endianness: "little",
    };
    const region = MemoryRegion.newIo(memory.model.noOwner, ops, null, "device", 16);
    if (guarded) region.guard = { engaged: false };
    memory.root.addSubregion(0x1000, region);
    return { ...memory, region, results };
  }

  it("refuses a second access to a busy device, reports it once, and lets the first finish", () => {
    const { model, space, region, results } = reentrant(true);
    const reported: MemoryRegion[] = [];
    model.onReentrancy = (each) => reported.push(each);
    expect(space.read(0x1000, 4)).toBe(5);
    space.read(0x1000, 4);
    expect(results).toEqual([MemTxResult.AccessError, MemTxResult.AccessError]);
    expect(reported).toEqual([region]);
    expect(region.guard?.engaged).toBe(false);
  });

  it("is released at the end of an access, even if the region was exempted meanwhile", () => {
    const { model, root, space } = testMemory();
    const guard = { engaged: false };
    const region = MemoryRegion.newIo(
      model.noOwner,
      {
        read: () => {
          region.disableReentrancyGuard();
          return 0;
        },
        endianness: "little",
      },
      null,
      "device",
      0x1000,
    );
    root.addSubregion(0, region);
    for (const size of [4, 8] as const) {
      region.guard = guard;
      space.read(0, size);
      expect(guard.engaged).toBe(false);
    }
  });

  it("does not apply to regions without a device, nor to exempted ones", () => {
    const { space, results } = reentrant(false);
    space.read(0x1000, 4);
    expect(results).toEqual([MemTxResult.Ok]);
    const exempted = reentrant(true);
    exempted.region.disableReentrancyGuard();
    exempted.space.read(0x1000, 4);
    expect(exempted.results).toEqual([MemTxResult.Ok]);
  });
});

describe("devices in a read-only container", () => {
  it("still accept writes of every kind: only memory is protected", () => {
    const { model, root, space, device, calls } = withDevice({});
    root.delSubregion(device);
    const flash = MemoryRegion.newRomDevice(model.noOwner, recordingOps(calls), null, "flash", 0x100);
    const window = MemoryRegion.new(model.noOwner, "window", 0x2000);
    window.addSubregion(0, device);
    window.addSubregion(0x1000, flash);
    window.setReadOnly(true);
    root.addSubregion(0x4000, window);
    for (const at of [0x4000, 0x5000]) {
      calls.length = 0;
      for (const size of [4, 8] as const) {
        space.write(at, size, 1, 2);
        expect(space.result).toBe(MemTxResult.Ok);
      }
      expect(space.writeBytes(at, Uint8Array.of(1, 2))).toBe(MemTxResult.Ok);
      expect(calls.map(({ kind, size }) => `${kind} ${size}`)).toEqual([
        "write 4",
        "write 4",
        "write 4",
        "write 2",
      ]);
    }
  });
});

describe("event notifiers", () => {
  it("receive matching writes instead of the callback, and are removed when their region is unmapped", () => {
    const { space, root, device, calls } = withDevice({});
    const seen: string[] = [];
    const heard: string[] = [];
    space.addListener({
      space,
      priority: 0,
      eventFdAdd: ({ address }) => heard.push(`add ${address.toString(16)}`),
      eventFdDel: ({ address }) => heard.push(`del ${address.toString(16)}`),
    });
    const any = { offset: 0x10, size: 4, notify: () => seen.push("any") } as const;
    const five = { offset: 0x20, size: 0, match: 5, notify: () => seen.push("five") } as const;
    device.addIoEventFd(five);
    device.addIoEventFd(any);
    expect(device.ioEventFds).toEqual([any, five]);
    space.write(0x1010, 4, 99);
    space.write(0x1020, 2, 5);
    space.write(0x1020, 2, 6);
    expect(seen).toEqual(["any", "five"]);
    expect(calls).toEqual([{ kind: "write", offset: 0x20, size: 2, value: 6 }]);
    root.delSubregion(device);
    expect(heard).toEqual(["add 1020", "add 1010", "del 1010", "del 1020"]);
    device.delIoEventFd(any);
    expect(() => device.delIoEventFd(any)).toThrow(/no such event notifier/);
  });
});

describe("event notifiers of a device", () => {
  const fdAt = (offset: number, seen: string[], more: Partial<IoEventFd> = {}) => ({
    offset,
    size: 4 as const,
    notify: () => {
      seen.push(`fd ${offset}`);
    },
    ...more,
  });

  it("compare all 8 bytes of a write with their match value", () => {
    const { space, device, calls } = withDevice({});
    const seen: string[] = [];
    device.addIoEventFd(fdAt(0, seen, { size: 0, match: 5 }));
    space.write(0x1000, 8, 5, 1);
    expect([seen.length, calls.length]).toEqual([0, 2]);
    space.write(0x1000, 8, 5, 0);
    expect([seen.length, calls.length]).toEqual([1, 2]);
  });

  it("match writes of 8 bytes by all of their bits, of which a number has too few", () => {
    const { space, device, calls } = withDevice({});
    const seen: string[] = [];
    device.addIoEventFd(fdAt(8, seen, { size: 8, match: 0x8000_0000_0000_0001n }));
    space.write(0x1008, 8, 1, 0x8000_0000);
    space.write(0x1008, 8, 2, 0x8000_0000);
    space.write(0x1008, 4, 1);
    expect([seen.length, calls.length]).toEqual([1, 3]);
  });

  it("are removed by value: place, size, match and what they notify", () => {
    const { device } = withDevice({});
    const seen: string[] = [];
    const notify = () => seen.push("told");
    device.addIoEventFd({ offset: 4, size: 4, match: 5, notify });
    for (const other of [{ offset: 0 }, { size: 2 as const }, { match: 6 }, { notify: () => {} }]) {
      expect(() => device.delIoEventFd({ offset: 4, size: 4, match: 5, notify, ...other })).toThrow(
        /no such/,
      );
    }
    device.delIoEventFd({ offset: 4, size: 4, match: 5, notify });
    expect(device.ioEventFds).toEqual([]);
  });

  it("that were added twice stay until they are removed twice", () => {
    const { space, device, calls } = withDevice({});
    const seen: string[] = [];
    const fd = fdAt(0, seen);
    device.addIoEventFd(fd);
    device.addIoEventFd(fd);
    device.delIoEventFd(fd);
    space.write(0x1000, 4, 1);
    expect([seen.length, calls.length]).toEqual([1, 0]);
    device.delIoEventFd(fd);
    space.write(0x1000, 4, 1);
    expect([seen.length, calls.length]).toEqual([1, 1]);
  });

  it("are announced in priority order when added, and in reverse order when removed", () => {
    const { space, root, device } = withDevice({});
    const heard: string[] = [];
    for (const priority of [1, 0]) {
      space.addListener({
        space,
        priority,
        eventFdAdd: () => heard.push(`+${priority}`),
        eventFdDel: () => heard.push(`-${priority}`),
      });
    }
    device.addIoEventFd(fdAt(0, []));
    root.delSubregion(device);
    expect(heard).toEqual(["+0", "+1", "-1", "-0"]);
  });

  it("change without rendering the map, together at the end of a transaction", () => {
    const { model, space, device } = withDevice({});
    let commits = 0;
    const heard: string[] = [];
    space.addListener({
      space,
      priority: 0,
      commit: () => commits++,
      eventFdAdd: ({ fd }) => heard.push(`+${fd.offset}`),
    });
    const [before, renders] = [commits, model.renders];
    model.transaction(() => {
      device.addIoEventFd(fdAt(4, []));
      device.addIoEventFd(fdAt(0, []));
      expect(heard).toEqual([]);
    });
    expect(heard).toEqual(["+0", "+4"]);
    expect([commits, model.renders]).toEqual([before, renders]);
  });
});

describe("subregions of terminating regions", () => {
  it("cover part of the device, and the rest still responds", () => {
    const { space, model, device, calls } = withDevice({});
    const ram = MemoryRegion.newRam(model.noOwner, "ram", 0x10);
    device.addSubregion(0x20, ram);
    space.write(0x1020, 4, 0xcafe);
    expect(space.read(0x1020, 4)).toBe(0xcafe);
    expect(calls).toEqual([]);
    space.read(0x1030, 4);
    expect(calls).toEqual([{ kind: "read", offset: 0x30, size: 4 }]);
  });
});
