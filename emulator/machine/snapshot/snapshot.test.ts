import { createHash } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { CommandError } from "#host";
import {
  Emulation,
  type EmulationOptions,
  type HardwareArguments,
  type HardwareOptions,
  loadHardware,
  parseHardwareOptions,
} from "#machine";
import { Device } from "#qdev";
import { fillMemory, readMemory, saveMemory } from "./memory-image.ts";
import { restoreSnapshot, saveSnapshot } from "./snapshot.ts";

const LOOP = 0x0000_006f; // j .
const MAGIC_BYTES = "regionlab snapshot 2\n".length;

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

/** What a command line with these options adds to a machine. */
function attach(options: Partial<HardwareArguments>): HardwareOptions {
  return parseHardwareOptions({
    ...{ drive: [], device: [], global: [], fw_cfg: [], chardev: [], netdev: [] },
    ...options,
  });
}

function snapshotOf(emulation: Emulation): Buffer {
  const parts: Uint8Array[] = [];
  saveSnapshot(emulation, { write: (bytes) => parts.push(Uint8Array.from(bytes)) });
  return Buffer.concat(parts);
}

/** The snapshot with an edited state and a valid checksum. */
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

describe("a snapshot is refused, and the machine stays unchanged, when", () => {
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
    ["its format differs", () => Buffer.from("regionlab snapshot 1\n"), /F: a snapshot of another version/],
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
      /a device \/other_rtc@101000 that this machine lacks/,
    ],
    [
      "a field is unknown",
      () => altered((state) => state.replace('"scratch":', '"scratched":')),
      /serial has an unknown field "scratched"/,
    ],
    [
      "a register is out of range",
      () => altered((state) => state.replace('"scratch":0', '"scratch":256')),
      /serial\.scratch has an invalid value: expected uint8/,
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

  it("any of these was tried on it", () => {
    expect(snapshotOf(target).equals(before)).toBe(true);
  });

  it("the machine differs", async () => {
    const larger = await machine({ ramBytes: 2 ** 23 });
    expect(() => restoreSnapshot(larger, saved, "F")).toThrow(/F: made with -m 4M; start the machine with/);
    const other = await machine({}, [LOOP, LOOP]);
    expect(() => restoreSnapshot(other, saved, "F")).toThrow(/F: made with another --kernel/);
    const firmware = await machine({ attached: attach({ fw_cfg: ["name=opt/a/b,string=x"] }) });
    expect(() => restoreSnapshot(firmware, saved, "F")).toThrow(/F: made with another -fw_cfg;/);
  });

  it("a network is another for the guest; where it leads on the host may change", async () => {
    const onNetwork = (...netdev: string[]) =>
      machine({ attached: attach({ netdev, device: ["virtio-net-device,netdev=n"] }) });
    const saved = snapshotOf(await onNetwork("user,id=n,net=10.1.2.0/24,restrict=on"));
    restoreSnapshot(await onNetwork("user,restrict=on,id=n,net=10.1.2.0/24,hostfwd=tcp::0-:1"), saved, "F");
    for (const other of ["user,id=n", "user,id=n,net=10.9.2.0/24,restrict=on"])
      await expect(async () => restoreSnapshot(await onNetwork(other), saved, "F")).rejects.toThrow(
        /F: made with another -netdev; start/,
      );
  });

  it("a device has other settings", async () => {
    const set = (settings: string) =>
      machine({ attached: attach({ device: [`virtio-rng-device${settings}`] }) });
    const first = await set("");
    const second = await set(",max-bytes=512,period=1000");
    expect(() => restoreSnapshot(second, snapshotOf(first), "F")).toThrow(
      /F: \/machine\/peripheral-anon\/device\[0\] was made with max-bytes=\d+, here it is 512; start/,
    );
  });

  it("a device is on another bus, by name or by the order of the options", async () => {
    const withDevices = (...device: string[]) => machine({ attached: attach({ device }) });
    const [rng, serial] = ["virtio-rng-device,id=a", "virtio-serial-device,id=b"];
    const first = await withDevices(rng, serial);
    const saved = snapshotOf(first);
    restoreSnapshot(await withDevices(rng, serial), saved, "F");
    const elsewhere = /F: \/machine\/peripheral\/[ab] was made with bus=\S+, here it is \S+; start/;
    for (const other of [
      await withDevices(`${rng},bus=virtio-mmio-bus.0`, serial),
      await withDevices(serial, rng),
    ]) {
      expect(() => restoreSnapshot(other, saved, "F")).toThrow(elsewhere);
    }
  });
});

it("a guest that has powered off stays powered off", async () => {
  const words = [0x0010_0537, 0x0000_55b7, 0x5555_8593, 0x00b5_2023, LOOP]; // sw 0x5555 to the test finisher
  const first = await machine({}, words);
  expect(first.run()).toBe("poweroff");
  const second = await machine({}, words);
  restoreSnapshot(second, snapshotOf(first), "F");
  expect(second.run()).toBe("poweroff");
  expect(second.instructions).toBe(first.instructions);
});

it("a device that declares no state cannot be saved, and is named", async () => {
  const emulation = await machine();
  const device = emulation.model.resolvePath("/machine/soc0");
  Object.defineProperty(device, "vmState", { value: null });
  expect(() => snapshotOf(emulation)).toThrow(/the device \/machine\/soc0 cannot be saved/);
});

describe("a postLoad that fails", () => {
  afterEach(() => vi.restoreAllMocks());

  it.each<[string, () => void, RegExp]>([
    [
      "throws",
      () => {
        throw new Error("boom");
      },
      /^x\.snap: postLoad of device \S+ failed: boom; the machine, which was restored in part, is destroyed$/,
    ],
    ["is not done", async () => {}, /^x\.snap: postLoad of device \S+ returned a promise, but/],
  ])("%s: names the device, and the machine runs no more", async (_, postLoad, message) => {
    const emulation = await machine();
    const flash = [...emulation.model.root.descendants()].find(
      (each): each is Device => each instanceof Device && each.vmState?.postLoad !== undefined,
    );
    if (flash?.vmState == null) throw new Error("the board has flash, which computes its mode again");
    vi.spyOn(flash.vmState as Required<typeof flash.vmState>, "postLoad").mockImplementation(postLoad);
    expect(() => restoreSnapshot(emulation, saved, "x.snap")).toThrow(message);
    expect(() => emulation.run()).toThrow(/is destroyed/);
  });
});

describe("memory", () => {
  it("is restored: pages with and without content, a partial page at the end, and more pages than a group holds", () => {
    const bytes = new Uint8Array(4096 * 1500 + 100);
    for (let page = 0; page < 1300; page++) if (page % 7 !== 3) bytes[page * 4096 + (page % 4096)] = page;
    bytes[bytes.length - 1] = 9;
    const parts: Uint8Array[] = [];
    saveMemory(bytes, (each) => parts.push(each));
    const file = Buffer.concat(parts);
    expect(file.length).toBeLessThan(bytes.length / 50);
    const copy = new Uint8Array(bytes.length).fill(0xaa);
    const image = readMemory(copy.length, Buffer.concat([Buffer.alloc(5), file]), 5, "F");
    expect(image.end).toBe(file.length + 5);
    fillMemory(copy, image);
    expect(Buffer.from(copy).equals(bytes)).toBe(true);
  });

  it("that is invalid is refused in one line, whichever byte of it is wrong", () => {
    const bytes = new Uint8Array(4096 * 40);
    for (let page = 0; page < 40; page += 3) bytes[page * 4096] = page + 1;
    const parts: Uint8Array[] = [];
    saveMemory(bytes, (each) => parts.push(each));
    const file = Buffer.concat(parts);
    let refused = 0;
    for (let at = 0; at < file.length; at++) {
      const damaged = Buffer.from(file);
      damaged[at] = (damaged[at] ?? 0) ^ 0x55;
      try {
        readMemory(bytes.length, damaged, 0, "--snapshot-in F");
      } catch (error) {
        expect(error).toBeInstanceOf(CommandError);
        expect(String(error)).toMatch(/--snapshot-in F: damaged, a memory in it is invalid; make it again$/);
        refused++;
      }
    }
    expect(refused).toBeGreaterThan(file.length / 2);
    for (let length = 0; length < file.length; length++)
      expect(() => readMemory(bytes.length, file.subarray(0, length), 0, "F")).toThrow(/F: damaged/);
  });
});

describe("drives in a snapshot", () => {
  const disk = (bytes: number, fill: number): string => {
    const path = join(folder, `disk-${bytes}-${fill}.img`);
    writeFileSync(path, new Uint8Array(bytes).fill(fill));
    return path;
  };
  const withDrive = (options: string) =>
    machine({ attached: attach({ drive: [`if=none,id=hd,${options}`] }) });
  const hd = ({ model }: Emulation) => {
    const found = model.drives.get("hd");
    if (found === undefined) throw new Error("there is no drive hd");
    return found;
  };

  it("keep their overlays, and their files stay unchanged", async () => {
    const path = disk(200 * 1024, 7);
    const first = await withDrive(`file=${path},snapshot=on`);
    expect(hd(first).write(65_536, new Uint8Array(1024).fill(1))).toBe("ok");
    expect(hd(first).write(200 * 1024 - 512, new Uint8Array(512).fill(2))).toBe("ok");
    const content = snapshotOf(first);
    const second = await withDrive(`file=${path},snapshot=on`);
    restoreSnapshot(second, content, "F");
    const [ours, theirs] = [new Uint8Array(200 * 1024), new Uint8Array(200 * 1024)];
    hd(first).read(0, ours);
    hd(second).read(0, theirs);
    expect(theirs).toEqual(ours);
    expect(theirs[65_536]).toBe(1);
    expect(new Set(readFileSync(path))).toEqual(new Set([7]));
    expect(snapshotOf(second).equals(content)).toBe(true);
  });

  it("are refused if they differ", async () => {
    const path = disk(64 * 1024, 1);
    const content = snapshotOf(await withDrive(`file=${path},snapshot=on`));
    const plain = snapshotOf(await withDrive(`file=${path}`));
    for (const [options, snapshot, why] of [
      [`file=${disk(32 * 1024, 1)}`, plain, /drive hd had 65536 bytes, its file now has 32768/],
      [`file=${path},readonly=on`, plain, /drive hd was writable/],
      [`file=${path}`, content, /drive hd had snapshot=on, and its writes have no overlay here/],
    ] as const) {
      const target = await withDrive(options);
      expect(() => restoreSnapshot(target, snapshot, "F")).toThrow(CommandError);
      expect(() => restoreSnapshot(target, snapshot, "F")).toThrow(why);
    }
    const none = await machine();
    expect(() => restoreSnapshot(none, plain, "F")).toThrow(/has a drive hd that this machine lacks/);
    const target = await withDrive(`file=${path}`);
    expect(() => restoreSnapshot(target, saved, "F")).toThrow(/lacks the drive hd/);
  });
});

describe("devices that are hard to save", () => {
  it("virtio-rng, with its default options", async () => {
    const attached = attach({ device: ["virtio-rng-device"] });
    const content = snapshotOf(await machine({ attached }));
    const target = await machine({ attached });
    restoreSnapshot(target, content, "F");
    expect(snapshotOf(target).equals(content)).toBe(true);
  });

  it("a queue whose driver gave it an address beyond 2^53", async () => {
    const attached = attach({
      device: ["virtio-rng-device"],
      global: ["virtio-mmio.force-legacy=false"],
    });
    const first = await machine({ attached });
    const { memorySpace } = first.board;
    // The device is on the last of the transports. Queue 0 has its descriptors at 2^64 - 4096.
    const base = 0x1000_8000;
    memorySpace.write(base + 0x80, 4, 0xffff_f000);
    memorySpace.write(base + 0x84, 4, 0xffff_ffff);
    const content = snapshotOf(first);
    const target = await machine({ attached });
    restoreSnapshot(target, content, "F");
    expect(snapshotOf(target).equals(content)).toBe(true);
  });
});
