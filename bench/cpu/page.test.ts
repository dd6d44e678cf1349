import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { chromium } from "playwright-core";
import { describe, expect, it } from "vitest";
import type { Environment } from "#results";
import { answerOf, renderCpuPage } from "./page.ts";
import { PROFILE_PARTS } from "./profile.ts";
import { CPU_SCHEMA, CPU_SCHEMA_VERSION, type CpuRun, judgeWork, summarizeKinds } from "./report.ts";
import type { Work } from "./works.ts";

const CHROMIUM = "/usr/bin/chromium";

const environment: Environment = {
  ...{ id: "one", date: "2026-01-02T03:04:05.000Z", seconds: 900, regionlab: "0.1.0", node: "20.20.0" },
  ...{
    v8: "11.3",
    platform: "linux",
    arch: "x64",
    kernel: "6.1.0",
    cpuModel: "Invented Processor",
    cpuCount: 2,
  },
  ...{ memoryBytes: 2 ** 33, loadBefore: [0.1], loadAfter: [0.9], governor: null, virtualised: true },
  ...{ commit: null, dirty: null, execArgv: [], valgrind: null },
};

/** Invented times: one goal met, one missed, and one work that could not run. */
function invented(): CpuRun {
  const work = (name: string, kind: Work["kind"], guest?: Work["guest"]): Work => ({
    ...{ name, kind, description: `the work ${name}` },
    guest: guest ?? { ramBytes: 2 ** 28, kernel: "/k.elf", milestones: ["a", "b"] },
  });
  const processes = (first: number, last: number) =>
    [1, 1.02, 0.99].map((factor) => [factor * first, last * factor ** 2]);
  const rows = [
    judgeWork(work("sort", "integer"), {
      ...{
        regionlab: processes(300, 2000),
        interpreter: processes(2000, 40_000),
        qemu: processes(200, 3100),
      },
    }),
    judgeWork(work("nbody", "double"), {
      ...{ regionlab: processes(300, 5000), interpreter: [], qemu: processes(200, 3000) },
    }),
    judgeWork(work("debian", "boot", { missing: "fetch <it>" }), {
      regionlab: [],
      interpreter: [],
      qemu: [],
    }),
  ];
  return {
    ...{ schema: CPU_SCHEMA, version: CPU_SCHEMA_VERSION, environment, seed: 1, rows },
    command: "npm run bench:cpu -- <quick>",
    contestants: [{ name: "qemu", title: "QEMU (TCG)", version: "10.0\u001b[31m", mend: "install it" }],
    summaries: summarizeKinds(rows),
    profiles: [
      {
        ...{ work: "sort", milliseconds: 2000, instructions: 4e9 },
        // Every part gets a share, so that none is missing.
        parts: Object.fromEntries(
          PROFILE_PARTS.map((part) => [part, 200]),
        ) as CpuRun["profiles"][number]["parts"],
      },
    ],
  };
}

describe("the page of the processor's benchmark", () => {
  it("answers first, and shows every goal, work, part and contestant as text", async () => {
    const page = await renderCpuPage(invented());
    const answer = page.indexOf("1 of 2 goals are met");
    expect(answer).toBeGreaterThan(0);
    expect(answer).toBeLessThan(page.indexOf("<table"));
    for (const part of ["sort", "nbody", "not run: fetch &#60;it&#62;", "met", "not met", ...PROFILE_PARTS]) {
      expect(page).toContain(part);
    }
    expect(page).toContain("QEMU (TCG): 10.0\ufffd[31m");
    for (const part of ["<script", "\u001b"]) expect(page).not.toContain(part);
  });

  it("says so if nothing can be judged", () => {
    expect(answerOf({ summaries: [] })).toMatch(/^No goal could be judged/);
    const [first] = summarizeKinds(invented().rows);
    expect(answerOf({ summaries: first ? [first] : [] })).toMatch(
      /^1 of 1 goals are met: integer 1\.\d\d× QEMU's speed \(met\)\.$/,
    );
  });

  it("has no violation under axe, and does not overflow", async (context) => {
    if (!existsSync(CHROMIUM)) context.skip(`${CHROMIUM} is not installed (Debian package chromium)`);
    const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
    const page = await renderCpuPage(invented());
    const browser = await chromium.launch({ executablePath: CHROMIUM, args: ["--no-sandbox", "--headless"] });
    try {
      for (const width of [1280, 390]) {
        for (const colorScheme of ["light", "dark"] as const) {
          const view = await browser.newPage({ viewport: { width, height: 900 }, colorScheme });
          await view.setContent(page);
          expect(await view.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(width);
          await view.evaluate(axe);
          expect(
            await view.evaluate("axe.run().then(({ violations }) => violations.map(({ id }) => id))"),
          ).toEqual([]);
          await view.close();
        }
      }
    } finally {
      await browser.close();
    }
  });
});
