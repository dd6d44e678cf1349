import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { AddressSpace, CpuBus, GuestMemory, MemoryRegion, MemTxResult } from "#memory";
import { type Call, Owner, recordingOps, testMemory } from "./testing.ts";

const bytes = (...values: number[]) => Uint8Array.from(values);

describe("RAM, ROM and ROM devices", () => {
  it("RAM holds what is written, little-endian, in all sizes and across ranges", () => {
    const { model, root, space } = testMemory();
    root.addSubregion(0x0, MemoryRegion.newRam(model.noOwner, "low", 0x10));
    root.addSubregion(0x10, MemoryRegion.newRam(model.noOwner, "high", 0x10));
    space.write(0xc, 8, 0x44332211, 0x88776655);
    expect([space.read(0xc, 1), space.read(0xd, 2), space.read(0x10, 4)]).toEqual([0x11, 0x3322, 0x88776655]);
    expect([space.read(0xc, 8), space.high]).toEqual([0x44332211, 0x88776655]);
    space.write(0xe, 4, 0xddccbbaa);
    expect([space.read(0xe, 4), space.read(0xf, 2)]).toEqual([0xddccbbaa, 0xccbb]);
  });

  it("ROM refuses writes", () => {
    const { model, root, space } = testMemory();
    const rom = MemoryRegion.newRom(model.noOwner, "rom", 0x10);
    rom.ramBytes()[0] = 7;
    root.addSubregion(0, rom);
    space.write(0, 1, 9);
    expect(space.result).toBe(MemTxResult.DecodeError);
    expect(space.read(0, 1)).toBe(7);
  });

  it("a ROM device reads like memory in romd mode and through callbacks otherwise; writes always call", () => {
    const { model, root, space } = testMemory();
    const calls: Call[] = [];
    const flash = MemoryRegion.newRomDevice(
      model.noOwner,
      recordingOps(calls, {}, () => 0x55),
      null,
      "flash",
      0x10,
    );
    flash.ramBytes().fill(0x11);
    root.addSubregion(0, flash);
    expect(space.read(4, 2)).toBe(0x1111);
    space.write(4, 2, 3);
    flash.setRomdMode(false);
    expect(space.read(4, 2)).toBe(0x55);
    expect(calls.map((call) => call.kind)).toEqual(["write", "read"]);
    expect(flash.ramBytes()[4]).toBe(0x11);
  });

  it("RAM from a pointer uses the caller's own bytes", () => {
    const { model, root, space } = testMemory();
    const mine = bytes(1, 2, 3, 4);
    root.addSubregion(0, MemoryRegion.newRamPtr(model.noOwner, "mine", mine));
    space.write(1, 2, 0x0908);
    expect([...mine]).toEqual([1, 8, 9, 4]);
  });

  it("RAM behind a chain of aliases is reached with the sum of all offsets", () => {
    const { model, root, space } = testMemory();
    const ram = MemoryRegion.newRam(model.noOwner, "ram", 0x100);
    const inner = MemoryRegion.newAlias(model.noOwner, "inner", ram, 0x10, 0x80);
    const outer = MemoryRegion.newAlias(model.noOwner, "outer", inner, 0x20, 0x10);
    root.addSubregion(0x4000, outer);
    space.write(0x4004, 4, 0x1234);
    expect(ram.ramBytes()[0x34]).toBe(0x34);
    expect(outer.ramBytes()[4]).toBe(0x34);
    expect([ram.mapped, inner.mapped, outer.mapped]).toEqual([true, true, true]);
    root.delSubregion(outer);
    expect([ram.mapped, inner.mapped, outer.mapped]).toEqual([false, false, false]);
  });
});

describe("transfers", () => {
  it("go through RAM, devices and holes, and combine the outcomes", () => {
    const { model, root, space } = testMemory();
    const calls: Call[] = [];
    root.addSubregion(0, MemoryRegion.newRam(model.noOwner, "ram", 4));
    root.addSubregion(
      4,
      MemoryRegion.newIo(
        model.noOwner,
        recordingOps(calls, {}, () => 0xa5a5a5a5),
        null,
        "io",
        6,
      ),
    );
    const into = new Uint8Array(14).fill(0xee);
    expect(space.writeBytes(0, bytes(1, 2, 3, 4))).toBe(MemTxResult.Ok);
    expect(space.readBytes(0, into)).toBe(MemTxResult.DecodeError);
    // As in QEMU 7.2, accesses at a device's end are not clipped: four bytes to fw_cfg's 2-byte selector do nothing.
    expect([...into]).toEqual([1, 2, 3, 4, ...Array(8).fill(0xa5), 0, 0]);
    expect(calls.map((call) => [call.offset, call.size])).toEqual([
      [0, 4],
      [4, 4],
    ]);
    calls.length = 0;
    space.writeBytes(5, bytes(1, 2, 3, 4, 5));
    expect(calls).toEqual([
      { kind: "write", offset: 1, size: 1, value: 1 },
      { kind: "write", offset: 2, size: 2, value: 0x0302 },
      { kind: "write", offset: 4, size: 2, value: 0x0504 },
    ]);
  });

  it("agree with single accesses on RAM of any layout", () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 8 }),
        fc.uint8Array({ minLength: 1, maxLength: 30 }),
        fc.nat({ max: 20 }),
        (sizes, data, at) => {
          const { model, root, space } = testMemory();
          let end = 0;
          for (const [i, size] of sizes.entries()) {
            root.addSubregion(end, MemoryRegion.newRam(model.noOwner, `ram${i}`, size));
            end += size;
          }
          const result = space.writeBytes(at, data);
          expect(result).toBe(at + data.length <= end ? MemTxResult.Ok : MemTxResult.DecodeError);
          for (const [i, byte] of data.entries()) {
            if (at + i < end) expect(space.read(at + i, 1)).toBe(byte);
          }
        },
      ),
    );
  });
});

describe("mapping for direct access", () => {
  it("lends RAM itself, clipped to its range, and counts on the owner until it is returned", () => {
    const { model, root, space } = testMemory();
    const owner = model.create(Owner);
    const ram = MemoryRegion.newRam(owner, "ram", 0x100);
    root.addSubregion(0x1000, ram);
    model.rcu.drain();
    const counted = owner.refCount;
    const mapping = space.map(0x10f0, 0x40, true);
    expect(mapping?.bytes.length).toBe(0x10);
    expect(owner.refCount).toBe(counted + 1);
    if (mapping === null) throw new Error("nothing was mapped");
    mapping.bytes[0] = 0x42;
    expect(space.read(0x10f0, 1)).toBe(0x42);
    space.unmap(mapping, 1);
    expect(owner.refCount).toBe(counted);
    expect(() => space.unmap(mapping, 1)).toThrow(/unmapped twice/);
  });

  it("uses a bounce buffer of limited size for a device, and wakes waiters when it is free", () => {
    const { model, root, space } = testMemory();
    const calls: Call[] = [];
    root.addSubregion(
      0,
      MemoryRegion.newIo(
        model.noOwner,
        recordingOps(calls, {}, () => 0x01010101),
        null,
        "io",
        0x2000,
      ),
    );
    const first = space.map(0, 8, false);
    expect(first && [...first.bytes]).toEqual(Array(8).fill(1));
    const second = space.map(0, 0x2000, true);
    expect(second?.bytes.length).toBe(4096 - 8);
    expect(space.map(0, 4, true)).toBeNull();
    let woken = 0;
    space.mappings.whenFree(() => woken++);
    calls.length = 0;
    second?.bytes.set([1, 2, 3, 4]);
    if (second !== null) space.unmap(second, 4);
    expect(calls).toEqual([{ kind: "write", offset: 0, size: 4, value: 0x04030201 }]);
    expect(woken).toBe(1);
    if (first !== null) space.unmap(first, 0);
    expect(space.mappings.bounceBytes).toBe(0);
    expect(space.map(0x9000, 4, false)).toBeNull();
  });
});

describe("several spaces", () => {
  it("with the same physical root share one view", () => {
    const { model, root, space } = testMemory();
    root.addSubregion(0, MemoryRegion.newRam(model.noOwner, "ram", 16));
    const alias = MemoryRegion.newAlias(model.noOwner, "alias", root, 0, 2 ** 64);
    const second = new AddressSpace(model, alias, "second");
    expect(second.view).toBe(space.view);
    const empty = MemoryRegion.new(model.noOwner, "empty", 16);
    const third = new AddressSpace(model, empty, "third");
    expect(third.view.ranges).toEqual([]);
    expect(third.view.root).toBeNull();
  });

  it("an alias shows its target from the target's start, wherever that is mapped in its own container", () => {
    const { model, root } = testMemory();
    const ram = MemoryRegion.newRam(model.noOwner, "ram", 16);
    root.addSubregion(0x500, ram);
    const space = new AddressSpace(
      model,
      MemoryRegion.newAlias(model.noOwner, "alias", ram, 0, 16),
      "window",
    );
    expect(space.view.ranges.map(({ start, end }) => [start, end])).toEqual([[0, 16]]);
  });
});

describe("listeners", () => {
  it("are told of removals, then of additions, from the lowest address up, between begin and commit", () => {
    const { model, root, space } = testMemory();
    const heard: string[] = [];
    const one = MemoryRegion.newRam(model.noOwner, "one", 16);
    const two = MemoryRegion.newRam(model.noOwner, "two", 16);
    const three = MemoryRegion.newRam(model.noOwner, "three", 16);
    root.addSubregion(0, one);
    const listener = {
      space,
      priority: 0,
      begin: () => heard.push("begin"),
      regionAdd: (range: { region: MemoryRegion }) => heard.push(`+${range.region.name}`),
      regionDel: (range: { region: MemoryRegion }) => heard.push(`-${range.region.name}`),
      regionNop: (range: { region: MemoryRegion }) => heard.push(`=${range.region.name}`),
      commit: () => heard.push("commit"),
    };
    space.addListener(listener);
    model.transaction(() => {
      root.addSubregion(0x20, two);
      root.addSubregion(0x40, three);
    });
    model.transaction(() => {
      root.delSubregion(one);
      root.delSubregion(two);
    });
    space.removeListener(listener);
    expect(heard.join(" ")).toBe(
      "begin +one commit begin =one +two +three commit begin -one -two =three commit begin -three commit",
    );
  });

  it("are told of coalesced ranges and flush before every transaction", () => {
    const { model, root, space } = testMemory();
    const heard: string[] = [];
    const io = MemoryRegion.newIo(model.noOwner, recordingOps([]), null, "io", 0x100);
    io.addCoalescing(0x10, 8);
    space.addListener({
      space,
      priority: 0,
      coalescedAdd: (_, { offset }) => heard.push(`+${offset}`),
      coalescedDel: (_, { offset }) => heard.push(`-${offset}`),
      flushCoalesced: () => heard.push("flush"),
    });
    root.addSubregion(0, io);
    root.delSubregion(io);
    expect(heard).toEqual(["flush", "+16", "flush", "-16"]);
  });
});

describe("coalesced ranges", () => {
  function follow() {
    const memory = testMemory();
    const heard: string[] = [];
    const io = MemoryRegion.newIo(memory.model.noOwner, recordingOps([]), null, "io", 0x100);
    const span = ({ offset, size }: { offset: number; size: number }) => `${offset}..${offset + size}`;
    const listener = {
      space: memory.space,
      priority: 0,
      coalescedAdd: (_: unknown, range: { offset: number; size: number }) => heard.push(`+${span(range)}`),
      coalescedDel: (_: unknown, range: { offset: number; size: number }) => heard.push(`-${span(range)}`),
    };
    return { ...memory, io, heard, listener };
  }

  it("are announced when they are added to and removed from a mapped region", () => {
    const { root, space, io, heard, listener } = follow();
    space.addListener(listener);
    root.addSubregion(0, io);
    io.addCoalescing(0x10, 8);
    io.addCoalescing(0x20, 8);
    io.clearCoalescing();
    root.delSubregion(io);
    expect(heard).toEqual(["+16..24", "+32..40", "-16..24", "-32..40"]);
  });

  it("are announced as far as the guest sees them", () => {
    const { model, root, space, io, heard, listener } = follow();
    space.addListener(listener);
    io.addCoalescing(0x10, 0x10);
    io.addCoalescing(0x80, 0x10);
    const window = MemoryRegion.newAlias(model.noOwner, "window", io, 0x18, 0x40);
    root.addSubregion(0x1000, window);
    root.delSubregion(window);
    expect(heard).toEqual(["+24..32", "-24..32"]);
  });

  it("are announced to a listener added later, and withdrawn from one that is removed", () => {
    const { root, space, io, heard, listener } = follow();
    io.addCoalescing(0, 4);
    root.addSubregion(0, io);
    space.addListener(listener);
    space.removeListener(listener);
    expect(heard).toEqual(["+0..4", "-0..4"]);
  });
});

describe("a listener that is removed twice", () => {
  it("does not remove another one", () => {
    const { space } = testMemory();
    let commits = 0;
    const [one, two] = [1, 2].map((priority) => ({ space, priority, commit: () => commits++ }));
    if (one === undefined || two === undefined) return;
    space.addListener(one);
    space.addListener(two);
    space.removeListener(one);
    space.removeListener(one);
    expect(space.model.listeners).toEqual([two]);
  });
});

describe("the end of a space", () => {
  it("tells listeners at once that everything is removed, and frees its root's owner after a grace period", () => {
    const { model, root } = testMemory();
    const owner = model.create(Owner);
    const top = MemoryRegion.new(owner, "top", 0x100);
    top.addSubregion(0, MemoryRegion.newRam(owner, "ram", 0x80));
    const space = new AddressSpace(model, top, "second");
    const heard: string[] = [];
    const listener = { space, priority: 0, regionDel: () => heard.push("del") };
    space.addListener(listener);
    space.destroy();
    expect(heard).toEqual(["del"]);
    expect([space.root, space.view.ranges.length, model.addressSpaces.includes(space)]).toEqual([
      null,
      0,
      false,
    ]);
    space.removeListener(listener);
    model.rcu.drain();
    expect(owner.refCount).toBe(1);
    expect(root.container).toBeNull();
  });

  it.each(["listeners attached", "bounce buffers in use", "waiters for bounce buffers"])(
    "aborts with %s",
    (left) => {
      const { model, root, space } = testMemory();
      root.addSubregion(0, MemoryRegion.newIo(model.noOwner, recordingOps([]), null, "io", 0x100));
      if (left.startsWith("listeners")) space.addListener({ space, priority: 0 });
      if (left.startsWith("bounce")) space.map(0, 4, true);
      if (left.startsWith("waiters")) space.mappings.whenFree(() => {});
      space.destroy();
      expect(() => model.rcu.drain()).toThrow(left);
    },
  );
});

describe("what cannot be mapped for direct access", () => {
  it("is an empty range, a hole, or anything past the end of the range", () => {
    const { model, root, space } = testMemory();
    root.addSubregion(0x1000, MemoryRegion.newRam(model.noOwner, "ram", 0x100));
    expect(space.map(0x1000, 0, false)).toBeNull();
    expect(space.map(0xfff, 4, false)).toBeNull();
    expect(space.map(0x10fe, 8, false)?.bytes.length).toBe(2);
  });

  it("is ROM for writing, or a ROM device outside romd mode: both get a bounce buffer", () => {
    const { model, root, space } = testMemory();
    const rom = MemoryRegion.newRom(model.noOwner, "rom", 0x10);
    rom.ramBytes().fill(7);
    root.addSubregion(0, rom);
    const calls: Call[] = [];
    const flash = MemoryRegion.newRomDevice(
      model.noOwner,
      recordingOps(calls, {}, () => 0x55555555),
      null,
      "flash",
      0x10,
    );
    flash.setRomdMode(false);
    root.addSubregion(0x100, flash);
    const written = space.map(0, 4, true);
    written?.bytes.fill(9);
    if (written !== null) space.unmap(written, 4);
    expect(space.read(0, 1)).toBe(7);
    const read = space.map(0x100, 4, false);
    expect(read && [...read.bytes]).toEqual(Array(4).fill(0x55));
    if (read !== null) space.unmap(read, 0);
    expect(calls.map(({ kind }) => kind)).toEqual(["read"]);
    flash.setRomdMode(true);
    expect(space.map(0x100, 4, false)?.bounce).toBeNull();
  });

  it("releases the buffer and the owner's reference even when the device throws during unmap", () => {
    const { model, root, space } = testMemory();
    const owner = model.create(Owner);
    const broken = {
      write: () => {
        throw new Error("broken device");
      },
      endianness: "little" as const,
    };
    root.addSubregion(0, MemoryRegion.newIo(owner, broken, null, "io", 0x10));
    model.rcu.drain();
    const counted = owner.refCount;
    const mapping = space.map(0, 4, true);
    if (mapping === null) throw new Error("nothing was mapped");
    expect(() => space.unmap(mapping, 4)).toThrow("broken device");
    expect([owner.refCount, space.mappings.bounceBytes]).toEqual([counted, 0]);
    expect(model.heap.usage().byType.get("bounce-buffer")?.live).toBe(0);
  });
});

describe("a processor's bus", () => {
  it("gives direct pages for whole pages of guest memory only, by use", () => {
    const guest = new GuestMemory(1 << 20);
    const { model, root, space } = testMemory({ ram: guest });
    const bus = new CpuBus(space, guest);
    const ram = MemoryRegion.newRam(model.noOwner, "ram", 0x3000);
    const rom = MemoryRegion.newRom(model.noOwner, "rom", 0x1000);
    const flash = MemoryRegion.newRomDevice(model.noOwner, recordingOps([]), null, "flash", 0x1000);
    root.addSubregion(0x8000, ram);
    root.addSubregion(0x1000, rom);
    root.addSubregion(0x2000, flash);
    root.addSubregion(0x9800, MemoryRegion.newIo(model.noOwner, recordingOps([]), null, "io", 4), 1);
    root.addSubregion(0x20000, MemoryRegion.newRamPtr(model.noOwner, "host", new Uint8Array(0x1000)));
    const base = ram.ramBytes().byteOffset;
    expect(bus.directPage(0x8123, "read")).toBe(base);
    expect(bus.directPage(0xa004, "write")).toBe(base + 0x2000);
    expect(bus.directPage(0x9123, "read")).toBe(-1); // a device covers part of it
    expect([bus.directPage(0x1000, "execute"), bus.directPage(0x1000, "write")]).toEqual([
      rom.ramBytes().byteOffset,
      -1,
    ]);
    expect([bus.directPage(0x2000, "read"), bus.directPage(0x2000, "write")]).toEqual([
      flash.ramBytes().byteOffset,
      -1,
    ]);
    expect([bus.directPage(0x20000, "read"), bus.directPage(0x7000, "read")]).toEqual([-1, -1]);
    let flushes = 0;
    bus.onMapChange(() => flushes++);
    const before = flushes;
    flash.setRomdMode(false);
    expect(flushes).toBe(before + 1);
    expect(bus.directPage(0x2000, "read")).toBe(-1);
  });

  it("drops stores to ROM without an error, and reports accesses to unassigned addresses", () => {
    const guest = new GuestMemory(1 << 16);
    const { model, root, space } = testMemory({ ram: guest });
    const bus = new CpuBus(space, guest);
    root.addSubregion(0, MemoryRegion.newRom(model.noOwner, "rom", 0x1000));
    bus.write(0, 4, 1, 0);
    expect(bus.result).toBe(MemTxResult.Ok);
    expect(bus.read(0, 4)).toBe(0);
    bus.write(0x5000, 4, 1, 0);
    expect(bus.result).toBe(MemTxResult.DecodeError);
  });
});

describe("guest memory", () => {
  it("allocates page-aligned zeroed blocks, takes them back, and reports when it is full", () => {
    const guest = new GuestMemory(1 << 16);
    const all = Array.from({ length: 8 }, () => guest.allocate(8000));
    expect(new Set(all.map((block) => block.byteOffset)).size).toBe(8);
    expect(all.every((block) => block.byteOffset % 4096 === 0)).toBe(true);
    expect(() => guest.allocate(1)).toThrow(/ask for less RAM/);
    for (const block of all) block.fill(1);
    for (const i of [3, 1, 0, 2, 7, 5, 6, 4]) guest.release(all[i] as Uint8Array);
    const whole = guest.allocate(1 << 16);
    expect(whole.every((byte) => byte === 0)).toBe(true);
  });

  it("refuses more than a 32-bit memory holds", () => {
    expect(() => new GuestMemory(5 * 2 ** 30)).toThrow(/at most 3 GiB/);
  });
});
