import { type Rcu, RcuNode } from "#memory";
import { QomAbort, QomError, QomObject } from "#qom";
import type { Device } from "./device.ts";
import type { DeviceModel } from "./device-model.ts";

/**
 * A place where devices sit. It holds a reference on each until a grace period after the device left, and each holds one
 * on it while it sits there.
 */
export class Bus extends QomObject {
  static override readonly typeName: string = "bus";
  static override readonly instanceSize: number = 120;

  /** How many devices have room. */
  static readonly maxDevices: number = Number.POSITIVE_INFINITY;

  declare readonly model: DeviceModel;

  private readonly seated: Device[] = [];

  /** As `bus=` of a device names it. */
  get name(): string {
    return this.nameInParent;
  }

  /** The devices, first come first. */
  get devices(): readonly Device[] {
    return this.seated;
  }

  /** Whether no more devices have room. */
  get full(): boolean {
    const { maxDevices } = this.constructor as typeof Bus; // every bus is constructed from such a class
    return this.seated.length >= maxDevices;
  }

  /** @throws QomAbort when the device sits on a bus already; QomError when the bus is full. */
  add(device: Device): void {
    if (device.parentBus !== null) throw new QomAbort(`${device.describe()} sits on a bus already`);
    if (this.full) throw new QomError(`bus ${this.name} is full; give another`);
    device.ref();
    this.ref();
    device.parentBus = this;
    this.seated.push(device);
  }

  remove(device: Device): void {
    this.seated.splice(this.seated.indexOf(device), 1);
    device.parentBus = null;
    const { rcu }: { rcu: Rcu } = this.model;
    rcu.call(new RcuNode(), () => device.unref());
    this.unref();
  }

  /** What `info qtree` says of a device on such a bus, besides its options; null: nothing. */
  describeSeat(_device: Device): string | null {
    return null;
  }

  /** Realizes the devices that are not yet. */
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
