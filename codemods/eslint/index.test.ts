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
  for (const [rule, { create }] of Object.entries(plugin.rules)) {
    const report = ({ loc, message }: Reported) => reports.push({ rule, ...loc.start, message });
    const visitor = create({ filename, sourceCode, report } as unknown as Context); // all that the plugin uses
    visitor.Program?.({} as never); // it does not look at the tree
  }
  return reports;
}

type Context = Parameters<(typeof plugin.rules)[string]["create"]>[0];
interface Reported {
  readonly loc: { readonly start: { readonly line: number; readonly column: number } };
  readonly message: string;
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

  test("says which import does not resolve, since nothing is known of regions then", () => {
    const project = newProject();
    const text = 'import { MemoryRegion } from "regionlab/nowhere";\nexport const made = MemoryRegion;\n';
    const { fileName } = project.createSourceFile("unresolved.ts", text).compilerNode;
    const messages = lint(fileName, project.getProgram().compilerObject).map(({ message }) => message);
    expect(messages).toEqual([expect.stringContaining("regionlab/nowhere does not resolve")]);
  });

  test("the recommended configuration turns on every rule", () => {
    const { rules, plugins } = plugin.configs.recommended;
    expect(Object.keys(rules ?? {}).sort()).toEqual(
      Object.values(Rule)
        .map((rule) => `regionlab/${rule}`)
        .sort(),
    );
    expect(plugins).toEqual({ regionlab: plugin });
    expect(plugins?.regionlab).toBe(plugin);
  });
});
