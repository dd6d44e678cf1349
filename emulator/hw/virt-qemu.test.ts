/** Compares the board with QEMU's: memory map, objects, options, boot ROM and device tree, for what exists on both. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { formatFlatViews, formatMtree } from "#memory";
import { type BootInformation, DeviceModel, type Machine } from "#qdev";
import type { QomObject } from "#qom";
import { loadTrees } from "./differential/trees.ts";
import { type Nodes, readDeviceTree } from "./testing/device-tree-blob.ts";
import { isAbsentRegion, mtreeSections, withoutTargets } from "./testing/mtree-sections.ts";
import { askMonitor, decompile, dumpDeviceTree, needs } from "./testing/qemu.ts";

const QEMU = "qemu-system-riscv64";
const MIB = 2 ** 20;

/** Types that do not exist yet. */
const ABSENT_TYPES = ["gpex-pcihost", "platform-bus-device"];
/** Options that our devices lack, because what they control does not exist here. */
const ABSENT_OPTIONS: Readonly<Record<string, readonly string[]>> = {
  "cfi.pflash01": ["big-endian", "secure", "old-multiple-chip-handling"],
  goldfish_rtc: ["big-endian"],
  fw_cfg_mem: ["acpi-mr-restore"],
  "serial-mm": ["endianness"],
  "virtio-mmio": ["format_transport_address", "ioeventfd"],
};
/** Device tree nodes of devices that do not exist yet, including their children. */
const ABSENT_NODES = ["/pmu", "/platform-bus@", "/soc/pci@"];
/** Properties for extensions that differ from QEMU 7.2, and for bytes that QEMU gets from its host. */
const DIFFERENT_PROPERTIES: Readonly<Record<string, string>> = {
  "riscv,isa": "rv64imafdc_zicbom_zicboz_zicsr_zifencei_zihintpause_zba_zbb_zbc_zbs_sstc_svadu_svinval",
  "mmu-type": "riscv,sv57",
  "rng-seed": "random",
};
/** Properties that QEMU has only had since 8.0, with their values. */
const LATER_PROPERTIES: Readonly<Record<string, string>> = {
  "riscv,cbom-block-size": "00000040",
  "riscv,cboz-block-size": "00000040",
};

describe.each(await loadTrees())("virt-machine beside QEMU's, $name", ({ tree }) => {
  function build({ ramBytes = 256 * MIB, hartCount = 1 } = {}): { model: DeviceModel; machine: Machine } {
    // No test looks at the contents of RAM, so a machine with 4 GiB need not allocate it.
    const ram = { allocate: (bytes: number) => new Uint8Array(Math.min(bytes, 32 * MIB)), release: () => {} };
    const model = new DeviceModel({ ram });
    tree.registerTypes(model.types);
    return { model, machine: model.createMachine("virt-machine", { ramBytes, hartCount }) };
  }

  test("has the same flat views", (context) => {
    needs(context, QEMU);
    for (const hartCount of [1, 3]) {
      const theirs = askMonitor(["-m", "256M", "-smp", `${hartCount}`], "info mtree -f");
      const ours = formatFlatViews(build({ hartCount }).model).split("\n");
      expect(mtreeSections(ours)).toEqual(mtreeSections(theirs));
    }
  });

  test("has the same physical sections, with a region for each subpage", (context) => {
    needs(context, QEMU);
    const theirs = sectionsOf(askMonitor(["-m", "256M"], "info mtree -f -d"));
    const ours = sectionsOf(formatFlatViews(build().model, true).split("\n"));
    expect(ours).toEqual(theirs);
    expect(ours.filter((line) => line.endsWith("(noname)")).length).toBe(1 + 11); // what is unassigned, and subpages
  });

  test("has the same regions", (context) => {
    needs(context, QEMU);
    const theirs = mtreeSections(askMonitor(["-m", "256M"], "info mtree"));
    const ours = mtreeSections(formatMtree(build().model).split("\n"));
    expect(ours).toEqual(withoutTargets(theirs));
  });

  test("has the same objects at the same paths", (context) => {
    needs(context, QEMU);
    const theirs = objects(askMonitor(["-m", "256M", "-smp", "2"], "info qom-tree /"));
    const ours = listObjects(build({ hartCount: 2 }).model.root);
    expect(numberByType(ours)).toEqual(numberByType(theirs));
  });

  test("has devices with the same options", (context) => {
    needs(context, QEMU);
    const { model } = build({ hartCount: 2 });
    const theirs = options(askMonitor(["-m", "256M", "-smp", "2"], "info qtree"));
    const ours = [...model.systemBus.devices].reverse().map((device) => {
      const names = model.types.classProperties(device.qomType).map(({ name }) => name);
      return {
        type: device.qomType.typeName,
        values: new Map(names.map((name) => [name, String(device.getProperty(name))])),
      };
    });
    expect(sorted(ours)).toEqual(sorted(theirs));
  });

  test("puts the device tree at the same address, and has the same boot ROM", (context) => {
    needs(context, QEMU);
    for (const [option, ramBytes] of [
      ["8M", 8 * MIB],
      ["63M", 63 * MIB],
      ["128M", 128 * MIB],
      ["1G", 1024 * MIB],
      ["4G", 4096 * MIB],
    ] as const) {
      const theirs = askMonitor(["-m", option, "-bios", "none"], "xp /22wx 0x1000").flatMap(parseWords);
      const { machine } = build({ ramBytes });
      machine.writeBootRom({
        start: 0x8000_0000,
        kernelEntry: 0,
        deviceTree: machine.deviceTreeAddress,
      });
      expect(romWords(machine), option).toEqual(theirs);
    }
  });

  test("passes a kernel to firmware in the same form", (context) => {
    needs(context, QEMU);
    const theirs = withFile(new Uint8Array(4096), (kernel) =>
      askMonitor(["-m", "256M", "-kernel", kernel], "xp /22wx 0x1000").flatMap(parseWords),
    );
    const { machine } = build();
    const deviceTree = machine.deviceTreeAddress;
    machine.writeBootRom({ start: 0x8000_0000, kernelEntry: 0x8020_0000, deviceTree });
    expect(romWords(machine)).toEqual(theirs);
  });

  describe("device tree", () => {
    function compare(options: readonly string[], hartCount: number, boot: BootInformation): string[] {
      const theirs = readDeviceTree(dumpDeviceTree(["-m", "256M", "-smp", `${hartCount}`, ...options]));
      const ours = readDeviceTree(build({ hartCount }).machine.deviceTree(boot));
      return differences(ours, theirs);
    }

    test("is the same for one hart, two and eight", (context) => {
      needs(context, QEMU);
      for (const hartCount of [1, 2, 8]) expect(compare([], hartCount, {})).toEqual([]);
    });

    test("is the same with a command line and an initrd", (context) => {
      needs(context, QEMU);
      const start = 0x8800_0000;
      const commandLine = "root=/dev/vda console=ttyS0";
      const found = withFile(new Uint8Array(12_345), (file) =>
        compare(["-bios", "none", "-kernel", file, "-initrd", file, "-append", commandLine], 1, {
          commandLine,
          initrd: { start, end: start + 12_345 },
        }),
      );
      expect(found).toEqual([]);
    });

    test("would differ by a single property", (context) => {
      needs(context, QEMU);
      const found = withFile(new Uint8Array(4096), (kernel) =>
        compare(["-bios", "none", "-kernel", kernel, "-append", "a"], 1, { commandLine: "b" }),
      );
      expect(found).toEqual(["/chosen: bootargs is 6200, not 6100"]);
      expect(compare([], 2, {}).length).toBe(0);
      const oneHart = readDeviceTree(build().machine.deviceTree());
      const twoHarts = readDeviceTree(dumpDeviceTree(["-m", "256M", "-smp", "2"]));
      expect(differences(oneHart, twoHarts)).toContain("/cpus/cpu@1 is missing");
    });

    test("has nodes and properties in the same order", (context) => {
      needs(context, QEMU);
      const order = (nodes: Nodes) =>
        [...nodes].filter(([path]) => !isAbsent(path)).map(([path, node]) => [path, [...node.keys()]]);
      const theirs = readDeviceTree(dumpDeviceTree(["-m", "256M", "-smp", "2"]));
      const ours = readDeviceTree(build({ hartCount: 2 }).machine.deviceTree());
      expect(order(withoutLaterProperties(ours))).toEqual(order(theirs));
    });

    test("causes no more dtc warnings than QEMU's", (context) => {
      needs(context, QEMU, "dtc");
      const ours = decompile(build().machine.deviceTree());
      const theirs = decompile(dumpDeviceTree(["-m", "256M"]));
      const complaints = theirs.complaints.split("\n");
      expect(ours.complaints.split("\n").filter((line) => !complaints.includes(line))).toEqual([]);
      expect(ours.source).toContain('compatible = "riscv-virtio";');
      const lines = theirs.source.split("\n");
      const strange = ours.source.split("\n").filter((line) => !lines.includes(line));
      expect(strange.map((line) => line.trim().split(" ")[0])).toEqual([
        "rng-seed",
        "riscv,cboz-block-size",
        "riscv,cbom-block-size",
        "riscv,isa",
        "mmu-type",
      ]);
    });
  });
});

/**
 * Physical sections of the view of memory, without those of absent regions, without numbers, and without the words in
 * brackets: QEMU puts them after fixed numbers, whatever these are now, and after the latest hit.
 */
function sectionsOf(lines: readonly string[]): string[] {
  const text =
    lines
      .join("\n")
      .split(/\n(?=FlatView)/)
      .find((view) => view.includes('AS "memory"')) ?? "";
  return text
    .split("\n")
    .filter((line) => /^ *#\d+ @/.test(line) && !isAbsentRegion(line.replace(/ \[.*/, "")))
    .map((line) => line.replace(/^ *#\d+ /, "").replace(/ \[.*/, ""));
}

interface Place {
  readonly path: string;
  readonly type: string;
}

/** Objects as listed by `info qom-tree`, without those that do not exist yet or are about QEMU itself. */
function objects(lines: readonly string[]): Place[] {
  const path: string[] = [];
  const places: Place[] = [];
  let absentBelow = Number.POSITIVE_INFINITY;
  for (const line of lines) {
    const found = /^( *)(\/.*) \(([^)]*)\)$/.exec(line);
    if (found === null) continue;
    const [, indent = "", name = "", type = ""] = found;
    const level = indent.length / 2;
    if (level > absentBelow) continue;
    absentBelow = ABSENT_TYPES.includes(type) ? level : Number.POSITIVE_INFINITY;
    path.length = level;
    path.push(level === 0 ? "" : name);
    if (absentBelow === Number.POSITIVE_INFINITY) places.push({ path: path.join(""), type });
  }
  return places.filter(({ path }) => path.startsWith("/machine") || path.startsWith("/objects"));
}

function listObjects(root: QomObject): Place[] {
  const places: Place[] = [];
  for (const [, child] of root.children()) {
    places.push({ path: child.canonicalPath() ?? "", type: child.qomType.typeName }, ...listObjects(child));
  }
  return places;
}

/** Numbers unattached devices by type, since those that do not exist leave gaps in the common numbering. */
function numberByType(places: readonly Place[]): string[] {
  const device = /^\/machine\/unattached\/device\[\d+\]/;
  const types = new Map(
    places.filter(({ path }) => device.exec(path)?.[0] === path).map((each) => [each.path, each.type]),
  );
  return places
    .map(({ path, type }) => `${path.replace(device, (found) => `/${types.get(found)}`)} ${type}`)
    .sort();
}

interface DeviceOptions {
  readonly type: string;
  readonly values: ReadonlyMap<string, string>;
}

/** Devices of the main bus with their options, as listed by `info qtree`. */
function options(lines: readonly string[]): DeviceOptions[] {
  const devices: { type: string; values: Map<string, string> }[] = [];
  for (const line of lines) {
    const device = /^ {2}dev: ([^,]*), id/.exec(line);
    if (device?.[1] !== undefined) devices.push({ type: device[1], values: new Map() });
    const option = /^ {4}([\w-]+) = "?([^"(]*?)"?( \(0x[0-9a-f]+\))?$/.exec(line);
    if (option?.[1] !== undefined) devices.at(-1)?.values.set(option[1], option[2] ?? "");
  }
  for (const { type, values } of devices) for (const name of ABSENT_OPTIONS[type] ?? []) values.delete(name);
  return devices.filter(({ type }) => !ABSENT_TYPES.includes(type));
}

function sorted(devices: readonly DeviceOptions[]): string[] {
  return devices.map(({ type, values }) => `${type} ${JSON.stringify([...values].sort())}`).sort();
}

function parseWords(line: string): number[] {
  return [...line.replace(/^[0-9a-f]+:/, "").matchAll(/0x([0-9a-f]{8})/g)].map(([word]) => Number(word));
}

function romWords(machine: Machine): number[] {
  return Array.from({ length: 22 }, (_, index) =>
    machine.memorySpace.read(machine.resetVector + 4 * index, 4),
  );
}

function withFile<T>(content: Uint8Array, use: (file: string) => T): T {
  const folder = mkdtempSync(join(tmpdir(), "regionlab-file-"));
  try {
    const file = join(folder, "image");
    writeFileSync(file, content);
    return use(file);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function withoutLaterProperties(nodes: Nodes): Nodes {
  return new Map(
    [...nodes].map(([path, node]) => [
      path,
      new Map([...node].filter(([name]) => !(name in LATER_PROPERTIES))),
    ]),
  );
}

function isAbsent(path: string): boolean {
  return ABSENT_NODES.some((node) => path === node || (node.endsWith("@") && path.startsWith(node)));
}

/** Differences other than the known ones. */
function differences(ours: Nodes, theirs: Nodes): string[] {
  const found: string[] = [];
  for (const [path, properties] of theirs) {
    if (isAbsent(path)) continue;
    const mine = ours.get(path);
    if (mine === undefined) {
      found.push(`${path} is missing`);
      continue;
    }
    for (const [name, value] of properties) {
      const own = mine.get(name);
      const expected = name in DIFFERENT_PROPERTIES ? knownDifference(name, own, value) : value;
      if (own !== expected) found.push(`${path}: ${name} is ${own}, not ${expected}`);
    }
    for (const [name, value] of mine) {
      if (properties.has(name) || LATER_PROPERTIES[name] === value) continue;
      found.push(`${path}: ${name} is extra`);
    }
  }
  for (const path of ours.keys()) if (!theirs.has(path)) found.push(`${path} is extra`);
  return found;
}

/** The value that is intended here; for random bytes, only the length is compared. */
function knownDifference(name: string, own: string | undefined, theirs: string): string | undefined {
  const value = DIFFERENT_PROPERTIES[name];
  if (value === "random") return own?.length === theirs.length ? own : theirs;
  return Buffer.from(`${value}\0`).toString("hex");
}
