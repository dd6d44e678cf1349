import { describe, expect, it } from "vitest";
import { Random } from "#results/statistics";
import { FULL_LOOKS, QUICK_LOOKS } from "./options.ts";
import { chanceOfAtLeast } from "./selftest/judge-rates.ts";
import { EFFECTS, isWrong, SHAPES, simulate } from "./simulation.ts";

const TRIALS = 60;

const cells = [QUICK_LOOKS, FULL_LOOKS].flatMap((looks) =>
  SHAPES.flatMap(({ name, noise }) =>
    EFFECTS.map((effect) => [looks.length, name, effect, looks, noise] as const),
  ),
);

describe("the rule that ends a run", () => {
  it.each(cells)(
    "with %i looks, noise %s, effect %d margins: claims wrongly at most once in twenty",
    (...cell) => {
      const [count, name, effect, looks, noise] = cell;
      const { wrong } = simulate(
        looks,
        noise,
        effect,
        TRIALS,
        Random.seeded(3, `${count}/${name}/${effect}`),
      );
      // With a true rate of 5 %, this many wrong claims or more occur more than once in a thousand times.
      expect(chanceOfAtLeast({ found: wrong, of: TRIALS }, 0.05)).toBeGreaterThan(0.001);
    },
  );

  it("decides most of what can be decided, rather than avoiding errors by never deciding", () => {
    const [normal] = SHAPES;
    if (normal === undefined) throw new RangeError("the first shape is the normal one");
    const verdictsOf = (effect: number) =>
      simulate(FULL_LOOKS, normal.noise, effect, TRIALS, Random.seeded(4, `${effect}`)).verdicts;
    expect(verdictsOf(0).get("equivalent")).toBeGreaterThan(0.9 * TRIALS);
    expect(verdictsOf(2).get("slower")).toBeGreaterThan(0.9 * TRIALS);
  });

  it("fails the criterion if B is biased by 3 %", () => {
    let drawn = 0;
    // Arms are drawn in the order A, B, A2.
    const biased = (random: Random) => 0.001 * random.normal() + (drawn++ % 3 === 1 ? 0.03 : 0);
    const { wrong } = simulate(QUICK_LOOKS, biased, 0, TRIALS, Random.seeded(5));
    expect(chanceOfAtLeast({ found: wrong, of: TRIALS }, 0.05)).toBeLessThan(0.001);
  });

  it("takes between as many processes as the first look and as the last", () => {
    for (const { noise } of SHAPES) {
      const { processes, trials, verdicts } = simulate(QUICK_LOOKS, noise, 0, 20, Random.seeded(6));
      expect(processes / trials).toBeGreaterThanOrEqual(Math.min(...QUICK_LOOKS));
      expect(processes / trials).toBeLessThanOrEqual(Math.max(...QUICK_LOOKS));
      expect([...verdicts.values()].reduce((sum, count) => sum + count, 0)).toBe(trials);
    }
  });
});

describe("isWrong", () => {
  it.each([
    ["slower", 0, true],
    ["faster", 0, true],
    ["equivalent", 0, false],
    ["slower", 0.5, false],
    ["faster", 0.5, true],
    ["equivalent", 0.5, false],
    ["equivalent", 1, true],
    ["equivalent", 2, true],
    ["slower", 1, false],
    ["inconclusive", 0, false],
    ["no difference", 2, false],
  ] as const)("%s at %d margins: %s", (verdict, effect, wrong) => {
    expect(isWrong(verdict, effect)).toBe(wrong);
  });
});
