import fc from "fast-check";
import { expect, it } from "vitest";
import { type Order, SortedTree } from "./sorted-tree.ts";

interface Item {
  readonly at: number;
  readonly length: number;
}

const order: Order<Item> = {
  compare: (a, b) => a.at - b.at,
  start: ({ at }) => at,
  end: ({ at, length }) => at + length,
};

const WORLD = 400;
const place = fc.nat({ max: WORLD });
const step = fc.oneof(
  fc.record({ do: fc.constant("with" as const), at: place, length: fc.nat({ max: 30 }) }),
  fc.record({ do: fc.constant("without" as const), at: place, length: fc.constant(0) }),
  // A run of items, replaced by some in the same places.
  fc.record({ do: fc.constant("replace" as const), at: place, length: fc.nat({ max: 120 }) }),
  fc.record({ do: fc.constant("fill" as const), at: place, length: fc.nat({ max: 200 }) }),
);

it("a sorted tree holds what a sorted array would, and old ones stay as they were", () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      let tree = SortedTree.of(order);
      let naive: Item[] = [];
      const history: [SortedTree<Item>, Item[]][] = [];
      const sorted = (items: Item[]) => items.toSorted(order.compare);
      for (const { do: what, at, length } of steps) {
        history.push([tree, naive]);
        const others = naive.filter((each) => each.at !== at);
        const outside = naive.filter((each) => each.at < at || each.at >= at + length);
        if (what === "with") {
          tree = tree.with({ at, length });
          naive = sorted([...others, { at, length }]);
        } else if (what === "without") {
          tree = tree.without({ at, length });
          naive = others;
        } else {
          const every = what === "fill" ? 1 : 7;
          const items = Array.from({ length: Math.ceil(length / every) }, (_, i) => ({
            at: at + i * every,
            length: 2,
          }));
          tree = tree.replace(
            (item) => item.at < at,
            (item) => item.at >= at + length,
            items,
          );
          naive = sorted([...outside, ...items]);
        }
        expect([...tree]).toEqual(naive);
        expect(tree.size).toBe(naive.length);
        expect(tree.lastStartingBy(at)).toEqual(naive.findLast((item) => item.at <= at));
        expect([...tree.from((item) => item.at < at)]).toEqual(naive.filter((item) => item.at >= at));
        const found: Item[] = [];
        tree.overlapping(at, at + length, (item) => found.push(item));
        expect(found).toEqual(naive.filter((item) => item.at < at + length && item.at + item.length > at));
      }
      for (const [then, items] of history) expect([...then]).toEqual(items);
    }),
    { numRuns: 200 },
  );
});

it("stays shallow: after many removals few items are not spread over many nodes", () => {
  let tree = SortedTree.of(order);
  for (let at = 0; at < 5000; at++) tree = tree.with({ at, length: 1 });
  for (let at = 0; at < 5000; at++) if (at % 50 !== 0) tree = tree.without({ at, length: 1 });
  const nodes = (node: { children: readonly unknown[] | null }): number =>
    1 + (node.children ?? []).reduce<number>((sum, child) => sum + nodes(child as typeof node), 0);
  const { root } = tree as unknown as { root: { children: readonly unknown[] | null } };
  expect(tree.size).toBe(100);
  expect(nodes(root)).toBeLessThan(30);
});
