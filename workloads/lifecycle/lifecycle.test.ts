import { describe, expect, it } from "vitest";
import { loadHardware, REGION_FORMS } from "#machine";
import { PLUGGED, scenario, scenarios } from "#workloads/lifecycle";

const ROUNDS = 2 * PLUGGED.length;

describe.each(REGION_FORMS)("%s regions", (form) => {
  it.each(scenarios())(
    "$name: leaks exactly the expected blocks, and uses nothing after its end",
    async (each) => {
      const run = each.start({ hardware: await loadHardware(form), checked: "count" });
      for (let round = 0; round < PLUGGED.length; round++) run.round(); // completes all one-time allocations
      const before = run.tally();
      for (let round = 0; round < ROUNDS; round++) run.round();
      const after = run.tally();
      expect(after.liveBlocks - before.liveBlocks).toBe(each.leaksPerRound * ROUNDS);
      expect([after.usesAfterFinalize, after.usesAfterFree]).toEqual([0, 0]);
      const leaked = each.leaksPerRound * (ROUNDS + PLUGGED.length);
      expect(run.finish().liveBlocks).toBe(leaked);
    },
  );

  it("times every release after an unplug", async () => {
    const run = scenario("plug-unplug").start({ hardware: await loadHardware(form) });
    for (let round = 0; round < ROUNDS; round++) run.round();
    expect(run.releaseTimes.length).toBe(ROUNDS);
    expect(run.releaseTimes.every((time) => time >= 0)).toBe(true);
    run.finish();
  });
});

it("an unknown scenario is refused with a list of names", () => {
  expect(() => scenario("plug")).toThrow(/unknown scenario "plug"; give one of plug-unplug/);
});
