import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ARMS } from "#results";
import { layoutOf, planCounts } from "./order.ts";
import { countSubjects } from "./subjects.ts";

const subjects = countSubjects();

describe("planCounts", () => {
  it("has both numbers of rounds of every subject, arm and repeat once", () => {
    fc.assert(
      fc.property(fc.integer(), fc.integer({ min: 1, max: 7 }), (seed, repeats) => {
        const plan = planCounts(subjects, repeats, seed);
        const keys = plan.map((each) => `${each.subject.name}/${each.arm}/${each.repeat}/${each.rounds}`);
        expect(new Set(keys).size).toBe(plan.length);
        expect(plan.length).toBe(subjects.length * ARMS.length * repeats * 2);
      }),
    );
  });

  it("gives every arm the same mean place over two repeats", () => {
    fc.assert(
      fc.property(fc.integer(), fc.integer({ min: 1, max: 5 }), (seed, pairs) => {
        const plan = planCounts(subjects.slice(0, 3), 2 * pairs, seed);
        const sums = ARMS.map((arm) => plan.reduce((sum, trial, i) => sum + (trial.arm === arm ? i : 0), 0));
        expect(new Set(sums).size).toBe(1);
      }),
    );
  });

  it("ends a repeat of all subjects before the next", () => {
    const repeats = planCounts(subjects, 3, 1).map(({ repeat }) => repeat);
    expect(repeats).toEqual(repeats.toSorted());
  });
});

describe("layoutOf", () => {
  const [subject] = subjects;
  if (subject === undefined) throw new Error("there are subjects");

  it("differs between samples, of A and A2 too, and not within one", () => {
    const plan = planCounts(subjects, 4, 5);
    const layouts = plan.map((trial) => JSON.stringify(layoutOf(trial, 5)));
    expect(new Set(layouts).size).toBe(plan.length / 2);
  });

  it("shares the seed of hash tables between the arms of a repeat, and only there", () => {
    const seedsOf = (repeat: number) => ARMS.map((arm) => layoutOf({ subject, arm, repeat }, 5).hashSeed);
    expect(new Set(seedsOf(0)).size).toBe(1);
    expect(new Set([...seedsOf(0), ...seedsOf(1), ...seedsOf(2)]).size).toBe(3);
  });

  it("keeps to what V8 and a stack take", () => {
    fc.assert(
      fc.property(fc.integer(), fc.constantFrom(...ARMS), fc.nat(100), (seed, arm, repeat) => {
        const layout = layoutOf({ subject, arm, repeat }, seed);
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

it("asks every question once, and needs few and many rounds that differ", () => {
  const questions = subjects.map(
    ({ definition: { suite, workload, name } }) => `${suite}/${workload}/${name}`,
  );
  expect(new Set(questions).size).toBe(subjects.length);
  for (const { fewRounds, manyRounds, name } of subjects)
    expect([name, manyRounds > fewRounds]).toEqual([name, true]);
});
