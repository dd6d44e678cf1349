/** The guest programs on our machine, in both forms, compared with their recorded output on QEMU. */
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { Emulation, finishRun, loadHardware, type REGION_FORMS, type RunStatistics } from "#machine";
import { type BareMetalWorkload, workloads } from "./index.ts";

const guests = workloads().filter((each) => each.kind === "bare-metal");

async function run(guest: BareMetalWorkload, form: (typeof REGION_FORMS)[number]) {
  const emulation = new Emulation({
    hardware: await loadHardware(form),
    ramBytes: 256 * 2 ** 20,
    hartCount: guest.hartCount,
    files: { kernel: guest.kernel },
    trace: true,
  });
  const printed: number[] = [];
  emulation.console.onByte = (byte) => printed.push(byte);
  const end = emulation.run({ maxInstructions: 100_000_000 });
  const statistics = finishRun(emulation, form, end, 0);
  return { text: Buffer.from(printed).toString("latin1"), statistics };
}

/** The statistics that must be the same in both forms: all except host time, storage and the form itself. */
function guestSide({ phases, heap, regions, ...rest }: RunStatistics) {
  return rest;
}

describe.each(guests)("$name", (guest) => {
  it("prints the same as on QEMU, ends as expected, and leaks nothing, in both forms", async () => {
    const expected = readFileSync(guest.expectedConsole, "latin1");
    const [embedded, owned] = [await run(guest, "embedded"), await run(guest, "owned")];
    for (const { text, statistics } of [embedded, owned]) {
      expect(text).toBe(expected);
      expect([statistics.end, statistics.exit]).toEqual(["poweroff", guest.exitCode]);
      expect(statistics.heap.blocksLeaked).toBe(0);
    }
    expect(guestSide(owned.statistics)).toEqual(guestSide(embedded.statistics));
    expect(owned.statistics.mmioAccesses).toBeGreaterThan(0);
  });
});
