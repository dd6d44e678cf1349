import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { Reason, reasonTexts } from "./reasons.ts";

const guide = readFileSync(join(import.meta.dirname, "../../docs/qemu.md"), "utf8");

test("docs/qemu.md has a paragraph for every reason, and no others", () => {
  const headings = [...guide.matchAll(/^#### (.+)$/gm)].map(([, heading]) => heading);
  expect(headings.sort()).toEqual(Object.values(Reason).sort());
});

test("every reason says what was found, why it matters and how to fix it, as the guide does", () => {
  for (const [reason, { what, why, mend }] of Object.entries(reasonTexts)) {
    const paragraph = guide.split(`#### ${reason}\n`)[1]?.split("\n#")[0] ?? "";
    for (const text of [what.slice(1), why, mend]) {
      expect(text.length, reason).toBeGreaterThan(8);
      expect(text, reason).not.toMatch(/[\n.]$/);
      expect(paragraph, reason).toContain(text);
    }
  }
});
