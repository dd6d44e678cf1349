import { type AddressSpace, type Rcu, RcuNode } from "#memory";
import { QomAbort, QomError, QomObject } from "#qom";
import type { Device } from "./device.ts";
import type { DeviceModel } from "./device-model.ts";
import type { HotplugHandler } from "./hotplug.ts";

/**
 * A bus that devices sit on. It holds a reference to each until a grace period after the device left; each device holds
 * one to the bus while it sits there.
 */
export class Bus extends QomObject {
  static override readonly typeName: string = "bus";
  static override readonly instanceSize: number = 120;

  /** Maximum number of devices. */
  static readonly maxDevices: number = Number.POSITIVE_INFINITY;

  declare readonly model: DeviceModel;

  private readonly seated = new Set<Device>();
  /** Devices that have left, until the end of the grace period. */
  private readonly leaving = new Set<Device>();

  /** Decides about devices that are plugged and unplugged; null if the bus supports no hot-plugging. */
  hotplugHandler: HotplugHandler | null = null;

  /** The name that a device's `bus=` refers to. */
  get name(): string {
    return this.nameInParent;
  }

  /** The devices, in order of arrival. */
  get devices(): readonly Device[] {
    return [...this.seated];
  }

  /** The devices that the bus holds a reference to: those on it, and those that have just left. */
  get held(): readonly Device[] {
    return [...this.seated, ...this.leaving];
  }

  /** Whether there is no room for more devices. */
  get full(): boolean {
    const { maxDevices } = this.constructor as typeof Bus; // the constructor of every bus is such a class
    return this.seated.size >= maxDevices;
  }

  /** Where a device sits, for buses whose devices have addresses; the system bus gives no paths. */
  pathOf(_device: Device): string | null {
    return null;
  }

  /** What the devices on the bus reach by DMA. */
  get dmaSpace(): AddressSpace {
    return this.model.systemSpace;
  }

  /** @throws QomAbort when the device already sits on a bus; QomError when the bus is full. */
  add(device: Device): void {
    if (device.parentBus !== null) throw new QomAbort(`${device.describe()} already sits on a bus`);
    if (this.full) throw new QomError(`bus ${this.name} is full; give another`);
    device.ref();
    this.ref();
    device.parentBus = this;
    this.seated.add(device);
  }

  remove(device: Device): void {
    this.seated.delete(device);
    device.parentBus = null;
    const { rcu }: { rcu: Rcu } = this.model;
    const { leaving } = this;
    leaving.add(device);
    rcu.call(new RcuNode(), () => {
      leaving.delete(device);
      device.unref();
    });
    this.unref();
  }

  /** What `info qtree` shows for a device on this bus besides its options; null for nothing. */
  describeSeat(_device: Device): string | null {
    return null;
  }

  /** Realizes the devices that are not realized yet. */
  plugAll(): void {
    for (const device of this.seated) if (!device.realized) device.plug();
  }

  unplugAll(): void {
    for (const device of [...this.seated].reverse()) device.unplug();
  }

  reset(): void {
    for (const device of this.seated) device.reset();
  }

  protected override onUnparent(): void {
    for (const device of [...this.seated]) device.unparent();
  }
}
