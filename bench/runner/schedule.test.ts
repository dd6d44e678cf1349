import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ARMS } from "#results";
import { planSchedule as planBlocks, type Trial } from "./schedule.ts";

const named = (names: readonly string[]) => names.map((name) => ({ name }));
const planSchedule = (names: readonly string[], repeats: number, seed: number) =>
  planBlocks(named(names), repeats, seed).flat();
const arms = (trials: readonly Trial[]) => trials.map(({ arm }) => arm);

describe("planSchedule", () => {
  it("goes there and back: two repeats are a palindrome", () => {
    const plan = planSchedule(["boot"], 2, 1);
    expect(arms(plan)).toHaveLength(6);
    expect(arms(plan)).toEqual(arms(plan).reverse());
    expect(new Set(arms(plan).slice(0, 3))).toEqual(new Set(ARMS));
  });

  it("never runs all of one arm before another: every six processes hold each arm twice", () => {
    const plan = planSchedule(["boot"], 10, 7);
    for (let i = 0; i < plan.length; i += 6) {
      for (const arm of ARMS) {
        expect(arms(plan.slice(i, i + 6)).filter((other) => other === arm)).toHaveLength(2);
      }
    }
  });

  it("lets tasks take turns", () => {
    const tasks = planSchedule(["boot", "dispatch"], 4, 1).map(({ task }) => task);
    expect(tasks.join(" ")).toBe(
      Array(2)
        .fill(`${"boot ".repeat(6)}${"dispatch ".repeat(6)}`)
        .join("")
        .trim(),
    );
  });

  it("gives every arm the same mean position, so that a steady drift cancels", () => {
    fc.assert(
      fc.property(fc.integer(), fc.integer({ min: 1, max: 20 }), (seed, blocks) => {
        const plan = planSchedule(["x"], 2 * blocks, seed);
        const sums = ARMS.map((arm) => plan.reduce((sum, trial, i) => sum + (trial.arm === arm ? i : 0), 0));
        expect(new Set(sums).size).toBe(1);
      }),
    );
  });

  it("runs every repeat of every arm and task once, also for odd numbers", () => {
    const plan = planSchedule(["a", "b"], 5, 3);
    const keys = plan.map(({ task, arm, repeat }) => `${task}/${arm}/${repeat}`);
    expect(new Set(keys).size).toBe(30);
    expect(keys).toHaveLength(30);
  });

  it("gives whole blocks of two repeats, after any of which a run may end", () => {
    const blocks = planBlocks(named(["a", "b"]), 5, 3);
    expect(blocks.map((block) => [...new Set(block.map(({ repeat }) => repeat))])).toEqual([
      [0, 1],
      [2, 3],
      [4],
    ]);
  });

  it("leaves a task out after its own number of repeats, and the others as they were", () => {
    const capped = planBlocks([{ name: "a" }, { name: "b", mostRepeats: 2 }], 6, 3).flat();
    expect(capped.filter(({ task }) => task === "b").map(({ repeat }) => repeat)).toEqual([0, 0, 0, 1, 1, 1]);
    const a = ({ task }: Trial) => task === "a";
    expect(capped.filter(a)).toEqual(planSchedule(["a", "b"], 6, 3).filter(a));
  });

  it("is the same for the same seed, and shuffled by another", () => {
    expect(planSchedule(["x"], 10, 1)).toEqual(planSchedule(["x"], 10, 1));
    expect(arms(planSchedule(["x"], 10, 1))).not.toEqual(arms(planSchedule(["x"], 10, 2)));
  });
});
