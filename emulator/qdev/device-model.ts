import { type AddressSpace, MemoryModel, type MemoryModelOptions, type MemoryRegion } from "#memory";
import { type PropertyValue, QomAbort, QomError, type QomObject } from "#qom";
import type { BlockBackend } from "./block.ts";
import type { Chardev } from "./char.ts";
import { Clock } from "./clock.ts";
import { Device } from "./device.ts";
import { Irq } from "./irq.ts";
import type { Machine, MachineOptions } from "./machine.ts";
import { NamedBackends } from "./named-backends.ts";
import { MacPool, type NetBackend } from "./net.ts";
import { SystemBus } from "./sysbus.ts";

export interface DeviceModelOptions extends MemoryModelOptions {
  /** Guest time; default: a clock that stands still at 0. */
  readonly clock?: Clock;
}

/** What a guest asks of the host: to end, to start anew, or to end with a code that tells of a failure. */
export interface ShutdownRequest {
  readonly kind: "poweroff" | "reset" | "fail";
  /** Exit code; 0 unless the guest failed. */
  readonly code: number;
}

/** What a guest does wrong, in the words of QEMU's `-d`: `unimp` is what might have a meaning in another device. */
export type GuestErrorKind = "guest_errors" | "unimp";

/** A default for one option of all devices of a type, and of the types that inherit from it. */
export interface GlobalProperty {
  readonly driver: string;
  readonly property: string;
  readonly value: PropertyValue;
}

/** The model of a machine with devices: guest time, the main system bus, and what is told about devices. */
export class DeviceModel extends MemoryModel {
  readonly clock: Clock;
  /** Told the path of a device that was unplugged, at the moment its storage is about to go. */
  onDeviceDeleted: ((path: string) => void) | null = null;
  /** Told of guest accesses that make no sense. */
  onGuestError: ((device: Device, message: string, kind: GuestErrorKind) => void) | null = null;
  /** Told of the guest's requests to power off or to reset. The guest runs on until the run loop acts. */
  onShutdownRequest: ((request: ShutdownRequest) => void) | null = null;
  /** Defaults that devices get at their creation, in this order; the board's own settings come later, and win. */
  readonly globals: GlobalProperty[] = [];
  /** What block devices keep their sectors in, by the name that their option `drive` gives. */
  readonly drives = new Map<string, BlockBackend>();
  private readonly drivesInUse = new Set<string>();
  /** What network cards are plugged into, by the name that their option `netdev` gives. */
  readonly netdevs = new NamedBackends<NetBackend>("netdev");
  /** What serial lines lead to, by the name that their option `chardev` gives. */
  readonly chardevs = new NamedBackends<Chardev>("chardev");
  /** Addresses of network cards that nobody chose one for. */
  readonly macs = new MacPool();
  private memory: MemoryRegion | null = null;
  /** Per type of bus, the number that the next bus without a name of its own gets. */
  private readonly busNumbers = new Map<string, number>();

  constructor(options: DeviceModelOptions = {}) {
    super(options);
    this.clock = options.clock ?? new Clock(() => 0, 0n);
    this.types.register(SystemBus, Irq);
  }

  /** The root of the system's memory, which the board sets. */
  get systemMemory(): MemoryRegion {
    if (this.memory === null)
      throw new QomAbort("a window is mapped before the board has made its system memory");
    return this.memory;
  }

  set systemMemory(region: MemoryRegion) {
    this.memory = region;
  }

  /** What bus masters see: the address space of the system's memory that was made first. */
  get systemSpace(): AddressSpace {
    const { systemMemory } = this;
    const space = this.addressSpaces.find((each) => each.root === systemMemory);
    if (space === undefined) throw new QomAbort("the board has made no address space of its system memory");
    return space;
  }

  /** Creates in place, as always; devices also get the defaults of their types. */
  override initialize(object: QomObject): void {
    super.initialize(object);
    if (!(object instanceof Device)) return; // the first objects come before the fields of this class
    for (const { driver, property, value } of this.globals)
      if (this.types.isA(object.qomType, driver)) object.setProperty(property, value);
  }

  /** The drive called `name`, for one device at a time. @throws QomError when there is none, or it is in use. */
  attachDrive(name: string): BlockBackend {
    const drive = this.drives.get(name);
    if (drive === undefined)
      throw new QomError(`property drive is ${name}; there is no such drive, give the id of a -drive`);
    if (this.drivesInUse.has(name))
      throw new QomError(`drive ${name} is in use by another device; give each a drive of its own`);
    this.drivesInUse.add(name);
    return drive;
  }

  /** Drives that no device has. */
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

  /** The main system bus, made at the first use. */
  get systemBus(): SystemBus {
    const present = this.unattached.child("sysbus");
    if (present instanceof SystemBus) return present;
    const bus = this.create(SystemBus);
    this.unattached.addChild("sysbus", bus);
    bus.unref();
    return bus;
  }

  /** Passes a guest's request on to whoever runs the machine. */
  requestShutdown(request: ShutdownRequest): void {
    this.onShutdownRequest?.(request);
  }

  /** Makes the board `typeName` at /machine, with all its devices. @throws QomError when the options cannot be met. */
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

  /** @throws QomError that lists the devices there are when `typeName` is none of them. */
  private createDevice(typeName: string): Device {
    const devices = this.types.names().filter((name) => this.types.isA(this.types.lookup(name), "device"));
    if (!devices.includes(typeName)) {
      throw new QomError(`unknown device "${typeName}"; give one of ${devices.join(", ")}`);
    }
    return this.create(this.types.lookup(typeName)) as Device; // as just checked
  }

  /**
   * Creates a device by type name and puts it at /machine/peripheral/`id`; without an id, at the next free
   * /machine/peripheral-anon/device[n].
   * @param hotplugged whether it comes after the machine was complete (default).
   * @throws QomError when there is no such type, or `id` is taken.
   */
  createPeripheral(typeName: string, id: string | null, hotplugged = true): Device {
    const machine = this.resolvePath("/machine");
    const home = this.childContainer(machine, id === null ? "peripheral-anon" : "peripheral");
    if (id !== null && home.child(id) !== undefined)
      throw new QomError(`the device name "${id}" is taken; give another`);
    const device = this.createDevice(typeName);
    home.addChild(id ?? "device[*]", device);
    device.unref(); // the tree holds it from now on
    device.hotplugged = hotplugged;
    return device;
  }
}
