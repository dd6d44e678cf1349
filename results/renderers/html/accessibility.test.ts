/** The page in a browser, checked with axe, at desktop and phone width, light and dark. */
import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { type Browser, chromium } from "playwright-core";
import { afterAll, describe, expect, it, type TestContext } from "vitest";
import { syntheticClaims } from "../../testing/synthetic-claims.ts";
import { syntheticRun } from "../../testing/synthetic-run.ts";
import { renderClaimsPage } from "./claims.ts";
import { renderHtml } from "./index.ts";

const CHROMIUM = "/usr/bin/chromium";
/** Largest height of a page in pixels, with its details closed. */
const HIGHEST = 12_000;

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
let started: Promise<Browser> | undefined;
afterAll(async () => (await started)?.close());

/** One browser for all tests. Without one, tests that need it are skipped, with the reason. */
async function browser(context: TestContext): Promise<Browser> {
  if (!existsSync(CHROMIUM)) context.skip(`${CHROMIUM} is not installed (Debian package chromium)`);
  started ??= chromium.launch({ executablePath: CHROMIUM, args: ["--no-sandbox", "--headless"] });
  return await started;
}

const pages: [title: string, page: string, highest: number][] = [
  ["a full run", renderHtml([syntheticRun({ large: true })]), HIGHEST],
  [
    "two runs, merged and failed",
    renderHtml([syntheticRun({ merged: true, qemu: true }), syntheticRun({ notEquivalent: true })]),
    2 * HIGHEST,
  ],
  ["claims", renderClaimsPage(syntheticClaims()), HIGHEST],
];

describe.each(pages)("the page of %s", (_, page, highest) => {
  it.for([
    [1280, "light"],
    [1280, "dark"],
    [390, "light"],
    [390, "dark"],
  ] as const)(
    "has no violation at %i pixels, %s, and does not overflow",
    async ([width, colorScheme], context) => {
      const view = await (await browser(context)).newPage({ viewport: { width, height: 900 } });
      try {
        await view.emulateMedia({ colorScheme });
        await view.setContent(page);
        const [high, wide] = await view.evaluate(() => [
          document.documentElement.scrollHeight,
          document.documentElement.scrollWidth,
        ]);
        expect(wide).toBeLessThanOrEqual(width);
        if (width === 1280) expect(high).toBeLessThanOrEqual(highest);
        await view.evaluate(() => {
          for (const details of document.querySelectorAll("details")) details.open = true;
        });
        expect(await view.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(width);
        expect(await violationsOf(view)).toEqual([]);
      } finally {
        await view.close();
      }
    },
  );
});

it("shows every difference, verdict and note on a phone", async (context) => {
  const view = await (await browser(context)).newPage({ viewport: { width: 390, height: 900 } });
  try {
    await view.setContent(renderHtml([syntheticRun({ large: true, qemu: true })]));
    const stacked = await view.evaluate(() => {
      for (const details of document.querySelectorAll("details")) details.open = true;
      return [...document.querySelectorAll("table.stacks")].map((table) => {
        const box = table.parentElement;
        const cells = [...table.querySelectorAll("tbody th, tbody td:not(.empty), .chip, .notes p")];
        const isOutside = (cell: Element) => {
          const { left, right, height } = cell.getBoundingClientRect();
          return left < 0 || right > innerWidth || height === 0 || cell.scrollWidth > cell.clientWidth + 1;
        };
        return {
          scrolls: box === null || box.scrollWidth > box.clientWidth,
          cells: cells.length,
          chips: table.querySelectorAll(".chip").length,
          labels: new Set([...table.querySelectorAll("td")].map((cell) => cell.dataset.label)).size,
          outside: cells
            .filter((cell) => getComputedStyle(cell).display !== "inline" && isOutside(cell))
            .map((cell) => cell.outerHTML),
        };
      });
    });
    // Headlines, details, and the examples that explain them.
    expect(stacked).toHaveLength(3);
    for (const { scrolls, cells, chips, labels, outside } of stacked) {
      expect(scrolls).toBe(false);
      expect(outside).toEqual([]);
      expect(cells).toBeGreaterThan(chips);
      expect(chips).toBeGreaterThanOrEqual(5);
      expect(labels).toBeGreaterThanOrEqual(2);
    }
  } finally {
    await view.close();
  }
});

it("would find a violation if there were one", async (context) => {
  const view = await (await browser(context)).newPage();
  await view.setContent("<html lang=en><title>x</title><main><h1>x</h1><img src=data:,></main>");
  expect(await violationsOf(view)).toEqual([expect.stringMatching(/^image-alt: <img/)]);
  await view.close();
});

type View = Awaited<ReturnType<Browser["newPage"]>>;

/** The violations that axe finds, one line each. */
async function violationsOf(view: View): Promise<string[]> {
  await view.evaluate(axe);
  const result: unknown = await view.evaluate(
    "axe.run().then(({ violations }) => violations.map(({ id, nodes }) => id + ': ' + nodes[0].html))",
  );
  if (!Array.isArray(result)) throw new Error("axe gave no list of violations");
  return result.map(String);
}
