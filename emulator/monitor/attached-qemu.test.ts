/** Compares devices given on the command line with QEMU's: their buses, their options and their objects. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Command } from "commander";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  addHardwareOptions,
  Emulation,
  type HardwareArguments,
  loadHardware,
  parseHardwareOptions,
  REGION_FORMS,
} from "#machine";
import { formatFlatViews } from "#memory";
import { askMonitor, needs } from "../hw/testing/qemu.ts";
import { formatQomTree } from "./qom-tree.ts";
import { formatQtree } from "./qtree.ts";

const QEMU = "qemu-system-riscv64";
const MIB = 2 ** 20;

/** Options of all virtio devices that ours lack, because the features they control do not exist here. */
const ABSENT = ["iommu_platform", "packed", "use-started", "use-disabled-flag", "x-disable-legacy-check"];
const ABSENT_OPTIONS: Readonly<Record<string, readonly string[]>> = {
  "virtio-mmio": ["format_transport_address", "ioeventfd"],
  "virtio-rng-device": [...ABSENT, "rng"],
  "virtio-net-device": [
    ...ABSENT,
    ...["mq", "rss", "hash", "guest_rsc_ext", "rsc_interval", "x-txtimer", "x-txburst", "tx"],
    ...["x-mtu-bypass-backend", "speed", "duplex", "failover"],
  ],
  "virtio-serial-device": ABSENT,
  "virtio-blk-device": [
    ...ABSENT,
    ...["backend_defaults", "share-rw", "account-invalid", "account-failed", "rerror", "werror"],
    ...["lcyls", "lheads", "lsecs", "scsi", "request-merging", "x-enable-wce-if-config-wce"],
  ],
};

let folder = "";
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "regionlab-attached-"));
  writeFileSync(join(folder, "disk"), new Uint8Array(3 * MIB));
  writeFileSync(join(folder, "large"), new Uint8Array(700 * 512));
});
afterAll(() => rmSync(folder, { recursive: true }));

const drive = (file: string, id: string) => [
  "-drive",
  `file=${join(folder, file)},if=none,id=${id},format=raw`,
];

const LINES: readonly [string, () => string[]][] = [
  [
    "of all kinds",
    () => [
      ...["-device", "virtio-rng-device,id=r0,max-bytes=1024"],
      ...[...drive("disk", "hd"), "-device", "virtio-blk-device,drive=hd,serial=abc"],
      ...["-device", "virtio-rng-device,bus=virtio-mmio-bus.5,event_idx=off"],
      ...["-device", "virtio-rng-device,period=9"],
    ],
  ],
  [
    "for networks and serial lines",
    () => [
      ...["-netdev", "user,id=n0", "-device", "virtio-net-device,netdev=n0,id=card"],
      ...["-netdev", "user,id=n1,net=192.168.7.0/24,restrict=on"],
      ...[
        "-device",
        "virtio-net-device,netdev=n1,mac=52:54:00:00:00:07,host_mtu=1400,mrg_rxbuf=off,rx_queue_size=512",
      ],
      ...["-device", "virtio-net-device"],
      ...["-chardev", "null,id=c0", "-chardev", "ringbuf,id=c1,size=1024"],
      ...["-device", "virtio-serial-device,id=s0,max_ports=5", "-device", "virtconsole,chardev=c0,id=p0"],
      ...[
        "-device",
        "virtserialport,chardev=c1,name=org.example.agent,bus=s0.0",
        "-device",
        "virtserialport,nr=4",
      ],
      ...["-device", "virtio-serial-device", "-device", "virtconsole,name=second"],
    ],
  ],
  [
    "with -global defaults, and for virtio 1.0 drivers",
    () => [
      ...["-global", "virtio-mmio.force-legacy=false", "-global", "virtio-rng-device.period=77"],
      ...["-global", "driver=virtio-device,property=indirect_desc,value=off"],
      ...["-device", "virtio-rng-device", "-device", "virtio-rng-device,period=0x10"],
      ...drive("large", "a"),
      ...["-device", "virtio-blk-device,drive=a,id=d0,logical_block_size=512,physical_block_size=4096"],
      ...drive("disk", "b"),
      ...[
        "-device",
        "virtio-blk-device,drive=b,num-queues=3,queue-size=64,write-zeroes=off,discard_granularity=1M",
      ],
    ],
  ],
];

async function build(form: (typeof REGION_FORMS)[number], line: readonly string[]): Promise<Emulation> {
  const command = addHardwareOptions(new Command()).exitOverride();
  command.parse(
    line.map((word) => word.replace(/^-(?=[a-z])/, "--")),
    { from: "user" },
  );
  const attached = parseHardwareOptions(command.opts<HardwareArguments>());
  return new Emulation({ hardware: await loadHardware(form), ramBytes: 16 * MIB, attached });
}

describe.each(REGION_FORMS)("devices on the command line, %s", (form) => {
  test.for(LINES)(
    "%s: on the same buses, with the same options in the same order",
    async ([, line], context) => {
      needs(context, QEMU);
      const emulation = await build(form, line());
      const theirs = askMonitor(["-m", "16M", ...line()], "info qtree");
      expect(seats(theirs).length).toBeGreaterThan(50);
      expect(seats(formatQtree(emulation.model).split("\n"))).toEqual(seats(theirs));
      emulation.destroy();
      expect(emulation.model.heap.leaks()).toEqual([]);
    },
  );

  test.for(LINES)(
    "%s: the same objects below /machine/peripheral, and the same flat view",
    async ([, line], context) => {
      needs(context, QEMU);
      const emulation = await build(form, line());
      const theirs = askMonitor(["-m", "16M", ...line()], "info qom-tree /machine");
      const ours = formatQomTree(emulation.model.resolvePath("/machine")).split("\n");
      expect(peripherals(ours)).toEqual(peripherals(theirs));
      const transports = (lines: readonly string[]) => lines.filter((each) => each.endsWith(": virtio-mmio"));
      const view = askMonitor(["-m", "16M", ...line()], "info mtree -f");
      expect(transports(formatFlatViews(emulation.model).split("\n"))).toEqual(transports(view));
      emulation.destroy();
    },
  );
});

/** Virtio transports and the devices on them, with all options, as `info qtree` lists them. */
function seats(lines: readonly string[]): string[] {
  const found: string[] = [];
  let type = "";
  for (const line of lines) {
    type = /^ *dev: ([^,]*), id/.exec(line)?.[1] ?? type;
    if (!/^virt(io-|console$|serialport$)/.test(type)) continue;
    const option = /^ *([\w-]+) = /.exec(line)?.[1] ?? "";
    if (line.trim() !== "" && !ABSENT_OPTIONS[type]?.includes(option)) found.push(line);
  }
  return found;
}

/** The two containers of user-created devices. */
function peripherals(lines: readonly string[]): string[] {
  let inside = false;
  return lines.filter((line) => {
    if (/^ {2}\S/.test(line)) inside = /^ {2}\/peripheral/.test(line);
    return inside;
  });
}
