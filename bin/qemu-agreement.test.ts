/** Command lines that QEMU accepts are accepted, and those that it refuses are refused, where options meet each other. */
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { skipWithout } from "../workloads/testing/programs.ts";

const QEMU = "qemu-system-riscv64";
const root = fileURLToPath(new URL("..", import.meta.url));
const command = join(root, "dist", "bin", "cli.js");
const guest = (name: string) => join(root, "workloads", "bare-metal", "bin", `${name}.elf`);

let folder: string;
beforeAll(() => {
  if (!existsSync(command)) throw new Error(`${command} is missing; run npm run build first`);
  folder = mkdtempSync(join(tmpdir(), "regionlab-agreement-"));
  for (const name of ["a", "b"]) writeFileSync(join(folder, name), new Uint8Array(2 ** 20));
  symlinkSync("a", join(folder, "link"));
});
afterAll(() => rmSync(folder, { recursive: true }));

function run(program: string, words: readonly string[]) {
  const options = { cwd: folder, input: "", encoding: "utf8", timeout: 60_000 } as const;
  const { status, stdout, stderr } = spawnSync(program, words, options);
  return { status, stdout, stderr };
}

const ours = (words: readonly string[]) => run(process.execPath, [command, "run", ...words]);
const MACHINE = ["-M", "virt", "-nographic", "-monitor", "none", "-bios", "none"];
const HELLO = ["-kernel", guest("hello")];

describe("numbers of processors", () => {
  beforeEach((test) => skipWithout(test, QEMU, "qemu-system-misc"));

  it.each([
    ...["2", "08", "010", "0x2", "+2", "-1", "1e0", "0b1", "2x", "9999"],
    ...["cpus=010", "cpus=08", "sockets=0x2", "cpus=-2"],
    ...[
      "4,sockets=3",
      "4,cores=3,threads=1",
      "4,sockets=1,cores=2,threads=1",
      "maxcpus=4,sockets=2",
      "8,cores=2",
    ],
  ])("%s", (text) => {
    const words = ["-M", "virt", "-display", "none", "-bios", "none", "-smp", text];
    const monitor = ["-serial", "null", "-monitor", "stdio", "-S"];
    const input = "info cpus\nquit\n";
    const theirs = spawnSync(QEMU, [...words, ...monitor], { input, encoding: "utf8", timeout: 60_000 });
    const tree = run(process.execPath, [command, "tree", "qom", ...words]);
    const processors = (shown: string, one: RegExp) => new Set(shown.match(one)).size;
    expect([tree.status === 0, processors(tree.stdout, /\/harts\[\d+\]/g)]).toEqual([
      theirs.status === 0,
      processors(theirs.stdout, /CPU #\d+/g),
    ]);
  });
});

const drive = (text: string) => ["-drive", `format=raw,${text}`];
/** Two drives of one image or two, each with a device. */
const pair = (one: string, two: string) => [
  ...drive(`if=none,id=x,file=${one}`),
  ...drive(`if=none,id=y,file=${two}`),
  ...["-device", "virtio-blk-device,drive=x", "-device", "virtio-blk-device,drive=y"],
];
const drives = (file: string) => [
  "-drive",
  `if=none,id=x,file=${file}`,
  "-device",
  "virtio-blk-device,drive=x",
];
/** What images of formats begin with: place and bytes. */
const IMAGES: Readonly<Record<string, readonly [at: number, bytes: string]>> = {
  nothing: [0, ""],
  "a boot sector": [510, "\x55\xaa"],
  qcow: [0, "QFI\xfb\0\0\0\x01"],
  qcow2: [0, "QFI\xfb\0\0\0\x02"],
  "qcow2, version 3": [0, "QFI\xfb\0\0\0\x03"],
  qed: [0, "QED\0"],
  "vmdk, sparse": [0, "KDMV\x01\0\0\0"],
  "vmdk 3": [0, "COWD\x01\0\0\0"],
  "vmdk, described": [0, "# Disk DescriptorFile\nversion=1\nCID=1\n"],
  vhdx: [0, "vhdxfile"],
  vpc: [0, "conectix"],
  vdi: [64, "\x7f\x10\xda\xbe"],
  "a vdi elsewhere": [0, "\x7f\x10\xda\xbe"],
  parallels: [0, "WithoutFreeSpace\x02\0\0\0"],
  "parallels, extended": [0, "WithouFreSpacExt\x02\0\0\0"],
  luks: [0, "LUKS\xba\xbe\0\x01"],
  "half a qcow2": [0, "QFI\0"],
};

/** An ELF file of one segment, whose code at 0x80000000 fails with the code 5 (lui, lui, addi, sw, j). */
function elf(address: number): Buffer {
  const entry = 0x8000_0000;
  const codeAt = 4096;
  const code = [0x0010_02b7, 0x0005_3337, 0x3333_0313, 0x0062_a023, 0x0000_006f];
  const size = codeAt + 4 * code.length;
  const segmentAt = codeAt - (entry - address);
  const file = Buffer.alloc(size);
  file.write("\x7fELF\x02\x01\x01", "latin1");
  for (const [at, value] of [
    [16, 2], // executable
    [18, 243], // RISC-V
    [20, 1],
    [52, 64],
    [54, 56],
    [56, 1],
    [64, 1], // loadable
    [68, 7],
  ] as const)
    file.writeUInt16LE(value, at);
  for (const [at, value] of [
    [24, entry],
    [32, 64],
    [72, segmentAt],
    [80, address],
    [88, address],
    [96, size - segmentAt],
    [104, size - segmentAt],
    [112, 4096],
  ] as const)
    file.writeBigUInt64LE(BigInt(value), at);
  code.forEach((word, i) => {
    file.writeUInt32LE(word, codeAt + 4 * i);
  });
  return file;
}

const UUID = "550e8400-e29b-41d4-a716-446655440000";

describe("QEMU and regionlab agree on", () => {
  beforeEach((test) => skipWithout(test, QEMU, "qemu-system-misc"));

  it.each<[string, string[]]>([
    ["two images", pair("a", "b")],
    ["one image, written twice", pair("a", "a")],
    ["one image by a link", pair("a", "link")],
    ["one image, written once", pair("a,readonly=on", "a")],
    ["one image, read twice", pair("a,readonly=on", "a,readonly=on")],
    ["one image, written once, an overlay once", pair("a,snapshot=on", "a")],
    ["one image, two overlays", pair("a,snapshot=on", "a,snapshot=on")],
    ["one image, read once, an overlay once", pair("a,snapshot=on", "a,readonly=on")],
    ["one image for all, not written", ["-snapshot", ...pair("a", "a")]],
    ["two drives of one index", [...drive("if=virtio,file=a,index=0"), ...drive("if=virtio,file=b,index=0")]],
    [
      "a drive of an index that was given out",
      [...drive("if=virtio,file=a"), ...drive("if=virtio,file=b,index=0")],
    ],
    [
      "a drive after one of another index",
      [...drive("if=virtio,file=a,index=1"), ...drive("if=virtio,file=b")],
    ],
    [
      "two unused drives of one index",
      [...drive("if=none,id=x,file=a,index=0"), ...drive("if=none,id=y,file=b,index=0")],
    ],
    ["a drive that is read only by its other name", drive("if=virtio,file=a,read-only=on")],
    ["a drive that is read only twice", drive("if=virtio,file=a,readonly=on,read-only=on")],
    [
      "words about the host's files",
      drive("if=virtio,file=a,cache.direct=off,detect-zeroes=unmap,werror=report,rerror=report"),
    ],
    ["a drive that detects what is not known", drive("if=virtio,file=a,detect-zeroes=maybe")],
    ["a drive with unit and index", drive("if=virtio,file=a,unit=1,index=1")],
    [
      "a flash bank with two drives",
      [...drive("if=pflash,file=a,unit=0"), ...drive("if=pflash,file=b,unit=0")],
    ],
    ["a flash bank too many", drive("if=pflash,file=a,unit=3")],
    ["a disk twice", ["-hda", "a", "-hda", "b"]],
    ["a UUID", ["-uuid", UUID]],
    ["a UUID without dashes", ["-uuid", UUID.replaceAll("-", "")]],
    ["no UUID", ["-uuid", "x"]],
    ["a UUID after none", ["-uuid", "x", "-uuid", UUID]],
    ["no UUID: help", ["-uuid", "help"]],
    ["memory twice", ["-m", "64", "-m", "128"]],
    ["processors twice", ["-smp", "9", "-smp", "2"]],
    ["machines", ["-M", "virt", "-M", "virt"]],
    ["names", ["-name", "a", "-name", "b"]],
    ["firmware twice", ["-bios", "nowhere", "-bios", "none"]],
    ["a bad command line's replacement", ["-append", "a", "-append", "b"]],
    ["the terminal twice", ["-serial", "stdio", "-serial", "stdio"]],
    ["networks of one id", ["-netdev", "user,id=n", "-netdev", "user,id=n"]],
    ["no network twice", ["-nic", "none", "-nic", "none"]],
    ["devices of one id", ["-device", "virtio-rng-device,id=a", "-device", "virtio-rng-device,id=a"]],
    ["an accelerator", ["-accel", "tcg"]],
    ["no debugger", ["-gdb", "none"]],
    [
      "a drive whose format is its driver",
      ["-drive", "driver=raw,file.driver=file,file.filename=a,if=virtio"],
    ],
    ["a drive with two files", ["-drive", "format=raw,file=a,file.filename=b,if=virtio"]],
    ...["1.5G", "0", "0x100", "64k", "2G", "x", "1e3", "-1", "12X"].map((size): [string, string[]] => [
      `memory of ${size}`,
      ["-m", size],
    ]),
    ["a leap day", ["-rtc", "base=2020-02-29"]],
    ["a leap day and its last second", ["-rtc", "base=2020-02-29T23:59:59"]],
    [
      "a property for all, twice",
      ["-global", "virtio-mmio.force-legacy=false", "-global", "virtio-mmio.force-legacy=true"],
    ],
    ["a kernel without its name", ["-kernel"]],
  ])("%s", (_, words) => {
    const theirs = run(QEMU, [...MACHINE, ...HELLO, ...words]);
    const mine = ours([...MACHINE, ...HELLO, ...words]);
    expect({ accepts: mine.status === 0, stderr: mine.stderr }).toMatchObject({
      accepts: theirs.status === 0,
    });
    expect([0, 2]).toContain(mine.status);
  });

  it.each(Object.entries(IMAGES))(
    "what looks like an image of another format than raw: %s",
    (_, [at, bytes]) => {
      const image = Buffer.alloc(2 ** 16);
      image.write(bytes, at, "latin1");
      writeFileSync(join(folder, "image"), image);
      for (const words of [
        drives("image"),
        ["-hda", "image"],
        ["-drive", "if=virtio,readonly=on,file=image"],
      ]) {
        const theirs = run(QEMU, [...MACHINE, ...HELLO, ...words]);
        const mine = ours([...MACHINE, ...HELLO, ...words]);
        const isRaw =
          /probing guessed raw/.test(theirs.stderr) || (theirs.status === 0 && theirs.stderr === "");
        expect({ isRaw: mine.status === 0, stderr: mine.stderr }).toMatchObject({ isRaw });
      }
      expect(readFileSync(join(folder, "image")).equals(image)).toBe(true);
      expect(ours([...MACHINE, ...HELLO, ...drives("image,format=raw")]).status).toBe(0);
      const node = [
        "-blockdev",
        "driver=file,node-name=n,filename=image",
        "-device",
        "virtio-blk-device,drive=n",
      ];
      expect(ours([...MACHINE, ...HELLO, ...node]).status).toBe(0);
    },
  );

  it.each([
    ["below RAM, with the headers that linkers put there", 0x7fff_f000],
    ["at the start of RAM", 0x8000_0000],
  ])("what an ELF file does whose segment begins %s", (_, address) => {
    writeFileSync(join(folder, "guest"), elf(address));
    const words = [...MACHINE, "-kernel", join(folder, "guest")];
    const theirs = run(QEMU, words);
    const mine = ours([...words, "--guest-exit-code"]);
    expect(mine.status).toBe(theirs.status);
    if (address < 0x8000_0000) {
      expect(theirs.status).toBe(5);
      expect(mine.stderr).toMatch(/^regionlab: warning: -+kernel .*: 0x7ffff000 to 0x80000000 is not RAM/);
    }
  });

  it("which of two kernels runs", () => {
    const words = [...MACHINE, "-kernel", guest("bus-errors"), ...HELLO];
    const theirs = run(QEMU, words).stdout;
    expect(theirs).toContain("Hello");
    expect(ours(words).stdout).toBe(theirs);
  });

  it("the buses of the devices that can be plugged in", () => {
    const lines = ours(["-device", "help"]).stdout.trimEnd().split("\n");
    const theirs = run(QEMU, ["-M", "virt", "-device", "help"]).stdout.split("\n");
    expect(lines.length).toBeGreaterThan(5);
    expect(theirs.map((line) => line.replace(/, (desc|alias) .*$/, ""))).toEqual(
      expect.arrayContaining(lines),
    );
  });

  it.each([
    "-drive format=help",
    "-smp help",
    "-display help",
    "-accel help",
    "-netdev help",
    "-chardev help",
    "-cpu help",
    "-M help",
    "-d help",
    "-device help",
  ])("that %s asks for a list", (line) => {
    const words = line.split(" ");
    const theirs = run(QEMU, ["-M", "virt", ...words]);
    const mine = ours(words);
    expect([mine.status, mine.stderr]).toEqual([0, ""]); // QEMU ends with 1 after some of its lists
    for (const { stdout } of [theirs, mine]) expect(stdout).not.toBe("");
  });
});

it.each([
  "-rtc help",
  "-rtc ?",
  "-drive help",
  "-fw_cfg help",
  "-global help",
  "-blockdev help",
  "-nic help",
  "-m help",
  "-netdev user,help",
  "-chardev file,help",
  "-drive if=help",
  "-drive file=a,help",
  "-device virtio-blk-device,help",
  "-M virt,help",
  "-nic user,help",
  "-smp 2,help",
  "--rtc help",
  "--drive=help",
])("%s prints a list, and runs nothing", (line) => {
  for (const name of [
    ["run", ...HELLO],
    ["tree", "mtree"],
  ]) {
    const { status, stdout, stderr } = run(process.execPath, [command, ...name, ...line.split(" ")]);
    expect([status, stderr]).toEqual([0, ""]);
    expect(stdout).toMatch(/^(Supported values of \S+: |[\w -]+ options:\n {2})/);
    expect(stdout).not.toContain("Hello");
  }
});
