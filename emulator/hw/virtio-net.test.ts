/** A network card with a driver: its features, frames both ways, the filter, and the user-mode network behind it. */
import { describe, expect, test } from "vitest";
import type { NetBackend, NetDevice } from "#qdev";
import type { PropertyValue } from "#qom";
import { Random } from "./differential/random.ts";
import { loadTrees, type NamedTree } from "./differential/trees.ts";
import { move, stateOf } from "./testing/move.ts";
import { bytesAt, RAM, RAM_BYTES, REGISTER, VirtioRig } from "./testing/virtio-driver.ts";

const VERSION_1 = 1n << 32n;
const MRG_RXBUF = 1n << 15n;
const CTRL_VQ = 1n << 17n;
const CTRL_RX = 1n << 18n;
const CTRL_VLAN = 1n << 19n;
const CTRL_MAC_ADDR = 1n << 23n;
const MAC = 1n << 5n;

const RECEIVE = 0;
const TRANSMIT = 1;
const CONTROL = 2;
const NEEDS_RESET = 0x40;

/** Addresses of receive buffers, and of outgoing frames and commands. */
const RECEIVE_BUFFERS = RAM + 0x10_0000;
const SEND_BUFFERS = RAM + 0x18_0000;

const CARD = Uint8Array.of(0x52, 0x54, 0x00, 0x12, 0x34, 0x56);
const EVERYBODY = new Uint8Array(6).fill(0xff);

/** Keeps the frames that the card sends. */
class Wire implements NetBackend {
  card: NetDevice | null = null;
  readonly sent: Uint8Array[] = [];
  accepts = 0;
  connect(card: NetDevice | null): void {
    this.card = card;
  }
  transmit(frame: Uint8Array): void {
    this.sent.push(frame);
  }
  acceptInput(): void {
    this.accepts++;
  }
}

interface Options {
  readonly legacy?: boolean;
  readonly features?: bigint;
  readonly properties?: Record<string, PropertyValue>;
}

class NetRig extends VirtioRig {
  readonly wire: Wire;
  private readonly headerBytes: number;

  constructor(tree: NamedTree["tree"], { legacy = false, features, properties = {} }: Options = {}) {
    const wire = new Wire();
    super(tree, "virtio-net-device", { legacy, properties: { ...properties, netdev: "n0" } }, ({ model }) =>
      model.netdevs.add("n0", wire),
    );
    this.wire = wire;
    const accepted = features ?? (legacy ? MAC : VERSION_1 | MAC | MRG_RXBUF | CTRL_VQ | CTRL_RX);
    this.headerBytes = (accepted & (VERSION_1 | MRG_RXBUF)) === 0n ? 10 : 12;
    this.start({ legacy, features: accepted, queues: 3, size: 16 });
  }

  send(frame: Uint8Array): void {
    const header = new Uint8Array(this.headerBytes);
    this.lend([header, frame], { index: TRANSMIT, at: SEND_BUFFERS });
    this.kick(TRANSMIT);
    expect(this.nextUsed(TRANSMIT)?.length).toBe(0);
  }

  /** Provides a receive buffer; returns its address. */
  lendRoom(bytes: number, at: number): number {
    return this.lend([bytes], { index: RECEIVE, at })[0] ?? 0;
  }

  command(category: number, command: number, data: readonly number[]): number | undefined {
    const places = this.lend([Uint8Array.of(category, command, ...data), 1], {
      index: CONTROL,
      at: SEND_BUFFERS,
    });
    this.kick(CONTROL);
    expect(this.nextUsed(CONTROL)?.length).toBe(1);
    return bytesAt(this.space, places[1] ?? 0, 1)[0];
  }
}

function frame(destination: Uint8Array, ...rest: readonly number[]): Uint8Array {
  return Uint8Array.of(...destination, ...CARD, 0x08, 0x00, ...rest);
}

const trees = await loadTrees();

describe.each(trees)("virtio-net, $name", ({ name, tree }) => {
  test("offers what works: what QEMU offers without offloads", () => {
    const offered = (options: Options) => new NetRig(tree, options).offered();
    const ring = (1n << 28n) | (1n << 29n);
    const own = 0xbf_8024n; // MAC, offload control, merged buffers, status, control queue with all commands, announce
    expect(offered({})).toBe(VERSION_1 | (1n << 40n) | ring | own);
    expect(offered({ legacy: true })).toBe(ring | (1n << 24n) | (1n << 27n) | own);
    expect(offered({ properties: { mrg_rxbuf: "off", csum: "on" } })).toBe(
      VERSION_1 | (1n << 40n) | ring | (own & ~MRG_RXBUF),
    );
    expect(offered({ properties: { host_mtu: 1400 } }) & 8n).toBe(8n);
  });

  test("shows its address, a link that is up, and the MTU if one is given", () => {
    const rig = new NetRig(tree);
    const config = (size: number) =>
      Array.from({ length: size }, (_, at) => rig.read(REGISTER.config + at, 1));
    expect(config(9)).toEqual([...CARD, 1, 0, 0xff]);
    const other = new NetRig(tree, { properties: { mac: "02:00:00:00:00:99", host_mtu: 1400 } });
    expect(other.read(REGISTER.config + 5, 1)).toBe(0x99);
    expect(other.read(REGISTER.config + 10, 2)).toBe(1400);
    expect(other.device.getProperty("mac")).toBe("02:00:00:00:00:99");
  });

  test("refuses invalid options", () => {
    const make = (properties: Record<string, PropertyValue>) => () => new NetRig(tree, { properties });
    expect(make({ mac: "1:2:3" })).toThrow("property mac is 1:2:3; give six bytes like 52:54:00:12:34:56");
    expect(make({ rx_queue_size: 300 })).toThrow(
      "property rx_queue_size is 300; give a power of 2 from 256 to 1024",
    );
    expect(make({ host_mtu: 10 })).toThrow("property host_mtu is 10");
    const rig = new NetRig(tree);
    const other = rig.model.createPeripheral("virtio-net-device", "other");
    other.setProperty("netdev", "n1");
    expect(() => other.plug(rig.device.parentBus)).toThrow(/full/);
  });

  test.each([
    ["legacy", true, MAC, 10],
    ["legacy, merging buffers", true, MAC | MRG_RXBUF, 12],
    ["of version 1", false, VERSION_1, 12],
  ] as const)("carries frames both ways for drivers %s", (_name, legacy, features, headerBytes) => {
    const rig = new NetRig(tree, { legacy, features });
    rig.send(frame(EVERYBODY, 1, 2, 3));
    expect(rig.wire.sent).toEqual([frame(EVERYBODY, 1, 2, 3)]);
    const place = rig.lendRoom(2000, RECEIVE_BUFFERS);
    const received = frame(CARD, 9, 8, 7, 6);
    expect(rig.wire.card?.receive(received)).toBe(true);
    expect(rig.nextUsed(RECEIVE)?.length).toBe(headerBytes + received.length);
    const header = bytesAt(rig.space, place, headerBytes);
    expect([...header.subarray(0, 10)]).toEqual(Array(10).fill(0));
    if (headerBytes === 12) expect([...header.subarray(10)]).toEqual([1, 0]);
    expect(bytesAt(rig.space, place + headerBytes, received.length)).toEqual(received);
    expect(rig.irq.level).toBe(true);
  });

  test("spreads a frame over several buffers, if that was negotiated, and waits until there are enough", () => {
    const rig = new NetRig(tree);
    const places = [0, 1].map((number) => rig.lendRoom(100, RECEIVE_BUFFERS + 0x1000 * number));
    const large = frame(CARD, ...Array.from({ length: 236 }, (_, index) => index));
    expect(rig.wire.card?.receive(large)).toBe(false);
    expect(rig.nextUsed(RECEIVE)).toBeNull();
    places.push(rig.lendRoom(100, RECEIVE_BUFFERS + 0x2000));
    const asked = rig.wire.accepts;
    rig.kick(RECEIVE);
    expect(rig.wire.accepts).toBe(asked + 1);
    expect(rig.wire.card?.receive(large)).toBe(true);
    expect([1, 2, 3].map(() => rig.nextUsed(RECEIVE)?.length)).toEqual([100, 100, 62]);
    const whole = places.flatMap((place, index) => [...bytesAt(rig.space, place, index === 2 ? 62 : 100)]);
    expect(whole.slice(10, 12)).toEqual([3, 0]);
    expect(whole.slice(12)).toEqual([...large]);
  });

  test("drops a frame that does not fit in one buffer, if buffers cannot be merged", () => {
    const rig = new NetRig(tree, { features: VERSION_1 });
    rig.lendRoom(20, RECEIVE_BUFFERS);
    expect(rig.wire.card?.receive(frame(CARD, ...Array(50).fill(1)))).toBe(true);
    expect(rig.nextUsed(RECEIVE)).toBeNull();
    expect(rig.read(REGISTER.status) & NEEDS_RESET).toBe(0);
  });

  test("lets frames wait until its driver is ready", () => {
    const rig = new NetRig(tree);
    rig.lendRoom(2000, RECEIVE_BUFFERS);
    rig.write(REGISTER.status, 0);
    expect(rig.wire.card?.receive(frame(CARD))).toBe(false);
  });

  describe("filter", () => {
    const GROUP = Uint8Array.of(0x01, 0, 0x5e, 0, 0, 1);
    const OTHER = Uint8Array.of(0x52, 0x54, 0, 0, 0, 9);

    /** Which of these are accepted: the own address, another one, broadcast, a group. */
    function taken(rig: NetRig): string {
      const kinds = { own: CARD, other: OTHER, all: EVERYBODY, group: GROUP };
      const found: string[] = [];
      for (const [name, destination] of Object.entries(kinds)) {
        rig.lendRoom(2000, RECEIVE_BUFFERS);
        rig.wire.card?.receive(frame(destination));
        if (rig.nextUsed(RECEIVE) !== null) found.push(name);
      }
      return found.join(" ");
    }

    test("follows the driver's commands", () => {
      const steps: [number, number, number[], string][] = [
        [0, 0, [1], "own other all group"], // promiscuous
        [0, 0, [0], "own all"],
        [0, 1, [1], "own all group"], // all multicast
        [0, 3, [1], "own all"], // no multicast
        [0, 1, [0], "own all"],
        [0, 3, [0], "own all"],
        [0, 2, [1], "own other all"], // all unicast
        [0, 2, [0], "own all"],
        [0, 4, [1], "all"], // no unicast
        [0, 4, [0], "own all"],
        [0, 5, [1], "own"], // no broadcast
        [0, 5, [0], "own all"],
        [1, 0, [1, 0, 0, 0, ...OTHER, 1, 0, 0, 0, ...GROUP], "own other all group"], // tables
        [1, 0, [0, 0, 0, 0, 0, 0, 0, 0], "own all"],
        [1, 1, [...OTHER], "other all"], // another address
      ];
      for (const [category, command, data, expected] of steps) {
        const rig = new NetRig(tree);
        const before = steps.slice(0, steps.findIndex((step) => step[2] === data) + 1);
        for (const step of before) expect(rig.command(step[0], step[1], step[2])).toBe(0);
        expect([category, command, taken(rig)]).toEqual([category, command, expected]);
      }
    });

    test("accepts all addresses of a kind when there are more than fit in the table", () => {
      const rig = new NetRig(tree);
      rig.command(0, 0, [0]);
      const many = Array.from({ length: 65 }, (_, index) => [1, 0, 0, 0, 0, index]).flat();
      expect(rig.command(1, 0, [0, 0, 0, 0, 65, 0, 0, 0, ...many])).toBe(0);
      expect(taken(rig)).toBe("own all group");
    });

    test("filters VLANs if the driver does", () => {
      const rig = new NetRig(tree, { features: VERSION_1 | CTRL_VQ | CTRL_RX | CTRL_VLAN });
      rig.command(0, 0, [0]);
      const tagged = Uint8Array.of(...CARD, ...CARD, 0x81, 0x00, 0x20, 0x05, 8, 0, 1, 2);
      const arrives = () => {
        rig.lendRoom(2000, RECEIVE_BUFFERS);
        rig.wire.card?.receive(tagged);
        return rig.nextUsed(RECEIVE) !== null;
      };
      expect(arrives()).toBe(false);
      expect(rig.command(2, 0, [5, 0])).toBe(0);
      expect(arrives()).toBe(true);
      expect(rig.command(2, 1, [5, 0])).toBe(0);
      expect(arrives()).toBe(false);
    });

    test("refuses invalid commands", () => {
      const rig = new NetRig(tree);
      const refused: [number, number, number[]][] = [
        [0, 9, [1]],
        [0, 0, []],
        [1, 1, [1, 2, 3]],
        [1, 0, [9, 0, 0, 0]],
        [1, 0, [0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0]],
        [1, 0, [0, 0, 0, 0, 0, 0, 0, 0, 7]],
        [2, 0, [0, 0x10]],
        [2, 0, [1]],
        [3, 0, []],
        [5, 0, [1, 0, 0, 0, 0, 0, 0, 0]],
        [77, 0, [0]],
      ];
      for (const [category, command, data] of refused) expect(rig.command(category, command, data)).toBe(1);
    });
  });

  test("a legacy driver sets the address in the configuration, and a reset restores the original one", () => {
    const rig = new NetRig(tree, { legacy: true });
    rig.write(REGISTER.config + 5, 0x77, 1);
    expect(rig.read(REGISTER.config + 5, 1)).toBe(0x77);
    rig.write(REGISTER.status, 0);
    expect(rig.read(REGISTER.config + 5, 1)).toBe(0x56);
    const modern = new NetRig(tree, { features: VERSION_1 | CTRL_VQ | CTRL_MAC_ADDR });
    modern.write(REGISTER.config + 5, 0x77, 1);
    expect(modern.read(REGISTER.config + 5, 1)).toBe(0x56);
  });

  test.each([
    ["a frame shorter than its header", TRANSMIT, [new Uint8Array(5)]],
    ["a command without room for a status", CONTROL, [Uint8Array.of(0, 0, 1)]],
    ["a command without a header", CONTROL, [Uint8Array.of(0), 1]],
  ] as const)("breaks on %s, and works again after a reset", (_name, index, buffers) => {
    const rig = new NetRig(tree);
    rig.lend(buffers, { index });
    rig.kick(index);
    expect(rig.read(REGISTER.status) & NEEDS_RESET).toBe(NEEDS_RESET);
    rig.start({ features: VERSION_1, queues: 3, size: 16 });
    rig.send(frame(EVERYBODY));
    expect(rig.wire.sent.length).toBe(1);
  });

  test.each([
    ["no device-writable bytes", [new Uint8Array(100)]],
    ["no room for a header", [5]],
  ] as const)("breaks on a receive buffer with %s", (_name, buffers) => {
    const rig = new NetRig(tree);
    rig.lend(buffers, { index: RECEIVE });
    rig.wire.card?.receive(frame(CARD));
    expect(rig.read(REGISTER.status) & NEEDS_RESET).toBe(NEEDS_RESET);
  });

  test("continues in another machine, of the other form: filter, address, buffers", () => {
    const otherTree = trees.find((each) => each.name !== name)?.tree ?? tree;
    const features = VERSION_1 | MAC | MRG_RXBUF | CTRL_VQ | CTRL_RX | CTRL_VLAN | CTRL_MAC_ADDR;
    const source = new NetRig(tree, { features });
    const friend = Uint8Array.of(0x52, 0x54, 0, 0, 0, 9);
    const group = Uint8Array.of(0x01, 0, 0x5e, 0, 0, 1);
    const own = Uint8Array.of(0x02, 0, 0, 0, 0, 0xff);
    source.command(0, 0, [0]);
    source.command(1, 1, [...own]);
    source.command(1, 0, [1, 0, 0, 0, ...friend, 1, 0, 0, 0, ...group]);
    source.command(2, 0, [0xff, 0x0f]); // VLAN 4095
    source.send(frame(EVERYBODY, 1));
    source.lendRoom(100, RECEIVE_BUFFERS);
    expect(source.wire.card?.receive(frame(own, 2))).toBe(true);
    source.lendRoom(100, RECEIVE_BUFFERS + 0x1000);

    const target = new NetRig(otherTree, { features });
    move(source, target);
    expect(stateOf(target)).toEqual(stateOf(source));
    expect(target.device.getProperty("mac")).toBe("52:54:00:12:34:56"); // the option keeps its own value

    expect(target.nextUsed(RECEIVE)?.length).toBe(12 + 15); // received before the move
    const arrives = (destination: Uint8Array, ...rest: number[]) => {
      target.wire.card?.receive(frame(destination, ...rest));
      const used = target.nextUsed(RECEIVE);
      if (used !== null) target.lendRoom(100, RECEIVE_BUFFERS + 0x2000);
      return used !== null;
    };
    expect([own, friend, group, EVERYBODY, CARD].map((each) => arrives(each))).toEqual([
      ...[true, true, true, true],
      false,
    ]);
    const tagged = (vlan: number) =>
      Uint8Array.of(...own, ...CARD, 0x81, 0x00, vlan >> 8, vlan & 0xff, 8, 0, 1, 2);
    for (const vlan of [4094, 4095]) target.wire.card?.receive(tagged(vlan));
    expect([target.nextUsed(RECEIVE)?.length, target.nextUsed(RECEIVE)]).toEqual([12 + 20, null]);
    expect(target.read(REGISTER.config + 5, 1)).toBe(0xff);
    target.send(frame(EVERYBODY, 3));
    expect(target.wire.sent).toEqual([frame(EVERYBODY, 3)]);
  });

  test("random contents of rings and registers never throw", () => {
    const random = new Random(7);
    for (let round = 0; round < 60; round++) {
      const rig = new NetRig(tree, { legacy: round % 2 === 1 });
      for (let step = 0; step < 60; step++) {
        if (random.below(3) === 0) rig.write(4 * random.below(0x80), random.below(2 ** 32));
        else
          rig.space.write(RAM + 4 * random.below(RAM_BYTES / 16), 4, random.below(64) * random.below(70_000));
        if (random.below(4) === 0) {
          const queue = rig.queue(random.below(3));
          rig.space.write(queue.available + 2, 2, queue.added + random.below(20));
        }
        rig.kick(random.below(4));
        rig.wire.card?.receive(frame(CARD, ...Array(random.below(60)).fill(random.below(256))));
      }
    }
  });

  test("releases its backend when it is removed", () => {
    const rig = new NetRig(tree);
    rig.device.remove();
    expect(rig.wire.card).toBeNull();
    expect(rig.model.netdevs.take("n0")).toBe(rig.wire);
  });
});
