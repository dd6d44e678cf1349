import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { formatFlatViews, MemoryRegion } from "#memory";
import { testMemory } from "../testing.ts";
import { physicalSections } from "./physical-sections.ts";

const PAGE = 0x1000;

describe("physical sections", () => {
  it("of pages that one range fills are those of the ranges; of others, pieces of subpages", () => {
    const { model, root } = testMemory();
    const ram = (name: string, address: number, size: number) =>
      root.addSubregion(address, MemoryRegion.newRam(model.noOwner, name, size));
    ram("whole", 0, 2 * PAGE);
    ram("small", 2 * PAGE + 8, 16);
    ram("beside", 2 * PAGE + 0x100, 8);
    ram("long", 4 * PAGE + 0x10, 3 * PAGE);
    expect(formatFlatViews(model, true).split("Physical sections\n")[1]?.split("\n")).toEqual([
      "      #0 @0000000000000000..ffffffffffffffff (noname) [unassigned]",
      "      #1 @0000000000000000..0000000000001fff whole",
      "      #2 @0000000000002000..0000000000002fff (noname)",
      "      #3 @0000000000002008..0000000000002017 small",
      "      #4 @0000000000002100..0000000000002107 beside",
      "      #5 @0000000000004000..0000000000004fff (noname)",
      "      #6 @0000000000004010..0000000000004fff long",
      "      #7 @0000000000005000..0000000000006fff long",
      "      #8 @0000000000007000..0000000000007fff (noname)",
      "      #9 @0000000000007000..000000000000700f long",
      "",
    ]);
  });

  it("cover what the ranges cover, and nothing else; a page has a subpage if it is not all of one range", () => {
    const piece = fc.record({ gap: fc.nat({ max: 2 * PAGE }), size: fc.integer({ min: 1, max: 3 * PAGE }) });
    const snapped = fc.tuple(piece, fc.boolean(), fc.boolean()).map(([{ gap, size }, a, b]) => ({
      gap: a ? gap - (gap % PAGE) : gap,
      size: b ? Math.max(size - (size % PAGE), PAGE) : size,
    }));
    fc.assert(
      fc.property(fc.array(snapped, { minLength: 1, maxLength: 8 }), (pieces) => {
        const { model, root, space } = testMemory();
        let end = 0;
        for (const [index, { gap, size }] of pieces.entries()) {
          root.addSubregion(end + gap, MemoryRegion.newRam(model.noOwner, `ram${index}`, size));
          end += gap + size;
        }
        const { ranges } = space.view;
        const [everything, ...sections] = physicalSections(ranges);
        expect(everything).toEqual({ start: 0, end: 2 ** 64, region: null });
        const owned = sections.filter(({ region }) => region !== null);
        for (const range of ranges) {
          const mine = owned.filter(({ region }) => region === range.region);
          expect(mine[0]?.start).toBe(range.start);
          expect(mine.at(-1)?.end).toBe(range.end);
          expect(mine.slice(1).map((next) => next.start)).toEqual(
            mine.slice(0, -1).map((piece) => piece.end),
          );
        }
        const subpages = new Set(sections.filter(({ region }) => region === null).map(({ start }) => start));
        expect(subpages.size).toBe(sections.length - owned.length); // one for a page
        for (let page = 0; page < end; page += PAGE) {
          const inside = ranges.filter((range) => range.start < page + PAGE && range.end > page);
          const filled = inside.some((range) => range.start <= page && range.end >= page + PAGE);
          expect(subpages.has(page)).toBe(inside.length > 0 && !filled);
        }
      }),
      { numRuns: 200 },
    );
  });
});
