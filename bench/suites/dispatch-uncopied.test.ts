import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { FORMS } from "#results";
import { scatteredMap, UncopiedDispatcher, uncopiedCase } from "./dispatch-uncopied.ts";
import { PROBE_BYTES } from "./probe.ts";

const COUNT = 600;

describe.each(FORMS)("%s: uncopied dispatch", (form) => {
  const map = scatteredMap(form, COUNT);
  const dispatcher = new UncopiedDispatcher(map);

  it("reads the same from every device as the address space", () => {
    fc.assert(
      fc.property(
        fc.nat({ max: COUNT - 1 }),
        fc.constantFrom(1, 2, 4),
        fc.nat({ max: PROBE_BYTES / 4 - 1 }),
        fc.integer(),
        (which, size, word, register) => {
          const probe = map.probes[which];
          if (probe === undefined) throw new RangeError("a probe of the map");
          probe.register = register;
          const address = (map.addresses[which] ?? Number.NaN) + word * size;
          expect(dispatcher.read(address, size)).toBe(map.space.read(address, size));
        },
      ),
      { numRuns: 2000 },
    );
    map.probes.forEach((probe, i) => {
      probe.register = i;
      expect(dispatcher.read(map.addresses[i] ?? Number.NaN, 4)).toBe(
        map.space.read(map.addresses[i] ?? 0, 4),
      );
    });
  });

  it("loads the region's callback at each access: nothing is copied", () => {
    const [probe] = map.probes;
    const [address = Number.NaN] = map.addresses;
    if (probe === undefined) throw new RangeError("a probe of the map");
    dispatcher.read(address, 4);
    const { ops } = probe.window;
    probe.window.ops = { read: () => 0x1234, endianness: "little" };
    expect(dispatcher.read(address, 4)).toBe(0x1234);
    probe.window.ops = ops;
  });

  it("refuses accesses that are not plain calls, and respects the guard", () => {
    const [probe] = map.probes;
    const [address = Number.NaN] = map.addresses;
    expect(() => dispatcher.read(address + 1, 4)).toThrow(/read of 4 bytes at 0x1 is not a plain call/);
    expect(() => dispatcher.read(address + PROBE_BYTES, 4)).toThrow(/nothing answers at 0x1000/);
    expect(() => dispatcher.read(2 ** 30, 4)).toThrow(/nothing answers/);
    if (probe === undefined) throw new RangeError("a probe of the map");
    probe.memReentrancyGuard.engaged = true;
    expect(() => dispatcher.read(address, 4)).toThrow(/not a plain call/);
    probe.memReentrancyGuard.engaged = false;
    dispatcher.read(address, 4);
    expect(probe.memReentrancyGuard.engaged).toBe(false);
  });

  it("reads as often as requested, and visits all devices", () => {
    const { loop, name, role } = uncopiedCase(form, 10);
    expect([name, role]).toEqual(["uncopied read, 10 regions scattered", "detail"]);
    const visits = loop(4096);
    expect(loop(4096)).toBe(visits); // registers do not change, so equal walks give equal sums
    expect(loop(4095)).not.toBe(visits);
  });
});

it("lays out both maps identically: the same devices at the same addresses, and the same filler", () => {
  const [embedded, owned] = FORMS.map((form) => scatteredMap(form, 50));
  expect(embedded?.addresses).toEqual(owned?.addresses);
  expect(embedded?.filler).toEqual(owned?.filler);
  expect(embedded?.probes.map(({ variant }) => variant)).toEqual(owned?.probes.map(({ variant }) => variant));
});

it("is a detail: only its time could decide, and that differs between isolates that run the same code", () => {
  const { name, role } = uncopiedCase("owned", 10_000);
  expect([name, role]).toEqual(["uncopied read, 10 000 regions scattered", "detail"]);
});
