import fc from "fast-check";
import { expect, test } from "vitest";
import { blame } from "./blame.ts";

const units = Array.from({ length: 12 }, (_, index) => index);

test("finds the one unit that causes a problem in few trials", () => {
  let trials = 0;
  const found = blame(units, new Set(), (reverted) => {
    trials++;
    return reverted.has(7);
  });
  expect(found).toEqual([7]);
  expect(trials).toBeLessThan(units.length);
});

test("names nothing if the problem does not come from the units", () => {
  expect(blame(units, new Set(), () => false)).toEqual([]);
});

test("the problem is gone without the named units, and each of them is needed for that", () => {
  const subset = fc.subarray(units, { minLength: 1 });
  fc.assert(
    fc.property(subset, fc.boolean(), (guilty, together) => {
      const gone = (reverted: ReadonlySet<number>) =>
        together ? guilty.some((unit) => reverted.has(unit)) : guilty.every((unit) => reverted.has(unit));
      const found = blame(units, new Set(), gone);
      expect(gone(new Set(found))).toBe(true);
      for (const unit of found) expect(gone(new Set(found.filter((each) => each !== unit)))).toBe(false);
    }),
    { seed: 1 },
  );
});
