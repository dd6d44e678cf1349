/** The bus between a multiport serial device and its ports. */
import { Bus, type Device } from "#qdev";
import { QomAbort } from "#qom";
import type { VirtioSerial } from "./virtio-serial.ts";

/** Maximum number of ports of a device. */
export const MOST_PORTS = 31;

export class VirtioSerialBus extends Bus {
  static override readonly typeName = "virtio-serial-bus";
  static override readonly instanceSize: number = 128;

  private owner: VirtioSerial | null = null;

  override describeSeat(device: Device): string | null {
    return this.device.describePort(device);
  }

  /** Set by the device before a port is added. */
  set device(device: VirtioSerial) {
    this.owner = device;
  }

  /** @throws QomAbort before it is set. */
  get device(): VirtioSerial {
    if (this.owner === null) throw new QomAbort(`${this.describe()} has no device`);
    return this.owner;
  }
}
