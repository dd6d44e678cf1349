import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { Rule, ruleTexts } from "./lifetime/rules.ts";
import { Reason, reasonTexts } from "./regions/reasons.ts";

const guide = readFileSync(join(import.meta.dirname, "../docs/codemods.md"), "utf8");

test("docs/codemods.md has a paragraph for every reason, and no others", () => {
  const headings = [...guide.matchAll(/^#### (.+)$/gm)].map(([, heading]) => heading);
  expect(headings.sort()).toEqual(Object.values(Reason).sort());
  for (const reason of Object.values(Reason)) {
    const paragraph = guide.split(`#### ${reason}\n`)[1]?.split("\n#")[0] ?? "";
    expect(paragraph.trim().length, reason).toBeGreaterThan(60);
  }
});

test("every reason says what was found, why it matters and how to fix it", () => {
  for (const [reason, { what, why, mend }] of Object.entries(reasonTexts)) {
    for (const text of [what, why, mend]) {
      expect(text.length, reason).toBeGreaterThan(8);
      expect(text, reason).not.toMatch(/[\n.]$/);
    }
  }
});

test("docs/codemods.md lists every rule of the audit, in its own words", () => {
  const [, table = ""] = guide.split("| rule | what is reported |");
  const rows = [...table.matchAll(/^\| `([\w-]+)` \| (.+?)(?: \((?:warning|note)\))? \|$/gm)].map(
    ([, rule, what]) => [rule, what],
  );
  expect(rows).toEqual(Object.values(Rule).map((rule) => [rule, ruleTexts[rule].what]));
});
