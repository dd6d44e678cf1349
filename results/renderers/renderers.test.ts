import { fileURLToPath } from "node:url";
import { parseHTML } from "linkedom";
import { describe, expect, it, vi } from "vitest";
import { parseRun, parseRuns } from "../parse.ts";
import type { Metric, Run } from "../schema.ts";
import { loadRun } from "../store.ts";
import { comparisonOf } from "../testing/effects.ts";
import { syntheticRun } from "../testing/synthetic-run.ts";
import { renderHtml } from "./html/index.ts";
import { renderJson } from "./json.ts";
import { renderMarkdown } from "./markdown.ts";
import { renderTable } from "./table.ts";

const BASELINE = fileURLToPath(new URL("../baseline/2026-11-29-node20.json.gz", import.meta.url));

const run = syntheticRun();

/** Text as a reader sees it, without folds, markup and no-break spaces. */
const renderers: [string, (run: Run) => string][] = [
  ["table", (r) => plain(renderTable(r, false))],
  ["markdown", (r) => plain(renderMarkdown(r).replace(/\\(?=[^\w\s])/g, ""))],
  ["html", (r) => plain(visibleText(renderHtml([r])))],
];

function plain(text: string): string {
  return text.replace(/\s+/g, " ");
}

function visibleText(page: string): string {
  const { document } = parseHTML(page);
  for (const style of document.querySelectorAll("style, title")) style.remove();
  for (const cell of document.querySelectorAll("td, th, p, dt, dd, li, caption, h1, h2, pre"))
    cell.append(" ");
  return document.documentElement.textContent ?? "";
}

function decidingTime(): Metric {
  const found = run.metrics.find(
    ({ suite, decides, role }) => suite === "dispatch" && decides && role === "headline",
  );
  if (found === undefined) throw new Error("a synthetic run has such a time");
  return found;
}

/** A count of reads of region fields where there are none. */
function readsNothing(time: Metric): Metric {
  const nothing = { estimate: 0, low: 0, high: 0, figures: { a: 0, b: 0 } };
  const effect = { ...time.comparison.ab, ...nothing };
  return {
    ...time,
    ...{ name: "register", quantity: "reads", scale: "absolute", unit: "fields", margin: 0.5 },
    byConstruction: "It reads no field.",
    samples: { A: [0, 0], B: [0, 0], A2: [0, 0] },
    processes: time.processes.slice(0, 2),
    distributions: { A: [], B: [], A2: [] },
    outliers: { A: ["none", "none"], B: ["none", "none"], A2: ["none", "none"] },
    comparison: comparisonOf({ margin: 0.5, decides: true }, effect, effect),
  };
}

describe.each(renderers)("%s", (_, render) => {
  const text = render(run);
  const at = (part: string) => {
    expect(text).toContain(part);
    return text.indexOf(part);
  };

  it("labels synthetic data, answers in words, and only then shows tables", () => {
    const places = [
      at("Does it matter"),
      at("SYNTHETIC"),
      at(
        "Owned and embedded differ in time, instructions, code size and lifetime hazards. They are equal in heap growth.",
      ),
      at("Boot time: equal within ±0.2 % of instructions in 2 of 4 questions"),
      at("Heap growth: equal within"),
      at("Over 4 devices"),
      at("Embedded fails where owned is safe: unparent under a reader (use after free)."),
      at("Headline questions"),
      at("Outcomes predicted before each scenario was run"),
    ];
    expect(places).toEqual([...places].sort((a, b) => a - b));
  });

  it("shows every question, device, workload and scenario, and the environment", () => {
    for (const { name } of run.metrics) expect(text).toContain(name.split(" ").at(-1));
    for (const word of [
      "equivalent",
      "slower",
      "faster",
      "more",
      "not told apart",
      "inconclusive",
      "not judged",
    ]) {
      expect(text).toContain(word);
    }
    for (const { device } of run.codeSize) expect(text).toContain(device);
    for (const { workload } of run.equivalence) expect(text).toContain(workload);
    for (const { scenario } of run.lifetimes) expect(text).toContain(scenario);
    for (const { cpuModel, v8, valgrind } of run.machines) {
      for (const part of [cpuModel, v8, `valgrind ${valgrind}`]) expect(text).toContain(part);
    }
    expect(text).toContain(run.options.command);
  });

  it("shows counts with their times, omissions with their reasons, and the control with both", () => {
    expect(text).toContain("A against");
    expect(text).toMatch(/instructions \|? ?19 2\d\d \d{3}/);
    expect(text).toContain("time in V8, ms");
    expect(text).toContain("Instructions: not counted: valgrind is not installed; apt-get install valgrind.");
    expect(text).toContain("Instructions: not counted: U-Boot is not here; apt-get install u-boot-qemu.");
    expect(text).toContain("Equal by construction: the access reads no field of the region");
    expect(text).toMatch(/Open: [A-Z].* longer run/);
    expect(text).toContain("It says nothing about QEMU in C");
  });

  it("says that reads are equal by construction, and why a question without a deciding figure is open", () => {
    const time = decidingTime();
    const reads = readsNothing(time);
    const { ab, aa } = time.comparison;
    const beside = comparisonOf({ margin: 0.5, decides: false }, ab, aa);
    const open: Metric = {
      ...time,
      ...{ name: "latch", decides: false },
      comparison: { ...beside, reason: "A time of this work decides nothing." },
    };
    const shown = render({ ...run, metrics: [reads, open], omissions: [] });
    expect(shown).toMatch(/region fields read \|? ?0 \|? ?0 \|? ?0 \(0 to 0\) \|? ?0 to 0 \|? ?= equal by/);
    expect(shown).toContain("Equal by construction: it reads no field.");
    expect(shown).toContain("equal in region fields read, by construction, in 1 of 2 questions");
    expect(shown).not.toMatch(/±0\.50? fields/);
    expect(shown).toMatch(/latch .*\? inconclusive/);
    expect(shown).toContain("Open: A time of this work decides nothing.");
  });

  it("shows how reliable the instrument is", () => {
    expect(text).toContain("claims a difference in 1 of 23 figures");
    expect(text).toMatch(/self-test: false alarms 2 of 100; extra work planted .*1 % found in 93 of 100/);
    expect(text).toContain("NO: its time has no verdict");
    expect(render({ ...run, selfTest: null })).toContain(
      "The instrument's self-test has not been run here; run npm run bench:selftest.",
    );
  });

  it("shows the region fields that an access reads, by name", () => {
    expect(text).toMatch(/read, section miss \|? ?5 \|? ?5 \|? ?enabled, size, ops, opaque, alias/);
  });

  it("shows a failed prediction loudly", () => {
    expect(text).toContain("PREDICTION FAILED in re-realize, owned: expected 100 blocks never freed");
    expect(text).toContain("NO: PREDICTION FAILED");
  });

  it("has columns for QEMU in C only if there are such figures", () => {
    expect(text).not.toContain("QEMU in C:");
    expect(render(syntheticRun({ qemu: true }))).toContain("QEMU in C:");
  });

  it("gives every machine of a merged run a column, and says where they disagree", () => {
    const merged = syntheticRun({ merged: true });
    const metrics = merged.metrics.map((metric, i) =>
      i === 0
        ? { ...metric, comparison: { ...metric.comparison, machines: "one says more, two says less" } }
        : metric,
    );
    const both = render({ ...merged, metrics });
    expect(both).toContain("Synthetic Processor II, 2 logical");
    expect(both).toContain("Node 22.1.0");
    expect(both).toMatch(/Processes \|? ?38, of which 1 lost \|? ?35/);
    expect(both).toContain("Machines disagree (instructions): One says more, two says less.");
  });

  it("reports no figure of a run whose forms are not equivalent", () => {
    const failed = render(syntheticRun({ notEquivalent: true }));
    expect(failed).toContain("The two forms are not equivalent: hello behaved differently.");
    expect(failed).not.toMatch(/reset to milestone|time in V8|Headline questions/);
  });
});

describe("html", () => {
  it("draws counts that are all zero on a scale from zero", () => {
    const page = renderHtml([{ ...run, metrics: [readsNothing(decidingTime())], omissions: [] }]);
    const [strip = ""] = /<svg class="strip".*?<\/svg>/s.exec(page) ?? [];
    expect(strip).toContain("medians in fields: embedded 0, owned 0, embedded again 0");
    expect(strip).toMatch(/<text [^>]*>0<\/text><text [^>]*>1[.0]* fields<\/text>/);
    expect(strip).not.toMatch(/NaN|Infinity|\u2212/);
  });

  const page = renderHtml([run]);
  const { document } = parseHTML(page);

  it("asks the network for nothing and runs nothing", () => {
    expect(page).not.toMatch(/<script|<iframe|@import|url\(/i);
    for (const element of document.querySelectorAll("[src], link[href]")) {
      expect(element.getAttribute("src") ?? element.getAttribute("href")).toMatch(/^data:/);
    }
    expect(page.replaceAll("http://www.w3.org", "")).not.toMatch(/https?:\/\//);
  });

  it("has landmarks, a skip link, and headings in order without gaps", () => {
    expect(document.querySelectorAll("main")).toHaveLength(1);
    expect(document.querySelectorAll("nav[aria-label]")).toHaveLength(1);
    expect(document.querySelector("a.skip")?.getAttribute("href")).toBe("#main");
    const levels = [...document.querySelectorAll("h1, h2, h3, h4")].map(({ tagName }) => Number(tagName[1]));
    expect(levels[0]).toBe(1);
    levels.reduce((above, level) => {
      expect(level).toBeLessThanOrEqual(above + 1);
      return level;
    });
  });

  it("links only to ids that exist, and has every id once, also with several runs", () => {
    for (const text of [page, renderHtml([run, run])]) {
      const several = parseHTML(text).document;
      const ids = [...several.querySelectorAll("[id]")].map(({ id }) => id);
      expect(new Set(ids).size).toBe(ids.length);
      for (const link of several.querySelectorAll("a[href]")) {
        expect(ids).toContain(link.getAttribute("href")?.slice(1));
      }
    }
  });

  it("names every picture or hides it, and captions and scopes every table", () => {
    const pictures = [...document.querySelectorAll("svg")];
    expect(pictures.length).toBeGreaterThan(20);
    for (const svg of pictures) {
      const named = svg.getAttribute("role") === "img" && (svg.getAttribute("aria-label") ?? "").length > 10;
      expect(named || svg.getAttribute("aria-hidden") === "true").toBe(true);
      expect(svg.querySelectorAll("[aria-label]")).toHaveLength(0);
    }
    for (const table of document.querySelectorAll("table")) {
      expect(table.querySelector("caption")?.textContent).toBeTruthy();
      expect(table.querySelectorAll("th:not([scope])")).toHaveLength(0);
      expect(table.parentElement?.getAttribute("tabindex")).toBe("0");
    }
  });

  it("gives every row of a table as many cells as its head, spans counted", () => {
    for (const table of document.querySelectorAll("table")) {
      const width = table.querySelectorAll("thead th").length;
      for (const body of table.querySelectorAll("tbody")) {
        const free: number[] = [];
        for (const [i, row] of [...body.querySelectorAll("tr")].entries()) {
          let cells = free[i] ?? 0;
          for (const cell of row.children) {
            cells += Number(cell.getAttribute("colspan") ?? 1);
            const rows = Number(cell.getAttribute("rowspan") ?? 1);
            for (let below = 1; below < rows; below++) free[i + below] = (free[i + below] ?? 0) + 1;
          }
          expect(cells).toBe(width);
        }
      }
    }
  });

  it("keeps distributions folded, and draws those of headline questions only", () => {
    const strips = [...document.querySelectorAll("svg.strip")];
    const deciding = run.metrics.filter(({ role, decides }) => role === "headline" && decides);
    expect(strips).toHaveLength(deciding.length);
    for (const strip of strips) expect(strip.closest("details")).not.toBeNull();
    expect(document.querySelectorAll("details[open]")).toHaveLength(0);
  });

  it("stays small: 400 KB for a full run, with coordinates to a tenth of a pixel", () => {
    const full = renderHtml([syntheticRun({ large: true })]);
    expect(Buffer.byteLength(full)).toBeLessThan(400_000);
    for (const [, coordinates] of full.matchAll(/ (?:d|cx|x1|transform)="([^"]*)"/g)) {
      expect(coordinates).not.toMatch(/\.\d\d/);
    }
  });

  it("draws plots in colours that follow light and dark", () => {
    for (const svg of document.querySelectorAll("svg")) expect(svg.outerHTML).not.toMatch(/(fill|stroke)="#/);
  });
});

describe("markdown", () => {
  it("gives every row of a table as many cells as its head", () => {
    let width = 0;
    for (const line of renderMarkdown(run).split("\n")) {
      if (!line.startsWith("|")) width = 0;
      else {
        const cells = line.split(/(?<!\\)\|/).length;
        width ||= cells;
        expect(cells).toBe(width);
      }
    }
  });
});

describe("json", () => {
  it("is the stored run, or an array of several", () => {
    expect(parseRun(renderJson([run]), "run.json")).toEqual(run);
    const two = renderJson([run, run]);
    expect(parseRuns(two, "runs.json")).toEqual([run, run]);
    expect(parseRuns(renderJson([run]), "run.json")).toEqual([run]);
    expect(() => parseRun(two, "runs.json")).toThrow(
      /^runs\.json: holds a list of 2, and one run is needed;/,
    );
    expect(() => parseRuns("[]", "runs.json")).toThrow(/^runs\.json: holds no run;/);
    expect(() => parseRuns("[{}]", "runs.json")).toThrow(/^runs\.json\[0\]: is JSON but not a benchmark run/);
  });
});

describe("table", () => {
  it("colours verdicts on a terminal only", () => {
    const colourCode = "\u001b[";
    expect(renderTable(run, true)).toContain(colourCode);
    expect(renderTable(run, false)).not.toContain(colourCode);
  });

  it.each([
    [true, undefined, undefined, true],
    [true, "1", undefined, false],
    [true, "", undefined, true],
    [true, "1", "1", false],
    [false, undefined, undefined, false],
    [false, undefined, "1", true],
    [true, undefined, "0", false],
    [false, undefined, "", false],
  ])(
    "follows the terminal (%s), NO_COLOR (%s) and FORCE_COLOR (%s): %s",
    (isTerminal, no, force, colours) => {
      const tty = process.stdout.isTTY;
      try {
        process.stdout.isTTY = isTerminal;
        vi.stubEnv("NO_COLOR", no);
        vi.stubEnv("FORCE_COLOR", force);
        expect(renderTable(run).includes("\u001b[")).toBe(colours);
      } finally {
        process.stdout.isTTY = tty;
        vi.unstubAllEnvs();
      }
    },
  );

  it("is at most 140 columns wide, and ends no line in spaces", async () => {
    const synthetic = [{}, { large: true }, { merged: true }].map((options) => syntheticRun(options));
    for (const run of [...synthetic, await loadRun(BASELINE)]) {
      const lines = renderTable(run, false).split("\n");
      expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(140);
      for (const line of lines) expect(line).not.toMatch(/ $/);
    }
  });
});
