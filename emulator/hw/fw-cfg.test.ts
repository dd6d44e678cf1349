import { describe, expect, test } from "vitest";
import { MemoryRegion } from "#memory";
import type { SysBusDevice } from "#qdev";
import { loadTrees, type NamedTree } from "./differential/trees.ts";
import { BASE, type DeviceTreeModule, Rig } from "./testing/rig.ts";

const RAM = 0x8000_0000;
const RAM_BYTES = 0x1_0000;
const DATA = 0;
const CTL = 8;
const DMA = 16;
const REQUEST = RAM;
const TARGET = RAM + 0x1000;

const ERROR = 1;
const READ = 2;
const SKIP = 4;
const SELECT = 8;
const WRITE = 16;

/** Methods of the device that tests call in addition to its registers. */
interface FwCfg extends SysBusDevice {
  addFile(name: string, bytes: Uint8Array, writable?: boolean): void;
}

class FwCfgRig extends Rig {
  readonly config: FwCfg;

  constructor(tree: DeviceTreeModule) {
    super(tree);
    const { model } = this;
    model.systemMemory.addSubregion(RAM, MemoryRegion.newRam(model.noOwner, "ram", RAM_BYTES));
    this.config = this.create("fw_cfg_mem", { data_width: 8 }) as FwCfg; // by its type name
    this.config.plugIntoSystemBus();
    for (const [window, offset] of [CTL, DATA, DMA].entries()) this.config.mapMmio(window, BASE + offset);
    this.config.reset();
  }

  select(item: number): void {
    this.write(CTL, ((item & 0xff) << 8) | (item >> 8), 2);
  }

  text(length: number): string {
    return String.fromCharCode(...Array.from({ length }, () => this.read(DATA, 1)));
  }

  /** Carries out a request; returns the control word that the device leaves. */
  request(control: number, length: number, target: number): number {
    const request = new DataView(new ArrayBuffer(16));
    request.setUint32(0, control);
    request.setUint32(4, length);
    request.setBigUint64(8, BigInt(target));
    this.space.writeBytes(REQUEST, new Uint8Array(request.buffer));
    this.write(DMA, 0);
    this.write(DMA + 4, swap(REQUEST));
    return swap(this.space.read(REQUEST, 4));
  }

  memory(length: number, address = TARGET): string {
    const bytes = new Uint8Array(length);
    this.space.readBytes(address, bytes);
    return String.fromCharCode(...bytes);
  }
}

const swap = (value: number) =>
  ((value << 24) | ((value & 0xff00) << 8) | ((value >>> 8) & 0xff00) | (value >>> 24)) >>> 0;
const bytes = (text: string) => new TextEncoder().encode(text);

describe.each(await loadTrees())("fw_cfg, $name", ({ tree }: NamedTree) => {
  test("shows its signature after a reset, and when it is selected", () => {
    const rig = new FwCfgRig(tree);
    expect(rig.text(6)).toBe("QEMU\0\0");
    rig.select(1);
    expect(rig.read(DATA, 4)).toBe(3); // traditional and DMA
    rig.select(0);
    expect(rig.text(4)).toBe("QEMU");
  });

  test("returns bytes in order, whatever the access size", () => {
    const rig = new FwCfgRig(tree);
    rig.config.addFile("f", bytes("abcdefghijklmno"));
    rig.select(0x20);
    const seen = [
      rig.read64(DATA),
      BigInt(rig.read(DATA, 4)),
      BigInt(rig.read(DATA, 2)),
      BigInt(rig.read(DATA, 4)),
    ];
    const text = (value: bigint, length: number) =>
      String.fromCharCode(...Array.from({ length }, (_, i) => Number((value >> BigInt(8 * i)) & 0xffn)));
    expect(seen.map((value, index) => text(value, [8, 4, 2, 4][index] ?? 0))).toEqual([
      "abcdefgh",
      "ijkl",
      "mn",
      "o\0\0\0",
    ]);
  });

  test("responds only at the start of the data register, and the selector cannot be read", () => {
    const rig = new FwCfgRig(tree);
    expect([rig.read(DATA + 1, 1), rig.read(CTL, 2), rig.read(DATA, 1)]).toEqual([0, 0, 0x51]);
    rig.write(CTL, 0x0100, 4); // accesses of four bytes are not accepted
    expect(rig.read(DATA, 1)).toBe(0x45);
  });

  test("lists files sorted by name, with sizes and numbers", () => {
    const rig = new FwCfgRig(tree);
    rig.config.addFile("opt/b", bytes("12345"));
    rig.config.addFile("etc/a", bytes("1"));
    rig.select(0x19);
    const directory = rig.text(4 + 2 * 64);
    const entry = (size: number, number: number, name: string) =>
      `\0\0\0${String.fromCharCode(size)}\0${String.fromCharCode(number)}\0\0${name.padEnd(56, "\0")}`;
    expect(directory).toBe(`\0\0\0\x02${entry(1, 0x20, "etc/a")}${entry(5, 0x21, "opt/b")}`);
    rig.select(0x21);
    expect(rig.text(5)).toBe("12345");
  });

  test("reads zeroes from items that do not exist", () => {
    const rig = new FwCfgRig(tree);
    for (const item of [0x20, 0x18, 0x3fff, 0x8000, 0xffff]) {
      rig.select(item);
      expect(rig.read64(DATA)).toBe(0n);
    }
  });

  test("refuses names that do not fit or are taken, and too many files", () => {
    const { config } = new FwCfgRig(tree);
    config.addFile("twice", bytes(""));
    expect(() => config.addFile("twice", bytes(""))).toThrow(/"twice" already exists/);
    expect(() => config.addFile("x".repeat(56), bytes(""))).toThrow(/56 bytes; give 1 to 55/);
    for (let index = 1; index < 32; index++) config.addFile(`${index}`, bytes(""));
    expect(() => config.addFile("more", bytes(""))).toThrow(/room for 32 files/);
  });

  describe("DMA", () => {
    test("has a signature", () => {
      const rig = new FwCfgRig(tree);
      expect([rig.read(DMA), rig.read(DMA + 4)]).toEqual([0x554d_4551, 0x4746_4320]);
      expect(rig.read(DMA + 1, 1)).toBe(0x45);
    });

    test("selects, skips and reads, with zeroes past the end", () => {
      const rig = new FwCfgRig(tree);
      rig.config.addFile("f", bytes("0123456789"));
      rig.space.write(TARGET + 6, 2, 0xffff);
      expect(rig.request((0x20 << 16) | SELECT | SKIP, 6, 0)).toBe(0);
      expect(rig.request(READ, 6, TARGET)).toBe(0);
      expect(rig.memory(8)).toBe("6789\0\0\xff\xff");
    });

    test("writes writable items, completely or not at all", () => {
      const rig = new FwCfgRig(tree);
      rig.config.addFile("a", bytes("old"), true);
      rig.config.addFile("b", bytes("old"));
      rig.space.writeBytes(TARGET, bytes("new!"));
      expect(rig.request((0x20 << 16) | SELECT | WRITE, 3, TARGET)).toBe(0);
      expect(rig.request((0x20 << 16) | SELECT | WRITE, 4, TARGET)).toBe(ERROR);
      expect(rig.request((0x21 << 16) | SELECT | WRITE, 3, TARGET)).toBe(ERROR);
      for (const [item, text] of [
        [0x20, "new"],
        [0x21, "old"],
      ] as const) {
        rig.select(item);
        expect(rig.text(3)).toBe(text);
      }
    });

    test("accepts an address as a single 8-byte write", () => {
      const rig = new FwCfgRig(tree);
      const request = new Uint8Array(16);
      request.set([0, 0, 0, READ, 0, 0, 0, 4, 0, 0, 0, 0, 0x80, 0, 0x10, 0]);
      rig.space.writeBytes(REQUEST, request);
      rig.write64(DMA, BigInt(swap(REQUEST)) << 32n);
      expect(rig.memory(4)).toBe("QEMU");
    });

    test("reports missing memory, and never throws", () => {
      const rig = new FwCfgRig(tree);
      expect(rig.request(READ | SELECT, 4, 0x4000_0000)).toBe(ERROR);
      expect(rig.request(READ | SELECT, 0xffff_ffff, TARGET)).toBe(ERROR);
      expect(rig.request(READ | SELECT, 8, 2 ** 60)).toBe(ERROR);
      rig.write(DMA, 0xffff_ffff);
      rig.write(DMA + 4, 0xffff_ffff); // a request where there is no memory
      expect(rig.request(SELECT | READ, 4, BASE + DMA)).toBe(ERROR); // it is busy with this request
    });

    test("writes many zeroes in turns, and completes the request after the last", () => {
      const rig = new FwCfgRig(tree);
      const [far, length] = [2 ** 32, 80 * 2 ** 20];
      const { model } = rig;
      model.systemMemory.addSubregion(far, MemoryRegion.newRam(model.noOwner, "far", length));
      rig.space.write(far + length - 1, 1, 0xff);
      const command = READ | SELECT;
      expect(rig.request(command, length, far)).toBe(command); // unchanged: not done
      expect(rig.memory(6, far)).toBe("QEMU\0\0");
      expect(rig.space.read(far + length - 1, 1)).toBe(0xff);
      rig.advance(0);
      expect(swap(rig.space.read(REQUEST, 4))).toBe(0);
      expect(rig.space.read(far + length - 1, 1)).toBe(0);
    });

    test("accepts one request at a time, and a reset ends one in progress", () => {
      const rig = new FwCfgRig(tree);
      const [far, length] = [2 ** 32, 80 * 2 ** 20];
      const { model } = rig;
      model.systemMemory.addSubregion(far, MemoryRegion.newRam(model.noOwner, "far", length));
      expect(rig.request(READ | SELECT, length, far)).toBe(READ | SELECT);
      expect(rig.request(READ | SELECT, 4, TARGET)).toBe(ERROR);
      rig.config.reset();
      rig.space.write(far + length - 1, 1, 0xff);
      rig.advance(0);
      expect(rig.space.read(far + length - 1, 1)).toBe(0xff);
      expect(rig.request(READ | SELECT, 4, TARGET)).toBe(0);
    });

    test("without a command does nothing", () => {
      const rig = new FwCfgRig(tree);
      expect(rig.request(0x10000 | SELECT, 4, TARGET)).toBe(0);
      expect(rig.memory(4)).toBe("\0\0\0\0");
      expect(rig.read(DATA, 4)).toBe(3);
    });
  });
});
