import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ARMS, metricKey } from "#results";
import { layoutOf, planCounts } from "./order.ts";
import { countGroups, definitionsOf } from "./subjects.ts";

const groups = countGroups();
const [board, machine] = groups.filter(({ mostRepeats }) => mostRepeats > 3);
if (board === undefined || machine === undefined) throw new Error("two groups are counted often");

describe("planCounts", () => {
  it("has every group, arm and repeat once", () => {
    fc.assert(
      fc.property(fc.integer(), fc.integer({ min: 1, max: 7 }), (seed, repeats) => {
        const plan = planCounts(groups, repeats, seed);
        const keys = plan.map((each) => `${each.group.name}/${each.arm}/${each.repeat}`);
        expect(new Set(keys).size).toBe(plan.length);
        const most = groups.map(({ mostRepeats }) => Math.min(mostRepeats, repeats));
        expect(plan.length).toBe(ARMS.length * most.reduce((sum, each) => sum + each, 0));
      }),
    );
  });

  it("gives every arm the same mean position over two repeats", () => {
    fc.assert(
      fc.property(fc.integer(), fc.integer({ min: 1, max: 2 }), (seed, pairs) => {
        const plan = planCounts([board, machine], 2 * pairs, seed);
        const sums = ARMS.map((arm) => plan.reduce((sum, trial, i) => sum + (trial.arm === arm ? i : 0), 0));
        expect(new Set(sums).size).toBe(1);
      }),
    );
  });

  it("ends a repeat of all groups before the next", () => {
    const repeats = planCounts(groups, 3, 1).map(({ repeat }) => repeat);
    expect(repeats).toEqual(repeats.toSorted());
  });
});

describe("layoutOf", () => {
  const [group] = groups;
  if (group === undefined) throw new Error("there are groups");

  it("differs between all processes, of A and A2 too", () => {
    const plan = planCounts(groups, 4, 5);
    const layouts = plan.map((trial) => JSON.stringify(layoutOf(trial, 5)));
    expect(new Set(layouts).size).toBe(plan.length);
  });

  it("shares the seed of hash tables between the arms of a repeat, and only there", () => {
    const seedsOf = (repeat: number) => ARMS.map((arm) => layoutOf({ group, arm, repeat }, 5).hashSeed);
    expect(new Set(seedsOf(0)).size).toBe(1);
    expect(new Set([...seedsOf(0), ...seedsOf(1), ...seedsOf(2)]).size).toBe(3);
  });

  it("stays within the ranges that V8 and the stack accept", () => {
    fc.assert(
      fc.property(fc.integer(), fc.constantFrom(...ARMS), fc.nat(100), (seed, arm, repeat) => {
        const layout = layoutOf({ group, arm, repeat }, seed);
        for (const each of [layout.hashSeed, layout.randomSeed]) {
          expect(each).toBeGreaterThan(0);
          expect(each).toBeLessThan(2 ** 31);
        }
        expect(layout.padding).toBeGreaterThan(0);
        expect(layout.padding).toBeLessThanOrEqual(4096);
      }),
    );
  });
});

it("has every question once, and says how it is counted", () => {
  const definitions = groups.flatMap(definitionsOf);
  expect(new Set(definitions.map(metricKey)).size).toBe(definitions.length);
  for (const { estimator } of definitions)
    expect(estimator).toMatch(/^host instructions by callgrind, V8 with .*round/);
});
