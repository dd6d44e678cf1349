/** The `virt` board: map, names, wiring and order of creation as in QEMU 7.2. */
import { AddressSpace, MemoryRegion, type MemoryRegionOps, WHOLE_ADDRESS_SPACE } from "#memory";
import {
  type BootInformation,
  type BootTarget,
  type CharDevice,
  type Device,
  type FlashKernel,
  flatten,
  type HartPort,
  Machine,
  type MachineOptions,
} from "#qdev";
import { QomAbort, QomError } from "#qom";
import { PflashCfi01 } from "../block/pflash-cfi01.ts";
import { SerialMm } from "../char/serial-mm.ts";
import { AclintSwi } from "../intc/riscv-aclint-swi.ts";
import { SifivePlic } from "../intc/sifive-plic.ts";
import { RamBackend } from "../mem/ram-backend.ts";
import { SifiveTest } from "../misc/sifive-test.ts";
import { FwCfgMem } from "../nvram/fw-cfg.ts";
import { GoldfishRtc } from "../rtc/goldfish-rtc.ts";
import { AclintMtimer } from "../timer/riscv-aclint-mtimer.ts";
import { VirtioMmio } from "../virtio/virtio-mmio.ts";
import { bootRom } from "./boot-rom.ts";
import { RiscvHartArray } from "./riscv-hart-array.ts";
import { virtDeviceTree } from "./virt-device-tree.ts";
import {
  FLASH_BANKS,
  MTIMER_OFFSET,
  VIRT_IRQ,
  VIRT_MAP,
  VIRT_MAX_HARTS,
  VIRT_PLIC_SOURCES,
  VIRT_TIMEBASE,
  VIRT_UART_BAUD_BASE,
  VIRT_VIRTIO_TRANSPORTS,
} from "./virt-map.ts";

/** Numbers of fw_cfg items, and QEMU's default for etc/boot-fail-wait. */
const FW_CFG_UUID = 0x02;
const FW_CFG_NOGRAPHIC = 0x04;
const FW_CFG_NB_CPUS = 0x05;
const FW_CFG_BOOT_MENU = 0x0e;
const BOOT_FAIL_WAIT_FOREVER = 0xffff_ffff;

const IO_SPACE_BYTES = 0x1_0000;
const PAGE_BYTES = 4096;

/** Interrupts of a hart. */
const M_SOFTWARE = 3;
const M_TIMER = 7;
const S_EXTERNAL = 9;
const M_EXTERNAL = 11;

const FLASH_BLOCK_BYTES = 0x4_0000;

/** Minimum distance from the start of the device tree to the end of RAM, or to the ceiling if that is lower. */
const DEVICE_TREE_ROOM = 0x10_0000;
const DEVICE_TREE_ALIGNMENT = 0x20_0000;
const DEVICE_TREE_CEILING = 0xc000_0000;

export class VirtMachine extends Machine {
  static override readonly typeName = "virt-machine";
  static override readonly instanceSize: number = 488;

  /** System memory: everything that has a physical address. */
  private readonly system = this.embed(MemoryRegion);
  /** I/O ports: RISC-V has none, but every QEMU machine has a space for them. */
  private readonly io = this.embed(MemoryRegion);
  /** Boot ROM. */
  private readonly mrom = this.embed(MemoryRegion);
  private options: MachineOptions = { ramBytes: 0, hartCount: 0 };
  private parts: Parts | null = null;
  private space: AddressSpace | null = null;
  private readonly flash: PflashCfi01[] = [];

  protected override instanceInit(): void {
    for (const name of FLASH_BANKS) {
      const bank = this.model.create(PflashCfi01);
      bank.name = name;
      this.flash.push(bank);
      this.adopt(name, bank);
    }
  }

  override build(options: MachineOptions): void {
    checkOptions(options);
    this.options = options;
    this.model.begin(); // the map is rendered once, not for each device
    try {
      this.buildMemory();
      this.parts = this.buildDevices();
    } finally {
      this.model.commit();
    }
    this.reset();
  }

  private buildMemory(): void {
    const { noOwner } = this.model;
    this.system.init(noOwner, "system", WHOLE_ADDRESS_SPACE);
    this.model.systemMemory = this.system;
    this.space = new AddressSpace(this.model, this.system, "memory");
    this.io.initIo(noOwner, unassignedPorts, this, "io", IO_SPACE_BYTES);
    new AddressSpace(this.model, this.io, "I/O"); // the model holds it
    const ram = this.model.create(RamBackend);
    this.model.childContainer(this.model.root, "objects").addChild("riscv_virt_board.ram", ram);
    ram.unref(); // the tree holds it from now on
    ram.map("riscv_virt_board.ram", VIRT_MAP.ram.base, this.options.ramBytes);
    this.mrom.initRom(noOwner, "riscv_virt_board.mrom", VIRT_MAP.bootRom.size);
    this.system.addSubregion(VIRT_MAP.bootRom.base, this.mrom);
  }

  private buildDevices(): Parts {
    const { model } = this;
    const { hartCount } = this.options;
    const bus = model.systemBus;

    const harts = model.create(RiscvHartArray);
    harts.numHarts = hartCount;
    harts.resetVector = VIRT_MAP.bootRom.base;
    this.adopt("soc0", harts);
    harts.plug(bus);

    const software = model.create(AclintSwi);
    software.numHarts = hartCount;
    software.plug(bus);
    software.mapMmio(0, VIRT_MAP.clint.base);

    const timer = model.create(AclintMtimer);
    timer.numHarts = hartCount;
    timer.timebaseFreq = VIRT_TIMEBASE;
    timer.onTimeSet = () => this.onTimeSet();
    timer.plug(bus);
    timer.mapMmio(0, VIRT_MAP.clint.base + MTIMER_OFFSET);

    const plic = model.create(SifivePlic);
    plic.hartConfig = Array(hartCount).fill("MS").join(",");
    plic.numSources = VIRT_PLIC_SOURCES;
    plic.apertureSize = VIRT_MAP.plic.size;
    plic.plug(bus);
    plic.mapMmio(0, VIRT_MAP.plic.base);

    for (let index = 0; index < hartCount; index++) {
      const hart = harts.hart(index);
      software.connectGpioOut(index, hart.gpioIn(M_SOFTWARE));
      timer.connectGpioOut(index, hart.gpioIn(M_TIMER));
      plic.connectGpioOut(index, hart.gpioIn(S_EXTERNAL));
      plic.connectGpioOut(hartCount + index, hart.gpioIn(M_EXTERNAL));
    }

    const test = model.create(SifiveTest);
    test.plug(bus);
    test.mapMmio(0, VIRT_MAP.test.base);

    for (let index = 0; index < VIRT_VIRTIO_TRANSPORTS; index++) {
      const transport = model.create(VirtioMmio);
      transport.plug(bus);
      transport.mapMmio(0, VIRT_MAP.virtio.base + index * VIRT_MAP.virtio.size);
      transport.connectIrq(0, plic.gpioIn(VIRT_IRQ.virtio + index));
    }

    const uart = model.create(SerialMm);
    uart.serial.baudBase = VIRT_UART_BAUD_BASE;
    uart.plug(bus);
    model.systemMemory.addSubregion(VIRT_MAP.uart.base, uart.mmioRegion(0));
    uart.connectIrq(0, plic.gpioIn(VIRT_IRQ.uart));

    const rtc = model.create(GoldfishRtc);
    rtc.plug(bus);
    rtc.mapMmio(0, VIRT_MAP.rtc.base);
    rtc.connectIrq(0, plic.gpioIn(VIRT_IRQ.rtc));

    const bankBytes = VIRT_MAP.flash.size / this.flash.length;
    for (const [index, bank] of this.flash.entries()) {
      bank.numBlocks = bankBytes / FLASH_BLOCK_BYTES;
      bank.sectorLength = FLASH_BLOCK_BYTES;
      bank.drive = this.options.flashDrives?.[index] ?? "";
      bank.plug(bus);
      model.systemMemory.addSubregion(VIRT_MAP.flash.base + index * bankBytes, bank.mmioRegion(0));
    }
    return { harts, timer, uart, fwCfg: this.buildFwCfg() };
  }

  /** Three windows: data, selector and DMA. */
  private buildFwCfg(): FwCfgMem {
    const fwCfg = this.model.create(FwCfgMem);
    fwCfg.dataWidth = 8;
    this.adopt("fw_cfg", fwCfg);
    fwCfg.plug(this.model.systemBus);
    const { base } = VIRT_MAP.fwCfg;
    for (const [window, offset] of [8, 0, 16].entries()) fwCfg.mapMmio(window, base + offset);
    fwCfg.addItem(FW_CFG_UUID, new Uint8Array(16));
    fwCfg.addItem(FW_CFG_NOGRAPHIC, littleEndian(0, 2));
    fwCfg.addItem(FW_CFG_NB_CPUS, littleEndian(this.options.hartCount, 2));
    fwCfg.addItem(FW_CFG_BOOT_MENU, littleEndian(0, 2));
    fwCfg.addFile("bios-geometry", new Uint8Array());
    fwCfg.addFile("bootorder", new Uint8Array());
    fwCfg.addFile("etc/boot-fail-wait", littleEndian(BOOT_FAIL_WAIT_FOREVER, 4));
    return fwCfg;
  }

  get memorySpace(): AddressSpace {
    if (this.space === null) throw this.notBuilt();
    return this.space;
  }

  get serialLine(): CharDevice {
    return this.built.uart.serial;
  }

  get hartCount(): number {
    return this.options.hartCount;
  }

  get resetVector(): number {
    return this.built.harts.resetVector;
  }

  override hartSpace(index: number): AddressSpace {
    return this.built.harts.hart(index).space;
  }

  override connectHart(index: number, port: HartPort): void {
    this.built.harts.hart(index).connect(port);
  }

  override readTime(): number {
    return this.built.timer.readTime();
  }

  override timeAfter(ticks: number): number {
    return this.built.timer.timeAfter(ticks);
  }

  override writeBootRom(target: BootTarget): void {
    this.mrom.ramBytes().set(bootRom(target));
  }

  get deviceTreeAddress(): number {
    const end = Math.min(VIRT_MAP.ram.base + this.options.ramBytes, DEVICE_TREE_CEILING) - DEVICE_TREE_ROOM;
    const address = end - (end % DEVICE_TREE_ALIGNMENT);
    if (address >= VIRT_MAP.ram.base) return address;
    throw new QomError(
      `${this.options.ramBytes} bytes of RAM leave no room for the device tree; give 4 MiB or more`,
    );
  }

  override deviceTree(boot: BootInformation = {}): Uint8Array {
    return flatten(virtDeviceTree(this.options, boot));
  }

  override loadFlash(bank: number, content: Uint8Array): void {
    const flash = this.flash[bank];
    if (flash === undefined) throw new QomError(`there is no flash bank ${bank}; there are 0 and 1`);
    flash.load(content);
  }

  override get flashStart(): number | null {
    return this.flash[0]?.drive ? VIRT_MAP.flash.base : null;
  }

  override addFlashKernel(files: FlashKernel): void {
    this.built.fwCfg.addKernel(files);
  }

  override addFirmwareFile(name: string, content: Uint8Array): void {
    this.built.fwCfg.addFile(name, content);
  }

  override reset(): void {
    this.model.systemBus.reset();
  }

  /** Makes `device` a child; the tree holds its only reference from now on. */
  private adopt(name: string, device: Device): void {
    this.addChild(name, device);
    device.unref();
  }

  private get built(): Parts {
    if (this.parts === null) throw this.notBuilt();
    return this.parts;
  }

  private notBuilt(): QomAbort {
    return new QomAbort(`${this.describe()} has not been built`);
  }
}

/** The devices that the board uses after construction. */
interface Parts {
  readonly harts: RiscvHartArray;
  readonly timer: AclintMtimer;
  readonly uart: SerialMm;
  readonly fwCfg: FwCfgMem;
}

function checkOptions({ ramBytes, hartCount, flashDrives = [] }: MachineOptions): void {
  if (!Number.isInteger(hartCount) || hartCount < 1 || hartCount > VIRT_MAX_HARTS)
    throw new QomError(`virt-machine cannot have ${hartCount} harts; give 1 to ${VIRT_MAX_HARTS}`);
  if (!Number.isSafeInteger(ramBytes) || ramBytes < PAGE_BYTES || ramBytes % PAGE_BYTES !== 0)
    throw new QomError(`virt-machine cannot have ${ramBytes} bytes of RAM; give a multiple of ${PAGE_BYTES}`);
  if (flashDrives.length > FLASH_BANKS.length)
    throw new QomError(
      `flash bank ${flashDrives.length - 1}: there are banks 0 and 1; give unit=0 or unit=1`,
    );
}

function littleEndian(value: number, length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, index) => (value >>> (8 * index)) & 0xff);
}

/** Reads of unassigned ports return all ones. */
const unassignedPorts: MemoryRegionOps<VirtMachine> = {
  read: () => 0xffff_ffff,
  write: () => {},
  endianness: "little",
};
