/** Texts in a stored run reach readers as text only, wherever in the file they are. */
import fc from "fast-check";
import { parseHTML } from "linkedom";
import { describe, expect, it } from "vitest";
import type { Run } from "../schema.ts";
import { serializeSummary } from "../summary.ts";
import { type Path, setAt, stringPaths } from "../testing/edit.ts";
import { syntheticRun } from "../testing/synthetic-run.ts";
import { renderHtml } from "./html/index.ts";
import { renderJson } from "./json.ts";
import { escapeText, renderMarkdown } from "./markdown.ts";
import { renderTable } from "./table.ts";

const run = syntheticRun({ repeats: 6, merged: true, qemu: true });
/** Members with a fixed vocabulary or format, to which parsing restricts them. */
const WORDS =
  /^(schema|suite|suites|quantity|source|role|scale|verdict|aaVerdict|A|B|A2|date|loadBefore|mmioTraceSha256|consoleSha256)$/;
const paths = stringPaths(run).filter((path) => {
  const named = path.findLast((key) => typeof key === "string");
  return !WORDS.test(String(named)) && !path.includes("outliers") && !path.includes("slots");
});

/** The run with this text at the chosen places. */
function hostile(places: readonly Path[], text: string): Run {
  const changed = structuredClone(run);
  for (const path of places) setAt(changed, path, text);
  return changed;
}

/** Control characters other than the newline, and characters that change the direction of text. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are the characters that must not appear
const ACTIVE = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/;
const active = fc.constantFrom(
  "\u001b]0;x\u0007",
  "\u001b[2J",
  "\u009b31m",
  "\u0008",
  "\r",
  "\u202e",
  "\u2066",
  "\u2069",
);
const markup = fc.constantFrom(
  "<script>alert(1)</script>",
  "<img src=x onerror=alert(1)>",
  '"><svg onload=alert(1)>',
  "' onmouseover='alert(1)",
  "[link](https://example.org)",
  "![picture](https://example.org/x.png)",
  "```\n# heading",
  "| a | b |\n| - | - |",
  "&lt;b&gt;",
  "https://example.org www.example.org @team",
  "</pre></style></title>",
  "\n\n# heading\n- item",
);
const nasty = fc
  .array(fc.oneof(active, markup), { minLength: 1, maxLength: 4 })
  .map((parts) => parts.join("x"));
const chosen = fc.subarray(paths, { minLength: 1, maxLength: 12 });
const few = { numRuns: 15 };

describe("texts of a stored run", () => {
  it("are in many places, all of which are tested", () => {
    const kinds = new Set(paths.map((path) => path.filter((key) => typeof key === "string").join(".")));
    for (const kind of [
      "question",
      "machines.cpuModel",
      "schedule.processes.lost",
      "metrics.comparison.reason",
      "omissions.reason",
      "lifetimes.rule",
      "fieldReads.fields",
      "codeSize.device",
      "selfTest.cpuModel",
    ]) {
      expect(kinds).toContain(kind);
    }
  });

  const renderers: [string, (run: Run) => string][] = [
    ["table", (r) => renderTable(r, false)],
    ["markdown", renderMarkdown],
    ["html", (r) => renderHtml([r])],
    ["json", (r) => renderJson([r])],
    ["summary", serializeSummary],
  ];
  it.each(renderers)("bring no control character to %s", (_, render) => {
    expect(render(hostile(paths, "\u001b[31m\u009b\u202e\u2066\r\u0007"))).not.toMatch(ACTIVE);
    fc.assert(
      fc.property(chosen, nasty, (places, text) => {
        expect(render(hostile(places, text))).not.toMatch(ACTIVE);
      }),
      few,
    );
  });

  it("bring no element, attribute or address to the page", () => {
    const shape = (page: string) => {
      const { document } = parseHTML(page);
      const bad = document.querySelectorAll(
        "script, img, iframe, object, embed, form, base, meta[http-equiv]",
      );
      const handlers = [...document.querySelectorAll("*")].flatMap((element) =>
        [...element.attributes].filter(({ name }) => name.startsWith("on")),
      );
      const links = [...document.querySelectorAll("[href], [src]")].filter(
        (element) => !/^(#|data:,$)/.test(element.getAttribute("href") ?? element.getAttribute("src") ?? ""),
      );
      return bad.length + handlers.length + links.length;
    };
    for (const text of ["<script>x</script><img src=x>", '"><svg onload=a><a href="http://x">']) {
      expect(shape(renderHtml([hostile(paths, text)]))).toBe(0);
    }
    fc.assert(
      fc.property(chosen, nasty, (places, text) => {
        expect(shape(renderHtml([hostile(places, text)]))).toBe(0);
      }),
      few,
    );
  });

  it("bring no tag, link, picture, heading or fence to Markdown, and leave its tables whole", () => {
    fc.assert(
      fc.property(chosen, nasty, (places, text) => {
        expect(structureOf(renderMarkdown(hostile(places, text)))).toEqual([]);
      }),
      { numRuns: 40 },
    );
    expect(structureOf(renderMarkdown(hostile(paths, "```\n# x\n<b>|[a](b)")))).toEqual([]);
    expect(structureOf("# a\n\n# b\n\n<b>")).not.toEqual([]);
  });
});

describe("escapeText", () => {
  it.each([
    ["<script>alert(1)</script>", "\\<script\\>alert(1)\\</script\\>"],
    ["a | b\n`c`", "a \\| b \\`c\\`"],
    ["![x](y)", "!\\[x\\](y)"],
    ["&lt; & <", "\\&lt; & \\<"],
    ["https://a.b www.a.b", "https&#58;//a.b www&#46;a.b"],
    ["# a", "\\# a"],
    ["1. a", "1\\. a"],
    ["a@b", "a&#64;\u2060b"],
  ])("writes %j as %j", (text, escaped) => {
    expect(escapeText(text)).toBe(escaped);
  });
});

/** Structure in a report that did not come from the renderer, found line by line as GitHub parses Markdown. */
function structureOf(markdown: string): string[] {
  const complaints: string[] = [];
  let fence: string | null = null;
  let width: number | null = null;
  let titles = 0;
  for (const line of markdown.split("\n")) {
    const [ticks] = /^`{3,}/.exec(line) ?? [];
    if (fence !== null) {
      if (line === fence) fence = null;
      continue;
    }
    if (ticks !== undefined) {
      fence = ticks;
      continue;
    }
    if (/^#\s/.test(line) && ++titles > 1) complaints.push(`a second title: ${line}`);
    const bare = line.replace(/\\[!-/:-@[-`{-~]/g, "");
    if (/[<`[\]]/.test(bare)) complaints.push(`markup: ${line}`);
    if (/:\/\/|\bwww\./.test(bare)) complaints.push(`a link: ${line}`);
    if (line.startsWith("|")) {
      const cells = bare.split("|").length;
      width ??= cells;
      if (cells !== width) complaints.push(`cells: ${line}`);
    } else {
      width = null;
      if (bare.includes("|")) complaints.push(`a bar: ${line}`);
    }
  }
  if (fence !== null) complaints.push("a fence without an end");
  return complaints;
}
