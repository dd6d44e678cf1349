import { mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Disk } from "./disk.ts";
import { FileDisk } from "./file-disk.ts";
import { MemoryDisk } from "./memory-disk.ts";
import { OverlayDisk } from "./overlay-disk.ts";

const BYTES = 200 * 1024;

let folder = "";
let file = "";

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "regionlab-disk-"));
  file = join(folder, "disk.img");
  writeFileSync(file, content());
});
afterEach(() => rmSync(folder, { recursive: true }));

function content(): Uint8Array {
  return Uint8Array.from({ length: BYTES }, (_, index) => (index >> 9) & 0xff);
}

function bytesOf(disk: Disk, offset = 0, length = disk.bytes): Uint8Array {
  const bytes = new Uint8Array(length).fill(0xee);
  expect(disk.read(offset, bytes)).toBe("ok");
  return bytes;
}

describe.each<[string, () => Disk]>([
  ["in memory", () => new MemoryDisk(content())],
  ["in a file", () => new FileDisk(file)],
  ["on top of a file", () => new OverlayDisk(new FileDisk(file, true))],
])("a disk %s", (_, open) => {
  test("holds what was written, across boundaries of any kind", () => {
    const disk = open();
    const expected = content();
    for (const [offset, length] of [
      [0, 512],
      [65_536 - 512, 1024],
      [131_072, 65_536],
      [BYTES - 512, 512],
    ] as const) {
      const data = Uint8Array.from({ length }, (_, index) => (index * 7 + offset) & 0xff);
      expect(disk.write(offset, data)).toBe("ok");
      expected.set(data, offset);
    }
    expect(bytesOf(disk)).toEqual(expected);
    expect(disk.flush()).toBe("ok");
    disk.close();
  });

  test("writes zeroes, and may keep anything of a discarded range", () => {
    const disk = open();
    expect(disk.writeZeroes(512, 70_000 - (70_000 % 512), true)).toBe("ok");
    const expected = content().fill(0, 512, 512 + 70_000 - (70_000 % 512));
    expect(bytesOf(disk)).toEqual(expected);
    expect(disk.discard(0, 512)).toBe("ok");
    disk.close();
  });
});

test("writes to a file disk are in the file, writes to an overlay are not", () => {
  const overlay = new OverlayDisk(new FileDisk(file, true));
  overlay.write(0, new Uint8Array(512).fill(9));
  overlay.close();
  expect(new Uint8Array(readFileSync(file))).toEqual(content());
  const disk = new FileDisk(file);
  disk.write(1024, new Uint8Array(512).fill(9));
  disk.close();
  expect(readFileSync(file).subarray(1024, 1536)).toEqual(Buffer.alloc(512, 9));
});

test("read-only disks refuse everything but reads", () => {
  const disks: readonly Disk[] = [new FileDisk(file, true), new MemoryDisk(content(), true)];
  for (const disk of disks) {
    expect(disk.write(0, new Uint8Array(512))).toBe("read-only");
    expect(disk.writeZeroes(0, 512, false)).toBe("read-only");
    expect(disk.discard(0, 512)).toBe("read-only");
    expect(disk.flush()).toBe("ok");
    expect(bytesOf(disk)).toEqual(content());
    disk.close();
  }
});

test("a file that ends within a sector is padded with zeroes", () => {
  writeFileSync(
    file,
    Uint8Array.from({ length: 700 }, () => 1),
  );
  const disk = new FileDisk(file);
  expect(disk.bytes).toBe(1024);
  expect(bytesOf(disk)).toEqual(Uint8Array.from({ length: 1024 }, (_, index) => Number(index < 700)));
  disk.close();
});

test("a file truncated by someone else reads as zeroes, and host errors are returned as results", () => {
  const disk = new FileDisk(file);
  truncateSync(file, 512);
  expect(bytesOf(disk, 1024, 512)).toEqual(new Uint8Array(512));
  disk.close();
  expect(disk.read(0, new Uint8Array(512))).toBe("io-error");
});

test("a path that is not a file is refused", () => {
  expect(() => new FileDisk(folder, true)).toThrow(/not a file/);
  expect(() => new FileDisk(join(folder, "missing"))).toThrow(/ENOENT/);
});
