/** The transport and queues, with all kinds of drivers; uses the entropy device because it is the simplest. */
import { describe, expect, test } from "vitest";
import { MemTxResult } from "#memory";
import { SysBusDevice } from "#qdev";
import { Random } from "./differential/random.ts";
import { loadTrees } from "./differential/trees.ts";
import { BASE } from "./testing/rig.ts";
import {
  bytesAt,
  INDIRECT,
  NEXT,
  RAM,
  RAM_BYTES,
  REGISTER,
  VirtioRig,
  WRITE,
} from "./testing/virtio-driver.ts";

const VERSION_1 = 1n << 32n;
const EVENT_IDX = 1n << 29n;
const NOTIFY_ON_EMPTY = 1n << 24n;
const NEEDS_RESET = 0x40;

describe.each(await loadTrees())("virtio-mmio, $name", ({ tree }) => {
  const rng = (legacy = false) => new VirtioRig(tree, "virtio-rng-device", { legacy });

  test("identifies itself", () => {
    const read = (rig: VirtioRig) =>
      [REGISTER.magic, REGISTER.version, REGISTER.deviceId, REGISTER.vendor].map((at) => rig.read(at));
    expect(read(rng())).toEqual([0x7472_6976, 2, 4, 0x554d_4551]);
    expect(read(rng(true))).toEqual([0x7472_6976, 1, 4, 0x554d_4551]);
  });

  test("without a device shows device ID 0, and ignores writes", () => {
    const rig = rng();
    rig.device.remove();
    expect([rig.read(REGISTER.magic), rig.read(REGISTER.version), rig.read(REGISTER.deviceId)]).toEqual([
      0x7472_6976, 2, 0,
    ]);
    rig.write(REGISTER.status, 0xff);
    rig.write(REGISTER.queueNotify, 0);
    expect(rig.read(REGISTER.status)).toBe(0);
  });

  test("has room for one device", () => {
    const rig = rng();
    const other = rig.model.createPeripheral("virtio-rng-device", "other");
    expect(() => other.plug(rig.device.parentBus)).toThrow(/bus virtio-mmio-bus.0 is full; give another/);
  });

  test("a device without a virtio bus is refused", () => {
    const rig = rng();
    const other = rig.model.createPeripheral("virtio-rng-device", "other");
    expect(() => other.plug(rig.model.systemBus)).toThrow(/needs a virtio bus; give bus=virtio-mmio-bus.0/);
  });

  test("offers each kind of driver the features that it knows", () => {
    expect(rng().offered()).toBe((1n << 40n) | VERSION_1 | EVENT_IDX | (1n << 28n));
    expect(rng(true).offered()).toBe(EVENT_IDX | (1n << 28n) | (1n << 27n) | NOTIFY_ON_EMPTY);
  });

  test("options disable features", () => {
    const rig = new VirtioRig(tree, "virtio-rng-device", {
      properties: { event_idx: false, indirect_desc: "off" },
    });
    expect(rig.offered()).toBe((1n << 40n) | VERSION_1);
  });

  test("32-bit registers accept only accesses of that size; the configuration accepts any", () => {
    const rig = rng();
    expect([rig.read(REGISTER.magic, 1), rig.read(REGISTER.magic, 2)]).toEqual([0, 0]);
    rig.write(REGISTER.status, 1, 1);
    expect(rig.read(REGISTER.status)).toBe(0);
    expect([rig.read(REGISTER.config, 1), rig.read(REGISTER.config, 2)]).toEqual([0xff, 0xffff]); // it has none
  });

  test.each([false, true])(
    "carries a request from the driver to the device and back (legacy: %s)",
    (legacy) => {
      const rig = rng(legacy);
      rig.start({ legacy });
      const { length, answers } = rig.request([16, 5]);
      expect(length).toBe(21);
      expect(answers.map((each) => each.length)).toEqual([16, 5]);
      expect(new Set(answers[0]).size).toBeGreaterThan(8);
      expect(rig.irq.level).toBe(true);
      expect(rig.read(REGISTER.interruptStatus)).toBe(1);
      rig.write(REGISTER.interruptAck, 1);
      expect([rig.irq.level, rig.read(REGISTER.interruptStatus)]).toEqual([false, 0]);
    },
  );

  test("entropy repeats from run to run", () => {
    const bytes = [rng(), rng()].map((rig) => {
      rig.start();
      return rig.request([32]).answers;
    });
    expect(bytes[0]).toEqual(bytes[1]);
  });

  test("entropy is limited to the rate given by max-bytes and period", () => {
    const rig = new VirtioRig(tree, "virtio-rng-device", { properties: { "max-bytes": 10, period: 100 } });
    rig.start();
    expect(rig.request([16]).length).toBe(10);
    rig.lend([16]);
    rig.kick();
    expect(rig.nextUsed()).toBeNull();
    rig.advance(99e6);
    expect(rig.nextUsed()).toBeNull();
    rig.advance(1e6);
    expect(rig.nextUsed()).toEqual({ head: 1, length: 10 });
  });

  test("does large requests in turns, so that the machine can be stopped between them", () => {
    const rig = rng();
    rig.start({ size: 128 });
    for (let count = 0; count < 100; count++) rig.lend([0x10_0000]);
    rig.kick();
    let used = 0;
    const countUsed = () => {
      for (; rig.nextUsed() !== null; used++);
      return used;
    };
    const first = countUsed();
    expect(first).toBeGreaterThan(50);
    expect(first).toBeLessThan(65); // of 1 MiB each, in 64 MiB
    rig.advance(0);
    expect(countUsed()).toBe(100);
    expect(rig.request([16]).length).toBe(16);
  });

  test("drops postponed work at a reset", () => {
    const rig = rng();
    rig.start({ size: 128 });
    for (let count = 0; count < 100; count++) rig.lend([0x10_0000]);
    rig.kick();
    rig.start();
    rig.advance(0);
    expect(rig.nextUsed()).toBeNull();
    expect(rig.request([16]).length).toBe(16);
  });

  test("reads descriptors from an indirect table", () => {
    const rig = rng();
    rig.start();
    expect(rig.request([7, 8, 9], { indirect: true }).length).toBe(24);
  });

  test("wraps around at the end of the ring, and at an index of 2^16", () => {
    const rig = rng();
    rig.start({ features: VERSION_1, size: 4 });
    for (let round = 0; round < 0x1_0003; round++) {
      rig.lend([1]);
      rig.kick();
      const used = rig.nextUsed();
      if (used?.head !== round % 4 || used.length !== 1)
        expect.fail(`round ${round}: ${JSON.stringify(used)}`);
    }
  });

  test("does not interrupt drivers that do not want it", () => {
    const rig = rng();
    rig.start({ features: VERSION_1 });
    rig.space.write(rig.queue().available, 2, 1);
    rig.request([4]);
    expect(rig.irq.level).toBe(false);
  });

  test("with event indices, interrupts when the index passes the requested one", () => {
    const rig = rng();
    rig.start({ features: VERSION_1 | EVENT_IDX });
    const { available, used, size } = rig.queue();
    const usedEvent = available + 4 + 2 * size;
    rig.space.write(usedEvent, 2, 2);
    const interrupted: boolean[] = [];
    for (let round = 0; round < 4; round++) {
      rig.request([4]);
      interrupted.push(rig.irq.level);
      rig.write(REGISTER.interruptAck, 1);
    }
    // The first always interrupts: the device has nothing to compare with.
    expect(interrupted).toEqual([true, false, true, false]);
    expect(rig.space.read(used + 4 + 8 * size, 2)).toBe(4); // and asks to be notified of the fifth
  });

  test("a legacy driver is interrupted when all buffers are used, if it accepts that feature", () => {
    const rig = rng(true);
    rig.start({ legacy: true, features: NOTIFY_ON_EMPTY });
    rig.space.write(rig.queue().available, 2, 1);
    rig.request([4]);
    expect(rig.irq.level).toBe(true);
  });

  test("is in its initial state after a reset by the driver", () => {
    const rig = rng();
    rig.start();
    rig.request([4]);
    rig.write(REGISTER.status, 0);
    expect(
      [REGISTER.status, REGISTER.interruptStatus, REGISTER.queueReady].map((at) => rig.read(at)),
    ).toEqual([0, 0, 0]);
    expect(rig.irq.level).toBe(false);
    rig.start();
    expect(rig.request([4]).length).toBe(4);
  });

  test("resets a single queue", () => {
    const rig = rng();
    rig.start();
    rig.write(REGISTER.queueReset, 1);
    expect([rig.read(REGISTER.queueReset), rig.read(REGISTER.queueReady)]).toEqual([0, 0]);
    rig.lend([4]);
    rig.kick();
    expect(rig.nextUsed()).toBeNull();
  });

  test("legacy drivers can read a queue's page number, and reset the device by writing 0 to it", () => {
    const rig = rng(true);
    rig.start({ legacy: true });
    rig.write(REGISTER.queueSel, 0);
    expect(rig.read(REGISTER.queuePfn)).toBe(RAM / 4096);
    rig.write(REGISTER.queuePfn, 0);
    expect([rig.read(REGISTER.queuePfn), rig.read(REGISTER.status)]).toEqual([0, 0]);
  });

  test("reports every write to memory", () => {
    const rig = rng();
    rig.start({ features: VERSION_1 });
    const [place = 0] = rig.lend([16]);
    const written: string[] = [];
    rig.model.onRamWritten = (bytes, offset, length) => {
      const at = bytes.byteOffset + offset + RAM;
      written.push(`0x${at.toString(16)} ${length}`);
    };
    rig.kick();
    const { used } = rig.queue();
    const hex = (address: number) => `0x${address.toString(16)}`;
    expect(written).toEqual([
      `${hex(place)} 16`,
      `${hex(used + 4)} 4`,
      `${hex(used + 8)} 4`,
      `${hex(used + 2)} 2`,
    ]);
  });

  describe("a driver error", () => {
    const MISTAKES: readonly [string, RegExp, (rig: VirtioRig) => void][] = [
      [
        "an index too far ahead",
        /index went from 0 to 9/,
        (rig) => rig.space.write(rig.queue().available + 2, 2, 9),
      ],
      ["a head beyond the queue", /available descriptor 8 is outside/, (rig) => rig.makeAvailable(8)],
      [
        "a chain that continues beyond the queue",
        /next descriptor 99 is outside the table of 8/,
        (rig) => {
          rig.descriptor(rig.queue().descriptors, 0, RAM, 4, WRITE | NEXT, 99);
          rig.makeAvailable(0);
        },
      ],
      [
        "a chain that never ends",
        /has no end/,
        (rig) => {
          rig.descriptor(rig.queue().descriptors, 0, RAM, 4, WRITE | NEXT, 0);
          rig.makeAvailable(0);
        },
      ],
      [
        "an empty buffer",
        /buffer is empty/,
        (rig) => {
          rig.descriptor(rig.queue().descriptors, 0, RAM, 0, WRITE);
          rig.makeAvailable(0);
        },
      ],
      [
        "a device-readable buffer after a device-writable one",
        /device-readable buffer follows/,
        (rig) => {
          rig.descriptor(rig.queue().descriptors, 0, RAM, 4, WRITE | NEXT, 1);
          rig.descriptor(rig.queue().descriptors, 1, RAM, 4, 0);
          rig.makeAvailable(0);
        },
      ],
      [
        "an indirect table of half a descriptor",
        /invalid size of 24 bytes/,
        (rig) => {
          rig.descriptor(rig.queue().descriptors, 0, RAM, 24, INDIRECT);
          rig.makeAvailable(0);
        },
      ],
      ...[RAM + RAM_BYTES, 2 ** 60, 2 ** 64 - 2048].map(
        (address): [string, RegExp, (rig: VirtioRig) => void] => [
          `a buffer at 0x${address.toString(16)}, where there is no memory`,
          /there is no memory at/,
          (rig) => {
            rig.descriptor(rig.queue().descriptors, 0, address, 4, WRITE);
            rig.makeAvailable(0);
          },
        ],
      ),
    ];

    test.each(MISTAKES)("%s breaks the device until it is reset", (_, message, make) => {
      const rig = rng();
      rig.start();
      make(rig);
      rig.kick();
      expect(rig.guestErrors.at(-1)).toMatch(message);
      expect(rig.read(REGISTER.status)).toBe(0xf | NEEDS_RESET);
      expect([rig.irq.level, rig.read(REGISTER.interruptStatus) & 2]).toEqual([true, 2]);
      rig.kick();
      expect(rig.nextUsed()).toBeNull();
      expect(rig.model.addressSpaces.map(({ mappings }) => mappings.count)).toEqual([0]);
      rig.start();
      expect(rig.request([4]).length).toBe(4);
    });

    test("of a legacy driver does not show in the status, but stops the device all the same", () => {
      const rig = rng(true);
      rig.start({ legacy: true });
      rig.makeAvailable(8);
      rig.kick();
      expect(rig.read(REGISTER.status)).toBe(7);
      expect(rig.nextUsed()).toBeNull();
    });

    test("buffers that are the device's own registers are refused, not written", () => {
      const rig = rng();
      rig.start();
      rig.descriptor(rig.queue().descriptors, 0, BASE + REGISTER.status, 4, WRITE);
      rig.makeAvailable(0);
      rig.kick();
      expect(rig.read(REGISTER.status)).toBe(0xf);
      expect(rig.result).toBe(MemTxResult.Ok);
    });

    test("of any kind does not throw: random bytes in rings, descriptors and registers", () => {
      for (let seed = 0; seed < 200; seed++) {
        const random = new Random(seed);
        const legacy = random.onceIn(3);
        const rig = rng(legacy);
        rig.start({ legacy });
        for (let step = 0; step < 40; step++) {
          if (random.onceIn(3)) {
            rig.write(4 * random.below(0x48), Number(random.value() & 0xffff_ffffn));
          } else {
            const { descriptors } = rig.queue();
            const at = descriptors + random.below(random.onceIn(2) ? 0x40 : 0x2000);
            rig.space.write(at, 4, random.onceIn(2) ? random.word() : RAM + 4 * random.below(0x1000));
          }
          if (random.onceIn(4)) rig.space.write(rig.queue().available + 2, 2, random.below(8));
          rig.kick();
        }
        expect(rig.model.addressSpaces.map(({ mappings }) => mappings.count)).toEqual([0]);
      }
    });
  });

  test("device and transport leave nothing behind", () => {
    const rig = rng();
    rig.start();
    rig.request([4]);
    if (rig.transport instanceof SysBusDevice) rig.transport.unmapAll();
    rig.device.remove();
    rig.transport.remove();
    expect(bytesAt(rig.space, BASE, 4)).toEqual(new Uint8Array(4));
    rig.model.destroy();
    expect(rig.model.heap.leaks()).toEqual([]);
  });
});
