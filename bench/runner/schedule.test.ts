import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { describeTrial, passOrder, seedOf } from "./schedule.ts";

const tasks = ["boot", "dispatch", "retention", "heap"];

describe("passOrder", () => {
  it("holds every task once", () => {
    fc.assert(
      fc.property(fc.integer(), fc.nat(1000), (seed, pass) => {
        expect(passOrder(tasks, pass, seed).toSorted()).toEqual(tasks.toSorted());
      }),
    );
  });

  it("is the same for the same seed and pass, and shuffled by others", () => {
    const orders = (seed: number) =>
      Array.from({ length: 12 }, (_, pass) => passOrder(tasks, pass, seed).join(" "));
    expect(orders(1)).toEqual(orders(1));
    expect(orders(1)).not.toEqual(orders(2));
    expect(new Set(orders(1)).size).toBeGreaterThan(4);
  });

  it("lets no task always follow the same other one", () => {
    const followers = new Set<string>();
    for (let pass = 0; pass < 200; pass++) {
      const order = passOrder(tasks, pass, 1);
      order.slice(1).forEach((task, i) => {
        followers.add(`${order[i]} ${task}`);
      });
    }
    expect(followers.size).toBe(4 * 3);
  });
});

describe("seedOf", () => {
  it("gives every process of every task and part of a run a different seed", () => {
    const seeds = tasks.flatMap((task) =>
      [0, 1, 2, 10].flatMap((repeat) => [0, 1, 2].map((shard) => seedOf({ task, repeat }, 1, shard))),
    );
    expect(new Set(seeds).size).toBe(seeds.length);
    expect(seedOf({ task: "boot", repeat: 3 }, 1, 0)).toBe(seedOf({ task: "boot", repeat: 3 }, 1, 0));
    expect(seedOf({ task: "boot", repeat: 3 }, 2, 0)).not.toBe(seedOf({ task: "boot", repeat: 3 }, 1, 0));
  });
});

describe("describeTrial", () => {
  it("counts processes from 1", () => {
    expect(describeTrial({ task: "boot/hello", repeat: 0 })).toBe("boot/hello, process 1");
  });
});
