import { afterEach, describe, expect, it } from "vitest";
import { ARMS, type Arm } from "#results";
import { Random } from "#results/statistics";
import { Trio } from "./conductor.ts";

const armEntry = new URL("fixtures/arm.mjs", import.meta.url);

const trios: Trio[] = [];
afterEach(async () => {
  await Promise.all(trios.splice(0).map((trio) => trio.end()));
});

function makeTrio(seed = 1, patience = 20_000): Trio {
  const random = Random.seeded(seed);
  const trio = new Trio({ armEntry, forms: { A: "embedded", B: "owned" }, quick: true, random, patience });
  trios.push(trio);
  return trio;
}

describe("Trio", () => {
  it("assigns arms to isolates at random: each arm is first for some seed", () => {
    const firsts = new Set<Arm | undefined>();
    for (let seed = 0; seed < 8; seed++) firsts.add(makeTrio(seed).slots[0]);
    expect(firsts).toEqual(new Set(ARMS));
    for (const { slots } of trios) expect(slots.toSorted()).toEqual(ARMS.toSorted());
  });

  it("gives every arm the same slices, without those of the warm-up", async () => {
    const [metrics] = await makeTrio().measure("steady");
    const [done, slice] = metrics ?? [];
    expect(metrics?.map(({ definition }) => definition.name)).toEqual(["work done", "slice"]);
    for (const arm of ARMS) {
      expect(done?.times[arm]).toEqual(new Array(20).fill(1));
      const numbers = slice?.times[arm] ?? [];
      const [first = Number.NaN] = numbers;
      expect(numbers).toEqual(Array.from({ length: 20 }, (_, i) => first + i));
    }
  });

  it("plants extra work only in arm B, variant by variant, as the work done shows", async () => {
    const variants = await makeTrio().measure("steady", [0, 0.05]);
    expect(variants).toHaveLength(2);
    const [plain, planted] = variants.map(([done]) => done?.times);
    for (const arm of ARMS) {
      // Each variant gets as many turns as if it were alone.
      expect(plain?.[arm]).toEqual(new Array(20).fill(1));
      expect(planted?.[arm]).toEqual(new Array(20).fill(arm === "B" ? expect.closeTo(1.05, 2) : 1));
    }
  });

  it("measures one work after the other", async () => {
    const trio = makeTrio();
    await trio.measure("steady");
    expect(await trio.measure("steady again")).toHaveLength(1);
  });

  it("sends every arm, with its form, requests outside of slices", async () => {
    const trio = makeTrio();
    const answers = await trio.ask((arm) => ({ kind: "heap", scenario: arm, extraLeaks: 0 }));
    for (const arm of ARMS) {
      expect(answers[arm]).toMatchObject({
        scenario: arm,
        form: arm === "B" ? "owned" : "embedded",
        slot: trio.slots.indexOf(arm),
      });
    }
  });

  it.each([
    ["fails in a slice", (trio: Trio) => trio.measure("throws"), /^arm B: Error: the device exploded/],
    ["cannot prepare", (trio: Trio) => trio.measure("unknown"), /^arm B: Error: no work is called unknown/],
    ["cannot boot", (trio: Trio) => trio.boot("missing", 0), /^arm B: Error: the firmware is missing/],
  ])("reports an arm that %s, with its own message", async (_, act, message) => {
    await expect(act(makeTrio())).rejects.toThrow(message);
  });

  it("reports an arm that hangs", async () => {
    await expect(makeTrio(1, 500).measure("hangs")).rejects.toThrow(
      /the arm in slot \d did not return within 0\.5 s/,
    );
  });

  it("boots slice by slice, at least once, and returns what each guest did", async () => {
    const { boots, checks } = await makeTrio().boot("even", 0);
    expect(boots).toHaveLength(1);
    for (const arm of ARMS) {
      expect(boots[0]?.[arm].map(({ nanoseconds, phase, over }) => [nanoseconds, phase, over])).toEqual([
        [1000, 0, false],
        [2000, 0, false],
        [3000, 1, false],
        [4000, 1, true],
      ]);
    }
    expect(checks.map(({ instructions }) => instructions)).toEqual([4, 4, 4]);
    expect(checks.map(({ consoleSha256 }) => consoleSha256).toSorted()).toEqual([
      "embedded",
      "embedded",
      "owned",
    ]);
  });

  it("fails if an arm ends in another slice than the others", async () => {
    await expect(makeTrio().boot("uneven", 0)).rejects.toThrow(/uneven ended in another slice in one arm/);
  });
});
