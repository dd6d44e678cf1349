/** Ports of a serial device: consoles, and lines that programs open by name. Source: VIRTIO 1.2, section 5.3. */
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

/** Stands for the first number that is free. */
const ANY_NUMBER = 0xffff_ffff;

/** What both kinds have in common. */
export abstract class VirtioSerialPort extends Device implements CharDevice {
  static override readonly typeName: string = "virtio-serial-port";
  static override readonly instanceSize: number = 232;
  /** The state of both kinds. What the host has typed is kept by its own end. */
  protected static readonly vmFields = { driverOpen: "bool" } as const satisfies VmStateFields;
  static override readonly properties = [
    stringProperty<VirtioSerialPort>("chardev", "chardev"),
    uintProperty<VirtioSerialPort>("nr", "uint32", "number"),
    stringProperty<VirtioSerialPort>("name", "name"),
  ];

  override readonly busType = VirtioSerialBus.typeName;
  /** Whether the driver makes a console of it. */
  abstract readonly isConsole: boolean;

  /** Name of the backend; none: what the guest sends is lost. */
  chardev = "";
  number = ANY_NUMBER;
  /** By which programs in the guest find it. */
  name = "";
  private backend: CharBackend | null = null;
  private source: Chardev | null = null;
  private serial: VirtioSerial | null = null;
  private driverOpen = false;

  protected override realize(): void {
    const bus = this.parentBus;
    if (!(bus instanceof VirtioSerialBus)) {
      throw new QomError(
        `${this.qomType.typeName} needs a virtio-serial bus; add a virtio-serial-device in front of it`,
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

  /** Whether there is a host's side, which is always open. */
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

  /** There is no line that could be broken. */
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

  /** The driver has lent buffers. */
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
