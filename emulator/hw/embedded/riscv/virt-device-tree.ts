/** Device tree of the `virt` board, as in QEMU 7.2 for the devices here. Bindings: Linux Documentation/devicetree. */
import { type BootInformation, cells64, DeviceTreeNode } from "#qdev";
import {
  VIRT_IRQ,
  VIRT_MAP,
  VIRT_PLIC_SOURCES,
  VIRT_TIMEBASE,
  VIRT_UART_CLOCK,
  VIRT_VIRTIO_TRANSPORTS,
  type Window,
} from "./virt-map.ts";

/** Exactly the extensions that the harts implement: single letters, then the others in QEMU's order. */
const ISA = [
  "rv64imafdc",
  ...["zicbom", "zicboz", "zicsr", "zifencei", "zihintpause", "zba", "zbb", "zbc", "zbs"],
  ...["sstc", "svadu", "svinval"],
].join("_");
/** The widest translation mode, which implies Sv48 and Sv39. */
const MMU = "riscv,sv57";
const CACHE_BLOCK_BYTES = 64;

/** Interrupts of a hart that the board drives. */
const M_SOFTWARE = 3;
const M_TIMER = 7;
const S_EXTERNAL = 9;
const M_EXTERNAL = 11;

const SEED_BYTES = 32;

export interface VirtFacts {
  readonly ramBytes: number;
  readonly hartCount: number;
}

/** The tree's root. phandles are numbered as in QEMU: the last hart first, then the interrupt controller. */
export function virtDeviceTree({ ramBytes, hartCount }: VirtFacts, boot: BootInformation): DeviceTreeNode {
  const handles = {
    cpu: (hart: number) => 2 * (hartCount - 1 - hart) + 1,
    cpuInterrupts: (hart: number) => 2 * (hartCount - 1 - hart) + 2,
    plic: 2 * hartCount + 1,
    test: 2 * hartCount + 2,
  };
  const harts = Array.from({ length: hartCount }, (_, index) => index);
  /** The interrupts `first` and `second` of every hart. */
  const ofEachHart = (first: number, second: number) =>
    harts.flatMap((hart) => [handles.cpuInterrupts(hart), first, handles.cpuInterrupts(hart), second]);

  const root = new DeviceTreeNode("");
  root.set("#address-cells", [2]);
  root.set("#size-cells", [2]);
  root.set("compatible", "riscv-virtio");
  root.set("model", "riscv-virtio,qemu");

  root.add(`fw-cfg@${hex(VIRT_MAP.fwCfg.base)}`, {
    "dma-coherent": null,
    reg: reg(VIRT_MAP.fwCfg),
    compatible: "qemu,fw-cfg-mmio",
  });
  const { flash } = VIRT_MAP;
  const bank = { base: flash.base, size: flash.size / 2 };
  root.add(`flash@${hex(flash.base)}`, {
    "bank-width": [4],
    reg: [...reg(bank), ...reg({ base: bank.base + bank.size, size: bank.size })],
    compatible: "cfi-flash",
  });

  addChosen(root, boot);
  for (const [name, value] of [
    ["poweroff", 0x5555],
    ["reboot", 0x7777],
  ] as const) {
    root.add(name, { value: [value], offset: [0], regmap: [handles.test], compatible: `syscon-${name}` });
  }
  root.add(`memory@${hex(VIRT_MAP.ram.base)}`, {
    device_type: "memory",
    reg: reg({ base: VIRT_MAP.ram.base, size: ramBytes }),
  });

  const cpus = root.add("cpus", {
    "#address-cells": [1],
    "#size-cells": [0],
    "timebase-frequency": [VIRT_TIMEBASE],
  });
  for (const hart of harts) {
    const cpu = cpus.add(`cpu@${hex(hart)}`, {
      phandle: [handles.cpu(hart)],
      device_type: "cpu",
      reg: [hart],
      status: "okay",
      compatible: "riscv",
      "riscv,cboz-block-size": [CACHE_BLOCK_BYTES],
      "riscv,cbom-block-size": [CACHE_BLOCK_BYTES],
      "riscv,isa": ISA,
      "mmu-type": MMU,
    });
    cpu.add("interrupt-controller", {
      "#interrupt-cells": [1],
      "interrupt-controller": null,
      compatible: "riscv,cpu-intc",
      phandle: [handles.cpuInterrupts(hart)],
    });
  }
  const cluster = cpus.add("cpu-map").add("cluster0");
  for (const hart of harts) cluster.add(`core${hart}`, { cpu: [handles.cpu(hart)] });

  const soc = root.add("soc", {
    "#address-cells": [2],
    "#size-cells": [2],
    compatible: "simple-bus",
    ranges: null,
  });
  soc.add(`rtc@${hex(VIRT_MAP.rtc.base)}`, {
    interrupts: [VIRT_IRQ.rtc],
    "interrupt-parent": [handles.plic],
    reg: reg(VIRT_MAP.rtc),
    compatible: "google,goldfish-rtc",
  });
  soc.add(serialNode, {
    interrupts: [VIRT_IRQ.uart],
    "interrupt-parent": [handles.plic],
    "clock-frequency": [VIRT_UART_CLOCK],
    reg: reg(VIRT_MAP.uart),
    compatible: "ns16550a",
  });
  soc.add(`test@${hex(VIRT_MAP.test.base)}`, {
    phandle: [handles.test],
    reg: reg(VIRT_MAP.test),
    compatible: ["sifive,test1", "sifive,test0", "syscon"],
  });
  for (let index = VIRT_VIRTIO_TRANSPORTS - 1; index >= 0; index--) {
    const { base, size } = VIRT_MAP.virtio;
    soc.add(`virtio_mmio@${hex(base + index * size)}`, {
      interrupts: [VIRT_IRQ.virtio + index],
      "interrupt-parent": [handles.plic],
      reg: reg({ base: base + index * size, size }),
      compatible: "virtio,mmio",
    });
  }
  soc.add(`plic@${hex(VIRT_MAP.plic.base)}`, {
    phandle: [handles.plic],
    "riscv,ndev": [VIRT_PLIC_SOURCES],
    reg: reg(VIRT_MAP.plic),
    "interrupts-extended": ofEachHart(M_EXTERNAL, S_EXTERNAL),
    "interrupt-controller": null,
    compatible: ["sifive,plic-1.0.0", "riscv,plic0"],
    "#address-cells": [0],
    "#interrupt-cells": [1],
  });
  soc.add(`clint@${hex(VIRT_MAP.clint.base)}`, {
    "interrupts-extended": ofEachHart(M_SOFTWARE, M_TIMER),
    reg: reg(VIRT_MAP.clint),
    compatible: ["sifive,clint0", "riscv,clint0"],
  });
  return root;
}

const serialNode = `serial@${hex(VIRT_MAP.uart.base)}`;

function addChosen(root: DeviceTreeNode, { commandLine, initrd, seed = 0 }: BootInformation): void {
  const chosen = root.add("chosen");
  if (initrd !== undefined) {
    chosen.set("linux,initrd-end", address(initrd.end));
    chosen.set("linux,initrd-start", address(initrd.start));
  }
  chosen.set("rng-seed", seedBytes(seed));
  if (commandLine !== undefined && commandLine !== "") chosen.set("bootargs", commandLine);
  chosen.set("stdout-path", `/soc/${serialNode}`);
}

/** As few cells as the address needs, as in QEMU for initrd addresses. */
function address(value: number): number[] {
  return value < 2 ** 32 ? [value] : cells64(value);
}

function reg({ base, size }: Window): number[] {
  return [...cells64(base), ...cells64(size)];
}

function hex(value: number): string {
  return value.toString(16);
}

/** Bytes that depend only on `seed` (Marsaglia's xorshift), so that boots repeat exactly; QEMU asks its host. */
function seedBytes(seed: number): Uint8Array {
  const bytes = new Uint8Array(SEED_BYTES);
  let state = (seed ^ 0x9e37_79b9) >>> 0 || 1; // zero would stay zero
  for (let index = 0; index < bytes.length; index++) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    bytes[index] = state >>> 24;
  }
  return bytes;
}
