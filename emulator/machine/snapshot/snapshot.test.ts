import { createHash } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { CommandError } from "#host";
import { Emulation, type EmulationOptions, loadHardware } from "#machine";
import { loadMemory, saveMemory } from "./memory-image.ts";
import { restoreSnapshot, saveSnapshot } from "./snapshot.ts";

const LOOP = 0x0000_006f; // j .
const MAGIC_BYTES = "regionlab snapshot 1\n".length;

let folder: string;
let saved: Buffer;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "regionlab-snapshot-"));
  const emulation = await machine();
  emulation.run({ maxInstructions: 1000 });
  saved = snapshotOf(emulation);
});

afterAll(() => rmSync(folder, { recursive: true }));

async function machine(options: Partial<EmulationOptions> = {}, words = [LOOP]): Promise<Emulation> {
  const kernel = join(folder, "guest.bin");
  writeFileSync(kernel, Uint32Array.from(words));
  return new Emulation({
    hardware: await loadHardware("embedded"),
    ramBytes: 2 ** 22,
    files: { kernel },
    trace: true,
    ...options,
  });
}

function snapshotOf(emulation: Emulation): Buffer {
  const parts: Uint8Array[] = [];
  saveSnapshot(emulation, { write: (bytes) => parts.push(Uint8Array.from(bytes)) });
  return Buffer.concat(parts);
}

/** The snapshot with another state, and a checksum that is right. */
function altered(edit: (state: string) => string): Buffer {
  const start = MAGIC_BYTES + 4;
  const stop = start + saved.readUInt32LE(MAGIC_BYTES);
  const before = saved.toString("utf8", start, stop);
  const after = edit(before);
  expect(after).not.toBe(before);
  const state = Buffer.from(after);
  const length = Buffer.alloc(4);
  length.writeUInt32LE(state.length);
  const body = Buffer.concat([saved.subarray(0, MAGIC_BYTES), length, state, saved.subarray(stop, -32)]);
  return Buffer.concat([body, createHash("sha256").update(body).digest()]);
}

describe("a snapshot is refused, and the machine stays as it was, when", () => {
  let target: Emulation;
  let before: Buffer;
  beforeAll(async () => {
    target = await machine();
    before = snapshotOf(target);
  });
  const flip = (at: number): Buffer => {
    const copy = Buffer.from(saved);
    copy[at] = (copy[at] ?? 0) ^ 1;
    return copy;
  };

  it.each<[string, () => Uint8Array, RegExp]>([
    ["it is empty", () => new Uint8Array(), /F: not a snapshot of regionlab/],
    ["it is something else", () => Buffer.from("\x7fELF and so on"), /F: not a snapshot of regionlab/],
    [
      "its format is another",
      () => Buffer.from("regionlab snapshot 2\n"),
      /F: a snapshot of another version/,
    ],
    ["it is cut off early", () => saved.subarray(0, 30), /F: damaged or cut off/],
    ["it is cut off late", () => saved.subarray(0, -1), /F: damaged or cut off/],
    ["a bit of the state is wrong", () => flip(200), /F: damaged or cut off/],
    ["a bit of the memory is wrong", () => flip(saved.length - 100), /F: damaged or cut off/],
    ["a bit of the checksum is wrong", () => flip(saved.length - 1), /F: damaged or cut off/],
    [
      "a device has another version",
      () => altered((state) => state.replace('"serial","version":1', '"serial","version":2')),
      /\/serial-mm@10000000\/serial is serial version 2, here it is serial version 1/,
    ],
    [
      "a device is missing",
      () => altered((state) => state.replaceAll("goldfish_rtc@101000", "other_rtc@101000")),
      /a device \/other_rtc@101000 that this machine has not/,
    ],
    [
      "a field is unknown",
      () => altered((state) => state.replace('"scratch":', '"scratched":')),
      /serial has a field "scratched"/,
    ],
    [
      "a register is out of range",
      () => altered((state) => state.replace('"scratch":0', '"scratch":256')),
      /serial\.scratch holds what does not fit: expected uint8/,
    ],
    [
      "a control register is unknown",
      () => altered((state) => state.replace('"mscratch":', '"hscratch":')),
      /hart 0 lacks "mscratch"/,
    ],
    [
      "a memory is missing",
      () => altered((state) => state.replace("virt.flash1[0]", "virt.flash7[0]")),
      /lacks the memory .*virt\.flash1/,
    ],
  ])("%s", (_, content, message) => {
    expect(() => restoreSnapshot(target, content(), "--snapshot-in F")).toThrow(CommandError);
    expect(() => restoreSnapshot(target, content(), "--snapshot-in F")).toThrow(message);
  });

  it("all that has been tried on it", () => {
    expect(snapshotOf(target).equals(before)).toBe(true);
  });

  it("the machine is another", async () => {
    const larger = await machine({ ramBytes: 2 ** 23 });
    expect(() => restoreSnapshot(larger, saved, "F")).toThrow(/F: made with -m 4M; start the machine with/);
    const other = await machine({}, [LOOP, LOOP]);
    expect(() => restoreSnapshot(other, saved, "F")).toThrow(/F: made with another --kernel/);
  });
});

it("a guest that powered off has powered off", async () => {
  const words = [0x0010_0537, 0x0000_55b7, 0x5555_8593, 0x00b5_2023, LOOP]; // sw 0x5555 to the test finisher
  const first = await machine({}, words);
  expect(first.run()).toBe("poweroff");
  const second = await machine({}, words);
  restoreSnapshot(second, snapshotOf(first), "F");
  expect(second.run()).toBe("poweroff");
  expect(second.instructions).toBe(first.instructions);
});

it("a device that declares no state stands in the way, by name", async () => {
  const emulation = await machine();
  const device = emulation.model.resolvePath("/machine/soc0");
  Object.defineProperty(device, "vmState", { value: null });
  expect(() => snapshotOf(emulation)).toThrow(/the device \/machine\/soc0 cannot be saved/);
});

describe("memory", () => {
  it("comes back: pages with and without content, a part of a page at the end, and more than go at once", () => {
    const bytes = new Uint8Array(4096 * 1500 + 100);
    for (let page = 0; page < 1300; page++) if (page % 7 !== 3) bytes[page * 4096 + (page % 4096)] = page;
    bytes[bytes.length - 1] = 9;
    const parts: Uint8Array[] = [];
    saveMemory(bytes, (each) => parts.push(each));
    const file = Buffer.concat(parts);
    expect(file.length).toBeLessThan(bytes.length / 50);
    const copy = new Uint8Array(bytes.length).fill(0xaa);
    expect(loadMemory(copy, Buffer.concat([Buffer.alloc(5), file]), 5)).toBe(file.length + 5);
    expect(Buffer.from(copy).equals(bytes)).toBe(true);
  });
});
