import { join } from "node:path";
import { ts } from "ts-morph";
import { describe, expect, test } from "vitest";
import { Rule } from "../lifetime/rules.ts";
import { newProject } from "../source/workspace.ts";
import plugin from "./index.ts";

const fixture = join(import.meta.dirname, "../lifetime/fixtures/seeded/l13-del-twice.ts");

/** Runs every rule over a file as ESLint does, as far as the plugin can tell. */
function lint(filename: string, program: unknown) {
  const reports: { rule: string; line: number; column: number; message: string }[] = [];
  const sourceCode = { parserServices: { program } };
  for (const [rule, { create }] of Object.entries(plugin.rules))
    create({
      filename,
      sourceCode,
      report: ({ loc, message }) => reports.push({ rule, ...loc.start, message }),
    }).Program();
  return reports;
}

describe("ESLint plugin", () => {
  test("reports what the audit finds, where ESLint counts columns from 0", () => {
    const project = newProject();
    project.addSourceFileAtPath(fixture);
    const reports = lint(fixture, project.getProgram().compilerObject);
    expect(reports).toHaveLength(1);
    expect(reports[0]).toMatchObject({ rule: Rule.DeletedTwice, line: 27, column: 4 });
    expect(reports[0]?.message).toMatch(/^Dut\.iomem: .*Embedded: .*Owned: .*Fix: /);
  });

  test("says once why a file cannot be checked", () => {
    expect(lint(fixture, undefined).map(({ message }) => message)).toEqual([
      expect.stringContaining("need types"),
    ]);
    const other = { getTypeChecker: () => {}, getSourceFile: () => ({ kind: ts.SyntaxKind.SourceFile + 2 }) };
    expect(lint(fixture, other).map(({ message }) => message)).toEqual([
      expect.stringContaining("counts syntax otherwise"),
    ]);
  });

  test("the recommended configuration turns on every rule", () => {
    const { rules, plugins } = plugin.configs.recommended;
    expect(Object.keys(rules).sort()).toEqual(
      Object.values(Rule)
        .map((rule) => `regionlab/${rule}`)
        .sort(),
    );
    expect(plugins.regionlab.rules).toBe(plugin.rules);
  });
});
