/** Up to 31 serial lines to the host. Source: VIRTIO 1.2, section 5.3; queues and events as in QEMU 7.2. */
import { type Device, uintProperty, type VmState } from "#qdev";
import { QomError } from "#qom";
import { VIRTIO_STATUS, VirtioDevice } from "../virtio/virtio-device.ts";
import { featureProperty } from "../virtio/virtio-features.ts";
import type { Virtqueue } from "../virtio/virtqueue.ts";
import { MOST_PORTS, VirtioSerialBus } from "./virtio-serial-bus.ts";
import type { VirtioSerialPort } from "./virtio-serial-port.ts";

const VIRTIO_CONSOLE_F_MULTIPORT = 1n << 1n;
const VIRTIO_CONSOLE_F_EMERG_WRITE = 1n << 2n;

/** Offsets in the configuration space. */
const CONFIG_MAX_PORTS = 4;
const CONFIG_EMERGENCY_WRITE = 8;
const CONFIG_BYTES = 12;

const PORT_QUEUE_SIZE = 128;
const CONTROL_QUEUE_SIZE = 32;

/** Events of the control queues: port (4 bytes), event (2), value (2), and sometimes a name. */
export const PORT_EVENT = {
  DeviceReady: 0,
  PortAdd: 1,
  PortRemove: 2,
  PortReady: 3,
  ConsolePort: 4,
  Resize: 5,
  PortOpen: 6,
  PortName: 7,
} as const;

const EVENT_BYTES = 8;

/** The device itself; its ports are separate devices, which sit on its bus. */
export class VirtioSerial extends VirtioDevice {
  static override readonly typeName = "virtio-serial-device";
  static override readonly instanceSize: number = 648;
  static override readonly vmState = {
    name: "virtio-console", // QEMU's name
    version: 2,
    fields: VirtioDevice.vmFields,
  } as const satisfies VmState;
  static override readonly properties = [
    uintProperty<VirtioSerial>("max_ports", "uint32", "maxPorts"),
    featureProperty("emergency-write", VIRTIO_CONSOLE_F_EMERG_WRITE),
  ];

  /** The bus that the ports sit on. */
  readonly bus = this.embed(VirtioSerialBus);
  readonly deviceId = 3;
  maxPorts = MOST_PORTS;
  private hasBus = false;
  private readonly ports = new Map<number, VirtioSerialPort>();
  /** Queues to the driver, by port. */
  private readonly toDriver: Virtqueue[] = [];
  private controlToDriver: Virtqueue | null = null;

  protected override instanceInit(): void {
    this.hostFeatures |= VIRTIO_CONSOLE_F_EMERG_WRITE;
  }

  protected override realizeDevice(): void {
    if (this.maxPorts < 1 || this.maxPorts > MOST_PORTS)
      throw new QomError(`property max_ports is ${this.maxPorts}; give 1 to ${MOST_PORTS}`);
    this.makeBus();
    this.addPortQueues(0);
    this.controlToDriver = this.addQueue(CONTROL_QUEUE_SIZE, () => {});
    this.addQueue(CONTROL_QUEUE_SIZE, (queue) => this.takeEvents(queue));
    for (let port = 1; port < this.maxPorts; port++) this.addPortQueues(port);
    this.config = new DataView(new ArrayBuffer(CONFIG_BYTES));
  }

  protected override unrealizeDevice(): void {
    this.toDriver.length = 0;
    this.controlToDriver = null;
  }

  /** Creates the bus; as in QEMU, it is named after the device if that has an id. */
  private makeBus(): void {
    if (this.hasBus) return; // the device was realized before
    const isNamed = this.parent?.nameInParent === "peripheral";
    const name = isNamed ? `${this.nameInParent}.0` : this.model.nextBusName(VirtioSerialBus.typeName);
    this.initializeChild(name, this.bus);
    this.bus.device = this;
    this.hasBus = true;
  }

  private addPortQueues(id: number): void {
    this.toDriver.push(this.addQueue(PORT_QUEUE_SIZE, () => this.ports.get(id)?.driverHasRoom()));
    this.addQueue(PORT_QUEUE_SIZE, (queue) => this.takeData(queue, id));
  }

  protected override offer(features: bigint): bigint {
    return this.maxPorts > 1 ? features | VIRTIO_CONSOLE_F_MULTIPORT : features;
  }

  protected override updateConfig(): void {
    this.config.setUint32(0, 0); // console size, a feature that is not offered
    this.config.setUint32(CONFIG_MAX_PORTS, this.maxPorts, true);
  }

  /** Emergency write: a byte for port 0 from a driver that has not set up any queue. */
  protected override configWritten(): void {
    const written = this.config.getUint32(CONFIG_EMERGENCY_WRITE, true);
    if ((this.hostFeatures & VIRTIO_CONSOLE_F_EMERG_WRITE) === 0n || written === 0) return;
    this.config.setUint32(CONFIG_EMERGENCY_WRITE, 0);
    this.ports.get(0)?.takeFromDriver(Uint8Array.of(written & 0xff));
  }

  protected override statusChanges(value: number): void {
    const runs = (value & VIRTIO_STATUS.DriverOk) !== 0;
    if (!runs) for (const port of this.ports.values()) port.setDriverOpen(false);
    // A driver without multiport support cannot report that it has opened its only port.
    else if (!this.hasManyPorts) this.ports.get(0)?.setDriverOpen(true);
  }

  /** Whether driver and device exchange port events. */
  private get hasManyPorts(): boolean {
    return this.hasFeature(VIRTIO_CONSOLE_F_MULTIPORT);
  }

  // For ports.

  /**
   * Assigns a number to a port.
   * @param wanted null for the first free number; number 0 is for consoles only.
   * @throws QomError when there is none left, or `wanted` is taken or invalid.
   */
  addPort(port: VirtioSerialPort, wanted: number | null): number {
    const id = wanted ?? this.freePort(port.isConsole);
    if (id >= this.maxPorts) {
      throw new QomError(
        wanted === null
          ? `all ${this.maxPorts} ports are taken; give the device more with max_ports=`
          : `property nr is ${id}; give 0 to ${this.maxPorts - 1}`,
      );
    }
    if (id === 0 && !port.isConsole) throw new QomError("port 0 is for a virtconsole; give another nr");
    if (this.ports.has(id)) throw new QomError(`port ${id} is taken; give another nr`);
    this.ports.set(id, port);
    this.sendEvent(id, PORT_EVENT.PortAdd, 1);
    return id;
  }

  removePort(id: number): void {
    if (this.ports.delete(id)) this.sendEvent(id, PORT_EVENT.PortRemove, 1);
  }

  private freePort(isConsole: boolean): number {
    let id = isConsole ? 0 : 1;
    while (this.ports.has(id)) id++;
    return id;
  }

  /** What `info qtree` shows for a port. */
  describePort(device: Device): string | null {
    for (const [id, port] of this.ports) {
      if (port !== device) continue;
      const side = (open: boolean) => (open ? "on" : "off");
      return `port ${id}, guest ${side(port.isDriverOpen)}, host ${side(port.hostOpen)}, throttle off`;
    }
    return null;
  }

  /** Number of bytes that the driver can take on a port now. */
  roomFor(id: number): number {
    const queue = this.toDriver[id];
    if (queue === undefined || !this.isRunning) return 0;
    const element = queue.pop();
    if (element === null) return 0;
    const room = element.inBytes;
    queue.unpop(element);
    return room;
  }

  /** Sends bytes to the driver; returns how many it took. */
  send(id: number, bytes: Uint8Array): number {
    const queue = this.toDriver[id];
    if (queue === undefined || !this.isRunning) return 0;
    let done = 0;
    while (done < bytes.length) {
      const element = queue.pop();
      if (element === null) break;
      const written = element.write(0, bytes.subarray(done));
      queue.push(element, written);
      done += written;
    }
    if (done > 0) this.notify(queue);
    return done;
  }

  /** Sends the driver an event of a port; the event is lost if the driver has provided no buffer. */
  sendEvent(id: number, event: number, value: number, name = ""): void {
    const queue = this.controlToDriver;
    if (queue === null || !this.isRunning || !this.hasManyPorts) return;
    const element = queue.pop();
    if (element === null) return;
    const text = new TextEncoder().encode(name);
    const message = new Uint8Array(EVENT_BYTES + text.length);
    const view = new DataView(message.buffer);
    view.setUint32(0, id, true);
    view.setUint16(4, event, true);
    view.setUint16(6, value, true);
    message.set(text, EVENT_BYTES);
    queue.push(element, element.write(0, message));
    this.notify(queue);
  }

  private get isRunning(): boolean {
    return (this.status & VIRTIO_STATUS.DriverOk) !== 0 && !this.broken;
  }

  // From the driver.

  private takeData(queue: Virtqueue, id: number): void {
    if (!this.isRunning) return;
    for (let element = queue.pop(); element !== null; element = queue.pop()) {
      const port = this.ports.get(id);
      if (port !== undefined) element.forEachOut(0, element.outBytes, (bytes) => port.takeFromDriver(bytes));
      queue.push(element, 0);
      this.notify(queue);
    }
  }

  private takeEvents(queue: Virtqueue): void {
    for (let element = queue.pop(); element !== null; element = queue.pop()) {
      const message = new Uint8Array(EVENT_BYTES);
      const length = element.read(0, message);
      queue.push(element, 0);
      this.notify(queue);
      if (length < EVENT_BYTES) this.guestError(`an event of ${length} bytes on the control queue`);
      else this.takeEvent(new DataView(message.buffer));
    }
  }

  private takeEvent(message: DataView): void {
    const id = message.getUint32(0, true);
    const event = message.getUint16(4, true);
    const value = message.getUint16(6, true);
    if (event === PORT_EVENT.DeviceReady) {
      if (value === 0) this.guestError("the driver could not set up the device");
      else for (const each of this.ports.keys()) this.sendEvent(each, PORT_EVENT.PortAdd, 1);
      return;
    }
    const port = this.ports.get(id);
    if (port === undefined) {
      this.guestError(`event ${event} for port ${id}, which does not exist`);
      return;
    }
    switch (event) {
      case PORT_EVENT.PortReady:
        if (value === 0) this.guestError(`the driver could not set up port ${id}`);
        else this.introduce(id, port);
        break;
      case PORT_EVENT.PortOpen:
        port.setDriverOpen(value !== 0);
        break;
      default:
        this.guestError(`event ${event} for port ${id} is not one that drivers send`);
    }
  }

  /** Describes a port to the driver. */
  private introduce(id: number, port: VirtioSerialPort): void {
    if (port.isConsole) this.sendEvent(id, PORT_EVENT.ConsolePort, 1);
    if (port.name !== "") this.sendEvent(id, PORT_EVENT.PortName, 1, port.name);
    if (port.hostOpen) this.sendEvent(id, PORT_EVENT.PortOpen, 1);
  }
}
