/** Requests as made by drivers, on a disk in memory, and on one that fails. */
import { describe, expect, test } from "vitest";
import type { BlockBackend, BlockResult } from "#qdev";
import type { PropertyValue } from "#qom";
import { loadTrees, type NamedTree } from "./differential/trees.ts";
import { bytesAt, RAM, REGISTER, VirtioRig, WRITE } from "./testing/virtio-driver.ts";

const SECTOR = 512;
const SECTORS = 64;

const IN = 0;
const OUT = 1;
const FLUSH = 4;
const GET_ID = 8;
const DISCARD = 11;
const WRITE_ZEROES = 13;

const OK = 0;
const IO_ERROR = 1;
const UNSUPPORTED = 2;

const VERSION_1 = 1n << 32n;
const FLUSH_FEATURE = 1n << 9n;
const CONFIG_WCE = 1n << 11n;
const WCE_OFFSET = 32;

/** Records requests; returns `outcome`, except for requests that it refuses. */
class RecordingDisk implements BlockBackend {
  readonly bytes = SECTORS * SECTOR;
  readOnly = false;
  readonly content = new Uint8Array(this.bytes);
  readonly requests: string[] = [];
  outcome: BlockResult = "ok";

  read(offset: number, into: Uint8Array): BlockResult {
    into.set(this.content.subarray(offset, offset + into.length));
    return this.note(`read ${offset} ${into.length}`);
  }
  write(offset: number, from: Uint8Array): BlockResult {
    this.content.set(from, offset);
    return this.note(`write ${offset} ${from.length}`);
  }
  flush(): BlockResult {
    return this.note("flush");
  }
  discard(offset: number, length: number): BlockResult {
    return this.note(`discard ${offset} ${length}`);
  }
  writeZeroes(offset: number, length: number, mayDiscard: boolean): BlockResult {
    return this.note(`zeroes ${offset} ${length} ${mayDiscard}`);
  }
  private note(request: string): BlockResult {
    this.requests.push(request);
    return this.outcome;
  }
}

interface Options {
  readonly legacy?: boolean;
  readonly readOnly?: boolean;
  readonly properties?: Record<string, PropertyValue>;
}

function header(type: number, sector: number | bigint): Uint8Array {
  const bytes = new DataView(new ArrayBuffer(16));
  bytes.setUint32(0, type, true);
  bytes.setBigUint64(8, BigInt(sector), true);
  return new Uint8Array(bytes.buffer);
}

function range(sector: number, sectors: number, flags = 0): Uint8Array {
  const bytes = new DataView(new ArrayBuffer(16));
  bytes.setBigUint64(0, BigInt(sector), true);
  bytes.setUint32(8, sectors, true);
  bytes.setUint32(12, flags, true);
  return new Uint8Array(bytes.buffer);
}

function pattern(length: number, seed: number): Uint8Array {
  return Uint8Array.from({ length }, (_, index) => (index * 31 + seed) & 0xff);
}

describe.each(await loadTrees())("virtio-blk, $name", ({ tree }: NamedTree) => {
  function blk({ legacy = false, readOnly = false, properties = {} }: Options = {}) {
    const disk = new RecordingDisk();
    disk.readOnly = readOnly;
    const rig = new VirtioRig(
      tree,
      "virtio-blk-device",
      { legacy, properties: { drive: "hd", ...properties } },
      ({ model }) => model.drives.set("hd", disk),
    );
    return { rig, disk };
  }

  function started(options: Options = {}) {
    const made = blk(options);
    made.rig.start({ legacy: options.legacy ?? false });
    return made;
  }

  /** Status of a request without data for the driver. */
  function send(rig: VirtioRig, type: number, sector: number | bigint, ...data: Uint8Array[]): number {
    const { answers } = rig.request([header(type, sector), ...data, 1]);
    return answers[0]?.[0] ?? Number.NaN;
  }

  test.each([false, true])("writes sectors and reads them back (legacy: %s)", (legacy) => {
    const { rig, disk } = started({ legacy });
    const [one, two] = [pattern(SECTOR, 1), pattern(2 * SECTOR, 2)];
    expect(send(rig, OUT, 5, one, two)).toBe(OK);
    expect(disk.requests).toEqual([`write ${5 * SECTOR} 512`, `write ${6 * SECTOR} 1024`]);
    const { length, answers } = rig.request([header(IN, 5), 3 * SECTOR, 1]);
    expect(length).toBe(3 * SECTOR + 1);
    expect(answers[0]).toEqual(Uint8Array.from([...one, ...two]));
    expect(answers[1]).toEqual(Uint8Array.of(OK));
  });

  test("accepts header and status as parts of longer buffers", () => {
    const { rig, disk } = started();
    expect(send(rig, OUT, 0)).toBe(OK);
    const data = pattern(SECTOR, 3);
    const whole = Uint8Array.from([...header(OUT, 1), ...data]);
    expect(rig.request([whole, 1]).answers).toEqual([Uint8Array.of(OK)]);
    expect(disk.content.subarray(SECTOR, 2 * SECTOR)).toEqual(data);
    const { answers } = rig.request([header(IN, 1).subarray(0, 7), header(IN, 1).subarray(7), SECTOR + 1]);
    expect(answers[0]).toEqual(Uint8Array.from([...data, OK]));
  });

  test("refuses sectors that do not exist or are incomplete", () => {
    const { rig, disk } = started();
    const sector = pattern(SECTOR, 0);
    expect(send(rig, OUT, SECTORS, sector)).toBe(IO_ERROR);
    expect(send(rig, OUT, SECTORS - 1, sector, sector)).toBe(IO_ERROR);
    expect(send(rig, OUT, 2n ** 63n, sector)).toBe(IO_ERROR);
    expect(send(rig, OUT, 2n ** 64n - 1n, sector)).toBe(IO_ERROR);
    expect(send(rig, OUT, 0, sector.subarray(0, 100))).toBe(IO_ERROR);
    expect(rig.request([header(IN, SECTORS), SECTOR, 1]).answers[1]).toEqual(Uint8Array.of(IO_ERROR));
    expect(disk.requests).toEqual([]);
  });

  test("reports host errors to the driver", () => {
    const { rig, disk } = started();
    disk.outcome = "io-error";
    expect(send(rig, OUT, 0, pattern(SECTOR, 0))).toBe(IO_ERROR);
    expect(send(rig, FLUSH, 0)).toBe(IO_ERROR);
    disk.outcome = "no-space";
    expect(send(rig, OUT, 0, pattern(SECTOR, 0))).toBe(IO_ERROR);
    expect(rig.request([header(IN, 0), SECTOR, 1]).answers[1]).toEqual(Uint8Array.of(IO_ERROR));
  });

  test("a read-only disk says so, and accepts no writes", () => {
    const { rig, disk } = started({ readOnly: true });
    expect(rig.offered() & (1n << 5n)).not.toBe(0n);
    expect(send(rig, OUT, 0, pattern(SECTOR, 0))).toBe(IO_ERROR);
    expect(send(rig, DISCARD, 0, range(0, 1))).toBe(IO_ERROR);
    expect(send(rig, WRITE_ZEROES, 0, range(0, 1))).toBe(IO_ERROR);
    expect(disk.requests).toEqual([]);
  });

  test("flushes on request, or after every write if the driver cannot request it", () => {
    const { rig, disk } = blk();
    rig.start({ features: VERSION_1 | FLUSH_FEATURE });
    send(rig, OUT, 0, pattern(SECTOR, 0));
    send(rig, FLUSH, 0);
    expect(disk.requests).toEqual(["write 0 512", "flush"]);
    rig.start({ features: VERSION_1 });
    send(rig, OUT, 0, pattern(SECTOR, 0));
    expect(disk.requests.slice(2)).toEqual(["write 0 512", "flush"]);
  });

  test("lets the driver switch the cache off and on", () => {
    const { rig, disk } = blk();
    rig.start({ features: VERSION_1 | FLUSH_FEATURE | CONFIG_WCE });
    const wce = () => rig.read(REGISTER.config + WCE_OFFSET, 1);
    expect(wce()).toBe(1);
    rig.write(REGISTER.config + WCE_OFFSET, 0, 1);
    expect(wce()).toBe(0);
    send(rig, OUT, 0, pattern(SECTOR, 0));
    expect(disk.requests).toEqual(["write 0 512", "flush"]);
    rig.write(REGISTER.config, 0x1234); // nothing else is writable
    expect(rig.read(REGISTER.config)).toBe(SECTORS);
    rig.write(REGISTER.status, 0);
    expect(wce()).toBe(1);
  });

  test("discards, and writes zeroes", () => {
    const { rig, disk } = started();
    expect(send(rig, DISCARD, 0, range(2, 3))).toBe(OK);
    expect(send(rig, WRITE_ZEROES, 0, range(4, 5))).toBe(OK);
    expect(send(rig, WRITE_ZEROES, 0, range(4, 5, 1))).toBe(OK);
    expect(disk.requests).toEqual(["discard 1024 1536", "zeroes 2048 2560 false", "zeroes 2048 2560 true"]);
  });

  test("refuses invalid ranges", () => {
    const { rig, disk } = started({ properties: { "max-discard-sectors": 8 } });
    expect(send(rig, DISCARD, 0, range(SECTORS - 1, 2))).toBe(IO_ERROR);
    expect(send(rig, DISCARD, 0, range(0, 9))).toBe(IO_ERROR);
    expect(send(rig, DISCARD, 0, range(0, 1, 1))).toBe(UNSUPPORTED);
    expect(send(rig, WRITE_ZEROES, 0, range(0, 1, 2))).toBe(UNSUPPORTED);
    expect(send(rig, DISCARD, 0, range(0, 1), range(1, 1))).toBe(UNSUPPORTED);
    expect(disk.requests).toEqual([]);
  });

  test("returns its serial number, NUL-terminated if there is room", () => {
    const { rig } = started({ properties: { serial: "disk-1" } });
    const { answers } = rig.request([header(GET_ID, 0), 20, 1]);
    expect(Buffer.from(answers[0] ?? []).toString("latin1")).toBe("disk-1".padEnd(20, "\0"));
    const long = started({ properties: { serial: "x".repeat(30) } });
    expect(long.rig.request([header(GET_ID, 0), 20, 1]).answers[0]).toEqual(new Uint8Array(20).fill(0x78));
  });

  test("does not support SCSI commands or unknown requests", () => {
    const { rig } = started({ legacy: true });
    for (const type of [2, 3, 6, 99]) expect(send(rig, type, 0)).toBe(UNSUPPORTED);
  });

  test("carries out all available requests at once, and interrupts once if that is enough", () => {
    const { rig, disk } = started();
    for (let sector = 0; sector < 2; sector++) {
      rig.descriptor(
        rig.queue().descriptors,
        3 * sector,
        RAM + 0x10_0000 + 0x1000 * sector,
        16,
        1,
        3 * sector + 1,
      );
      rig.space.writeBytes(RAM + 0x10_0000 + 0x1000 * sector, header(IN, sector));
      rig.descriptor(rig.queue().descriptors, 3 * sector + 1, RAM + 0x11_0000, 513, WRITE);
      rig.makeAvailable(3 * sector);
    }
    rig.kick();
    expect(disk.requests).toEqual(["read 0 512", "read 512 512"]);
    expect([rig.nextUsed()?.head, rig.nextUsed()?.head, rig.nextUsed()]).toEqual([0, 3, null]);
  });

  test.each([
    ["no status", [header(IN, 0)]],
    ["half a header", [header(IN, 0).subarray(0, 8), 1]],
    ["no range", [header(DISCARD, 0), range(0, 1).subarray(0, 8), 1]],
  ])("a request with %s breaks the device, and throws nothing", (_, buffers) => {
    const { rig } = started();
    rig.lend(buffers);
    rig.kick();
    expect(rig.read(REGISTER.status) & 0x40).toBe(0x40);
    expect(rig.nextUsed()).toBeNull();
    expect(rig.model.systemSpace.mappings.count).toBe(0);
  });

  test("has several queues if requested", () => {
    const { rig } = blk({ properties: { "num-queues": 2 } });
    rig.start({ queues: 2 });
    expect(rig.offered() & (1n << 12n)).not.toBe(0n);
    const { answers } = rig.request([header(IN, 0), SECTOR, 1], { index: 1 });
    expect(answers[1]).toEqual(Uint8Array.of(OK));
  });

  test.each([
    [{ drive: "" }, /drive is not set/],
    [{ drive: "cd" }, /drive is cd, which does not exist/],
    [{ logical_block_size: 1000 }, /logical_block_size is 1000; give a power of two/],
    [{ logical_block_size: 4096, physical_block_size: 512 }, /physical_block_size is 512; give at least/],
    [{ "queue-size": 3 }, /queue-size is 3; give a power of two/],
    [{ "num-queues": 0 }, /num-queues is 0/],
    [{ "write-cache": "maybe" }, /write-cache is maybe; give on, off or auto/],
    [{ "max-discard-sectors": 0 }, /max-discard-sectors is 0/],
  ])("refuses %j", (properties: Record<string, PropertyValue>, message) => {
    expect(() => blk({ properties })).toThrow(message);
  });

  test("a drive serves one device until that is removed", () => {
    const { rig } = blk();
    const plugAnother = () => {
      const transport = rig.create("virtio-mmio", {}, "second");
      transport.plugIntoSystemBus();
      const other = rig.model.createPeripheral("virtio-blk-device", "other");
      other.setProperty("drive", "hd");
      const [, bus] = [...transport.children()].find(([name]) => name.startsWith("virtio-mmio-bus")) ?? [];
      other.plug(bus as NonNullable<typeof rig.device.parentBus>); // by its name
      return other;
    };
    expect(plugAnother).toThrow(/drive hd is in use by another device/);
    rig.model.resolvePath("/machine/peripheral/second").unparent();
    rig.device.remove();
    expect(plugAnother().realized).toBe(true);
  });

  test("device and transport leave nothing behind", () => {
    const { rig } = started();
    send(rig, OUT, 0, pattern(SECTOR, 0));
    expect(bytesAt(rig.space, RAM, 1)).toHaveLength(1);
    rig.transport.unmapAll();
    rig.device.remove();
    rig.transport.remove();
    rig.model.destroy();
    expect(rig.model.heap.leaks()).toEqual([]);
  });
});
