import { describe, expect, test } from "vitest";
import type { PropertyValue } from "#qom";
import { loadTrees } from "./differential/trees.ts";
import { BASE, Rig } from "./testing/rig.ts";

const READ_ARRAY = 0xff;
const PROGRAM = 0x40;
const ERASE = 0x20;
const CONFIRM = 0xd0;
const WRITE_BUFFER = 0xe8;
const READ_STATUS = 0x70;
const CLEAR_STATUS = 0x50;
const READ_IDENTIFIER = 0x90;
const QUERY = 0x98;
const LOCK = 0x60;

/** Ready, from each of the two chips. */
const READY = 0x0080_0080;
const PROGRAM_ERROR = 0x0090_0090;
const BLOCK = 0x4_0000;

/** Small enough to be fast, otherwise as on the `virt` board. */
const SMALL: Record<string, PropertyValue> = { "num-blocks": 4, name: "flash" };

describe.each(await loadTrees())("cfi.pflash01, $name", ({ tree }) => {
  function flash(properties: Record<string, PropertyValue> = {}) {
    const rig = new Rig(tree);
    const device = rig.plug("cfi.pflash01", { ...SMALL, ...properties });
    const array = (offset: number) => {
      rig.write(0, READ_ARRAY);
      return rig.read(offset);
    };
    const romd = () => rig.space.find(BASE)?.romdMode;
    return { rig, device, array, romd };
  }

  test("reads like memory until it gets a command, and again after read-array", () => {
    const { rig, romd } = flash();
    expect([rig.read(0), romd()]).toEqual([0, true]);
    rig.write(0, READ_STATUS);
    expect([rig.read(0), romd()]).toEqual([READY, false]);
    rig.write(0, READ_ARRAY);
    expect([rig.read(0), romd()]).toEqual([0, true]);
  });

  test("programs single words, bytes and half words", () => {
    const { rig, array } = flash();
    rig.write(0x100, PROGRAM);
    rig.write(0x100, 0x1234_5678);
    expect(rig.read(0)).toBe(READY);
    rig.write(0x104, 0x10, 1);
    rig.write(0x105, 0xab, 1);
    rig.write(0x106, PROGRAM, 2);
    rig.write(0x106, 0xbeef, 2);
    expect([array(0x100), array(0x104)]).toEqual([0x1234_5678, 0xbeef_ab00]);
  });

  test("erases the block around the address", () => {
    const { rig, array } = flash();
    rig.write(BLOCK + 0x104, ERASE);
    rig.write(BLOCK + 0x104, CONFIRM);
    expect(rig.read(0)).toBe(READY);
    const words = [BLOCK - 4, BLOCK, 2 * BLOCK - 4, 2 * BLOCK].map(array);
    expect(words).toEqual([0, 0xffff_ffff, 0xffff_ffff, 0]);
  });

  test("writes a buffer of up to 4 KiB when it is confirmed", () => {
    const { rig, array } = flash();
    rig.write(0x1000, WRITE_BUFFER);
    expect(rig.read(0)).toBe(READY);
    rig.write(0x1000, 0x0003_0003); // four words: the count is one less, for each chip
    for (let word = 0; word < 4; word++) rig.write(0x1000 + 4 * word, 0x0101_0101 * (word + 1));
    rig.write(0x1000, CONFIRM);
    expect(rig.read(0)).toBe(READY);
    const words = [0, 4, 8, 12, 16].map((offset) => array(0x1000 + offset));
    expect(words).toEqual([0x0101_0101, 0x0202_0202, 0x0303_0303, 0x0404_0404, 0]);
  });

  test("drops a buffer that is not confirmed", () => {
    const { rig, array, romd } = flash();
    rig.write(0, WRITE_BUFFER);
    rig.write(0, 0);
    rig.write(0, 0x55);
    rig.write(0, 0x11);
    expect(romd()).toBe(true);
    expect(array(0)).toBe(0);
  });

  test("drops a buffer written beyond its 4 KiB, and reports the error until the status is cleared", () => {
    const { rig, array } = flash();
    rig.write(0xffc, WRITE_BUFFER);
    rig.write(0xffc, 1);
    rig.write(0xffc, 1);
    rig.write(0x1000, 2);
    expect(rig.read(0)).toBe(PROGRAM_ERROR);
    rig.write(0, CONFIRM);
    expect([array(0xffc), array(0x1000)]).toEqual([0, 0]);
    rig.write(0, READ_STATUS);
    expect(rig.read(0)).toBe(PROGRAM_ERROR);
    rig.write(0, CLEAR_STATUS);
    rig.write(0, READ_STATUS);
    expect(rig.read(0)).toBe(0);
  });

  test("takes the buffer's address from the write of the count", () => {
    const { rig, array } = flash();
    rig.write(0x2000, WRITE_BUFFER);
    rig.write(0x1000, 0);
    rig.write(0x1004, 5);
    rig.write(0, CONFIRM);
    expect(array(0x1004)).toBe(5);
  });

  test("answers queries, for each chip", () => {
    const { rig } = flash();
    rig.write(0x55 * 4, QUERY);
    const text = [0x10, 0x11, 0x12].map((entry) => rig.read(entry * 4));
    expect(text).toEqual([0x0051_0051, 0x0052_0052, 0x0059_0059]); // QRY
    const byte = (entry: number) => rig.read(entry * 4, 1);
    expect(byte(0x13)).toBe(0x01); // Intel's command set
    expect([byte(0x27), byte(0x28)]).toEqual([19, 2]); // 512 KiB per chip, x8 and x16
    expect(byte(0x2a)).toBe(11); // buffers of 2 KiB
    expect([byte(0x2d), byte(0x2e)]).toEqual([3, 0]); // four blocks
    expect([byte(0x2f), byte(0x30)]).toEqual([0, 2]); // of 128 KiB
    expect([0x31, 0x32, 0x33].map((entry) => String.fromCharCode(byte(entry))).join("")).toBe("PRI");
    expect(rig.read(0x52 * 4)).toBe(0);
  });

  test("stays in query mode until read-array", () => {
    const { rig, array } = flash();
    rig.write(0, QUERY);
    rig.write(0, READ_STATUS);
    expect(rig.read(0x40)).toBe(0x0051_0051);
    expect(array(0x40)).toBe(0);
  });

  test("returns manufacturer and device ID", () => {
    const { rig } = flash();
    rig.write(0, READ_IDENTIFIER);
    expect([0, 4, 8, 0x400].map((offset) => rig.read(offset))).toEqual([
      0x0089_0089, 0x0018_0018, 0, 0x0089_0089,
    ]);
    expect(rig.read(4, 1)).toBe(0x18);
    rig.write(0, READ_STATUS); // one command may follow another
    expect(rig.read(0)).toBe(READY);
  });

  test("returns the status of every chip that the access covers", () => {
    const { rig } = flash();
    rig.write(0, READ_STATUS);
    expect([rig.read(0, 1), rig.read(0, 2), rig.read(0, 4), rig.read64(0)]).toEqual([
      0x80,
      0x80,
      READY,
      0x0080_0080_0080_0080n,
    ]);
  });

  test("accepts locking, which locks nothing", () => {
    const { rig, romd } = flash();
    for (const argument of [0x01, CONFIRM]) {
      rig.write(0, LOCK);
      rig.write(0, argument);
      expect([rig.read(0), romd()]).toEqual([READY, false]);
    }
    rig.write(0, LOCK);
    rig.write(0, 0x2f);
    expect(romd()).toBe(true);
  });

  test("returns to the array after an unknown command", () => {
    const { rig, romd } = flash();
    for (const command of [0x00, 0x01, 0x28, 0x30, 0x80, 0xa0, 0xb0, 0xd0, 0xf0]) {
      rig.write(0, READ_STATUS);
      rig.write(0, command);
      expect(romd(), `command 0x${command.toString(16)}`).toBe(true);
    }
    rig.write(0, ERASE);
    rig.write(0, 0x12);
    expect(romd()).toBe(true);
  });

  test("returns to the initial state at reset, keeping its content", () => {
    const { rig, romd } = flash();
    rig.write(0, PROGRAM);
    rig.write(0, 0x1234);
    rig.write(0, CLEAR_STATUS);
    rig.write(0, WRITE_BUFFER);
    rig.model.systemBus.reset();
    expect([rig.read(0), romd()]).toEqual([0x1234, true]);
    rig.write(0, READ_STATUS);
    expect(rig.read(0)).toBe(READY);
  });

  test("may consist of one chip, one byte wide", () => {
    const { rig } = flash({ width: 1, "device-width": 1, "max-device-width": 1 });
    rig.write(0, QUERY, 1);
    expect([0x10, 0x11, 0x12, 0x2a].map((entry) => rig.read(entry, 1))).toEqual([0x51, 0x52, 0x59, 8]);
  });

  test("refuses an invalid geometry", () => {
    expect(() => flash({ "num-blocks": 0 })).toThrow(/give powers of two/);
    expect(() => flash({ "sector-length": 1000 })).toThrow(/give powers of two/);
    expect(() => flash({ width: 3 })).toThrow(/give 1, 2 or 4 bytes/);
    expect(() => flash({ width: 1 })).toThrow(/no wider than the bank/);
  });
});
