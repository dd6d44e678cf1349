import { type AddressSpace, MemoryModel, type MemoryModelOptions, type MemoryRegion } from "#memory";
import { type PropertyValue, QomAbort, QomError, type QomObject } from "#qom";
import type { BlockBackend } from "./block.ts";
import type { Chardev } from "./char.ts";
import { Clock } from "./clock.ts";
import { Device } from "./device.ts";
import type { DeviceListener, HotplugHandler } from "./hotplug.ts";
import { Irq } from "./irq.ts";
import type { Machine, MachineOptions } from "./machine.ts";
import { NamedBackends } from "./named-backends.ts";
import { MacPool, type NetBackend } from "./net.ts";
import { SystemBus } from "./sysbus.ts";

export interface DeviceModelOptions extends MemoryModelOptions {
  /** Guest time; default: a clock that stays at 0. */
  readonly clock?: Clock;
}

/** A guest's request to the host: to power off, to reset, or to end with an exit code that reports a failure. */
export interface ShutdownRequest {
  readonly kind: "poweroff" | "reset" | "fail";
  /** Exit code; 0 unless the guest failed. */
  readonly code: number;
}

/** Kinds of guest errors, named as in QEMU's `-d`; `unimp`: a real device might implement it. */
export type GuestErrorKind = "guest_errors" | "unimp";

/** A default for one option of all devices of a type and its subtypes. */
export interface GlobalProperty {
  readonly driver: string;
  readonly property: string;
  readonly value: PropertyValue;
}

/** The model of a machine with devices: guest time, the main system bus, backends, and device events. */
export class DeviceModel extends MemoryModel {
  readonly clock: Clock;
  /** Called with the path of an unplugged device, just before its storage is freed. */
  onDeviceDeleted: ((path: string) => void) | null = null;
  /** Hear of devices: of realizing in this order, of unrealizing in the opposite one. */
  readonly deviceListeners: DeviceListener[] = [];
  /** The machine's say about plugging a device; null leaves it to the bus. */
  machineHotplugHandler: ((device: Device) => HotplugHandler | null) | null = null;
  /** Called on invalid or unimplemented guest accesses. */
  onGuestError: ((device: Device, message: string, kind: GuestErrorKind) => void) | null = null;
  /** Called on the guest's shutdown and reset requests. The guest keeps running until the run loop acts. */
  onShutdownRequest: ((request: ShutdownRequest) => void) | null = null;
  /** Defaults that devices get on creation, in this order; the board's own settings come later and take precedence. */
  readonly globals: GlobalProperty[] = [];
  /** Backends of block devices, by the name used in the option `drive`. */
  readonly drives = new Map<string, BlockBackend>();
  private readonly drivesInUse = new Set<string>();
  /** Backends of network cards, by the name used in the option `netdev`. */
  readonly netdevs = new NamedBackends<NetBackend>("netdev");
  /** Backends of serial lines, by the name used in the option `chardev`. */
  readonly chardevs = new NamedBackends<Chardev>("chardev");
  /** Default MAC addresses of network cards. */
  readonly macs = new MacPool();
  private memory: MemoryRegion | null = null;
  /** For each bus type, the number of the next bus without a name of its own. */
  private readonly busNumbers = new Map<string, number>();

  constructor(options: DeviceModelOptions = {}) {
    super(options);
    this.clock = options.clock ?? new Clock(() => 0, 0n);
    this.types.register(SystemBus, Irq);
  }

  /** The root region of system memory; set by the board. */
  get systemMemory(): MemoryRegion {
    if (this.memory === null) throw new QomAbort("system memory is used before the board has created it");
    return this.memory;
  }

  set systemMemory(region: MemoryRegion) {
    this.memory = region;
  }

  /** What bus masters see: the first address space created for system memory. */
  get systemSpace(): AddressSpace {
    const { systemMemory } = this;
    const space = this.addressSpaces.find((each) => each.root === systemMemory);
    if (space === undefined)
      throw new QomAbort("the board has created no address space for its system memory");
    return space;
  }

  /** Initialises in place; devices also get the defaults of their types. */
  override initialize(object: QomObject): void {
    super.initialize(object);
    if (!(object instanceof Device)) return; // the first objects are created before this class's fields exist
    for (const { driver, property, value } of this.globals)
      if (this.types.isA(object.qomType, driver)) setGlobal(object, { driver, property, value });
  }

  protected override busPathOf(device: QomObject, ram: MemoryRegion): string | null {
    if (device instanceof Device) return device.parentBus?.pathOf(device) ?? null;
    throw new QomAbort(
      `the RAM ${ram.name} has as its owner ${device.describe()}, which is no device, so it cannot be identified with it; use the constructor's Nomigrate variant, then registerRamGlobally()`,
    );
  }

  /** Takes the drive called `name` for one device. @throws QomError when there is none, or it is in use. */
  attachDrive(name: string): BlockBackend {
    const drive = this.drives.get(name);
    if (drive === undefined)
      throw new QomError(`property drive is ${name}, which does not exist; give the id of a -drive`);
    if (this.drivesInUse.has(name))
      throw new QomError(`drive ${name} is in use by another device; give each device a drive of its own`);
    this.drivesInUse.add(name);
    return drive;
  }

  /** Drives that no device uses. */
  get unusedDrives(): readonly string[] {
    return [...this.drives.keys()].filter((name) => !this.drivesInUse.has(name));
  }

  detachDrive(name: string): void {
    this.drivesInUse.delete(name);
  }

  /** The name of the next bus of a type that numbers its buses: `typeName.0`, `typeName.1`, … */
  nextBusName(typeName: string): string {
    const number = this.busNumbers.get(typeName) ?? 0;
    this.busNumbers.set(typeName, number + 1);
    return `${typeName}.${number}`;
  }

  /**
   * Ends the machine. Where unrealizing a device unparents its regions, what is mapped is unmapped first, as QEMU would have
   * to, which never destroys a board.
   */
  override destroy(): void {
    const { memory } = this;
    if (this.references.unparentsAtUnrealize && memory !== null)
      this.transaction(() => {
        for (const region of [...memory.subregions]) memory.delSubregion(region);
      });
    super.destroy();
  }

  /** The main system bus, created on first use. */
  get systemBus(): SystemBus {
    const present = this.unattached.child("sysbus");
    if (present instanceof SystemBus) return present;
    const bus = this.create(SystemBus);
    this.unattached.addChild("sysbus", bus);
    bus.unref();
    return bus;
  }

  /** Passes a guest's request on to the run loop. */
  requestShutdown(request: ShutdownRequest): void {
    this.onShutdownRequest?.(request);
  }

  /** Creates the board `typeName` at /machine, with all its devices. @throws QomError when the options are invalid. */
  createMachine(typeName: string, options: MachineOptions): Machine {
    const type = this.types.lookup(typeName);
    if (!this.types.isA(type, "machine"))
      throw new QomError(`${typeName} is not a machine; give the name of one, such as virt-machine`);
    const machine = this.create(type) as Machine; // as just checked
    this.root.addChild("machine", machine);
    machine.unref();
    for (const name of ["peripheral", "peripheral-anon", "unattached"]) this.childContainer(machine, name);
    machine.build(options);
    return machine;
  }

  /** @throws QomError, listing the known device types, when `typeName` is not one of them. */
  private createDevice(typeName: string): Device {
    const devices = this.types.names().filter((name) => this.types.isA(this.types.lookup(name), "device"));
    if (!devices.includes(typeName)) {
      throw new QomError(`unknown device "${typeName}"; give one of ${devices.join(", ")}`);
    }
    return this.create(this.types.lookup(typeName)) as Device; // as just checked
  }

  /**
   * Creates a device by type name at /machine/peripheral/`id` or, without an id, at the next free
   * /machine/peripheral-anon/device[n].
   * @param hotplugged whether the machine is already complete (default).
   * @throws QomError when there is no such type, or `id` is taken.
   */
  createPeripheral(typeName: string, id: string | null, hotplugged = true): Device {
    const machine = this.resolvePath("/machine");
    const home = this.childContainer(machine, id === null ? "peripheral-anon" : "peripheral");
    if (id !== null && home.child(id) !== undefined)
      throw new QomError(`the device id "${id}" is taken; give another`);
    const device = this.createDevice(typeName);
    home.addChild(id ?? "device[*]", device);
    device.unref(); // the tree holds it from now on
    device.hotplugged = hotplugged;
    return device;
  }
}

/** @throws QomError that names the default, since nothing else says where the value comes from */
function setGlobal(object: QomObject, { driver, property, value }: GlobalProperty): void {
  try {
    object.setProperty(property, value);
  } catch (error) {
    if (!(error instanceof QomError)) throw error;
    throw new QomError(`-global ${driver}.${property}=${value}: ${error.message}`);
  }
}
