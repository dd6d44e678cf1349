/**
 * ESLint plugin: the audit's lifetime rules in the editor and in `eslint`, with types.
 *
 *     import regionlab from "regionlab/eslint";
 *     import tseslint from "typescript-eslint";
 *
 *     export default [
 *       { files: ["**\/*.ts"], languageOptions: { parser: tseslint.parser, parserOptions: { projectService: true } } },
 *       regionlab.configs.recommended,
 *     ];
 *
 * The rules need the parser's program; without one each file gets a single message that says so. ESLint itself is an
 * optional peer dependency: nothing is imported from it, and the types below are as much of its interface as is used.
 */
import { ts } from "ts-morph";
import { FlowProgram } from "../flow/index.ts";
import { frameworkOf, LifetimeAudit } from "../lifetime/audit.ts";
import type { LifetimeFinding } from "../lifetime/finding.ts";
import { type Level, Rule, ruleTexts } from "../lifetime/rules.ts";

interface ReportDescriptor {
  readonly loc: {
    readonly start: { readonly line: number; readonly column: number };
    readonly end: { readonly line: number; readonly column: number };
  };
  readonly message: string;
}

interface RuleContext {
  readonly filename: string;
  readonly sourceCode: { readonly parserServices?: { readonly program?: unknown } };
  report(descriptor: ReportDescriptor): void;
}

interface LintRule {
  readonly meta: {
    readonly type: "problem" | "suggestion";
    readonly docs: { readonly description: string; readonly url: string };
    readonly schema: readonly never[];
  };
  create(context: RuleContext): { readonly Program: () => void };
}

/** Where the rules are explained. */
const GUIDE = "docs/codemods.md#audit-lifetime-bugs";
const NO_PROGRAM =
  "regionlab: the lifetime rules need types; use typescript-eslint's parser with `projectService: true`";
const OTHER_COMPILER = `regionlab: the parser's TypeScript counts syntax otherwise than ${ts.version}, which the lifetime rules were built with; use that version, or run \`regionlab audit\``;

/** What has been found in the files of each program; a parser makes a new one when a file changes. */
const audits = new WeakMap<object, ProgramAudit>();

class ProgramAudit {
  private readonly program: ts.Program;
  private readonly audit: LifetimeAudit;
  private readonly found = new Map<string, readonly LifetimeFinding[]>();

  constructor(program: ts.Program, from: string) {
    this.program = program;
    const isFramework = frameworkOf(program.getCompilerOptions(), ts.sys, from);
    const files = program.getSourceFiles().filter((file) => !file.isDeclarationFile && !isFramework(file));
    this.audit = new LifetimeAudit(new FlowProgram(program.getTypeChecker(), files, isFramework), files);
  }

  findingsIn(name: string): readonly LifetimeFinding[] {
    let found = this.found.get(name);
    if (found === undefined) {
      const file = this.program.getSourceFile(name);
      found = file === undefined ? [] : this.audit.findingsIn([file]);
      this.found.set(name, found);
    }
    return found;
  }
}

/** Findings in a file, or the reason why there can be none. */
function findingsFor({ filename, sourceCode }: RuleContext): readonly LifetimeFinding[] | string {
  const program = sourceCode.parserServices?.program;
  if (!isProgram(program)) return NO_PROGRAM;
  const file = program.getSourceFile(filename);
  if (file !== undefined && file.kind !== ts.SyntaxKind.SourceFile) return OTHER_COMPILER;
  let audit = audits.get(program);
  if (audit === undefined) {
    audit = new ProgramAudit(program, filename);
    audits.set(program, audit);
  }
  return audit.findingsIn(filename);
}

function isProgram(value: unknown): value is ts.Program {
  return typeof value === "object" && value !== null && "getSourceFile" in value && "getTypeChecker" in value;
}

/** Files that were told why they cannot be checked: once, not for each rule. */
const told = new WeakMap<object, string>();

function lintRule(rule: Rule): LintRule {
  const { what, level, fix } = ruleTexts[rule];
  return {
    meta: {
      type: level === "error" ? "problem" : "suggestion",
      docs: { description: `${what}; ${fix}`, url: GUIDE },
      schema: [],
    },
    create: (context) => ({
      Program: () => {
        const findings = findingsFor(context);
        if (typeof findings === "string") {
          if (told.get(context.sourceCode) === findings) return;
          told.set(context.sourceCode, findings);
          context.report({
            loc: { start: { line: 1, column: 0 }, end: { line: 1, column: 0 } },
            message: findings,
          });
          return;
        }
        for (const finding of findings) if (finding.rule === rule) context.report(descriptorOf(finding));
      },
    }),
  };
}

function descriptorOf({ rule, region, line, column, endLine, endColumn }: LifetimeFinding): ReportDescriptor {
  const { what, embedded, owned, fix } = ruleTexts[rule];
  return {
    loc: { start: { line, column: column - 1 }, end: { line: endLine, column: endColumn - 1 } },
    message: `${region}: ${what}. Embedded: ${embedded} Owned: ${owned} Fix: ${fix}.`,
  };
}

const rules: Readonly<Record<string, LintRule>> = Object.fromEntries(
  Object.values(Rule).map((rule) => [rule, lintRule(rule)]),
);

const severities: Readonly<Record<Level, "error" | "warn">> = {
  error: "error",
  warning: "warn",
  note: "warn",
};

const meta = { name: "regionlab" } as const;

/** The plugin, with a flat configuration that turns every rule on. */
const plugin = {
  meta,
  rules,
  configs: {
    recommended: {
      name: "regionlab/recommended",
      plugins: { regionlab: { meta, rules } },
      rules: Object.fromEntries(
        Object.values(Rule).map((rule) => [`regionlab/${rule}`, severities[ruleTexts[rule].level]]),
      ),
    },
  },
};

export default plugin;
