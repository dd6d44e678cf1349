/** Trees of which a share of the files is converted, and trees of owned children: the guest cannot tell them apart. */
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { type Hardware, loadHardware, loadHardwareFrom } from "#machine";
import { DeviceModel } from "#qdev";
import type { GuestRecord } from "#results";
import { guestOf, recordGuest } from "../bench/suites/guest.ts";
import { type Mixture, TreeMixer } from "../codemods/mixed/convert.ts";

const folder = (regions: string) => join(import.meta.dirname, "../emulator/hw", regions);

let mixer: TreeMixer;
let expected: GuestRecord;

beforeAll(async () => {
  mixer = new TreeMixer(folder("embedded"), "embedded");
  expected = recordGuest(guestOf("hello", await loadHardware("embedded")));
}, 120_000);

async function load(mixture: Mixture): Promise<Hardware> {
  return loadHardwareFrom(mixer.runnable(mixture).folder, "embedded");
}

describe("a tree converted in part", () => {
  it.each([
    [0, 0],
    [25, 4],
    [50, 8],
    [75, 12],
    [100, 16],
  ])("at %i % has the same guest", async (share, files) => {
    const tree = mixer.mix({ selection: { share } });
    expect([tree.converted.length, tree.withRegions.length]).toEqual([files, 16]);
    const hardware = await load({ selection: { share } });
    expect(recordGuest(guestOf("hello", hardware))).toEqual(expected);
  });

  it("is the one tree at 0 %, and the other at 100 %", () => {
    const textsOf = (regions: "embedded" | "owned", share: number) =>
      new TreeMixer(folder(regions), regions).mix({ selection: { share } }).texts;
    expect(mixer.mix({ selection: { share: 100 } }).texts).toEqual(textsOf("owned", 0));
    expect(mixer.mix({ selection: { share: 0 } }).texts).toEqual(textsOf("owned", 100));
  });

  it("has the files of a pattern converted", () => {
    const { converted } = mixer.mix({ selection: { pattern: "{rtc,timer}/*" } });
    expect(converted).toEqual(["rtc/goldfish-rtc.ts", "timer/riscv-aclint-mtimer.ts"]);
    expect(() => mixer.mix({ selection: { pattern: "gpu/*" } })).toThrow(
      /^--convert gpu\/\*: no file with memory regions matches; they are block\/pflash-cfi01\.ts, char/,
    );
  });

  it.each(["nowhere", "embedded/rtc"])("needs all sources: %s has not, as the npm package", (some) => {
    expect(() => new TreeMixer(folder(some), "embedded")).toThrow(
      `${folder(some)}: does not have the sources of all devices, which the npm package leaves out; run this in a clone`,
    );
  });
});

describe("a tree of owned children", () => {
  it.each(["embedded", "owned"] as const)("with %s regions has the same guest", async (regions) => {
    const children = new TreeMixer(folder(regions), regions).runnable({ ownedChildren: true });
    const hardware = await loadHardwareFrom(children.folder, regions);
    expect(recordGuest(guestOf("hello", hardware))).toEqual(expected);
  });

  it("has a block of its own for each child, and as many bytes", async () => {
    const used = (hardware: Hardware) => {
      const model = new DeviceModel();
      hardware.registerTypes(model.types);
      const uart = model.create(model.types.lookup("serial-mm"));
      const { live, liveBytes } = model.heap.usage();
      uart.unref();
      return { live, liveBytes };
    };
    const [embedded, owned] = [used(await load({})), used(await load({ ownedChildren: true }))];
    expect(owned).toEqual({ live: embedded.live + 1, liveBytes: embedded.liveBytes });
  });
});
