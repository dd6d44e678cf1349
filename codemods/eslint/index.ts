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
 * optional peer dependency, of which only types are imported.
 */
import { basename, dirname } from "node:path";
import type { ESLint, Rule as EslintRule, Linter } from "eslint";
import { ts } from "ts-morph";
import { CommandError } from "#host";
import { FlowProgram } from "../flow/index.ts";
import { runCodemodOn } from "../harness.ts";
import { frameworkOf, LifetimeAudit } from "../lifetime/audit.ts";
import type { LifetimeFinding } from "../lifetime/finding.ts";
import { type Level, Rule, ruleTexts } from "../lifetime/rules.ts";
import { compilePlan } from "../verify/phase.ts";

type LintRule = EslintRule.RuleModule;
type RuleContext = EslintRule.RuleContext;
type Suggestion = EslintRule.SuggestionReportDescriptor;

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
  const program: unknown = sourceCode.parserServices?.program;
  if (!isProgram(program)) return NO_PROGRAM;
  const file = program.getSourceFile(filename);
  if (file !== undefined && file.kind !== ts.SyntaxKind.SourceFile) return OTHER_COMPILER;
  const unresolved = file && unresolvedImport(file, program.getTypeChecker());
  if (unresolved !== undefined) return unresolvedText(unresolved);
  let audit = audits.get(program);
  if (audit === undefined) {
    audit = new ProgramAudit(program, filename);
    audits.set(program, audit);
  }
  return audit.findingsIn(filename);
}

/** The module of an import that does not resolve, if it is one that regions come from. */
function unresolvedImport(file: ts.SourceFile, checker: ts.TypeChecker): string | undefined {
  for (const statement of file.statements) {
    if (!ts.isImportDeclaration(statement) || !ts.isStringLiteral(statement.moduleSpecifier)) continue;
    const { moduleSpecifier, importClause } = statement;
    const names = importClause?.namedBindings?.getText(file) ?? "";
    const isOurs = /^regionlab(\/|$)/.test(moduleSpecifier.text) || /\bMemoryRegion\b/.test(names);
    if (isOurs && checker.getSymbolAtLocation(moduleSpecifier) === undefined) return moduleSpecifier.text;
  }
  return undefined;
}

const unresolvedText = (module: string): string =>
  `regionlab: ${module} does not resolve, so that the types of the regions are unknown; check the tsconfig (moduleResolution must read \`exports\`) and the installation`;

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
      hasSuggestions: CONVERTIBLE.has(rule),
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
        for (const finding of findings) {
          if (finding.rule !== rule) continue;
          const suggest = CONVERTIBLE.has(rule) ? conversionOf(context) : [];
          context.report({
            ...descriptorOf(finding),
            ...(suggest.length === 0 ? {} : { suggest: [...suggest] }),
          });
        }
      },
    }),
  };
}

function descriptorOf({ rule, region, line, column, endLine, endColumn }: LifetimeFinding) {
  const { what, embedded, owned, fix } = ruleTexts[rule];
  return {
    loc: { start: { line, column: column - 1 }, end: { line: endLine, column: endColumn - 1 } },
    message: `${region}: ${what}. Embedded: ${embedded} Owned: ${owned} Fix: ${fix}.`,
  };
}

/** Bugs that are gone when the regions are owned ones. */
const CONVERTIBLE: ReadonlySet<Rule> = new Set([Rule.HandAllocated, Rule.MixedForms]);

/** The conversion of each text; a file may have several findings. */
const conversions = new WeakMap<object, readonly Suggestion[]>();

/**
 * The conversion of the file to owned regions, as a suggestion; none if the codemod refuses them. It changes several places, so it is
 * not made unasked.
 */
function conversionOf({ filename, sourceCode }: RuleContext): readonly Suggestion[] {
  const { text } = sourceCode;
  if (text === undefined) return [];
  const known = conversions.get(sourceCode) ?? suggestionFor(filename, text);
  conversions.set(sourceCode, known);
  return known;
}

function suggestionFor(filename: string, text: string): readonly Suggestion[] {
  const name = basename(filename);
  const after = convertedText(name, dirname(filename), text);
  if (after === undefined || after === text) return [];
  const range = changedRange(text, after);
  const desc = "convert the regions of this file to owned ones, as `regionlab codemod to-owned` does";
  const inserted = after.slice(range[0], after.length - (text.length - range[1]));
  return [{ desc, fix: (fixer) => fixer.replaceTextRange(range, inserted) }];
}

function convertedText(name: string, directory: string, text: string): string | undefined {
  try {
    const { texts } = runCodemodOn({ [name]: text }, "to-owned", { directory, verify: compilePlan });
    return texts.get(name);
  } catch (error) {
    if (error instanceof CommandError) return undefined; // the text of an editor need not parse
    throw error;
  }
}

/** The part of a text that another one has otherwise. */
function changedRange(before: string, after: string): [number, number] {
  const shorter = Math.min(before.length, after.length);
  let start = 0;
  while (start < shorter && before[start] === after[start]) start++;
  let rest = 0;
  while (rest < shorter - start && before.at(-1 - rest) === after.at(-1 - rest)) rest++;
  return [start, before.length - rest];
}

const rules: Record<string, LintRule> = Object.fromEntries(
  Object.values(Rule).map((rule) => [rule, lintRule(rule)]),
);

const severities: Readonly<Record<Level, "error" | "warn">> = {
  error: "error",
  warning: "warn",
  note: "warn",
};

const meta = { name: "regionlab" } as const;

const plugin = { meta, rules, configs: { recommended: {} as Linter.Config } } satisfies ESLint.Plugin;

// Configurations name the plugin itself: ESLint refuses two objects of one name.
plugin.configs.recommended = {
  name: "regionlab/recommended",
  files: ["**/*.{ts,mts,cts,tsx}"], // others have no types
  plugins: { regionlab: plugin },
  rules: Object.fromEntries(
    Object.values(Rule).map((rule) => [`regionlab/${rule}`, severities[ruleTexts[rule].level]]),
  ),
};

/** The plugin, with a flat configuration that turns every rule on. */
export default plugin;
