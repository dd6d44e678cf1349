import { describe, expect, it } from "vitest";
import {
  formatCost,
  formatSize,
  GROWTH_LAWS,
  type GrowthRecord,
  growthFit,
  growthOf,
  growthTable,
  growthVerdict,
  leastCosts,
  parseGrowth,
} from "./growth.ts";
import { growthDecades, growthPlot } from "./renderers/html/growth-plot.ts";
import { toHtml } from "./renderers/html/markup.ts";

const work = {
  name: "map-change",
  change: "one goes",
  aim: "log n",
  most: 0.35,
  qemu: "n^2",
  source: "memory.c: flatviews_reset",
} as const;
const sizes = [10, 1000, 10_000, 100_000];
const points = sizes.flatMap((size) => [3, 1, 2].map((each) => ({ size, cost: each * size })));
const record: GrowthRecord = {
  node: "v20.0.0",
  works: [work],
  growths: (["embedded", "owned"] as const).map((form) => ({
    work: work.name,
    form,
    points,
    fit: growthFit(points),
    verdict: "missed",
  })),
};

describe("a law", () => {
  it("multiplies: from a to c is from a to b, and on to c", () => {
    for (const law of GROWTH_LAWS)
      expect(growthOf(law, 1e3, 1e5)).toBeCloseTo(growthOf(law, 1e3, 1e4) * growthOf(law, 1e4, 1e5), 6);
  });

  it("orders as its name says", () => {
    const factors = GROWTH_LAWS.map((law) => growthOf(law, 1000, 100_000));
    expect(factors).toEqual([1, 5 / 3, 100, 100 * (5 / 3), 10_000].map((each) => expect.closeTo(each, 6)));
  });
});

describe("a record of growth", () => {
  it.each<[string, (growth: Record<string, unknown>) => void, RegExp]>([
    [
      "an interval",
      (g) => Object.assign(g, { fit: { ...record.growths[0]?.fit, high: 5 } }),
      /\.fit\.high is 5, expected 1\.\d+, which follows from the points/,
    ],
    [
      "an exponent",
      (g) => Object.assign(g, { fit: { exponent: 0.1, low: 0.05, high: 0.15 } }),
      /\.fit\.exponent is 0\.1/,
    ],
    [
      "a verdict",
      (g) => Object.assign(g, { verdict: "reached" }),
      /\.verdict is "reached", expected "missed", which follows from the interval/,
    ],
    [
      "points",
      (g) => Object.assign(g, { points: points.slice(0, 9) }),
      /\.points .*three sizes from 1000 on/,
    ],
  ])("whose %s contradicts its points is refused", (_, change, message) => {
    const edited = JSON.parse(JSON.stringify(record));
    change(edited.growths[0]);
    expect(() => parseGrowth(JSON.stringify(edited), "g.json")).toThrow(message);
  });

  it("that has a growth twice is refused", () => {
    const [first] = record.growths;
    const twice = JSON.stringify({ ...record, growths: [first, first] });
    expect(() => parseGrowth(twice, "g.json")).toThrow(/not again map-change, embedded/);
  });

  it("has a verdict only if the whole interval says the same", () => {
    expect(growthVerdict({ exponent: 0.1, low: 0, high: 0.2 }, 0.35)).toBe("reached");
    expect(growthVerdict({ exponent: 1, low: 0.9, high: 1.1 }, 0.35)).toBe("missed");
    expect(growthVerdict({ exponent: 0.3, low: 0.2, high: 0.4 }, 0.35)).toBe("open");
  });

  it("is read as it was written", () => {
    expect(parseGrowth(JSON.stringify(record), "g.json")).toEqual(record);
  });

  it.each([
    [
      "another file",
      "[]",
      /g\.json: is JSON without works and growths; give a file that `regionlab bench scaling/,
    ],
    ["a part", '{"works": [', /g\.json: ends in the middle .*`regionlab bench scaling --json` again/],
    [
      "a damaged cost",
      JSON.stringify(record).replace('"cost":30', '"cost":"30"'),
      /\$\.growths\[0\]\.points\[0\]\.cost is "30", expected a finite number; .*`regionlab bench scaling --json` again/,
    ],
    [
      "a law that no plot can draw",
      JSON.stringify(record).replace("n^2", "n!"),
      /\$\.works\[0\]\.qemu is "n!", expected one of: 1, log n, n, n log n, n\^2/,
    ],
    ["an unknown work", JSON.stringify(record).replace('"work":"map-change"', '"work":"x"'), /\.work is "x"/],
    [
      "no points",
      JSON.stringify(record).replace(/"points":\[.*?\]/, '"points":[]'),
      /expected points of at least three sizes/,
    ],
  ])("is refused if it is %s", (_, text, message) => {
    expect(() => parseGrowth(text, "g.json")).toThrow(message);
  });

  it("has the least cost at each size, in order", () => {
    const [growth] = record.growths;
    const points = [...(growth?.points ?? [])].reverse();
    expect(leastCosts({ points })).toEqual(sizes.map((size) => ({ size, cost: size })));
  });

  it("has a table with a row for each work and form, and QEMU's growth", () => {
    const { rows } = growthTable(record);
    expect(rows.map(({ cells }) => cells.slice(0, 2))).toEqual([
      ["map-change", "embedded"],
      ["map-change", "owned"],
    ]);
    expect(rows[0]).toMatchObject({ alarm: true });
    expect(rows[0]?.cells.slice(4)).toEqual(["1.00 (0.78 to 1.22)", "log n", "missed", "n²"]);
  });
});

it("sizes and costs are written with few digits and a unit", () => {
  expect([10, 1000, 100_000].map(formatSize)).toEqual(["10", "1\u202f000", "100\u202f000"]);
  expect([0.5, 48.2, 991.4, 1000, 28_040, 242e6, 3e9, 4e12].map(formatCost)).toEqual(
    ["0.5 ns", "48.2 ns", "991 ns", "1 µs", "28 µs", "242 ms", "3 s", "4000 s"].map((text) =>
      text.replace(" ", "\u00a0"),
    ),
  );
});

/** Where a path goes, as pairs of coordinates. */
function coordinates(path: string): [number, number][] {
  return [...path.matchAll(/(-?[\d.]+),(-?[\d.]+)/g)].map(([, x, y]) => [Number(x), Number(y)]);
}

it("the plot shows a linear cost as steep as it is, and QEMU's square twice as steep, from the same point", () => {
  const svg = toHtml(growthPlot(work, record.growths, growthDecades(record.growths)));
  const paths = [...svg.matchAll(/<path[^>]* d="(M[^"]*)"/g)].map(([, path = ""]) => coordinates(path));
  const slope = (path: [number, number][] | undefined) => {
    const [[x0, y0], [x1, y1]] = [path?.[0] ?? [0, 0], path?.at(-1) ?? [0, 0]];
    return (y0 - y1) / (x1 - x0);
  };
  const [inQemu, ...measured] = paths.filter((path) => path.length > 2);
  expect(measured).toHaveLength(2);
  expect(slope(inQemu) / slope(measured[0])).toBeCloseTo(2, 1);
  expect(inQemu?.[0]).toEqual(measured[0]?.[1]); // the second size is 1000
});
