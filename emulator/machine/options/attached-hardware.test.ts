import { linkSync, mkdtempSync, rmSync, symlinkSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { CommandError, HelpRequest } from "#host";
import { Emulation, type Hardware, loadHardware, REGION_FORMS } from "#machine";
import { DeviceModel } from "#qdev";
import { QomError } from "#qom";
import { type HardwareArguments, parseHardwareOptions } from "./hardware-options.ts";
import { pluggableDevices } from "./pluggable.ts";

const NOTHING: HardwareArguments = { drive: [], device: [], global: [], fw_cfg: [], chardev: [], netdev: [] };

let hardware: Hardware;
let folder: string;
beforeAll(async () => {
  hardware = await loadHardware("embedded");
  folder = mkdtempSync(join(tmpdir(), "regionlab-attached-"));
  for (const name of ["image", "other"]) writeFileSync(join(folder, name), new Uint8Array(4096));
  symlinkSync("image", join(folder, "symbolic"));
  linkSync(join(folder, "image"), join(folder, "hard"));
});
afterAll(() => rmSync(folder, { recursive: true }));

function machine(given: Partial<HardwareArguments>): void {
  const attached = parseHardwareOptions({ ...NOTHING, ...given });
  new Emulation({ hardware, ramBytes: 2 ** 22, attached }).destroy();
}

/** What a machine with these options is refused for, or says on request; null: it can be made. */
function answer(given: Partial<HardwareArguments>): string | null {
  try {
    machine(given);
  } catch (error) {
    if (error instanceof CommandError || error instanceof QomError) return error.message;
    if (error instanceof HelpRequest) return error.text;
    throw error;
  }
  return null;
}

describe("one image in two drives", () => {
  const ways = ["", ",readonly=on", ",snapshot=on"];
  const names = ["image", "symbolic", "hard", "other"];
  const cases = ways.flatMap((one) => ways.flatMap((two) => names.map((name) => [one, two, name] as const)));

  it.each(cases)("as image%s and, as %s, %s", (one, two, name) => {
    const drive = [
      `file=${join(folder, "image")},if=none,id=a${one}`,
      `file=${join(folder, name)},if=none,id=b${two}`,
    ];
    const said = answer({ drive });
    // QEMU's image locks: see `bin/qemu-agreement.test.ts`.
    if (name === "other" || (one !== "" && two !== "")) expect(said).toBe(null);
    else
      expect(said).toBe(
        `-drive ${drive[1]}: -drive ${drive[0]} already uses that file; give both readonly=on or snapshot=on, or each a file of its own`,
      );
  });
});

describe("-global", () => {
  it.each([
    ["nothing.at=all", "-global nothing.at=all: there is no driver nothing; tree qtree lists them"],
    [
      "virtio-mmio.nothing=1",
      "-global virtio-mmio.nothing=1: virtio-mmio has no property nothing; give one of ",
    ],
    [
      "virtio-mmio.force-legacy=maybe",
      "-global virtio-mmio.force-legacy=maybe: property force-legacy is maybe; give true or false, or on or off",
    ],
  ])("%s is refused", (text, message) => {
    expect(answer({ global: [text] })).toContain(message);
  });

  it("of a base class is for all that derive from it", () => {
    expect(answer({ global: ["virtio-device.nothing=1"] })).toContain(
      "virtio-device has no property nothing",
    );
  });
});

describe("help of backends", () => {
  it.each<[Partial<HardwareArguments>, string]>([
    [{ chardev: ["null,help"] }, "There are no options for chardev.\n"],
    [{ chardev: ["file,help"] }, "chardev options:\n  append=on|off\n  path=<value>\n"],
    [{ chardev: ["ringbuf,id=x,help"] }, "chardev options:\n  size=<value>\n"],
    [{ chardev: ["pipe,?"] }, "chardev options:\n  path=<value>\n"],
    [
      { chardev: ["socket,help"] },
      "chardev options:\n  host=<value>\n  path=<value>\n  port=<value>\n  server=on|off\n  wait=on|off\n",
    ],
  ])("%j", (given, text) => {
    expect(answer(given)).toBe(text);
  });

  it("names every property that a user-mode network accepts, and no other", () => {
    const text = answer({ netdev: ["user,help"] }) ?? "";
    const offered = [...text.matchAll(/^ {2}([\w-]+)=/gm)].map(([, name]) => name ?? "");
    expect(offered.length).toBeGreaterThan(10);
    for (const name of offered)
      expect(answer({ netdev: [`user,id=n,${name}=&`] }) ?? "").not.toContain("no such option");
  });
});

/** As QEMU's `-device help` prints them, which `bin/qemu-agreement.test.ts` compares. */
it.each(REGION_FORMS)(
  "%s devices that can be plugged in are those that sit on a bus of virtio",
  async (form) => {
    const model = new DeviceModel();
    (await loadHardware(form)).registerTypes(model.types);
    const found = pluggableDevices(model).map(({ name, bus }) => `${name} on ${bus}`);
    expect(found.sort()).toEqual([
      "virtconsole on virtio-serial-bus",
      "virtio-blk-device on virtio-bus",
      "virtio-net-device on virtio-bus",
      "virtio-rng-device on virtio-bus",
      "virtio-serial-device on virtio-bus",
      "virtserialport on virtio-serial-bus",
    ]);
  },
);

describe("messages name the option and what there is", () => {
  it("for a device's property, whatever its name", () => {
    for (const name of ["foo", ...Object.getOwnPropertyNames(Object.prototype)])
      expect(answer({ device: [`virtio-rng-device,${name}=1`] })).toMatch(
        new RegExp(
          `^-device virtio-rng-device,${name}=1: virtio-rng-device has no property ${name}; give one of .*max-bytes`,
        ),
      );
  });

  it.each([
    [
      "virtio-rng-device,rng=rng0",
      "has no property rng; the board supplies its numbers, without a backend; leave it out",
    ],
    [
      "virtio-rng-device,bootindex=1",
      "has no property bootindex; the firmware decides what it boots from; leave it out",
    ],
    ["loader,file=x,addr=0", "there is no device loader; load files with -kernel, -initrd or -bios"],
    ["qemu-xhci", "there is no device qemu-xhci; give one of "],
  ])("for what QEMU has and the board does otherwise: %s", (device, message) => {
    expect(answer({ device: [device] })).toContain(message);
  });

  it("for an image that is no flash bank", () => {
    const drive = `if=pflash,format=raw,file=${join(folder, "image")}`;
    expect(answer({ drive: [drive] })).toMatch(/^-drive if=pflash,.*image has 4096 bytes, not 33554432 /);
  });

  it("for memory of any size", () => {
    const of = (ramBytes: number, ramOption: string) => () =>
      new Emulation({ hardware, ramBytes, ramOption }).destroy();
    expect(of(2 ** 16, "-m 64k")).toThrow(/^-m 64k: 65536 bytes of RAM leave no room/);
    expect(of(2 ** 40, "-m size=1T")).toThrow(/^-m size=1T: \d+ bytes of guest memory do not fit/);
  });

  it("for a file above 2 GiB, of which nothing is read", () => {
    const path = join(folder, "large");
    writeFileSync(path, "");
    truncateSync(path, 5 * 2 ** 30);
    const refusal = `${path}: has 5368709120 bytes, and images at most 2 GiB`;
    expect(answer({ fw_cfg: [`name=opt/a,file=${path}`] })).toContain(refusal);
    for (const option of ["kernel", "bios"])
      expect(() => new Emulation({ hardware, ramBytes: 2 ** 22, files: { [option]: path } })).toThrow(
        `--${option} ${refusal}`,
      );
  });

  it.each(["", ",server=on", ",server=on,wait=off"])("for a path that no socket can have%s", (more) => {
    const socket = (path: string) => answer({ chardev: [`socket,id=c,path=${path}${more}`] });
    // sun_path of sockaddr_un has 108 bytes on Linux, 104 elsewhere; with its end, a path has one less.
    const most = process.platform === "linux" ? 107 : 103;
    expect(socket("s".repeat(most)) ?? "").not.toContain("its path has");
    for (const long of ["s".repeat(most + 1), `s${"\u{e9}".repeat(most / 2 + 1)}`, "s".repeat(5000)])
      expect(socket(long)).toContain(
        `its path has ${Buffer.byteLength(long)} bytes, and a socket's has at most ${most}; give a shorter one`,
      );
    expect(socket("")).toContain("its path is empty; give path=P, or port=N");
  });

  it("for a card without a network", () => {
    const warnings = (device: string) => {
      const attached = parseHardwareOptions({ ...NOTHING, device: [device], netdev: ["user,id=n"] });
      const emulation = new Emulation({ hardware, ramBytes: 2 ** 22, attached });
      const found = emulation.attached.warnings(emulation.model);
      emulation.destroy();
      return found.filter((text) => text.includes("no network"));
    };
    expect(warnings("virtio-net-device")).toHaveLength(1);
    expect(warnings("virtio-net-device,netdev=n")).toEqual([]);
  });
});
