/** Thousands of generated classes in each direction: converted right, or refused. */
import { afterAll, describe, expect, test } from "vitest";
import { addResults, type BatchResult, summaryOf, tryClasses } from "../testing/class-trial.ts";
import { generateClass } from "../testing/classes/generator.ts";
import { Trials } from "../testing/trial.ts";

/** Classes in each direction; the first seed. Other numbers by the environment. */
const CLASSES = Number(process.env.REGIONLAB_CLASSES ?? 10_000);
const FIRST_SEED = Number(process.env.REGIONLAB_FIRST_SEED ?? 0);
const BATCH = 200;

describe.each(["to-owned", "to-embedded"] as const)("%s", (direction) => {
  const trials = new Trials({ thoroughness: "brief" });
  afterAll(() => trials.close());

  test(`${CLASSES} generated classes`, async () => {
    let all: BatchResult = { converted: 0, refused: 0, reasons: {}, wrong: [], notDriven: [], strict: [] };
    for (let start = 0; start < CLASSES; start += BATCH) {
      const classes = Array.from({ length: Math.min(BATCH, CLASSES - start) }, (_, index) =>
        generateClass(direction, FIRST_SEED + start + index),
      );
      all = addResults(all, await tryClasses(trials, classes, direction));
    }
    console.log(summaryOf(all, direction));
    expect(all.wrong).toEqual([]);
    expect(all.notDriven).toEqual([]);
  });
});
