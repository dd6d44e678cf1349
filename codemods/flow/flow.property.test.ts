import fc from "fast-check";
import { expect, test } from "vitest";
import { compiled, execute, programs } from "./testing/execution.ts";
import { answersFor } from "./testing/program.ts";

/**
 * Small programs are generated, analysed, and then really run, many times with different decisions. What the queries
 * claim must hold in every run; that they claim enough is for queries.test.ts, and for the count at the end.
 */
test("no run contradicts what the queries say", async () => {
  let definite = 0;
  let all = 0;
  await fc.assert(
    fc.asyncProperty(programs, fc.integer(), async ({ text, marks }, seed) => {
      const life = answersFor(text);
      const script = compiled(text);
      const times = Array.from({ length: marks }, (_, mark) => life.times(mark));
      for (let run = 0; run < 12; run++) {
        const { counts, arrivals, ended } = await execute(script, marks, seed + run * 7919);
        for (let mark = 0; mark < marks; mark++) {
          const count = counts[mark] ?? 0;
          if (times[mark] === "never") expect(count, `mark ${mark} never runs`).toBe(0);
          if (times[mark] === "once" && ended) expect(count, `mark ${mark} runs once`).toBe(1);
          if (times[mark] === "at-most-once") expect(count, `mark ${mark} at most once`).toBeLessThan(2);
          for (let other = 0; other < marks; other++) {
            const order = life.order(other, mark);
            const seen = arrivals[mark]?.[other];
            if (order === "after") expect(seen?.has(false) ?? false, `${other} precedes ${mark}`).toBe(false);
            if (order === "before") expect(seen?.has(true) ?? false, `${mark} precedes ${other}`).toBe(false);
            if (seen !== undefined && seen.size > 0) {
              all++;
              if (order === "after" || order === "before") definite++;
            }
          }
        }
      }
    }),
    { numRuns: 25 },
  );
  expect(definite / all).toBeGreaterThan(0.4);
}, 300_000);
