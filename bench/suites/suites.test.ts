import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { loadHardware } from "#machine";
import { FORMS } from "#results";
import { workload } from "#workloads";
import { GUEST_CASES, guestCase, loadingGuest, RAM_BYTE, UART_SCRATCH } from "./dispatch-guest.ts";
import { bareReadLoop, readLoop, writeLoop } from "./dispatch-loops.ts";
import { aliasMap, flatMap, nestedMap, type ProbeMap, visits, walk } from "./dispatch-maps.ts";
import { guestOf, recordGuest } from "./guest.ts";
import { probeOps } from "./probe.ts";

describe.each(FORMS)("%s: what is timed is what it says", (form) => {
  const maps: [string, ProbeMap][] = [
    ["one device", flatMap(form, 1)],
    ["three containers of devices", flatMap(form, 600)],
    ["16 containers deep", nestedMap(form, 16)],
    ["through 8 aliases", aliasMap(form, 8)],
  ];

  it.each(maps)("%s: every address reaches its own device's callback", (_, { space, addresses, probes }) => {
    expect(addresses).toHaveLength(probes.length);
    addresses.forEach((address, i) => {
      const probe = probes[i];
      if (!probe) throw new Error("one probe per address");
      probe.register = i;
      const { read } = probeOps(probe.variant);
      expect(space.read(address + 8, 4)).toBe((read?.(probe, 8, 4) ?? Number.NaN) >>> 0);
      expect(probe.window.owner).toBe(probe);
    });
  });

  it("reads and writes as often as requested", () => {
    const map = flatMap(form, 6);
    const addresses = walk(map.addresses, 4, "test");
    const called = map.probes.map(() => 0);
    map.probes.forEach((probe, i) => {
      Object.defineProperty(probe, "register", {
        get: () => {
          called[i] = (called[i] ?? 0) + 1;
          return 0;
        },
        set: () => {
          called[i] = (called[i] ?? 0) + 1;
        },
      });
    });
    const calls = () => called.reduce((sum, count) => sum + count, 0);
    readLoop(map.space, addresses, 4)(5000);
    expect(calls()).toBe(5000);
    writeLoop(map.space, addresses, 4)(5000);
    expect(calls()).toBe(10_000);
    expect(called.every((count) => count > 1000)).toBe(true);
    const [probe] = map.probes;
    if (probe) bareReadLoop(probe, addresses)(5000);
    expect(calls()).toBe(15_000);
  });

  it("walks at random over all devices, the same way every time", () => {
    const { addresses } = flatMap(form, 100);
    const steps = walk(addresses, 4, "test");
    expect(steps).toEqual(walk(addresses, 4, "test"));
    expect(new Set(Array.from(steps, (address) => address - (address % 0x1000))).size).toBe(100);
    expect(new Set(visits(100, "test")).size).toBe(100);
  });

  it.each([
    ["the UART", UART_SCRATCH],
    ["RAM", RAM_BYTE],
  ])("lets the guest load from %s as often as requested, without a trap", async (_, address) => {
    const { emulation, register, cycle } = loadingGuest(await loadHardware(form), address);
    const { memorySpace } = emulation.board;
    for (const value of [0xa5, 0x5a]) {
      memorySpace.write(address, 1, value);
      emulation.run({ maxInstructions: emulation.instructions + 2 * cycle });
      expect(emulation.hart.readRegister(register)).toBe(BigInt(value));
    }
  });

  it.each(GUEST_CASES.filter((name) => name.endsWith("guest")))(
    "%s: counts loads and jumps",
    async (name) => {
      const { loop } = guestCase(name, await loadHardware(form));
      const before = loop(64);
      expect(loop(640) - before).toBe(650);
    },
  );

  it("proves what the guest did: QEMU's console text", async () => {
    const program = workload("hello");
    if (program.kind !== "bare-metal") throw new Error("hello runs without firmware");
    // The stored text continues after the milestone, which ends a boot, so only its beginning was printed.
    const expected = readFileSync(program.expectedConsole, "utf8");
    const printed = expected.slice(0, expected.indexOf(program.milestone) + program.milestone.length);
    const record = recordGuest(guestOf("hello", await loadHardware(form)));
    expect(record.consoleSha256).toBe(createHash("sha256").update(printed).digest("hex"));
    expect(record.mmioAccesses).toBeGreaterThan(printed.length);
  });
});

it("records the same in both forms", async () => {
  const [embedded, owned] = await Promise.all(
    FORMS.map(async (form) => recordGuest(guestOf("hello", await loadHardware(form)))),
  );
  expect(owned).toEqual(embedded);
});
