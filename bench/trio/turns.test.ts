import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ARMS } from "#results";
import { Random } from "#results/statistics";
import { Turns } from "./turns.ts";

describe("Turns", () => {
  it("hold every arm once, and none begins with the arm that ran last", () => {
    fc.assert(
      fc.property(fc.integer(), (seed) => {
        const turns = new Turns(Random.seeded(seed));
        let last: string | undefined;
        for (let turn = 0; turn < 50; turn++) {
          const order = turns.next();
          expect(order.toSorted()).toEqual(ARMS.toSorted());
          expect(order[0]).not.toBe(last);
          last = order[2];
        }
      }),
    );
  });

  it("come in all six orders about equally often, so that every arm is first, second and last equally often", () => {
    const turns = new Turns(Random.seeded(1));
    const count = 12_000;
    const seen = new Map<string, number>();
    for (let turn = 0; turn < count; turn++) {
      const order = turns.next().join(" ");
      seen.set(order, (seen.get(order) ?? 0) + 1);
    }
    expect(seen.size).toBe(6);
    // Six standard deviations of a binomial with probability 1/6; the dependence on the previous turn has little
    // effect.
    const allowance = 6 * Math.sqrt((count * 5) / 36);
    for (const times of seen.values()) expect(Math.abs(times - count / 6)).toBeLessThan(allowance);
  });

  it("follow the seed", () => {
    const orders = (seed: number) => {
      const turns = new Turns(Random.seeded(seed));
      return Array.from({ length: 30 }, () => turns.next().join(" "));
    };
    expect(orders(1)).toEqual(orders(1));
    expect(orders(1)).not.toEqual(orders(2));
  });
});
