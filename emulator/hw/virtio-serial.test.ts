/** Serial ports with a driver: a single console, and many ports with control messages. */
import { describe, expect, test } from "vitest";
import type { CharDevice, Chardev, Device } from "#qdev";
import { Bus } from "#qdev";
import type { PropertyValue } from "#qom";
import { Random } from "./differential/random.ts";
import { loadTrees, type NamedTree } from "./differential/trees.ts";
import { move, stateOf } from "./testing/move.ts";
import { bytesAt, RAM, RAM_BYTES, REGISTER, VirtioRig } from "./testing/virtio-driver.ts";

const VERSION_1 = 1n << 32n;
const MULTIPORT = 1n << 1n;
const EMERGENCY_WRITE = 1n << 2n;

/** Queues: of port 0, of control messages, of port 1. */
const RECEIVE_0 = 0;
const TRANSMIT_0 = 1;
const CONTROL_RECEIVE = 2;
const CONTROL_TRANSMIT = 3;
const RECEIVE_1 = 4;
const TRANSMIT_1 = 5;

const DEVICE_READY = 0;
const PORT_ADD = 1;
const PORT_REMOVE = 2;
const PORT_READY = 3;
const CONSOLE_PORT = 4;
const PORT_OPEN = 6;
const PORT_NAME = 7;

const RECEIVE_BUFFERS = RAM + 0x10_0000;
const EVENT_BUFFERS = RAM + 0x14_0000;
const SEND_BUFFERS = RAM + 0x18_0000;

/** The host end: keeps what it receives, and sends as fast as the guest accepts it. */
class Line implements Chardev {
  received = "";
  device: CharDevice | null = null;
  private typed: number[] = [];
  attach(device: CharDevice | null): void {
    this.device = device;
  }
  write(byte: number): void {
    this.received += String.fromCharCode(byte);
  }
  type(text: string): void {
    this.typed.push(...new TextEncoder().encode(text));
    this.acceptInput();
  }
  acceptInput(): void {
    while (this.typed.length > 0 && (this.device?.canReceive() ?? 0) > 0) {
      const [byte] = this.typed.splice(0, 1);
      if (byte !== undefined) this.device?.receive(byte);
    }
  }
}

class SerialRig extends VirtioRig {
  readonly line = new Line();
  private eventPlaces: number[] = [];

  constructor(tree: NamedTree["tree"], properties: Record<string, PropertyValue> = {}) {
    super(tree, "virtio-serial-device", { properties });
    this.model.chardevs.add("c0", this.line);
  }

  addPort(type: string, properties: Record<string, PropertyValue> = {}): Device {
    const port = this.model.createPeripheral(type, null, false);
    for (const [name, value] of Object.entries(properties)) port.setProperty(name, value);
    for (const [, child] of this.device.children()) if (child instanceof Bus) port.plug(child);
    return port;
  }

  /** Starts a multiport driver, with room for the given number of events. */
  startMany(events = 12): void {
    this.start({ features: VERSION_1 | MULTIPORT, queues: 8, size: 16 });
    this.eventPlaces = [];
    for (let count = 0; count < events; count++)
      this.eventPlaces.push(...this.lend([64], { index: CONTROL_RECEIVE, at: EVENT_BUFFERS + 64 * count }));
  }

  tell(port: number, event: number, value: number): void {
    const message = new DataView(new ArrayBuffer(8));
    message.setUint32(0, port, true);
    message.setUint16(4, event, true);
    message.setUint16(6, value, true);
    this.lend([new Uint8Array(message.buffer)], { index: CONTROL_TRANSMIT, at: SEND_BUFFERS });
    this.kick(CONTROL_TRANSMIT);
    this.nextUsed(CONTROL_TRANSMIT);
  }

  /** Events sent to the driver since the last call: port, event, value, and the name if there is one. */
  events(): (readonly (number | string)[])[] {
    const found: (readonly (number | string)[])[] = [];
    for (let used = this.nextUsed(CONTROL_RECEIVE); used !== null; used = this.nextUsed(CONTROL_RECEIVE)) {
      const place = this.eventPlaces.shift() ?? 0;
      const event = bytesAt(this.space, place, used.length);
      const view = new DataView(event.buffer);
      const name = new TextDecoder().decode(event.subarray(8));
      const fields = [view.getUint32(0, true), view.getUint16(4, true), view.getUint16(6, true)];
      found.push(name === "" ? fields : [...fields, name]);
    }
    return found;
  }

  print(text: string, index = TRANSMIT_0): void {
    this.lend([new TextEncoder().encode(text)], { index, at: SEND_BUFFERS });
    this.kick(index);
    expect(this.nextUsed(index)?.length).toBe(0);
  }
}

const trees = await loadTrees();

describe.each(trees)("virtio-serial, $name", ({ name, tree }) => {
  test("offers multiport support and emergency writes, as in QEMU", () => {
    const both = MULTIPORT | EMERGENCY_WRITE;
    expect(new SerialRig(tree).offered() & 0xffn).toBe(both);
    expect(new SerialRig(tree, { max_ports: 1 }).offered() & 0xffn).toBe(EMERGENCY_WRITE);
    expect(new SerialRig(tree, { "emergency-write": "off" }).offered() & 0xffn).toBe(MULTIPORT);
    const rig = new SerialRig(tree);
    const words = [0, 4, 8, 12].map((at) => rig.read(REGISTER.config + at));
    expect(words).toEqual([0, 31, 0, 0xffff_ffff]);
  });

  test("is a console for a driver without multiport support", () => {
    const rig = new SerialRig(tree);
    rig.addPort("virtconsole", { chardev: "c0" });
    rig.start({ features: VERSION_1, queues: 2 });
    rig.print("hello");
    expect(rig.line.received).toBe("hello");
    const places = [0, 1].map((count) =>
      rig.lend([16], { index: RECEIVE_0, at: RECEIVE_BUFFERS + 16 * count }),
    );
    rig.line.type("ok!");
    expect([rig.nextUsed(), rig.nextUsed(), rig.nextUsed()].map((used) => used?.length)).toEqual([
      1,
      1,
      undefined,
    ]);
    expect(places.map(([place]) => rig.space.read(place ?? 0, 1))).toEqual(
      [..."ok"].map((each) => each.charCodeAt(0)),
    );
    const [third] = rig.lend([16], { index: RECEIVE_0, at: RECEIVE_BUFFERS });
    rig.kick(RECEIVE_0);
    expect(rig.space.read(third ?? 0, 1)).toBe("!".charCodeAt(0));
    expect(rig.irq.level).toBe(true);
  });

  test("reports which ports exist, what they are, and when they open", () => {
    const rig = new SerialRig(tree);
    rig.addPort("virtconsole", { chardev: "c0" });
    rig.addPort("virtserialport", { name: "org.example.agent" });
    rig.startMany();
    rig.tell(0, DEVICE_READY, 1);
    expect(rig.events()).toEqual([
      [0, PORT_ADD, 1],
      [1, PORT_ADD, 1],
    ]);
    rig.tell(0, PORT_READY, 1);
    expect(rig.events()).toEqual([
      [0, CONSOLE_PORT, 1],
      [0, PORT_OPEN, 1],
    ]);
    rig.tell(1, PORT_READY, 1);
    expect(rig.events()).toEqual([[1, PORT_NAME, 1, "org.example.agent"]]); // it has no backend
    rig.line.type("x");
    rig.lend([16], { index: RECEIVE_0, at: RECEIVE_BUFFERS });
    rig.kick(RECEIVE_0);
    expect(rig.nextUsed(RECEIVE_0)).toBeNull();
    rig.tell(0, PORT_OPEN, 1);
    expect(rig.nextUsed(RECEIVE_0)?.length).toBe(1);
  });

  test("carries data of a port that is not a console", () => {
    const rig = new SerialRig(tree);
    rig.addPort("virtserialport", { chardev: "c0", name: "agent" });
    rig.startMany();
    rig.tell(1, PORT_READY, 1);
    rig.tell(1, PORT_OPEN, 1);
    rig.print("to the host", TRANSMIT_1);
    expect(rig.line.received).toBe("to the host");
    rig.lend([4], { index: RECEIVE_1, at: RECEIVE_BUFFERS });
    rig.line.type("a");
    expect(rig.nextUsed(RECEIVE_1)?.length).toBe(1);
    expect(rig.events().at(-1)).toEqual([1, PORT_OPEN, 1]);
  });

  test("tells a running driver of ports that are added and removed", () => {
    const rig = new SerialRig(tree);
    rig.startMany();
    const port = rig.addPort("virtserialport");
    expect(rig.events()).toEqual([[1, PORT_ADD, 1]]);
    port.remove();
    expect(rig.events()).toEqual([[1, PORT_REMOVE, 1]]);
  });

  test("numbers ports, and refuses invalid numbers", () => {
    const rig = new SerialRig(tree, { max_ports: 4 });
    const number = (type: string, properties = {}) => rig.addPort(type, properties).getProperty("nr");
    expect(number("virtserialport")).toBe(1);
    expect(number("virtconsole")).toBe(0);
    expect(number("virtconsole")).toBe(2);
    expect(() => number("virtserialport", { nr: 2 })).toThrow("port 2 is taken; give another nr");
    expect(() => number("virtserialport", { nr: 0 })).toThrow("port 0 is for a virtconsole; give another nr");
    expect(() => number("virtserialport", { nr: 4 })).toThrow("property nr is 4; give 0 to 3");
    expect(number("virtserialport")).toBe(3);
    expect(() => number("virtserialport")).toThrow(
      "all 4 ports are taken; give the device more with max_ports=",
    );
    expect(() => number("virtconsole", { chardev: "none" })).toThrow(
      "property chardev is none, which does not exist",
    );
    expect(() => new SerialRig(tree, { max_ports: 32 })).toThrow("property max_ports is 32; give 1 to 31");
  });

  test("releases a backend when its port is removed, or could not be added", () => {
    const rig = new SerialRig(tree, { max_ports: 1 });
    expect(() => rig.addPort("virtserialport", { chardev: "c0" })).toThrow("all 1 ports");
    const port = rig.addPort("virtconsole", { chardev: "c0" });
    expect(() => rig.addPort("virtconsole", { chardev: "c0", nr: 0 })).toThrow("another device uses");
    expect(rig.line.device).toBe(port);
    port.remove();
    expect(rig.line.device).toBeNull();
    expect(rig.model.chardevs.take("c0")).toBe(rig.line);
  });

  test("supports emergency writes without any queue", () => {
    const rig = new SerialRig(tree);
    rig.addPort("virtconsole", { chardev: "c0" });
    rig.write(REGISTER.config + 8, 0x41);
    rig.write(REGISTER.config + 8, 0x42);
    expect([rig.line.received, rig.read(REGISTER.config + 8)]).toEqual(["AB", 0]);
  });

  test("is closed by a reset", () => {
    const rig = new SerialRig(tree);
    rig.addPort("virtconsole", { chardev: "c0" });
    rig.start({ features: VERSION_1, queues: 2 });
    rig.lend([16], { index: RECEIVE_0, at: RECEIVE_BUFFERS });
    rig.write(REGISTER.status, 0);
    expect(rig.line.device?.canReceive()).toBe(0);
    rig.line.type("x");
    rig.start({ features: VERSION_1, queues: 2 });
    rig.lend([16], { index: RECEIVE_0, at: RECEIVE_BUFFERS });
    rig.kick(RECEIVE_0);
    expect(rig.nextUsed(RECEIVE_0)?.length).toBe(1);
  });

  test("continues in another machine, of the other form: open ports, and buffers of the driver", () => {
    const otherTree = trees.find((each) => each.name !== name)?.tree ?? tree;
    const make = (form: NamedTree["tree"]) => {
      const rig = new SerialRig(form, { max_ports: 4 });
      rig.addPort("virtconsole", { chardev: "c0" });
      rig.addPort("virtserialport", { name: "agent" });
      return rig;
    };
    const source = make(tree);
    source.startMany();
    source.tell(0, DEVICE_READY, 1);
    source.tell(0, PORT_READY, 1);
    source.tell(0, PORT_OPEN, 1);
    source.print("before ");
    source.lend([16], { index: RECEIVE_0, at: RECEIVE_BUFFERS });

    const target = make(otherTree);
    move(source, target);
    expect(stateOf(target)).toEqual(stateOf(source));
    target.line.type("x");
    expect(target.nextUsed(RECEIVE_0)?.length).toBe(1);
    expect(target.space.read(RECEIVE_BUFFERS, 1)).toBe("x".charCodeAt(0));
    target.print("after");
    expect([source.line.received, target.line.received]).toEqual(["before ", "after"]);
    target.tell(0, PORT_OPEN, 0);
    target.lend([16], { index: RECEIVE_0, at: RECEIVE_BUFFERS });
    target.line.type("y");
    expect(target.nextUsed(RECEIVE_0)).toBeNull();
  });

  test("continues as the console of a driver without multiport support", () => {
    const make = () => {
      const rig = new SerialRig(tree);
      rig.addPort("virtconsole", { chardev: "c0" });
      return rig;
    };
    const source = make();
    source.start({ features: VERSION_1, queues: 2 });
    const target = make();
    move(source, target);
    target.lend([16], { index: RECEIVE_0, at: RECEIVE_BUFFERS });
    target.line.type("z");
    expect(target.nextUsed(RECEIVE_0)?.length).toBe(1);
  });

  test("random contents of rings, registers and events never throw", () => {
    const random = new Random(3);
    for (let round = 0; round < 40; round++) {
      const rig = new SerialRig(tree);
      rig.addPort("virtconsole", { chardev: "c0" });
      rig.addPort("virtserialport");
      if (round % 2 === 0) rig.startMany();
      else rig.start({ features: VERSION_1, queues: 4, size: 16 });
      for (let step = 0; step < 40; step++) {
        if (random.below(3) === 0) rig.tell(random.below(5), random.below(10), random.below(3));
        if (random.below(3) === 0) rig.write(4 * random.below(0x80), random.below(2 ** 32));
        if (random.below(2) === 0)
          rig.space.write(RAM + 4 * random.below(RAM_BYTES / 16), 4, random.below(64) * random.below(70_000));
        rig.kick(random.below(8));
        rig.line.type("xyz");
      }
    }
  });
});
