/** A machine that contains only the device under test, for tests that access it through an address space. */
import { type AccessSize, AddressSpace, MemoryRegion, type MemTxResult, WHOLE_ADDRESS_SPACE } from "#memory";
import {
  Clock,
  DeviceModel,
  type DeviceModelOptions,
  type IrqInput,
  type ShutdownRequest,
  SysBusDevice,
} from "#qdev";
import { type PropertyValue, QomAbort, type TypeRegistry } from "#qom";

/** The exports of a tree of devices that tests need. */
export interface DeviceTreeModule {
  registerTypes(registry: TypeRegistry): void;
}

/** 2020-09-13, 12:26:40 UTC: an easily recognised number of seconds. */
export const WALL_CLOCK = 1_600_000_000_000_000_000n;

/** The end of an interrupt line; records its level and how often it was set. */
export class Probe implements IrqInput {
  level = false;
  /** Number of times that a level was set, changed or not. */
  calls = 0;

  set(level: boolean): void {
    this.level = level;
    this.calls++;
  }
}

/** What a host-window shares with its host. */
export interface HostMemory {
  memory: Uint8Array | null;
  hostRegisters: Uint8Array;
}

/** Any order of release must do, so tests use a shuffled one. */
export const RELEASE_ORDER = 1;

/** The device's window is mapped at this address. */
export const BASE = 0x1000_0000;

export class Rig {
  readonly model: DeviceModel;
  readonly space: AddressSpace;
  /** The guest's requests to the host. */
  readonly requests: ShutdownRequest[] = [];
  /** Guest errors reported so far. */
  readonly guestErrors: string[] = [];
  private now = 0;

  constructor(tree: DeviceTreeModule, options: DeviceModelOptions = {}) {
    const clock = new Clock(() => this.now, WALL_CLOCK);
    this.model = new DeviceModel({ clock, checked: "throw", releaseOrder: RELEASE_ORDER, ...options });
    tree.registerTypes(this.model.types);
    this.model.onShutdownRequest = (request) => this.requests.push(request);
    this.model.onGuestError = (_, message) => this.guestErrors.push(message);
    this.model.systemMemory = MemoryRegion.new(this.model.noOwner, "system", WHOLE_ADDRESS_SPACE);
    this.space = new AddressSpace(this.model, this.model.systemMemory, "memory");
  }

  /** Creates, realizes, maps at `BASE` and resets a device. */
  plug(typeName: string, properties: Record<string, PropertyValue> = {}): SysBusDevice {
    const device = this.create(typeName, properties);
    device.plugIntoSystemBus();
    device.mapMmio(0, BASE);
    device.reset();
    return device;
  }

  /** Creates a device like `device_add`, but does not realize it yet. */
  create(typeName: string, properties: Record<string, PropertyValue> = {}, id = "dut"): SysBusDevice {
    const device = this.model.createPeripheral(typeName, id);
    for (const [name, value] of Object.entries(properties)) device.setProperty(name, value);
    if (device instanceof SysBusDevice) return device;
    throw new QomAbort(`${typeName} is not a device of the system bus`);
  }

  /** Reads at an offset of the device; never throws, and returns what the guest would get. */
  read(offset: number, size: AccessSize = 4): number {
    return this.space.read(BASE + offset, size);
  }

  read64(offset: number): bigint {
    const low = this.space.read(BASE + offset, 8);
    return (BigInt(this.space.high) << 32n) | BigInt(low);
  }

  write(offset: number, value: number, size: AccessSize = 4): void {
    this.space.write(BASE + offset, size, value);
  }

  write64(offset: number, value: bigint): void {
    const low = Number(BigInt.asUintN(32, value));
    this.space.write(BASE + offset, 8, low, Number(BigInt.asUintN(32, value >> 32n)));
  }

  /** Outcome of the latest access. */
  get result(): MemTxResult {
    return this.space.result;
  }

  /** Lets guest time pass; timers fire at their deadlines. */
  advance(nanoseconds: number): void {
    const end = this.now + nanoseconds;
    while (this.model.clock.deadline <= end) {
      this.now = Math.max(this.now, this.model.clock.deadline);
      this.model.clock.runExpired();
    }
    this.now = end;
  }
}
