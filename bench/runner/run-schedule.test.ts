import { describe, expect, it } from "vitest";
import { describeTrial, runAbreast, runSchedule, scheduleEntries } from "./run-schedule.ts";
import { planSchedule } from "./schedule.ts";

describe("runSchedule", () => {
  it("runs one process after the other, in the planned order, and records order and times", async () => {
    const plan = planSchedule([{ name: "boot" }, { name: "dispatch" }], 4, 1);
    const started: string[] = [];
    let running = 0;
    let time = 0;
    const outcomes = await runSchedule(plan, {
      now: () => time,
      measure: async (trial) => {
        expect(++running).toBe(1);
        started.push(describeTrial(trial));
        await new Promise((resolve) => setImmediate(resolve));
        time += 5;
        running--;
        return trial.repeat;
      },
    });
    expect(started).toEqual(plan.flat().map(describeTrial));
    expect(scheduleEntries(outcomes)).toEqual(plan.flat().map((trial) => ({ ...trial, milliseconds: 5 })));
    expect(outcomes.map(({ report }) => report)).toEqual(plan.flat().map(({ repeat }) => repeat));
  });

  it("ends at the first failure", async () => {
    let count = 0;
    const plan = planSchedule([{ name: "boot" }], 10, 1);
    const run = runSchedule(plan, {
      measure: async () => {
        if (++count === 4) throw new Error("crashed");
      },
    });
    await expect(run).rejects.toThrow("crashed");
    expect(count).toBe(4);
  });

  it("may end after a block, when the time that it has is used up", async () => {
    const outcomes = await runSchedule(planSchedule([{ name: "boot" }], 10, 1), {
      measure: async () => undefined,
      proceed: (finished) => finished < 3,
    });
    expect(outcomes).toHaveLength(3 * 6);
  });

  it("tells how many have ended before each", async () => {
    const seen: number[] = [];
    await runSchedule(planSchedule([{ name: "boot" }], 1, 1), {
      measure: async () => undefined,
      onProgress: (done) => seen.push(done),
    });
    expect(seen).toEqual([0, 1, 2]);
  });
});

describe("runAbreast", () => {
  const trials = planSchedule([{ name: "boot" }], 4, 1).flat();
  const later = () => new Promise((resolve) => setImmediate(resolve));

  it("runs as many at once as it may, and keeps the order", async () => {
    let running = 0;
    let most = 0;
    const outcomes = await runAbreast(trials, 3, {
      measure: async (trial) => {
        most = Math.max(most, ++running);
        for (let turns = trial.arm === "A" ? 5 : 1; turns > 0; turns--) await later();
        running--;
        return describeTrial(trial);
      },
    });
    expect(most).toBe(3);
    expect(outcomes.map(({ trial }) => trial)).toEqual(trials);
    expect(outcomes.map(({ report }) => report)).toEqual(trials.map(describeTrial));
  });

  it("begins no more after a failure, and throws it when the others have ended", async () => {
    let begun = 0;
    let ended = 0;
    const run = runAbreast(trials, 2, {
      measure: async () => {
        if (++begun === 4) throw new Error("crashed");
        await later();
        ended++;
      },
    });
    await expect(run).rejects.toThrow("crashed");
    expect([begun, ended]).toEqual([4, 3]);
  });
});
