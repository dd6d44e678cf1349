/** Ports of a serial device: consoles, and lines that guest programs open by name. Source: VIRTIO 1.2, section 5.3. */
import {
  type CharBackend,
  type CharDevice,
  type Chardev,
  Device,
  stringProperty,
  uintProperty,
  type VmState,
  type VmStateFields,
} from "#qdev";
import { QomError } from "#qom";
import type { VirtioSerial } from "./virtio-serial.ts";
import { VirtioSerialBus } from "./virtio-serial-bus.ts";

/** Stands for the first free number. */
const ANY_NUMBER = 0xffff_ffff;

/** Base of both kinds of ports. */
export abstract class VirtioSerialPort extends Device implements CharDevice {
  static override readonly typeName: string = "virtio-serial-port";
  static override readonly instanceSize: number = 232;
  /** State of both kinds. Input that waits is part of the backend's state. */
  protected static readonly vmFields = { driverOpen: "bool" } as const satisfies VmStateFields;
  static override readonly properties = [
    stringProperty<VirtioSerialPort>("chardev", "chardev"),
    uintProperty<VirtioSerialPort>("nr", "uint32", "number"),
    stringProperty<VirtioSerialPort>("name", "name"),
  ];

  override readonly busType = VirtioSerialBus.typeName;
  /** Whether the driver uses it as a console. */
  abstract readonly isConsole: boolean;

  /** Name of the backend; if empty, what the guest sends is lost. */
  chardev = "";
  number = ANY_NUMBER;
  /** Name by which guest programs find the port. */
  name = "";
  private backend: CharBackend | null = null;
  private source: Chardev | null = null;
  private serial: VirtioSerial | null = null;
  private driverOpen = false;

  protected override realize(): void {
    const bus = this.parentBus;
    if (!(bus instanceof VirtioSerialBus)) {
      throw new QomError(
        `${this.qomType.typeName} needs a virtio-serial bus; add a virtio-serial-device before it`,
      );
    }
    if (this.chardev !== "") {
      this.source = this.model.chardevs.take(this.chardev);
      this.backend = this.source;
    }
    try {
      this.number = bus.device.addPort(this, this.number === ANY_NUMBER ? null : this.number);
    } catch (failure) {
      this.letGoOfBackend();
      throw failure;
    }
    this.serial = bus.device;
    this.source?.attach(this);
  }

  protected override unrealize(): void {
    this.serial?.removePort(this.number);
    this.serial = null;
    this.letGoOfBackend();
  }

  private letGoOfBackend(): void {
    this.source?.attach(null);
    if (this.source !== null) this.model.chardevs.giveBack(this.chardev);
    this.source = null;
    this.backend = null;
  }

  override reset(): void {
    this.driverOpen = false;
  }

  /** Whether there is a host end, which is always open. */
  get hostOpen(): boolean {
    return this.backend !== null;
  }

  // Host side.

  connect(backend: CharBackend | null): void {
    this.backend = backend;
  }

  canReceive(): number {
    return this.driverOpen ? (this.serial?.roomFor(this.number) ?? 0) : 0;
  }

  receive(byte: number): void {
    this.serial?.send(this.number, Uint8Array.of(byte));
  }

  /** There is no line that could be in the break condition. */
  receiveBreak(): void {}

  // For the device.

  /** Whether the guest has the port open. */
  get isDriverOpen(): boolean {
    return this.driverOpen;
  }

  setDriverOpen(open: boolean): void {
    this.driverOpen = open;
    if (open) this.backend?.acceptInput?.();
  }

  /** Called when the driver has provided buffers. */
  driverHasRoom(): void {
    if (this.driverOpen) this.backend?.acceptInput?.();
  }

  takeFromDriver(bytes: Uint8Array): void {
    for (const byte of bytes) this.backend?.write(byte);
  }
}

export class Virtconsole extends VirtioSerialPort {
  static override readonly typeName = "virtconsole";
  static override readonly vmState = {
    name: "virtconsole",
    version: 1,
    fields: VirtioSerialPort.vmFields,
  } as const satisfies VmState;
  readonly isConsole = true;
}

export class Virtserialport extends VirtioSerialPort {
  static override readonly typeName = "virtserialport";
  static override readonly vmState = {
    name: "virtserialport",
    version: 1,
    fields: VirtioSerialPort.vmFields,
  } as const satisfies VmState;
  readonly isConsole = false;
}
