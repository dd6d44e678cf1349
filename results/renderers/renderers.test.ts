import { parseHTML } from "linkedom";
import { describe, expect, it } from "vitest";
import type { Run } from "../schema.ts";
import { syntheticRun } from "../testing/synthetic-run.ts";
import { renderHtml } from "./html/index.ts";
import { renderJson } from "./json.ts";
import { renderMarkdown } from "./markdown.ts";
import { renderTable } from "./table.ts";

const run = syntheticRun();
const hostile: Run = { ...run, question: "<script>alert(1)</script> | a & b `c`" };

const renderers: [string, (run: Run) => string][] = [
  ["table", (r) => renderTable(r, false)],
  ["markdown", renderMarkdown],
  ["html", (r) => renderHtml([r])],
];

describe.each(renderers)("%s", (_, render) => {
  const text = render(run);

  it("opens with the question and labels synthetic data before any figure", () => {
    const visible = text.slice(text.indexOf("<body>") + 1);
    expect(visible.indexOf("Does it matter")).toBeGreaterThanOrEqual(0);
    expect(visible.indexOf("SYNTHETIC")).toBeLessThan(visible.indexOf("headline metrics"));
  });

  it("shows every metric, verdict, device, workload and the environment", () => {
    for (const { name } of run.metrics) expect(text).toContain(name);
    for (const word of ["equivalent", "slower", "faster", "inconclusive"]) expect(text).toContain(word);
    for (const { device } of run.codeSize) expect(text).toContain(device);
    for (const { workload } of run.equivalence) expect(text).toContain(workload);
    for (const part of [run.environment.cpuModel, run.environment.v8, run.options.command]) {
      expect(text).toContain(part);
    }
  });

  it("shows the control beside the difference", () => {
    expect(text).toMatch(/A against itself|A\/A/);
  });

  it("reports no figure of a run whose forms are not equivalent", () => {
    const failed = render(syntheticRun({ notEquivalent: true }));
    expect(failed).toContain("not equivalent");
    expect(failed).not.toContain("6.4 ms");
    expect(failed).not.toMatch(/reset to milestone/);
  });
});

describe("html", () => {
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

  it("links only to places that exist, and every id is there once", () => {
    const ids = [...document.querySelectorAll("[id]")].map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
    for (const link of document.querySelectorAll("a[href]")) {
      expect(ids).toContain(link.getAttribute("href")?.slice(1));
    }
  });

  it("names every picture or hides it, and captions and scopes every table", () => {
    const pictures = [...document.querySelectorAll("svg")];
    expect(pictures.length).toBeGreaterThan(20);
    for (const svg of pictures) {
      const named = svg.getAttribute("role") === "img" && (svg.getAttribute("aria-label") ?? "").length > 10;
      expect(named || svg.getAttribute("aria-hidden") === "true").toBe(true);
    }
    for (const table of document.querySelectorAll("table")) {
      expect(table.querySelector("caption")?.textContent).toBeTruthy();
      expect(table.querySelectorAll("th:not([scope])")).toHaveLength(0);
      expect(table.parentElement?.getAttribute("tabindex")).toBe("0");
    }
  });

  it("escapes what it is given", () => {
    const text = renderHtml([hostile]);
    expect(text).not.toContain("<script>");
    expect(parseHTML(text).document.querySelector("h1")?.textContent).toBe(hostile.question);
  });

  it("keeps the ids of several runs apart", () => {
    const ids = [...parseHTML(renderHtml([run, run])).document.querySelectorAll("[id]")].map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
  });

  it("draws plots in colours that follow light and dark", () => {
    for (const svg of document.querySelectorAll("svg")) expect(svg.outerHTML).not.toMatch(/(fill|stroke)="#/);
  });
});

describe("markdown", () => {
  it("keeps bars and tags out of its tables and headings", () => {
    expect(renderMarkdown(hostile)).toContain("# \\<script\\>alert(1)\\</script\\> \\| a & b \\`c\\`");
  });

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
    expect(JSON.parse(renderJson([run]))).toEqual(run);
    expect(JSON.parse(renderJson([run, run]))).toEqual([run, run]);
  });
});

describe("table", () => {
  it("colours verdicts on a terminal only", () => {
    const colourCode = "\u001b[";
    expect(renderTable(run, true)).toContain(colourCode);
    expect(renderTable(run, false)).not.toContain(colourCode);
  });
});
