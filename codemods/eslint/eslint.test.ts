/** The plugin in ESLint itself, with typescript-eslint's parser. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import parser from "@typescript-eslint/parser";
import { ESLint } from "eslint";
import { defineConfig } from "eslint/config";
import { afterAll, beforeAll, expect, test } from "vitest";
import { auditLifetimes } from "../lifetime/audit.ts";
import { Rule } from "../lifetime/rules.ts";
import { newProject, openWorkspace } from "../source/workspace.ts";
import plugin from "./index.ts";

const root = join(import.meta.dirname, "../..");
const fixtures = join(import.meta.dirname, "../lifetime/fixtures");
const files = ["mapping.ts", "hand-allocated.ts", "mixed-forms.ts", "seeded/l25-ok-clean.ts"].map((name) =>
  join(fixtures, name),
);

let folder: string;
let results: ESLint.LintResult[];

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "regionlab-eslint-"));
  const config = join(folder, "tsconfig.json");
  writeFileSync(
    config,
    JSON.stringify({ extends: join(root, "tsconfig.json"), files, include: [], exclude: [] }),
  );
  const eslint = new ESLint({
    cwd: root,
    overrideConfigFile: true,
    ignore: false,
    overrideConfig: [
      { files: ["**/*.ts"], languageOptions: { parser, parserOptions: { project: config } } },
      plugin.configs.recommended,
    ],
  });
  results = await eslint.lintFiles(files);
}, 120_000);

afterAll(() => rmSync(folder, { recursive: true, force: true }));

test("reports what the audit reports, at the same places", () => {
  for (const { filePath, messages } of results) {
    const seen = messages.map(({ line, column, ruleId }) => `${line}:${column} ${ruleId}`);
    const findings = auditLifetimes(openWorkspace([filePath], { project: newProject() }));
    const found = findings.map(({ line, column, rule }) => `${line}:${column} regionlab/${rule}`);
    expect(seen.sort(), filePath).toEqual(found.sort());
  }
});

test("suggests the conversion that removes the bug", () => {
  for (const rule of [Rule.HandAllocated, Rule.MixedForms]) {
    const path = join(fixtures, `${rule}.ts`);
    const result = results.find(({ filePath }) => filePath === path);
    const messages = result?.messages.filter(({ ruleId }) => ruleId === `regionlab/${rule}`) ?? [];
    expect(messages.length).toBeGreaterThan(0);
    const [suggestion] = messages.flatMap(({ suggestions = [] }) => suggestions);
    if (suggestion === undefined) throw new Error(`${rule}: nothing is suggested`);
    const [start, end] = suggestion.fix.range;
    const text = readFileSync(path, "utf8");
    const fixed = text.slice(0, start) + suggestion.fix.text + text.slice(end);
    const overlay = new Map([[path, fixed]]);
    const left = auditLifetimes(openWorkspace([path], { project: newProject(), overlay }));
    expect(left.filter((each) => each.rule === rule).length).toBeLessThan(messages.length);
  }
});

test("is one plugin, however a configuration names it", async () => {
  const alone: ESLint.Plugin = plugin; // also as ESLint's own types see it
  for (const extending of [
    defineConfig([plugin.configs.recommended, { plugins: { regionlab: alone } }]),
    defineConfig([{ plugins: { regionlab: plugin }, extends: ["regionlab/recommended"] }]),
  ]) {
    const eslint = new ESLint({ cwd: folder, overrideConfigFile: true, overrideConfig: extending });
    const config: unknown = await eslint.calculateConfigForFile(join(folder, "device.ts"));
    expect(config).toMatchObject({ rules: { "regionlab/hand-allocated": [2] } });
    const script: unknown = await eslint.calculateConfigForFile(join(folder, "eslint.config.mjs"));
    expect(script).not.toHaveProperty("rules.regionlab/hand-allocated");
  }
});
