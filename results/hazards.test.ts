import { describe, expect, it } from "vitest";
import { hazardsOf } from "./hazards.ts";
import { type LifetimeFigures, type LifetimeScenario, NO_FAULTS, type Run } from "./schema.ts";
import { syntheticRun } from "./testing/synthetic-run.ts";

const base = syntheticRun();
const SAFE = NO_FAULTS;
const FREED = { ...SAFE, usesAfterFree: 20 };
const FINALIZED = { ...SAFE, usesAfterFinalize: 20 };
const LOST = { ...SAFE, blocksUnfreed: 20, bytesUnfreed: 2000 };

function life(
  scenario: string,
  a: LifetimeFigures,
  b: LifetimeFigures,
  expected?: LifetimeFigures,
): LifetimeScenario {
  const outcome = (observed: LifetimeFigures) => ({ expected: expected ?? observed, observed });
  const text = { description: "A life.", rule: "A rule.", rounds: 20 };
  return { scenario, ...text, arms: { A: outcome(a), B: outcome(b) } };
}

function said(lifetimes: readonly LifetimeScenario[], run: Run = base) {
  return hazardsOf({ ...run, lifetimes });
}

describe("the hazards", () => {
  it("are grouped by outcome, worst first, without counts", () => {
    const lives = [
      life("leak", LOST, SAFE),
      life("held", FREED, SAFE),
      life("late", FINALIZED, SAFE),
      life("remade", SAFE, FREED),
      life("touched", FINALIZED, FREED),
      life("again", FINALIZED, FREED),
      life("more", { ...LOST, usesAfterFree: 20 }, FREED),
      life("alike", FREED, FREED),
      life("oftener", LOST, { ...LOST, blocksUnfreed: 40, bytesUnfreed: 4000 }),
      life("in parts", LOST, { ...LOST, blocksUnfreed: 40 }),
      life("held on", SAFE, { ...SAFE, blocksHeld: 20, bytesHeld: 2000 }),
      life("ended", { ...FINALIZED, aborts: 20 }, SAFE),
      life("safe", SAFE, SAFE),
    ];
    expect(said(lives)).toEqual({
      differ: true,
      sentences: [
        "The two forms end with different faults in 9 of 13 lifetime scenarios, and with the same faults to a different extent in 1.",
        "Embedded fails where owned is safe: ended (abort and use after finalize), held (use after free), late (use after finalize), leak (blocks never freed).",
        "Owned fails where embedded is safe: remade (use after free), held on (blocks that pile up).",
        "Both fail, embedded worse (use after free and blocks never freed instead of use after free): more.",
        "Both fail, owned worse (use after free instead of use after finalize): touched, again.",
        "Both fail in the same way, but to a different extent: oftener (blocks never freed).",
        "Both fail in the same way, to the same extent: alike (use after free), in parts (blocks never freed).",
        "Both are safe: safe.",
      ],
      worse: { A: 5, B: 4 },
    });
  });

  it("go by what was observed, not by what was expected, and name what was not as predicted", () => {
    const { sentences, worse } = said([life("odd", FREED, SAFE, SAFE), life("even", SAFE, SAFE)]);
    expect(sentences).toContain("Embedded fails where owned is safe: odd (use after free).");
    expect(sentences.at(-1)).toBe("Not as predicted, so that no choice should rest on it: odd.");
    expect(worse).toEqual({ A: 1, B: 0 });
  });

  it("do not differ if both forms do the same", () => {
    const [first, ...others] = said([life("x", FREED, FREED), life("y", SAFE, SAFE)]).sentences;
    expect(first).toBe("The two forms end with different faults in none of 2 lifetime scenarios.");
    expect(others).toHaveLength(2);
    expect(said([life("x", FREED, FREED)]).differ).toBe(false);
  });
});
