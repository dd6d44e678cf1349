/** The bus between a virtio transport, which the driver talks to, and its device. */
import { Bus } from "#qdev";
import type { VirtioDevice } from "./virtio-device.ts";

/** Gives drivers access to a device's registers and interrupts. */
export interface VirtioTransport {
  /** Whether drivers see the legacy interface, from before version 1. */
  readonly legacy: boolean;
  /** Drives the interrupt line. */
  setInterrupt(level: boolean): void;
}

/** A bus for a single device. */
export class VirtioBus extends Bus {
  static override readonly typeName: string = "virtio-bus";
  static override readonly instanceSize: number = 184;
  static override readonly maxDevices = 1;

  /** Set by the transport before a device is added. */
  transport: VirtioTransport | null = null;
  /** The device, while it is realized. */
  device: VirtioDevice | null = null;
}

export class VirtioMmioBus extends VirtioBus {
  static override readonly typeName = "virtio-mmio-bus";
}
