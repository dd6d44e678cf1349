import { afterEach, describe, expect, it, vi } from "vitest";
import { Emulation, loadHardware } from "#machine";
import { FORMS, type Form, type GuestRecord } from "#results";
import type { BootFigures, BootingWork } from "../trio/boots.ts";
import { guestOf, recordGuest } from "./guest.ts";
import { bootingWork, fromBoots } from "./lockstep.ts";
import { type GuestCheck, perArm } from "./measurement.ts";

afterEach(() => vi.restoreAllMocks());

async function record(form: Form, guest: string): Promise<GuestRecord> {
  return recordGuest(guestOf(guest, await loadHardware(form)));
}

/** Boots once and records the guest's clock at the end of every slice. */
function boot(work: BootingWork): { figures: BootFigures[]; clocks: number[]; check: GuestCheck } {
  const clocks: number[] = [];
  const { run } = Emulation.prototype;
  vi.spyOn(Emulation.prototype, "run").mockImplementation(function (this: Emulation, ...args) {
    const end = run.apply(this, args);
    clocks.push(this.instructions);
    return end;
  });
  const figures: BootFigures[] = [];
  work.begin();
  do figures.push(work.slice());
  while (figures.at(-1)?.over === false);
  const check = work.finish();
  vi.restoreAllMocks();
  return { figures, clocks, check };
}

describe.each(FORMS)("%s: a boot in slices", (form) => {
  it.each([7, 100, 311, 20_000, undefined])(
    "of %s instructions is the boot that was proved",
    async (slice) => {
      const proof = await record(form, "hello");
      const { figures, clocks, check } = boot(bootingWork("hello", await loadHardware(form), slice));
      expect(check).toEqual({
        workload: "hello",
        instructions: proof.instructions,
        consoleSha256: proof.consoleSha256,
      });
      if (slice !== undefined) {
        // The milestone is longer than what seven instructions print, so texts that span slices are found.
        expect(figures).toHaveLength(Math.ceil(proof.instructions / slice));
        expect(clocks.slice(0, -1)).toEqual(clocks.slice(0, -1).map((_, i) => slice * (i + 1)));
      }
      expect(clocks.at(-1)).toBe(proof.instructions);
      expect(figures.every(({ nanoseconds }) => nanoseconds > 0)).toBe(true);
    },
  );

  it("can be repeated: the next boot is the same", async () => {
    const work = bootingWork("hello", await loadHardware(form), 100);
    const [first, second] = [boot(work), boot(work)];
    expect(second.check).toEqual(first.check);
    expect(second.clocks).toEqual(first.clocks);
  });
});

describe("slices of both forms", () => {
  it("hold the same guest instructions, in a guest that does nothing but access devices", async () => {
    const boots = await Promise.all(
      FORMS.map(async (form) => boot(bootingWork("mmio-storm", await loadHardware(form), 20_000))),
    );
    const [embedded, owned] = boots;
    expect(embedded?.clocks.length).toBeGreaterThan(10);
    expect(owned?.clocks).toEqual(embedded?.clocks);
    expect(owned?.check).toEqual(embedded?.check);
    expect(owned?.figures.map(({ phase, over }) => [phase, over])).toEqual(
      embedded?.figures.map(({ phase, over }) => [phase, over]),
    );
  });
});

describe("fromBoots", () => {
  const slices = (...nanoseconds: number[]): BootFigures[] =>
    nanoseconds.map((each, i) => ({ nanoseconds: each, phase: 0, over: i === nanoseconds.length - 1 }));

  it("adds up the fastest of each slice over all boots, in milliseconds", () => {
    const first = { A: slices(5e6, 1e6, 3e6), B: slices(6e6, 6e6, 6e6), A2: slices(1e6, 1e6, 1e6) };
    const second = { A: slices(2e6, 4e6, 3e6), B: slices(6e6, 5e6, 7e6), A2: slices(1e6, 1e6, 1e6) };
    const [whole, ...phases] = fromBoots("hello", [first, second], false);
    expect(whole?.estimates).toEqual({ A: 2 + 1 + 3, B: 6 + 5 + 6, A2: 3 });
    expect(perArm((arm) => whole?.distributions[arm].count)).toEqual({ A: 2, B: 2, A2: 2 });
    expect(whole?.distributions.A).toMatchObject({ min: 9, max: 9 });
    expect(phases).toEqual([]);
    expect(whole?.definition).toMatchObject({ suite: "boot", workload: "hello", unit: "ms", decides: false });
  });

  it("needs at least one boot", () => {
    expect(() => fromBoots("hello", [], false)).toThrow(/hello was not booted/);
  });
});
