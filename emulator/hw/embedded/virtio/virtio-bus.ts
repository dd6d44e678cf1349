/** Where a virtio device sits: between its transport, which the driver speaks to, and the device. */
import { Bus } from "#qdev";
import type { VirtioDevice } from "./virtio-device.ts";

/** What carries a device's registers and interrupts. */
export interface VirtioTransport {
  /** Whether drivers see the interface from before version 1. */
  readonly legacy: boolean;
  /** Drives the interrupt line. */
  setInterrupt(level: boolean): void;
}

/** A bus with a single seat. */
export class VirtioBus extends Bus {
  static override readonly typeName: string = "virtio-bus";
  static override readonly instanceSize: number = 184;
  static override readonly maxDevices = 1;

  /** Set by the transport before any device comes. */
  transport: VirtioTransport | null = null;
  /** The device, from when it is realized until it no longer is. */
  device: VirtioDevice | null = null;
}

export class VirtioMmioBus extends VirtioBus {
  static override readonly typeName = "virtio-mmio-bus";
}
